"""Days on which far more is said, or said angrily, than the days before let expect.

The model is the one of outbreak surveillance (Farrington et al. 1996, JRSS A 159; Noufal et al.
2013, Statistics in Medicine 32): counts are negative-binomial about a level per cell and source
times a factor per weekday, and past outbreaks weigh less in the level. It is fitted in closed form
to all cells at once, because most cells are too sparse for a regression of their own.

Anger without a voice more hardly shows in a day: a category has a dozen voices. So the negative
share is scanned over windows of one day to two weeks (the scan statistic: Kulldorff 2001, JRSS A
164), each against the share of the eight weeks before it, and of windows that touch the most
unusual is told. A window is beta-binomial: how alike the sentiments of as many days are is measured
on the past, cut into spans of that length, so what drifts slowly makes long windows doubtful too.
The same classifier read both times; its errors make a surge look smaller, and raise none.

That scan asks of many windows and so sees only large changes. Days that are far too loud are asked
once more, as one window, whether they are angrier too (`tone`): they were chosen by how many speak,
which says nothing of what share of them is negative where that is as before (independent filtering:
Bourgon, Gentleman and Huber 2010, PNAS 107).

Coverage comes first. A day is expected to hold what the sources that were read for it usually give,
each at its own level; so a source that is lost or back, new or slow moves the expectation with it,
and never raises an alarm. On its first day back a source is not compared: what was held up while it
was away may all bear that day's date. A window is judged by the sources that were read on all of
its days. Among the many cells, days and lengths the false-discovery rate is held at 5 % (Benjamini
and Hochberg 1995), apart for volume, for that of
pairs of category and zone, and for negativity.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr  # type: ignore[import-untyped]
from scipy.stats import betabinom, nbinom  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PAST_DAYS = 56
"""How many days before a day its expectation rests on: eight weeks."""
LEAST_DAYS = 14
"""A day with fewer days before it, or a source with fewer days read, is not judged."""
WINDOWS = (1, 3, 7, 14)
"""Over so many days the negative share is judged, where the past is four times as long; from fewer
spans of a length nobody knows how alike they usually are."""
LEAST_VOICES = 8
"""An alarm of volume rests on at least so many voices on its day."""
LEAST_HEARD = 15
"""And one of negativity on so many in its window; fewer can hardly be surely angrier."""
LEAST_EXCESS = 5
"""And on at least so many more than expected."""
LEAST_PAST_VOICES = 30
"""The negative share of a cell is judged where its past, or that of its category, holds so many."""
LEAST_ALIKE = 0.005
"""The sentiments of a day are at least so alike; those of a longer window less, by its length."""
FALSE_DISCOVERIES = 0.05

_OUTBREAK = 2.6  # Anscombe residual from which a past day weighs less (Noufal et al.: 2.58)
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
    """Days of a cell, ``days`` of them and ``day`` the last, beyond what chance explains.

    ``count`` of ``n``: for volume, voices of the cell (n is the same); for negativity, the
    negative of its voices. ``expected`` and the ``low`` to ``high`` that 95 % of such days stay in
    are counts. ``q`` is the p-value adjusted for all cells, days and lengths of its family.
    Negativity has also the ``past_count`` of ``past_n`` voices in the ``past_days`` before, which
    are those of ``past_cell``: its category where the past of a pair holds too few to say a share.
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
    days: int = 1
    past_count: int = 0
    past_n: int = 0
    past_days: int = 0
    past_cell: Cell | None = None

    @property
    def first(self) -> date:
        """The first of its days."""
        return self.day - timedelta(days=self.days - 1)


def alarms(daily: Daily, days: Sequence[date]) -> list[Alarm]:
    """Judge windows that lie in the given days by the days before, and return what stands out.

    Days on which no source was read, and days without two weeks before them, are not judged.
    """
    found: list[Alarm] = []
    places = [daily.days.index(day) for day in days if day in daily.days]
    judged = [alarm for place in places for alarm in _judge(daily, place, place - places[0] + 1)]
    for family in sorted({_family(alarm) for alarm in judged}):
        found += _significant([alarm for alarm in judged if _family(alarm) == family])
    told = [alarm for alarm in found if alarm.measure is Measure.VOLUME]
    told += _surest([alarm for alarm in found if alarm.measure is Measure.NEGATIVITY])
    return sorted(told, key=lambda a: (a.day, a.q, a.measure, a.cell.dimension, a.cell.value))


def _family(alarm: Alarm) -> tuple[Measure, bool]:
    """Say with which others it is adjusted: the many pairs would drown the volume of all else."""
    return alarm.measure, alarm.measure is Measure.VOLUME and "+" in alarm.cell.dimension


def tone(daily: Daily, cell: Cell, first: date, last: date) -> Alarm | None:
    """Judge the negative share of a cell over the days of one loud episode by the days before.

    The p-value is of this one question, and q the same. None where it cannot be judged: fewer than
    LEAST_VOICES spoke, or of too few days before it enough is known.
    """
    place, length = daily.days.index(last), (last - first).days + 1
    past = _past(daily, place, length)
    judged = _negativity(daily, place, past, length, least=LEAST_VOICES) if past else []
    found = next((alarm for alarm in judged if alarm.cell == cell), None)
    return replace(found, q=found.p) if found else None


def _surest(found: Sequence[Alarm]) -> list[Alarm]:
    """Keep, of the windows of a cell that overlap or follow one another, the most unusual."""
    kept: list[Alarm] = []
    for alarm in sorted(found, key=lambda a: (-_likelihood_ratio(a), a.days, a.day)):
        touching = timedelta(days=1)
        if not any(
            alarm.cell == other.cell
            and alarm.first <= other.day + touching
            and other.first <= alarm.day + touching
            for other in kept
        ):
            kept.append(alarm)
    return kept


def _significant(members: Sequence[Alarm]) -> list[Alarm]:
    adjusted = multipletests([member.p for member in members], method="fdr_bh")[1]
    return [
        replace(member, q=float(q))
        for member, q in zip(members, adjusted, strict=True)
        if q <= FALSE_DISCOVERIES and _supported(member)
    ]


def _supported(alarm: Alarm) -> bool:
    return alarm.n >= LEAST_VOICES and alarm.count - alarm.expected >= LEAST_EXCESS


def _likelihood_ratio(alarm: Alarm) -> float:
    """Return by how much, in logarithms, its own share explains a window better than the past's."""
    k, n, expected = alarm.count, alarm.n, alarm.expected
    return float(rel_entr(k, expected) + rel_entr(n - k, n - expected))


@dataclass(frozen=True, slots=True)
class _Past:
    """The days that a window is judged by, cut to the sources that can be compared.

    Shapes: ``voices`` and ``negative`` (cells, days, sources), ``read`` (days, sources); the
    window's own days are the last. ``week`` is the weekday of each day.
    """

    voices: Floats
    negative: Floats
    read: Floats
    week: NDArray[np.int64]


def _past(daily: Daily, place: int, length: int = 1) -> _Past | None:
    """Cut out the window that ends on a day, and its past; None where there is not enough of it."""
    start = max(0, place - length + 1 - PAST_DAYS)
    span = slice(start, place + 1)
    read, least = daily.read[span], max(LEAST_DAYS, 4 * length)
    known = read[-length - 1 :].all(axis=0) & (read[:-length].sum(axis=0) >= least)
    if not known.any() or read[:-length][:, known].any(axis=1).sum() < least:
        return None
    chosen = read[:, known].astype(float)
    return _Past(
        voices=daily.voices[:, span][:, :, known] * chosen,
        negative=daily.negative[:, span][:, :, known] * chosen,
        read=chosen,
        week=np.array([day.weekday() for day in daily.days[span]]),
    )


def _judge(daily: Daily, place: int, longest: int) -> list[Alarm]:
    """Judge a day, and the windows that end on it and are no longer than asked."""
    judged: list[Alarm] = []
    if past := _past(daily, place):
        judged += _volume(daily, place, past)
    for length in WINDOWS:
        if length <= longest and (past := _past(daily, place, length)):
            judged += _negativity(daily, place, past, length)
    return judged


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
        off = _residual(said, mean, spread[:, None])
        weights = np.where(off > _OUTBREAK, (_OUTBREAK / np.maximum(off, _OUTBREAK)) ** 2, 1.0)
    expected = level.sum(axis=1) * factor[-1]
    days = np.maximum(weights.sum(axis=1), 1.0)
    doubt = (level / exposure).sum(axis=1) / level.sum(axis=1) ** 2 + spread / days
    return expected, spread + doubt


def _residual(said: Floats, mean: Floats, spread: Floats) -> Floats:
    """Return Anscombe's residuals, near to normal though counts are skewed; 0 where mean is 0.

    With Pearson's, the usual long tail of a few voices a day would be taken for past outbreaks.
    """
    low = np.maximum(mean, 1e-9)
    off = 1.5 * (np.cbrt(said) ** 2 - np.cbrt(low) ** 2) / np.cbrt(np.sqrt(low))
    return np.asarray(np.where(mean > 0, off / np.sqrt(1 + spread * low), 0.0))


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


def _volume(daily: Daily, place: int, past: _Past) -> list[Alarm]:
    expected, spread = _expectation(past, [cell.dimension for cell in daily.cells])
    count = past.voices[:, -1].sum(axis=1)
    size = 1 / spread
    chance = size / (size + expected)
    p = nbinom.sf(count - 1, size, chance)
    low, high = (nbinom.ppf(end, size, chance) for end in (0.025, 0.975))
    columns = np.stack([count, count, expected, low, high, p])
    return [
        _alarm(Measure.VOLUME, cell, daily.days[place], columns[:, at], past.read.shape[1])
        for at, cell in enumerate(daily.cells)
    ]


def _negativity(
    daily: Daily, place: int, past: _Past, length: int, least: int = LEAST_HEARD
) -> list[Alarm]:
    dimensions = [cell.dimension for cell in daily.cells]
    n, k = past.voices.sum(axis=2), past.negative.sum(axis=2)
    before_n, before_k = n[:, :-length], k[:, :-length]
    wider = _wider(daily.cells)
    past_n, past_k = before_n.sum(axis=1), before_k.sum(axis=1)
    overall = past_k.sum() / max(past_n.sum(), 1.0)
    drawn = (past_k + _PRIOR_NEGATIVES * overall) / (past_n + _PRIOR_NEGATIVES)
    nearer = (past_k + _PRIOR_NEGATIVES * drawn[wider]) / (past_n + _PRIOR_NEGATIVES)
    share = np.where(wider == np.arange(len(wider)), drawn, nearer)
    share = np.clip(share, 0.01, 0.99)
    alike = _clustering(_spans(before_n, length), _spans(before_k, length), share, dimensions)
    rho = np.maximum(alike, LEAST_ALIKE / length) + 1 / (past_n + _PRIOR_NEGATIVES + 1)
    a, b = share * (1 - rho) / rho, (1 - share) * (1 - rho) / rho
    of, count = n[:, -length:].sum(axis=1), k[:, -length:].sum(axis=1)
    p = betabinom.sf(count - 1, of, a, b)
    low, high = np.full((2, len(p)), np.nan)
    sure = p <= FALSE_DISCOVERIES  # the ends are slow to find, and of no others needed
    low[sure], high[sure] = (
        betabinom.ppf(end, of[sure], a[sure], b[sure]) for end in (0.025, 0.975)
    )
    columns = np.stack([count, of, of * share, low, high, p])
    ends = (n[:, -length] > 0) & (n[:, -1] > 0)  # or a shorter window says the same
    fit = ends & (of >= least)
    known = np.where(past_n >= LEAST_PAST_VOICES, np.arange(len(wider)), wider)
    return [
        replace(
            _alarm(Measure.NEGATIVITY, cell, daily.days[place], columns[:, at], past.read.shape[1]),
            days=length,
            past_count=int(past_k[source]),
            past_n=int(past_n[source]),
            past_days=int(past.read[:-length].any(axis=1).sum()),
            past_cell=daily.cells[source],
        )
        for at, (cell, source) in enumerate(zip(daily.cells, known, strict=True))
        if fit[at] and past_n[wider[at]] >= LEAST_PAST_VOICES
    ]


def _spans(daily: Floats, length: int) -> Floats:
    """Sum days by spans of a length, the last of which ends with them; (cells, spans)."""
    spans = daily.shape[1] // length
    cut = daily[:, daily.shape[1] - spans * length :].reshape(-1, spans, length)
    return np.asarray(cut.sum(axis=2))


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
    """Return how alike the sentiments of one span are, ρ from 0 to 1, one for each dimension."""
    chance = (share * (1 - share))[:, None]
    fitted = n.shape[1] / (n.shape[1] - 1)  # the share is that of the same spans
    over = (fitted * (k - n * share[:, None]) ** 2 - n * chance).sum(axis=1)
    base = (n * np.maximum(n - 1, 0) * chance).sum(axis=1)
    rho = np.empty(len(share))
    for dimension in set(dimensions):
        mine = np.array([each == dimension for each in dimensions])
        rho[mine] = np.clip(over[mine].sum() / max(base[mine].sum(), 1.0), 0.0, 0.9)
    return rho
