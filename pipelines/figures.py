"""Can a published share belong to a count? A certificate for printed percentages.

A share printed with d decimals stands for a whole number k out of n whose percentage is rounded
to it. Where no k does that, the share was not computed from that n. (The same idea tests printed
means: Brown & Heathers, 2017, «The GRIM test», Social Psychological and Personality Science 8.)
Everything is counted in whole numbers, so no verdict depends on floating point.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.errors import InputError

MAX_DECIMALS = 4
MAX_N = 10**10
"""Up to here, and with so many decimals, the products below fit 64 bits."""

_WRITTEN = re.compile(r"(?P<whole>[0-9]{1,3})(?:[.,](?P<decimals>[0-9]+))?\s*%?")
_CHUNK = 1 << 16
Whole = NDArray[np.int64]


class Rounding(StrEnum):
    """How a percentage was cut to its printed decimals."""

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"
    TRUNCATION = "truncation"


@dataclass(frozen=True, slots=True)
class Printed:
    """A percentage as printed: ``units`` of its last decimal (35.24 is 3524 with 2 decimals)."""

    text: str
    units: int
    decimals: int

    @classmethod
    def read(cls, text: str, decimals: int | None = None) -> "Printed":
        """Read «35.24», «35,24» or «35.24 %»; ``decimals`` where zeros at its end were left out.

        Raises:
            InputError: it is no percentage from 0 to 100 of at most 4 decimals.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise InputError(f"«{text}» is no percentage. Write it like 35.24 or 35,24.")
        written = found["decimals"] or ""
        places = len(written) if decimals is None else decimals
        if not len(written) <= places <= MAX_DECIMALS:
            raise InputError(
                f"«{text}» has {len(written)} decimals; --decimals must be from there up to "
                f"{MAX_DECIMALS}."
            )
        units = int(found["whole"] + written.ljust(places, "0"))
        if units > 100 * 10**places:
            raise InputError(f"«{text}» is more than 100 %.")
        return cls(text.strip().rstrip("% "), units, places)

    @property
    def enough(self) -> int:
        """From this n on the share always fits: a count moves it by the last decimal at most."""
        return int(100 * 10**self.decimals)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether printed shares fit an n under one way of rounding, and which n they do fit.

    ``counts`` holds, for each share in order, the least and the greatest count that prints as it;
    None where there is none. ``below`` and ``above`` are the nearest other n that fit. No n fits
    parts that cannot add up to 100 %.
    """

    rounding: Rounding
    fits: bool
    counts: tuple[tuple[int, int] | None, ...]
    smallest: int | None
    below: int | None
    above: int | None


def check(shares: Sequence[Printed], n: int, *, parts: bool = False) -> list[Verdict]:
    """Say for each way of rounding whether all the shares can be of the same ``n``.

    From an n of 100 · 10^decimals on every share fits by itself; parts that can add up to a whole
    do so before twice their number times that, where the slack of all of them makes up for the
    whole numbers.

    Args:
        shares: as they were printed; at least one.
        n: the denominator in question, at least 1.
        parts: the shares are all the parts of one whole, so that their counts must add up to n.

    Raises:
        InputError: ``n`` is out of range.
    """
    if not 1 <= n <= MAX_N:
        raise InputError(f"n must be from 1 to {MAX_N:,}, not {n:,}.")
    return [_verdict(shares, n, rounding, parts=parts) for rounding in Rounding]


def _verdict(shares: Sequence[Printed], n: int, rounding: Rounding, *, parts: bool) -> Verdict:
    far = (2 * len(shares) + 1) * max(share.enough for share in shares)
    bounds = [_counts(share, np.array([n]), rounding) for share in shares]
    counts = tuple(
        (int(low[0]), int(high[0])) if low[0] <= high[0] else None for low, high in bounds
    )
    smallest = _next(shares, 1, far, rounding, parts=parts)
    if smallest is None:
        return Verdict(rounding, fits=False, counts=counts, smallest=None, below=None, above=None)
    multiple = (n // smallest + 1) * smallest  # the multiples of an n that fits do so too
    return Verdict(
        rounding=rounding,
        fits=bool(_fit(shares, np.array([n]), rounding, parts=parts)[0]),
        counts=counts,
        smallest=smallest,
        below=_previous(shares, n - 1, smallest, rounding, parts=parts),
        above=_next(shares, n + 1, multiple, rounding, parts=parts),
    )


def _counts(share: Printed, n: Whole, rounding: Rounding) -> tuple[Whole, Whole]:
    """Return the least and the greatest count, for each n, that prints as the share.

    With ``enough = 100 · 10^decimals`` the count k prints as ``units`` where
    ``units - 1/2 <= enough · k / n < units + 1/2``, or with ends that the rounding closes or opens.
    """
    twice = 2 * share.enough
    if rounding is Rounding.TRUNCATION:
        start, end = 2 * share.units, 2 * share.units + 2
        closed_start, closed_end = True, False
    else:
        start, end = 2 * share.units - 1, 2 * share.units + 1
        to_even = rounding is Rounding.HALF_EVEN
        closed_start = not to_even or share.units % 2 == 0
        closed_end = to_even and share.units % 2 == 0
    low = -(-start * n // twice) if closed_start else start * n // twice + 1
    high = end * n // twice if closed_end else -(-end * n // twice) - 1
    return np.maximum(low, 0), np.minimum(high, n)


def _fit(
    shares: Sequence[Printed], n: Whole, rounding: Rounding, *, parts: bool
) -> NDArray[np.bool_]:
    bounds = [_counts(share, n, rounding) for share in shares]
    fits = np.logical_and.reduce([low <= high for low, high in bounds])
    if parts:
        least = np.sum([low for low, _ in bounds], axis=0)
        most = np.sum([high for _, high in bounds], axis=0)
        fits &= (least <= n) & (n <= most)
    return np.asarray(fits, dtype=np.bool_)


def _next(
    shares: Sequence[Printed], start: int, end: int, rounding: Rounding, *, parts: bool
) -> int | None:
    """Return the first n from ``start`` to ``end`` that fits."""
    for first in range(start, end + 1, _CHUNK):
        n = np.arange(first, min(first + _CHUNK, end + 1))
        found = np.flatnonzero(_fit(shares, n, rounding, parts=parts))
        if len(found):
            return int(n[found[0]])
    return None


def _previous(
    shares: Sequence[Printed], start: int, end: int, rounding: Rounding, *, parts: bool
) -> int | None:
    """Return the last n from ``start`` down to ``end`` that fits."""
    for last in range(start, end - 1, -_CHUNK):
        n = np.arange(max(last - _CHUNK + 1, end), last + 1)
        found = np.flatnonzero(_fit(shares, n, rounding, parts=parts))
        if len(found):
            return int(n[found[-1]])
    return None
