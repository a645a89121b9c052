"""The window by day, ISO week, month and as a whole: every label, and pairs of labels."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, product
from typing import Any

import numpy as np
import pandas as pd

from models.labels import SENTIMENTS
from models.records import Window
from pipelines.cells import Cells, Ints, Periods, Rows, joint
from pipelines.coverage import Coverage
from pipelines.proportions import interval_columns

Key = tuple[str, str, str, str]
"""Dimension, value, second dimension, second value; empty where there is none."""

_DESCRIPTION = ("grain", "period", "period_from", "period_to", "complete")
SHARE = ("share", "share_low", "share_high")
NEGATIVE_SHARE = ("negative_share", "negative_low", "negative_high")
KEY = ("dimension", "value", "second_dimension", "second_value")
GRAINS = ("day", "week", "month", "window")
ALL = "all"
SINGLES = ("category", "sentiment", "intent", "source", "zone")
PAIRS = (
    ("category", "sentiment"),
    ("category", "source"),
    ("category", "zone"),
    ("category", "intent"),
    ("zone", "sentiment"),
    ("source", "sentiment"),
)
"""What analysts ask for; a pair's ``n`` is the count of its first label."""

Columns = tuple[str, ...]
"""Which columns tell cells apart: none, one or two."""

_DAY = timedelta(days=1)
_THREADS = 2
_COLUMNS: Sequence[Columns] = ((), *((name,) for name in SINGLES), *PAIRS)


@dataclass(frozen=True, slots=True)
class _Period:
    """A part of the window; ``first`` to ``last`` is all of it, in the window or not."""

    name: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class _Grain:
    """The window's periods of one length: each as its rows describe it, and its days."""

    periods: Sequence[tuple[str, str, date, date, bool]]
    days: Periods


class Counting:
    """Facts of a window and what was counted of them: nothing is counted twice.

    Args:
        facts: as `pipelines.facts.frame` makes them.
        read: the window and its coverage.
    """

    def __init__(self, facts: pd.DataFrame, read: Coverage) -> None:
        self.facts = facts
        self.read = read
        self._grains = _grains(read)
        self._rows = Rows(facts, {name: grain.days for name, grain in self._grains.items()})
        self._cells: dict[Columns, dict[str, Cells]] = {}

    def cells(self, columns: Columns, grain: str) -> Cells:
        """Count the labels of one or two columns, or everything, in every period of a grain.

        Pairs are counted from the week up, columns that are not in the series as a whole only.
        """
        if columns not in self._cells:
            self._count(columns)
        return self._cells[columns][grain]

    def _count(self, columns: Columns) -> None:
        cell, labels = joint(self.facts, columns)
        self._cells[columns] = self._rows.count(
            cell, len(labels), _grains_of(columns), of_one_category="category" in columns
        )

    def labels(self, column: str) -> list[str]:
        """Return the labels of a column, in the order of its cells."""
        return list(self.facts[column].cat.categories)

    def where(self, column: str, flag: str) -> Ints:
        """Count the rows of each label for which a yes-or-no column says yes."""
        codes = self.facts[column].cat.codes.to_numpy()[self.facts[flag].to_numpy()]
        return np.bincount(codes, minlength=len(self.labels(column)))

    def series(self, *, sparse: bool = False) -> dict[str, list[Any]]:
        """Return the columns of `insight_series`, less what all insight rows have.

        All has a row for every period. So has every label, unless the rows are to be ``sparse``:
        then only where something was counted. Pairs are so always, and from the week up.
        """
        with ThreadPoolExecutor(_THREADS) as pool:  # NumPy sorts outside Python's lock
            list(pool.map(self._count, [c for c in _COLUMNS if c not in self._cells]))
        blocks: list[dict[str, list[Any]]] = []
        for grain in GRAINS:
            whole = self.cells((), grain).count
            blocks.append(self._block(grain, (), whole))
            for name in SINGLES:
                n = np.broadcast_to(whole, self.cells((name,), grain).count.shape)
                blocks.append(self._block(grain, (name,), n, sparse=sparse))
        for pair in PAIRS:
            width = len(self.labels(pair[1]))
            for grain in GRAINS[1:]:
                n = np.repeat(self.cells(pair[:1], grain).count, width, axis=1)
                blocks.append(self._block(grain, pair, n, sparse=True))
        rows = joined(blocks)
        return {
            **rows,
            **interval_columns(SHARE, rows["count"], rows["n"]),
            **interval_columns(NEGATIVE_SHARE, rows["negative"], rows["count"]),
        }

    def _block(
        self, grain: str, columns: Columns, n: Ints, *, sparse: bool = False
    ) -> dict[str, list[Any]]:
        """Give the rows of a grain by column; sparse ones only where something was counted."""
        keys = [_key(columns, labels) for labels in product(*map(self.labels, columns))]
        cells = self.cells(columns, grain)
        count = cells.count
        wanted = count > 0 if sparse else np.ones(count.shape, bool)
        where, place = np.nonzero(wanted)
        numbers: Mapping[str, Ints] = {
            "count": count,
            "distinct_count": cells.distinct_count,
            "voices": cells.voices,
            "anonymous": cells.anonymous,
            "authors": cells.authors,
            "n": n,
            **{one: cells.sentiments[..., i] for i, one in enumerate(SENTIMENTS)},
        }
        return {
            **_chosen(_DESCRIPTION, self._grains[grain].periods, where),
            **_chosen(KEY, keys, place),
            **{name: values[wanted].tolist() for name, values in numbers.items()},
        }


def joined(blocks: Sequence[Mapping[str, list[Any]]]) -> dict[str, list[Any]]:
    """Put rows that are given by column one after the other."""
    return {name: [*chain.from_iterable(one[name] for one in blocks)] for name in blocks[0]}


def window_counts(facts: pd.DataFrame) -> dict[Key, tuple[int, int]]:
    """Return count and n of every label and pair in the whole window.

    Labels that nothing has are there with 0, pairs are not.
    """
    counts: dict[Key, tuple[int, int]] = {}
    for columns in _COLUMNS[1:]:
        cell, labels = joint(facts, columns)
        for place, count in enumerate(np.bincount(cell, minlength=len(labels)).tolist()):
            if count or len(columns) == 1:
                of = counts[_key(columns[:1], labels[place][:1])][0] if columns[1:] else len(facts)
                counts[_key(columns, labels[place])] = count, of
    return counts


def _grains_of(columns: Columns) -> Sequence[str]:
    if columns not in _COLUMNS:
        return ("window",)
    return GRAINS if len(columns) < 2 else GRAINS[1:]


def _key(columns: Columns, labels: tuple[str, ...]) -> Key:
    if not columns:
        return ALL, ALL, "", ""
    first, second = (*zip(columns, labels, strict=True), ("", ""))[:2]
    return *first, *second


def _chosen(
    names: Sequence[str], rows: Sequence[tuple[Any, ...]], places: Ints
) -> dict[str, list[Any]]:
    """Return columns of the rows at these places; a row may be there often."""
    columns = zip(*rows, strict=True)
    return {
        name: np.array(values, object)[places].tolist()
        for name, values in zip(names, columns, strict=True)
    }


def _grains(read: Coverage) -> dict[str, _Grain]:
    days = read.window.days
    return {
        "day": _grain("day", [_Period(str(day), day, day) for day in days], read),
        "week": _grain("week", [_week(day) for day in days], read),
        "month": _grain("month", [_month(day) for day in days], read),
        "window": _grain("window", [_Period("window", days[0], days[-1]) for _ in days], read),
    }


def _grain(name: str, of_day: Sequence[_Period], read: Coverage) -> _Grain:
    periods, complete = list(dict.fromkeys(of_day)), read.complete_days
    places = {period: place for place, period in enumerate(periods)}
    numbers = np.array([places[period] for period in of_day], np.int64)
    described = [(name, *_described(period, read.window, complete)) for period in periods]
    return _Grain(described, Periods(numbers))


def _described(
    period: _Period, window: Window, complete: frozenset[date]
) -> tuple[str, date, date, bool]:
    start, end = max(period.first, window.start), min(period.last + _DAY, window.end)
    days = {period.first + _DAY * i for i in range((period.last - period.first).days + 1)}
    return period.name, start, end, days <= complete


def _week(day: date) -> _Period:
    year, week, weekday = day.isocalendar()
    monday = day - _DAY * (weekday - 1)
    return _Period(f"{year}-W{week:02}", monday, monday + _DAY * 6)


def _month(day: date) -> _Period:
    first = day.replace(day=1)
    last = (first + _DAY * 31).replace(day=1) - _DAY
    return _Period(f"{day:%Y-%m}", first, last)
