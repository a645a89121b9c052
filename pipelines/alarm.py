"""Days on which far more is said, or said angrily, than the days before let expect.

The model is the one of outbreak surveillance (Farrington et al. 1996, JRSS A 159; Noufal et al.
2013, Statistics in Medicine 32): counts are negative-binomial about a level per cell and source
times a factor per weekday, and past outbreaks weigh less in the level. It is fitted in closed form
to all cells at once, because most cells are too sparse for a regression of their own.

Coverage comes first. A day is expected to hold what the sources that were read for it usually give,
each at its own level; so a source that is lost or back, new or slow moves the expectation with it,
and never raises an alarm. On its first day back a source is not compared: what was held up while it
was away may all bear that day's date. Among the many cells and days the false-discovery rate is
held at 5 % (Benjamini and Hochberg 1995), apart for each measure and kind of cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import betabinom, nbinom  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PAST_DAYS = 56
"""How many days before a day its expectation rests on: eight weeks."""
LEAST_DAYS = 14
"""A day with fewer days before it, or a source with fewer days read, is not judged."""
LEAST_VOICES = 8
"""An alarm rests on at least so many voices on its day."""
LEAST_EXCESS = 5
"""And on at least so many more than expected."""
LEAST_PAST_VOICES = 30
"""The negative share of a cell is judged where its past, or that of its category, holds so many."""
FALSE_DISCOVERIES = 0.05

_OUTBREAK = 2.6  # standard deviations from which a past day weighs less (Noufal et al.: 2.58)
_LEAST_SPREAD = 0.02
_PRIOR_VOICES = 0.5  # of a level (Jeffreys)
_PRIOR_NEGATIVES = 10.0


class Measure(StrEnum):
    """What there is too much of."""

    VOLUME = "volume"
    NEGATIVITY = "negativity"


@dataclass(frozen=True, slots=True)
class Cell:
    """What is watched: a dimension (all, category, zone, category+zone) and a value of it."""

    dimension: str
    value: str


@dataclass(frozen=True)
class Daily:
    """Voices by cell, day and source; an author counts once a day and cell.

    ``voices`` and the ``negative`` among them have the shape (cells, days, sources); ``read`` of
    shape (days, sources) says for which days a source was read to the end. The days follow one
    another without a gap.
    """

    cells: tuple[Cell, ...]
    days: tuple[date, ...]
    sources: tuple[str, ...]
    voices: Floats
    negative: Floats
    read: Flags


@dataclass(frozen=True, slots=True)
class Alarm:
    """A day of a cell on which a measure lies beyond what chance explains.

    ``count`` of ``n``: for volume, voices of the cell (n is the same); for negativity, the
    negative of its voices. ``expected`` and the ``low`` to ``high`` that 95 % of such days stay in
    are counts. ``q`` is the p-value adjusted for all cells and days of its kind.
    """

    measure: Measure
    cell: Cell
    day: date
    count: int
    n: int
    expected: float
    low: float
    high: float
    p: float
    q: float
    sources_read: int


def alarms(daily: Daily, days: Sequence[date]) -> list[Alarm]:
    """Judge the given days, each by the days before it, and return what stands out.

    Days on which no source was read, and days without two weeks before them, are not judged.
    """
    found: list[Alarm] = []
    places = [daily.days.index(day) for day in days if day in daily.days]
    judged = [alarm for place in places for alarm in _judge(daily, place)]
    families = sorted({(alarm.measure, alarm.cell.dimension) for alarm in judged})
    for family in families:
        members = [a for a in judged if (a.measure, a.cell.dimension) == family]
        found += _significant(members)
    return sorted(found, key=lambda a: (a.day, a.q, a.measure, a.cell.dimension, a.cell.value))


def _significant(members: Sequence[Alarm]) -> list[Alarm]:
    adjusted = multipletests([member.p for member in members], method="fdr_bh")[1]
    return [
        replace(member, q=float(q))
        for member, q in zip(members, adjusted, strict=True)
        if q <= FALSE_DISCOVERIES and _supported(member)
    ]


def _supported(alarm: Alarm) -> bool:
    return alarm.n >= LEAST_VOICES and alarm.count - alarm.expected >= LEAST_EXCESS


@dataclass(frozen=True, slots=True)
class _Past:
    """The days that one day is judged by, cut to the sources that can be compared.

    Shapes: ``voices`` and ``negative`` (cells, days, sources), ``read`` (days, sources); the day
    itself is the last. ``week`` is the weekday of each day.
    """

    voices: Floats
    negative: Floats
    read: Floats
    week: NDArray[np.int64]


def _past(daily: Daily, place: int) -> _Past | None:
    """Cut out a day and its past; None where there is not enough of it."""
    start = max(0, place - PAST_DAYS)
    span = slice(start, place + 1)
    read = daily.read[span]
    known = read[-2:].all(axis=0) & (read[:-1].sum(axis=0) >= LEAST_DAYS)
    if not known.any() or read[:-1][:, known].any(axis=1).sum() < LEAST_DAYS:
        return None
    chosen = read[:, known].astype(float)
    return _Past(
        voices=daily.voices[:, span][:, :, known] * chosen,
        negative=daily.negative[:, span][:, :, known] * chosen,
        read=chosen,
        week=np.array([day.weekday() for day in daily.days[span]]),
    )


def _judge(daily: Daily, place: int) -> list[Alarm]:
    past = _past(daily, place)
    if past is None:
        return []
    expected, spread = _expectation(past, [cell.dimension for cell in daily.cells])
    read = past.read.shape[1]
    return [
        *_volume(daily, place, past, expected, spread, read),
        *_negativity(daily, place, past, read),
    ]


def _expectation(past: _Past, dimensions: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the expected voices of each cell on the last day, and their relative variance."""
    earlier, read = past.voices[:, :-1], past.read[:-1]
    factor = _weekdays(past)
    said = earlier.sum(axis=2)
    weights = np.ones(said.shape)
    for _ in range(3):
        exposure = np.einsum("cd,d,ds->cs", weights, factor[:-1], read)
        level = np.einsum("cd,cds->cs", weights, earlier)
        level = (level + _PRIOR_VOICES / read.shape[1]) / exposure
        mean = np.einsum("cs,ds,d->cd", level, read, factor[:-1])
        spread = _spread(said, mean, weights, dimensions)
        variance = mean + spread[:, None] * mean**2
        off = (said - mean) / np.sqrt(np.maximum(variance, 1e-9))  # 0 where nothing was read
        weights = np.where(off > _OUTBREAK, (_OUTBREAK / np.maximum(off, _OUTBREAK)) ** 2, 1.0)
    expected = level.sum(axis=1) * factor[-1]
    days = np.maximum(weights.sum(axis=1), 1.0)
    doubt = (level / exposure).sum(axis=1) / level.sum(axis=1) ** 2 + spread / days
    return expected, spread + doubt


def _weekdays(past: _Past) -> Floats:
    """Return the factor of each day's weekday, from all cells together, shrunk to 1."""
    everything = past.voices[:, :-1].sum(axis=0)
    read = past.read[:-1]
    level = everything.sum(axis=0) / np.maximum(read.sum(axis=0), 1.0)
    said, usual = everything.sum(axis=1), read @ level
    factors = np.ones(7)
    for weekday in range(7):
        mine = past.week[:-1] == weekday
        one = usual.mean() / 2  # half a day that is like all others
        factors[weekday] = (said[mine].sum() + one) / (usual[mine].sum() + one) if one else 1.0
    return np.asarray(factors[past.week])


def _spread(said: Floats, mean: Floats, weights: Floats, dimensions: Sequence[str]) -> Floats:
    """Return each cell's dispersion α (variance = μ + α μ²), drawn to that of its dimension."""
    over = (weights * ((said - mean) ** 2 - mean)).sum(axis=1)
    base = (weights * mean**2).sum(axis=1)
    spread = np.empty(len(said))
    for dimension in set(dimensions):
        mine = np.array([each == dimension for each in dimensions])
        common = max(over[mine].sum() / base[mine].sum(), _LEAST_SPREAD)
        typical = base[mine].mean()
        spread[mine] = (over[mine] + typical * common) / (base[mine] + typical)
    return np.maximum(spread, _LEAST_SPREAD)


def _volume(
    daily: Daily, place: int, past: _Past, expected: Floats, spread: Floats, read: int
) -> list[Alarm]:
    count = past.voices[:, -1].sum(axis=1)
    size = 1 / spread
    chance = size / (size + expected)
    p = nbinom.sf(count - 1, size, chance)
    low, high = (nbinom.ppf(end, size, chance) for end in (0.025, 0.975))
    columns = np.stack([count, count, expected, low, high, p])
    return [
        _alarm(Measure.VOLUME, cell, daily.days[place], columns[:, at], read)
        for at, cell in enumerate(daily.cells)
    ]


def _negativity(daily: Daily, place: int, past: _Past, read: int) -> list[Alarm]:
    dimensions = [cell.dimension for cell in daily.cells]
    n, k = past.voices.sum(axis=2), past.negative.sum(axis=2)
    before_n, before_k = n[:, :-1], k[:, :-1]
    wider = _wider(daily.cells)
    past_n, past_k = before_n.sum(axis=1), before_k.sum(axis=1)
    overall = past_k.sum() / max(past_n.sum(), 1.0)
    drawn = (past_k + _PRIOR_NEGATIVES * overall) / (past_n + _PRIOR_NEGATIVES)
    nearer = (past_k + _PRIOR_NEGATIVES * drawn[wider]) / (past_n + _PRIOR_NEGATIVES)
    share = np.where(wider == np.arange(len(wider)), drawn, nearer)
    share = np.clip(share, 0.01, 0.99)
    rho = _clustering(before_n, before_k, share, dimensions) + 1 / (past_n + _PRIOR_NEGATIVES + 1)
    a, b = share * (1 - rho) / rho, (1 - share) * (1 - rho) / rho
    of, count = n[:, -1], k[:, -1]
    p = betabinom.sf(count - 1, of, a, b)
    low, high = (betabinom.ppf(end, of, a, b) for end in (0.025, 0.975))
    columns = np.stack([count, of, of * share, low, high, p])
    return [
        _alarm(Measure.NEGATIVITY, cell, daily.days[place], columns[:, at], read)
        for at, cell in enumerate(daily.cells)
        if of[at] and past_n[wider[at]] >= LEAST_PAST_VOICES
    ]


def _wider(cells: Sequence[Cell]) -> NDArray[np.int64]:
    """Return for each cell the place of its category's, whose share stands in for a sparse past.

    A cell that is no pair of category and zone is its own.
    """
    place = {cell: at for at, cell in enumerate(cells)}
    parents = (Cell("category", cell.value.split("+")[0]) for cell in cells)
    places = [
        place.get(parent, at) if "+" in cell.dimension else at
        for at, (cell, parent) in enumerate(zip(cells, parents, strict=True))
    ]
    return np.array(places, dtype=np.int64)


def _alarm(measure: Measure, cell: Cell, day: date, column: Floats, read: int) -> Alarm:
    """Make one of count, n, expected, low, high and p; q is known when all are."""
    count, n, expected, low, high, p = column.tolist()
    return Alarm(measure, cell, day, int(count), int(n), expected, low, high, p, 1.0, read)


def _clustering(n: Floats, k: Floats, share: Floats, dimensions: Sequence[str]) -> Floats:
    """Return how alike the sentiments of one day are, ρ from 0 to 1, one for each dimension."""
    chance = (share * (1 - share))[:, None]
    over = ((k - n * share[:, None]) ** 2 - n * chance).sum(axis=1)
    base = (n * np.maximum(n - 1, 0) * chance).sum(axis=1)
    rho = np.empty(len(share))
    for dimension in set(dimensions):
        mine = np.array([each == dimension for each in dimensions])
        rho[mine] = np.clip(over[mine].sum() / max(base[mine].sum(), 1.0), 0.005, 0.9)
    return rho
