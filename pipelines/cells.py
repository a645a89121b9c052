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
    """What comes more than once, by what it is, then cell, then day: every three of them once.

    ``first`` says where another thing or another cell begins.
    """

    cell: Ints
    day: Ints
    first: Flags


class Rows:
    """Facts as `pipelines.facts.frame` makes them, ready to be counted in many ways.

    Args:
        facts: one row per manifestation.
        days: how many days the window has.
    """

    def __init__(self, facts: pd.DataFrame, days: int) -> None:
        self.days = days
        self.day: Ints = facts["day"].to_numpy()
        self.sentiment = facts["sentiment"].cat.codes.to_numpy()
        self.anonymous = np.flatnonzero(facts["anonymous"].to_numpy())
        self._facts = facts
        self._again = {name: self._divided(name) for name in ("copy", "author", "speaker")}

    def once(self, column: str) -> Ints:
        """Return the places of the rows of what comes once."""
        return self._again[column][0]

    def again(self, column: str, cell: Ints, size: int) -> _Again:
        """Sort the rows of what comes more than once: in each cell, the first of a period counts.

        A sort of packed numbers, once for all grains, is faster than telling them apart in each.
        """
        _, places, number = self._again[column]
        day_bits, cell_bits = self.days.bit_length(), size.bit_length()
        key = number << cell_bits
        key |= cell[places]
        key <<= day_bits
        key |= self.day[places]
        key.sort()
        key = key[_begins(key)]
        day = key & ((1 << day_bits) - 1)
        key >>= day_bits
        return _Again(key & ((1 << cell_bits) - 1), day, _begins(key))

    def _divided(self, column: str) -> tuple[Ints, Ints, Ints]:
        number: Ints = self._facts[column].to_numpy()
        places = np.flatnonzero(number >= 0)
        return np.flatnonzero(number < 0), places, number[places]


class Tally:
    """Rows that are to be counted by one way of telling cells apart.

    Args:
        rows: all of them.
        cell: the number of each row's cell.
        size: how many cells there are.
        of_one_category: whether all rows of a cell are of one category.
    """

    def __init__(self, rows: Rows, cell: Ints, size: int, *, of_one_category: bool = False) -> None:
        self._rows = rows
        self._voice = "author" if of_one_category else "speaker"
        self._cell = cell
        self._size = size
        self._key: Ints = rows.day * size + cell
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

    @cached_property
    def _sentiments(self) -> Ints:
        kinds, days = len(SENTIMENTS), self._rows.days
        key = self._key * kinds + self._rows.sentiment
        return np.bincount(key, minlength=days * self._size * kinds).reshape(
            days, self._size, kinds
        )

    @cached_property
    def _anonymous(self) -> Ints:
        return self._daily(self._rows.anonymous)

    @cached_property
    def _voices(self) -> Ints:
        days = self._rows.days
        return self._different(self._voice, Periods(np.arange(days), days))

    def _daily(self, places: Ints) -> Ints:
        counts = np.bincount(self._key[places], minlength=self._rows.days * self._size)
        return counts.reshape(self._rows.days, self._size)

    def _different(self, column: str, periods: Periods) -> Ints:
        """Count what comes once in the window by day, and the rest once in each period."""
        if column not in self._again:
            self._once[column] = self._daily(self._rows.once(column))
            self._again[column] = self._rows.again(column, self._cell, self._size)
        rows = self._again[column]
        period = periods.of_day[rows.day]
        first = np.flatnonzero(rows.first | _begins(period))
        again = np.bincount(
            period[first] * self._size + rows.cell[first], minlength=periods.size * self._size
        )
        return _summed(self._once[column], periods) + again.reshape(periods.size, self._size)


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
