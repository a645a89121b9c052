"""The daily voices of a municipality, by source, as the alarms need them."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from models.records import Window
from nlp.places import named_by
from pipelines.alarm import PAST_DAYS, Cell, Daily
from pipelines.counted import Counted
from pipelines.coverage import coverage
from pipelines.store.read import classified_per_day, manifestations_per_day
from pipelines.store.said import voices_frame
from pipelines.store.write import Store


def past_of(window: Window) -> Window:
    """Return the days before a window by which its days are judged."""
    return Window(window.start - timedelta(days=PAST_DAYS), window.start, window.zone)


def daily_voices(store: Store, subject: Counted) -> Daily:
    """Count voices by cell, day and source, from eight weeks before the window to its end.

    A source's day counts as read where the ledger says so and all that is stored of it has been
    classified by this model.
    """
    window, past = subject.window, past_of(subject.window)
    whole = Window(past.start, window.end, window.zone)
    frame = voices_frame(
        store.engine,
        subject.municipality.code,
        whole,
        subject.model_version,
        subject.taxonomy_version,
        named_by(subject.municipality),
    )
    read = _read(store, subject, past, whole)
    sources = sorted({source for source, _ in read})
    days = whole.days
    ledger = np.zeros((len(days), len(sources)), dtype=bool)
    for source, day in read:
        ledger[days.index(day), sources.index(source)] = True
    counted = _counted(frame[frame["source"].isin(sources)])
    keys = list(zip(counted["dimension"], counted["value"], strict=True))
    cells = sorted(set(keys))
    place = {key: at for at, key in enumerate(cells)}
    day_at = {day: at for at, day in enumerate(days)}
    source_at = {source: at for at, source in enumerate(sources)}
    at = (
        np.array([place[key] for key in keys], dtype=int),
        np.array([day_at[day] for day in counted["said_on"]], dtype=int),
        np.array([source_at[source] for source in counted["source"]], dtype=int),
    )
    shape = (len(cells), len(days), len(sources))
    voices, negative = np.zeros(shape), np.zeros(shape)
    np.add.at(voices, at, 1)
    np.add.at(negative, at, counted["negative"].to_numpy(dtype=float))
    named = tuple(Cell(*key) for key in cells)
    return Daily(named, tuple(days), tuple(sources), voices, negative, ledger)


def _counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per voice, cell, day and source; negative where any text of it is."""
    base = frame.assign(
        negative=frame["sentiment"].eq("negative"), said_on=pd.to_datetime(frame["said_on"]).dt.date
    )
    topical = base[base["category"].ne("other")]  # which nobody can answer
    placed = base[base["zone"].notna()]
    both = topical[topical["zone"].notna()]
    pairs = both["category"] + "+" + both["zone"].astype(str)
    parts = [
        base.assign(dimension="all", value="all"),
        topical.assign(dimension="category", value=topical["category"]),
        placed.assign(dimension="zone", value=placed["zone"]),
        both.assign(dimension="category+zone", value=pairs),
    ]
    keys = ["dimension", "value", "said_on", "source", "voice"]
    rows = pd.concat(parts, ignore_index=True)[[*keys, "negative"]]
    return rows.groupby(keys)["negative"].max().reset_index()


def _read(store: Store, subject: Counted, past: Window, whole: Window) -> set[tuple[str, date]]:
    """Return the (source, day) pairs that were read to the end and are classified."""
    place, engine = subject.municipality, store.engine
    found = {
        (name, day)
        for span in (past, subject.window)
        for name, source in coverage(engine, place, span, subject.run_id).sources.items()
        for day in source.days
    }
    stored = manifestations_per_day(engine, place.code, whole)
    done = classified_per_day(
        engine, place.code, whole, subject.model_version, subject.taxonomy_version
    )
    return {key for key in found if stored.get(key, 0) == done.get(key, 0)}
