"""Count facts by cell and period: how many, how many distinct, how many voices.

Everything but distinct texts and authors adds up over days: it is counted by day and summed. What
comes once in the window adds up as well; only the rest has to be told apart in each period.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.labels import SENTIMENTS

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Periods:
    """The window's days cut into spans: ``of_day[d]``, which never falls, is that of day d."""

    of_day: Ints
    size: int


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts of the shape (periods, cells); sentiments (periods, cells, sentiments)."""

    distinct_count: Ints
    voices: Ints
    anonymous: Ints
    authors: Ints
    sentiments: Ints

    @property
    def count(self) -> Ints:
        """All manifestations."""
        total: Ints = self.sentiments.sum(axis=-1)
        return total


@dataclass(frozen=True, slots=True)
class _Again:
    """Rows of what comes more than once, by what it is, then cell, then day.

    ``first`` says where another thing or another cell begins.
    """

    cell: Ints
    day: Ints
    first: Flags


class Tally:
    """Facts that are to be counted by one way of telling cells apart.

    Args:
        facts: as `pipelines.facts.frame` makes them.
        cell: the number of each row's cell.
        size: how many cells there are.
        days: how many days the window has.
    """

    def __init__(self, facts: pd.DataFrame, cell: Ints, size: int, days: int) -> None:
        self._facts = facts
        self._cell = cell
        self._size = size
        self._days = days
        self._once: dict[str, Ints] = {}
        self._again: dict[str, _Again] = {}

    def by(self, periods: Periods) -> Cells:
        """Count by period."""
        return Cells(
            distinct_count=self._different("copy", periods),
            authors=self._different("author", periods),
            voices=_summed(self._voices, periods),
            anonymous=_summed(self._anonymous, periods),
            sentiments=_summed(self._sentiments, periods),
        )

    def where(self, column: str) -> Ints:
        """Count the rows of each cell for which a yes-or-no column says yes, in all days."""
        return np.bincount(self._cell[self._facts[column].to_numpy()], minlength=self._size)

    @cached_property
    def _key(self) -> Ints:
        key: Ints = self._facts["day"].to_numpy() * self._size + self._cell
        return key

    @cached_property
    def _sentiments(self) -> Ints:
        kinds = len(SENTIMENTS)
        key = self._key * kinds + self._facts["sentiment"].cat.codes.to_numpy()
        counts = np.bincount(key, minlength=self._days * self._size * kinds)
        return counts.reshape(self._days, self._size, kinds)

    @cached_property
    def _anonymous(self) -> Ints:
        return self._daily(self._key[self._facts["anonymous"].to_numpy()])

    @cached_property
    def _voices(self) -> Ints:
        return self._different("speaker", Periods(np.arange(self._days), self._days))

    def _daily(self, key: Ints) -> Ints:
        counts = np.bincount(key, minlength=self._days * self._size)
        return counts.reshape(self._days, self._size)

    def _different(self, column: str, periods: Periods) -> Ints:
        """Count what comes once in the window by day, and the rest once in each period."""
        if column not in self._again:
            self._sort(column)
        rows = self._again[column]
        period = periods.of_day[rows.day]
        first = rows.first | _begins(period)
        again = np.bincount(
            period[first] * self._size + rows.cell[first], minlength=periods.size * self._size
        )
        return _summed(self._once[column], periods) + again.reshape(periods.size, self._size)

    def _sort(self, column: str) -> None:
        """Sort once for all grains: a sort of numbers is faster than telling them apart in each."""
        number = self._facts[column].to_numpy()
        again = number >= 0
        self._once[column] = self._daily(self._key[~again])
        key = number[again] * self._size + self._cell[again]
        key = key * self._days + self._facts["day"].to_numpy()[again]
        key.sort()
        group, day = np.divmod(key, self._days)
        self._again[column] = _Again(group % self._size, day, _begins(group))


def _begins(sorted_values: Ints) -> Flags:
    """Say where a value differs from the one before it."""
    found = np.ones(len(sorted_values), bool)
    np.not_equal(sorted_values[1:], sorted_values[:-1], out=found[1:])
    return found


def _summed(daily: Ints, periods: Periods) -> Ints:
    """Sum (days, ...) over the days of each period."""
    total = np.zeros((periods.size, *daily.shape[1:]), np.int64)
    np.add.at(total, periods.of_day, daily)
    return total


def joint(facts: pd.DataFrame, columns: Sequence[str]) -> tuple[Ints, list[tuple[str, ...]]]:
    """Number the combinations of categorical columns: each row's, and what each number means."""
    cell = np.zeros(len(facts), np.int64)
    meaning: list[tuple[str, ...]] = [()]
    for column in columns:
        labels = list(facts[column].cat.categories)
        cell = cell * len(labels) + facts[column].cat.codes.to_numpy()
        meaning = [(*before, label) for before in meaning for label in labels]
    return cell, meaning
