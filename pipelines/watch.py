"""The daily voices of a municipality, by source, as the alarms need them."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from configs.schema import Lens
from models.records import Window
from pipelines.alarm import PAST_DAYS, Cell, Daily
from pipelines.counted import Counted
from pipelines.coverage import coverage
from pipelines.lenses import look_at_window, seen_through
from pipelines.store.read import classified_per_day, manifestations_per_day
from pipelines.store.said import voices_frame
from pipelines.store.write import Store


def past_of(window: Window) -> Window:
    """Return the days before a window by which its days are judged."""
    return Window(window.start - timedelta(days=PAST_DAYS), window.start, window.zone)


@dataclass(frozen=True)
class Voices:
    """Who said what, from eight weeks before a window to its end, and what was read of it."""

    days: tuple[date, ...]
    frame: pd.DataFrame
    read: frozenset[tuple[str, date]]

    def daily(self, lens: Lens | None = None) -> Daily:
        """Count voices by cell, day and source: all of them, or those that a lens shows."""
        sources = sorted({source for source, _ in self.read})
        place_of_day = {day: at for at, day in enumerate(self.days)}
        place_of_source = {source: at for at, source in enumerate(sources)}
        ledger = np.zeros((len(self.days), len(sources)), dtype=bool)
        for source, day in self.read:
            ledger[place_of_day[day], place_of_source[source]] = True
        seen = self.frame if lens is None else seen_through(self.frame, lens)
        counted = _counted(seen[seen["source"].isin(sources)])
        keys = list(zip(counted["dimension"], counted["value"], strict=True))
        cells = sorted(set(keys))
        place = {key: at for at, key in enumerate(cells)}
        at = (
            np.array([place[key] for key in keys], dtype=int),
            np.array([place_of_day[day] for day in counted["said_on"]], dtype=int),
            np.array([place_of_source[source] for source in counted["source"]], dtype=int),
        )
        shape = (len(cells), len(self.days), len(sources))
        voices, negative = np.zeros(shape), np.zeros(shape)
        np.add.at(voices, at, 1)
        np.add.at(negative, at, counted["negative"].to_numpy(dtype=float))
        named = tuple(Cell(*key) for key in cells)
        return Daily(named, self.days, tuple(sources), voices, negative, ledger)


def voices_of(store: Store, subject: Counted) -> Voices:
    """Read the voices from eight weeks before the window to its end.

    A source's day counts as read where the ledger says so and all that is stored of it has been
    classified by this model. Texts of the time before that no lens has looked at are looked at.
    """
    window, past = subject.window, past_of(subject.window)
    whole = Window(past.start, window.end, window.zone)
    look_at_window(store, subject.municipality, subject.lenses, past)
    frame = voices_frame(
        store.engine,
        subject.municipality.code,
        whole,
        subject.model_version,
        subject.taxonomy_version,
        subject.recipe.gazetteer,
        subject.recipe.spectacles,
    )
    return Voices(tuple(whole.days), frame, frozenset(_read(store, subject, past, whole)))


def _counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per voice, cell, day and source; negative where any text of it is.

    A text that is sent on counts once a day in a cell: one message in a hundred hands is news, but
    it is one message, and the towns that forward most would alarm every day.
    """
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
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.drop_duplicates(["dimension", "value", "said_on", "cluster"])[[*keys, "negative"]]
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
