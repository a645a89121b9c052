"""The window by day, ISO week, month and as a whole: every label, and pairs of labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from models.labels import SENTIMENTS
from models.records import Window
from pipelines.cells import Cells, Ints, Periods, Tally, joint
from pipelines.coverage import Coverage
from pipelines.proportions import wilson_all

Row = dict[str, Any]

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

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Period:
    """A part of the window; ``first`` to ``last`` is all of it, in the window or not."""

    name: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class _Grain:
    name: str
    periods: Sequence[_Period]
    days: Periods


def whole_window(window: Window) -> Periods:
    """Return the window as its one period."""
    return Periods(np.zeros(len(window.days), np.int64), 1)


def series(
    facts: pd.DataFrame, read: Coverage, wanted: Sequence[str] = GRAINS, *, sparse: bool = False
) -> list[Row]:
    """Return the rows of `insight_series` in the grains wanted, less what all insight rows have.

    All has a row for every period. So has every label, unless the rows are to be ``sparse``: then
    only where something was counted. Pairs are so always, and from the week up.
    """
    grains = [grain for grain in _grains(read.window) if grain.name in wanted]
    total = _Dimension.of(facts, (), read)
    singles = {name: _Dimension.of(facts, (name,), read) for name in SINGLES}
    rows: list[Row] = []
    for grain in grains:
        whole = total.tally.by(grain.days)
        rows += _rows(grain, read, total, whole, whole.count)
        counted = {name: single.tally.by(grain.days) for name, single in singles.items()}
        for name, single in singles.items():
            n = np.broadcast_to(whole.count, counted[name].count.shape)
            rows += _rows(grain, read, single, counted[name], n, sparse=sparse)
    for first, second in PAIRS:
        pair = _Dimension.of(facts, (first, second), read)
        width = len(facts[second].cat.categories)
        for grain in grains:
            if grain.name == "day":
                continue
            n = np.repeat(singles[first].tally.by(grain.days).count, width, axis=1)
            rows += _rows(grain, read, pair, pair.tally.by(grain.days), n, sparse=True)
    return rows


@dataclass(frozen=True, slots=True)
class _Dimension:
    """One or two columns whose labels are counted."""

    columns: tuple[str, ...]
    labels: Sequence[tuple[str, ...]]
    tally: Tally

    @classmethod
    def of(cls, facts: pd.DataFrame, columns: tuple[str, ...], read: Coverage) -> "_Dimension":
        cell, labels = joint(facts, columns)
        return cls(columns, labels, Tally(facts, cell, len(labels), len(read.window.days)))

    def key(self, place: int) -> Row:
        """Name a cell."""
        first, second = (*zip(self.columns, self.labels[place], strict=True), ("", ""), ("", ""))[
            :2
        ]
        if not self.columns:
            first = (ALL, ALL)
        return {
            "dimension": first[0],
            "value": first[1],
            "second_dimension": second[0],
            "second_value": second[1],
        }


def _rows(
    grain: _Grain,
    read: Coverage,
    dimension: _Dimension,
    cells: Cells,
    n: Ints,
    *,
    sparse: bool = False,
) -> Iterator[Row]:
    """Give the rows of a grain; sparse ones only where something was counted."""
    count = cells.count
    wanted = count > 0 if sparse else np.ones(count.shape, bool)
    where, place = np.nonzero(wanted)
    negative = cells.sentiments[..., SENTIMENTS.index("negative")][wanted]
    columns: Mapping[str, Any] = {
        "count": count[wanted],
        "distinct_count": cells.distinct[wanted],
        "voices": cells.voices[wanted],
        "anonymous": cells.anonymous[wanted],
        "authors": cells.authors[wanted],
        "n": n[wanted],
        **{one: cells.sentiments[..., i][wanted] for i, one in enumerate(SENTIMENTS)},
    }
    shares = _intervals(("share", "share_low", "share_high"), columns["count"], columns["n"])
    negatives = _intervals(
        ("negative_share", "negative_low", "negative_high"), negative, columns["count"]
    )
    listed = {name: values.tolist() for name, values in columns.items()} | shares | negatives
    names = list(listed)
    periods = [_described(grain, period, read) for period in grain.periods]
    keys = [dimension.key(i) for i in range(len(dimension.labels))]
    for period, cell, *values in zip(where, place, *listed.values(), strict=True):
        yield {**periods[period], **keys[cell], **dict(zip(names, values, strict=True))}


def _intervals(names: Sequence[str], counts: Ints, n: Ints) -> dict[str, list[float | None]]:
    absent = n == 0
    return {
        name: np.where(absent, None, values).tolist()  # type: ignore[call-overload]
        for name, values in zip(names, wilson_all(counts, n), strict=True)
    }


def _described(grain: _Grain, period: _Period, read: Coverage) -> Row:
    window = read.window
    start, end = max(period.first, window.start), min(period.last + _DAY, window.end)
    days = {period.first + _DAY * i for i in range((period.last - period.first).days + 1)}
    return {
        "grain": grain.name,
        "period": period.name,
        "period_from": start,
        "period_to": end,
        "complete": days <= read.complete_days,
    }


def _grains(window: Window) -> list[_Grain]:
    days = window.days
    return [
        _grain("day", [_Period(str(day), day, day) for day in days]),
        _grain("week", [_week(day) for day in days]),
        _grain("month", [_month(day) for day in days]),
        _grain("window", [_Period("window", days[0], days[-1]) for _ in days]),
    ]


def _grain(name: str, of_day: Sequence[_Period]) -> _Grain:
    periods = list(dict.fromkeys(of_day))
    places = {period: place for place, period in enumerate(periods)}
    numbers = np.array([places[period] for period in of_day], np.int64)
    return _Grain(name, periods, Periods(numbers, len(periods)))


def _week(day: date) -> _Period:
    year, week, weekday = day.isocalendar()
    monday = day - _DAY * (weekday - 1)
    return _Period(f"{year}-W{week:02}", monday, monday + _DAY * 6)


def _month(day: date) -> _Period:
    first = day.replace(day=1)
    last = (first + _DAY * 31).replace(day=1) - _DAY
    return _Period(f"{day:%Y-%m}", first, last)
