"""Count a window's classified manifestations into the insight tables.

Every share carries its denominator and its Wilson 95 % interval (Wilson, E. B., 1927, «Probable
inference, the law of succession, and statistical inference», JASA 22), and where the classifier's
errors are known, a twin corrected for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from configs.schema import Municipality
from models.labels import CATEGORIES, INTENTS, NOWHERE, SENTIMENTS
from models.records import Kind, State, Window
from models.tables import (
    Base,
    InsightCategory,
    InsightDay,
    InsightOverview,
    InsightPlace,
    InsightSource,
)
from nlp.language import HOME
from nlp.places import identifier
from nlp.quantify import Confusion, correct_shares
from pipelines.coverage import Coverage, coverage
from pipelines.store.read import classified_frame, places_frame, rejection_counts
from pipelines.store.write import Store

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """What an aggregation is about."""

    run_id: str
    municipality: Municipality
    window: Window
    model_version: str
    taxonomy_version: str


def aggregate(store: Store, subject: Counted, confusions: Mapping[str, Confusion]) -> int:
    """Count the window, write the insight rows of the run, and return how many it holds.

    Texts in another language are counted by language, and are in no other count or denominator.

    Args:
        store: where the classifications are and the insight rows go.
        subject: run, municipality, window and versions.
        confusions: by task (category, sentiment, intent), the classifier's errors on labelled
            texts; a task without one gets no corrected shares.
    """
    frame = classified_frame(
        store.engine,
        subject.municipality.code,
        subject.window,
        subject.model_version,
        subject.taxonomy_version,
    )
    spanish = frame[frame["language"].isin(HOME)]
    read = coverage(store.engine, subject.municipality, subject.window, subject.run_id)
    rejections = rejection_counts(store.engine, subject.run_id)
    tables: dict[type[Base], list[Row]] = {
        InsightOverview: [*_overview(spanish, confusions), *_languages(frame)],
        InsightCategory: _categories(spanish, confusions),
        InsightDay: _days(spanish, read),
        InsightSource: _sources(spanish, read, rejections),
        InsightPlace: _places(store, subject, spanish),
    }
    common = _common(subject, read)
    for rows in tables.values():
        for row in rows:
            row.update(common)
    store.save_insights(subject.run_id, tables)
    return len(frame)


def insight_columns(store: Store, subject: Counted) -> Row:
    """Return what every insight row of a run says of itself, with the window's coverage."""
    read = coverage(store.engine, subject.municipality, subject.window, subject.run_id)
    return _common(subject, read)


def _common(subject: Counted, read: Coverage) -> Row:
    return {
        "run_id": subject.run_id,
        "municipality": subject.municipality.code,
        "window_from": subject.window.start,
        "window_to": subject.window.end,
        "model_version": subject.model_version,
        "taxonomy_version": subject.taxonomy_version,
        "sources_read": read.sources_read,
        "sources_configured": len(read.sources),
        "days_complete": len(read.complete_days),
        "days": len(subject.window.days),
    }


def _overview(frame: pd.DataFrame, confusions: Mapping[str, Confusion]) -> list[Row]:
    certainty = pd.Series(np.where(frame["abstained"], "unsure", "sure"), index=frame.index)
    total = pd.Series("total", index=frame.index)
    return [
        *_measure("total", frame, total, ("total",)),
        *_measure("sentiment", frame, frame["sentiment"], SENTIMENTS, confusions.get("sentiment")),
        *_measure("intent", frame, frame["intent"], INTENTS, confusions.get("intent")),
        *_measure("kind", frame, frame["kind"], tuple(Kind)),
        *_measure("certainty", frame, certainty, ("sure", "unsure")),
    ]


def _languages(frame: pd.DataFrame) -> list[Row]:
    """Count the texts in any language: the only rows whose ``n`` holds the foreign ones."""
    foreign = sorted(set(frame["language"]) - set(HOME))
    return _measure("language", frame, frame["language"], (*HOME, *foreign))


def _measure(
    measure: str,
    frame: pd.DataFrame,
    labels: pd.Series,
    known: tuple[str, ...],
    confusion: Confusion | None = None,
) -> list[Row]:
    corrected = _corrected(labels, known, confusion)
    return [
        {
            "measure": measure,
            "label": label,
            **_share(frame[labels == label], len(frame)),
            **corrected[label],
        }
        for label in known
    ]


def _categories(frame: pd.DataFrame, confusions: Mapping[str, Confusion]) -> list[Row]:
    corrected = _corrected(frame["category"], CATEGORIES, confusions.get("category"))
    rows = []
    for category in CATEGORIES:
        cell = frame[frame["category"] == category]
        rows.append(
            {
                "category": category,
                "unsure": int(cell["abstained"].sum()),
                **_share(cell, len(frame)),
                **corrected[category],
                **_sentiments(cell),
            }
        )
    return rows


def _days(frame: pd.DataFrame, read: Coverage) -> list[Row]:
    rows = []
    for day in read.window.days:
        cell = frame[frame["said_on"] == day]
        rows.append(
            {
                "day": day,
                "complete": day in read.complete_days,
                **_share(cell, len(frame)),
                **_sentiments(cell),
            }
        )
    return rows


def _sources(frame: pd.DataFrame, read: Coverage, rejections: pd.DataFrame) -> list[Row]:
    stored = sorted(set(frame["source"]) - set(read.sources))
    rows = []
    for source in [*read.sources, *stored]:
        cell = frame[frame["source"] == source]
        mine = rejections[rejections["source"] == source]
        known = read.sources.get(source)
        rows.append(
            {
                "source": source,
                "state": known.state if known else State.UNREAD,
                "reason": known.reason if known else None,
                "ignored": int(mine.loc[mine["ignored"], "count"].sum()),
                "rejected": int(mine.loc[~mine["ignored"], "count"].sum()),
                **_share(cell, len(frame)),
                **_sentiments(cell),
            }
        )
    return rows


def _places(store: Store, subject: Counted, frame: pd.DataFrame) -> list[Row]:
    gazetteer = identifier(subject.municipality.zones)
    found = places_frame(store.engine, subject.municipality.code, subject.window, gazetteer)
    placed = frame.merge(found, on="id", how="left", validate="1:1")
    zones = placed["zone"].fillna(NOWHERE)
    rows = []
    for zone in [*(zone.code for zone in subject.municipality.zones), NOWHERE]:
        cell = placed[zones == zone]
        rows.append(
            {
                "zone": zone,
                "gazetteer": gazetteer,
                "inherited": int(cell["inherited"].eq(True).sum()),
                **_share(cell, len(frame)),
                **_sentiments(cell),
            }
        )
    return rows


def _share(cell: pd.DataFrame, n: int) -> Row:
    share, low, high = _proportion(len(cell), n)
    return {
        "count": len(cell),
        "distinct_count": int(cell["cluster"].nunique()),
        "n": n,
        "share": share,
        "share_low": low,
        "share_high": high,
    }


def _sentiments(cell: pd.DataFrame) -> Row:
    counts = cell["sentiment"].value_counts()
    negative = int(counts.get("negative", 0))
    share, low, high = _proportion(negative, len(cell))
    return {
        **{sentiment: int(counts.get(sentiment, 0)) for sentiment in SENTIMENTS},
        "negative_share": share,
        "negative_low": low,
        "negative_high": high,
    }


def _proportion(count: int, n: int) -> tuple[float | None, float | None, float | None]:
    if n == 0:
        return None, None, None
    low, high = proportion_confint(count, n, alpha=0.05, method="wilson")
    share = count / n
    return share, min(float(low), share), max(float(high), share)  # rounding: 7 of 7 gave 1 - 1e-16


def _corrected(
    labels: pd.Series, known: tuple[str, ...], confusion: Confusion | None
) -> dict[str, Row]:
    if confusion is None or labels.empty:
        nothing = dict.fromkeys(("corrected_share", "corrected_low", "corrected_high"))
        return dict.fromkeys(known, nothing)
    counts = {str(label): int(count) for label, count in labels.value_counts().items()}
    shares = correct_shares(counts, confusion, known)
    return {
        label: {
            "corrected_share": share.share,
            "corrected_low": share.low,
            "corrected_high": share.high,
        }
        for label, share in shares.items()
    }
