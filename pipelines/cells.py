"""Count facts by cell and period: how many, how many distinct, how many voices.

Everything but distinct texts and authors adds up over days, and so does what comes once in the
window: all of that is counted by day at once. Only what comes again has to be told apart in each
period: sorted by day, it counts in the periods that it was not seen in before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.labels import CATEGORIES, SENTIMENTS

_NARROW = 32
"""Bits of a key that sorts in half the time."""

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.unsignedinteger[Any]]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Periods:
    """The window's days cut into spans: ``of_day[d]``, which never falls, is that of day d."""

    of_day: Ints

    def sums(self, daily: Ints) -> Ints:
        """Sum (days, ...) over the days of each period."""
        total: Ints = np.add.reduceat(daily, np.flatnonzero(_begins(self.of_day)), axis=0)
        return total


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
class _Kinds:
    """What is true of each: ``kind[i]`` numbers a combination, of which ``flags[kind]`` tells."""

    kind: Ints
    flags: Ints

    @classmethod
    def of(cls, flags: Sequence[Flags]) -> "_Kinds":
        """Number the combinations that there are of up to eight yes-or-no columns."""
        packed = np.zeros(len(flags[0]), np.uint8)
        for place, flag in enumerate(flags):
            packed |= flag.astype(np.uint8) << place
        there = np.flatnonzero(np.bincount(packed, minlength=1 << len(flags)))
        number = np.zeros(1 << len(flags), np.int64)
        number[there] = np.arange(len(there))
        return cls(number[packed], there[:, None] >> np.arange(len(flags)) & 1)


@dataclass(frozen=True, slots=True)
class _Again:
    """Rows of what comes more than once: where they are, and a number for what it is."""

    places: Ints
    number: Ints


@dataclass(frozen=True, slots=True)
class _Daily:
    """Counts of the shape (kinds, days, cells), and what is true of each kind."""

    counts: Ints
    flags: Ints

    def total(self) -> Ints:
        """Count all kinds by day."""
        every: Ints = self.counts.sum(axis=0)
        return every

    def of(self, flag: int) -> Ints:
        """Count by day what a flag is true of."""
        those: Ints = self.counts[self.flags[:, flag] > 0].sum(axis=0)
        return those


class Rows:
    """Facts as `pipelines.facts.frame` makes them, ready to be counted in many ways.

    Args:
        facts: one row per manifestation.
        grains: the ways of cutting the window into periods.
    """

    def __init__(self, facts: pd.DataFrame, grains: Mapping[str, Periods]) -> None:
        self._grains = grains
        self._days = len(next(iter(grains.values())).of_day)
        self._day: Ints = facts["day"].to_numpy()
        self._seen = _seen_before(grains.values())
        author = facts["author"].to_numpy()
        known = np.flatnonzero(author)
        authors = _repeated(author[known])
        self._copy = _repeated(facts["cluster"].to_numpy())
        self._author = _Again(known[authors.places], authors.number)
        self._speaker = self._speaking(facts["category"].cat.codes.to_numpy())
        sentiment = facts["sentiment"].cat.codes.to_numpy()
        self._kinds = _Kinds.of(
            [
                *(sentiment == code for code in range(len(SENTIMENTS))),
                author == 0,
                *(_once(one, len(facts)) for one in (self._copy, self._author, self._speaker)),
            ]
        )

    def _speaking(self, category: npt.NDArray[np.integer[Any]]) -> _Again:
        """Number who speaks more than once of a category on a day."""
        places, number = self._author.places, self._author.number
        spoken = (number * len(CATEGORIES) + category[places]) * self._days + self._day[places]
        again = _repeated(spoken)
        return _Again(places[again.places], again.number)

    def count(
        self, cell: Ints, size: int, grains: Sequence[str], *, of_one_category: bool = False
    ) -> dict[str, Cells]:
        """Count by cell in every period of some grains.

        Args:
            cell: the number of each row's cell.
            size: how many cells there are.
            grains: those wanted.
            of_one_category: whether all rows of a cell are of one category.
        """
        every = self._daily(self._day * size + cell, size, self._kinds)
        *feels, anonymous, copy_once, author_once, speaker_once = map(
            every.of, range(every.flags.shape[1])
        )
        copies, authors = (self._new(one, cell, size) for one in (self._copy, self._author))
        if of_one_category:
            voices = author_once + authors.total()
        else:
            voices = speaker_once + self._new(self._speaker, cell, size).total()
        places = {name: place for place, name in enumerate(self._grains)}
        return {
            grain: Cells(
                distinct_count=sums(copy_once + copies.of(places[grain])),
                voices=sums(voices),
                anonymous=sums(anonymous),
                authors=sums(author_once + authors.of(places[grain])),
                sentiments=np.stack([sums(one) for one in feels], axis=-1),
            )
            for grain, sums in ((name, self._grains[name].sums) for name in grains)
        }

    def _daily(self, where: Ints, size: int, kinds: _Kinds) -> _Daily:
        """Count by kind, day and cell; ``where`` is the number of day and cell."""
        shape = len(kinds.flags), self._days, size
        key = kinds.kind * (self._days * size)
        key += where
        return _Daily(np.bincount(key, minlength=prod(shape)).reshape(shape), kinds.flags)

    def _new(self, again: _Again, cell: Ints, size: int) -> _Daily:
        """Count each thing once a cell and day, by which periods it is new in.

        A sort of packed numbers, once for all grains, is faster than telling them apart in each.
        """
        day_bits, cell_bits = self._days.bit_length(), size.bit_length()
        things = int(again.number.max(initial=0))
        narrow = things.bit_length() + cell_bits + day_bits <= _NARROW
        key: Keys = again.number.astype(np.uint32 if narrow else np.uint64)
        key <<= cell_bits
        key |= cell[again.places].astype(key.dtype)
        key <<= day_bits
        key |= self._day[again.places].astype(key.dtype)
        key.sort()
        key = np.compress(_begins(key), key)
        day = (key & ((1 << day_bits) - 1)).astype(np.int64)
        key >>= day_bits
        before = np.full(len(day), self._days)
        np.copyto(before[1:], day[:-1], where=~_begins(key)[1:])
        before *= self._days
        before += day
        day *= size
        day += (key & ((1 << cell_bits) - 1)).astype(np.int64)
        return self._daily(day, size, _Kinds(self._seen.kind.take(before), self._seen.flags))


def _seen_before(grains: Iterable[Periods]) -> _Kinds:
    """Say of a thing by (day on which it was before, day) whether it is new in a period.

    The last row is for what was not there before.
    """
    days = [periods.of_day for periods in grains]
    return _Kinds.of([(np.append(of_day, -1)[:, None] != of_day).ravel() for of_day in days])


def _repeated(values: npt.NDArray[np.generic]) -> _Again:
    """Number the values that come more than once."""
    codes, _ = pd.factorize(values)
    often = np.bincount(codes) > 1
    places = np.flatnonzero(often[codes])
    return _Again(places, (np.cumsum(often) - 1)[codes[places]])


def _once(again: _Again, size: int) -> Flags:
    """Say of each row whether it is of what comes once."""
    once = np.ones(size, bool)
    once[again.places] = False
    return once


def _begins(sorted_values: npt.NDArray[np.integer[Any]]) -> Flags:
    """Say where a value differs from the one before it."""
    found = np.ones(len(sorted_values), bool)
    np.not_equal(sorted_values[1:], sorted_values[:-1], out=found[1:])
    return found


def joint(facts: pd.DataFrame, columns: Sequence[str]) -> tuple[Ints, list[tuple[str, ...]]]:
    """Number the combinations of categorical columns: each row's, and what each number means."""
    labels = [list(facts[column].cat.categories) for column in columns]
    cell = np.zeros(len(facts), np.int64)
    for column, its in zip(columns, labels, strict=True):
        cell *= len(its)
        cell += facts[column].cat.codes.to_numpy()
    return cell, list(product(*labels))
