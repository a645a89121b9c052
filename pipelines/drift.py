"""Compare what the model answered in two windows of the store."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from configs.schema import Municipality
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Window
from nlp.drift import Drift, Signals, measure_drift
from nlp.tokens import unknown_shares
from pipelines.classify import reading
from pipelines.store.read import answers_frame, latest_model
from pipelines.store.write import Store

_LABELS = {"category": CATEGORIES, "sentiment": SENTIMENTS, "intent": INTENTS}


@dataclass(frozen=True, slots=True)
class WindowDrift:
    """The measures, the texts on which each side rests, and the model that answered both."""

    model_version: str
    before: Window
    after: Window
    n_before: int
    n_after: int
    measures: dict[str, Drift]


def preceding(window: Window) -> Window:
    """Return the window of the same length that ends where this one starts."""
    span = timedelta(days=(window.end - window.start).days)
    return Window(window.start - span, window.start, window.zone)


def window_drift(
    store: Store, municipality: Municipality, before: Window, after: Window
) -> WindowDrift:
    """Compare two windows' answers of the model that classified last.

    Raises:
        InputError: nothing was classified, or there are too few days to tell chance.
    """
    model, taxonomy = latest_model(store.engine, municipality.code)
    old, new = (
        answers_frame(store.engine, municipality.code, window, model, taxonomy)
        for window in (before, after)
    )
    folder = municipality.model.path
    measures = measure_drift(*(_signals(frame, folder) for frame in (old, new)))
    return WindowDrift(model, before, after, len(old), len(new), measures)


def _signals(frame: pd.DataFrame, folder: Path | None) -> Signals:
    texts = [
        reading(title, text) for title, text in zip(frame["title"], frame["text"], strict=True)
    ]
    labels = {
        task: np.array([known.index(label) for label in frame[task]], dtype=np.int64)
        for task, known in _LABELS.items()
    }
    return Signals(
        days=np.array([day.toordinal() for day in frame["said_on"]], dtype=np.int64),
        numbers={
            "confidence": frame["confidence"].to_numpy(dtype=float),
            "unknown tokens": unknown_shares(texts, folder),
        },
        labels={**labels, "abstained": frame["abstained"].to_numpy(dtype=np.int64)},
        sizes={**{task: len(known) for task, known in _LABELS.items()}, "abstained": 2},
    )
