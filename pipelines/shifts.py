"""Lasting changes of how much is said: the days from which a cell stays at another level.

Change points by optimal segmentation (PELT: Killick, Fearnhead and Eckley 2012, JASA 107; the
library ruptures) of the daily voices after their square root, which makes their noise alike at
every level. Only the sources that were read nearly every day count, on the days on which all of
them were; so no lost source looks like a change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, log, sqrt

import numpy as np
import ruptures
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, norm  # type: ignore[import-untyped]

from pipelines.alarm import Cell, Daily

Floats = NDArray[np.float64]

LEAST_DAYS = 7
"""A level lasts at least a week, so that no weekend is one."""
LEAST_A_DAY = 2.0
"""Cells with fewer voices a day, before and after, are not looked at."""

_READ = 0.9  # of the days, for a source to count
_BY_CHANCE = 0.0001  # a level is refused whose ranks differ so little (Mann and Whitney 1947)
_PENALTY = 3.0  # times the logarithm of the days; both tuned on simulated towns


@dataclass(frozen=True, slots=True)
class Shift:
    """A new level of a cell: voices a day before and after, and their ratio with 95 % interval."""

    cell: Cell
    day: date
    before: float
    after: float
    days_before: int
    days_after: int
    ratio: float
    low: float
    high: float


def shifts(daily: Daily, days: Sequence[date]) -> list[Shift]:
    """Return the lasting changes that begin on one of the given days, by day and cell."""
    steady = daily.read.mean(axis=0) >= _READ
    usable = np.flatnonzero(daily.read[:, steady].all(axis=1)) if steady.any() else np.array([])
    if len(usable) < 2 * LEAST_DAYS:
        return []
    dates = [daily.days[place] for place in usable]
    said = daily.voices[:, usable][:, :, steady].sum(axis=2)
    said = said / _weekdays(said.sum(axis=0), dates)
    found = [
        shift
        for cell, series in zip(daily.cells, said, strict=True)
        for shift in _of_cell(cell, series, dates)
        if shift.day in set(days)
    ]
    return sorted(found, key=lambda s: (s.day, s.cell.dimension, s.cell.value))


def _weekdays(total: Floats, dates: Sequence[date]) -> Floats:
    week = np.array([day.weekday() for day in dates])
    factors = np.ones(7)
    usual = max(float(np.median(total)), 1.0)
    for weekday in range(7):
        mine = np.append(total[week == weekday], usual)
        factors[weekday] = max(float(np.median(mine)) / usual, 0.1)
    return np.asarray(factors[week])


def _of_cell(cell: Cell, series: Floats, dates: Sequence[date]) -> list[Shift]:
    if series.mean() < LEAST_A_DAY / 2:
        return []
    even = 2 * np.sqrt(series + 3 / 8)  # Anscombe 1948
    noise = max(float(np.median(np.abs(np.diff(even)))) / (sqrt(2) * norm.ppf(0.75)), 1.0)
    model = ruptures.KernelCPD(kernel="linear", min_size=LEAST_DAYS).fit(even)
    ends = model.predict(pen=_PENALTY * noise**2 * log(len(even)))
    starts = [0, *ends]
    return [
        shift
        for first, middle, last in zip(starts, starts[1:], starts[2:], strict=False)
        if (shift := _shift(cell, series[first:middle], series[middle:last], dates[middle]))
    ]


def _shift(cell: Cell, before: Floats, after: Floats, day: date) -> Shift | None:
    old, new = float(before.mean()), float(after.mean())
    if max(old, new) < LEAST_A_DAY:
        return None
    if mannwhitneyu(before, after).pvalue > _BY_CHANCE:  # a few wild days are no level
        return None
    smallest = 0.5 / len(before), 0.5 / len(after)
    ratio = max(new, smallest[1]) / max(old, smallest[0])
    doubt = sqrt(sum(_relative(part) for part in (before, after)))
    low, high = (ratio * exp(side * norm.ppf(0.975) * doubt) for side in (-1, 1))
    return Shift(cell, day, old, new, len(before), len(after), ratio, low, high)


def _relative(part: Floats) -> float:
    """Return the squared relative standard error of a mean, no smaller than Poisson's."""
    mean = max(float(part.mean()), 0.5 / len(part))
    return max(float(part.var(ddof=1)), mean) / len(part) / mean**2
