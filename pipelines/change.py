"""Set a window beside an earlier one: differences of shares, with how sure they are.

Intervals are the hybrid score ones of Newcombe, R. G. (1998), «Interval estimation for the
difference between independent proportions», Statistics in Medicine 17, method 10; p-values are of
the score test. Of many cells some differ by chance: q-values control the rate of false discoveries
(Benjamini and Hochberg 1995).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from models.labels import NO_SOURCE_IN_BOTH, NOTHING_BEFORE, UNLABELLED_BEFORE
from models.records import State
from pipelines.coverage import Coverage
from pipelines.proportions import newcombe_all, p_of_no_difference_all
from pipelines.series import KEY, Key, window_counts

Row = dict[str, Any]

PREVIOUS = "previous"
"""The baseline that is the window of the same length before."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two windows: its facts, its coverage, and how many of its texts lack a label."""

    facts: pd.DataFrame
    read: Coverage
    unlabelled: int


@dataclass(frozen=True, slots=True)
class _Count:
    count: int
    n: int

    @property
    def share(self) -> float | None:
        return self.count / self.n if self.n else None


def changes(now: Side, before: Side, baseline: str) -> list[Row]:
    """Return the rows of `insight_change`, less what all insight rows have.

    Both sides are counted over the sources that were read to the end in both, so that a source
    that was down makes no change.
    """
    common = _read_in_both(now.read, before.read)
    reason = _why_not(common, before)
    sides = [_counted(side, common) for side in (now, before)]
    cells = sorted(sides[0].keys() | sides[1].keys())
    pairs = [(_at(sides[0], cell), _at(sides[1], cell)) for cell in cells]
    tests = _tests(pairs) if reason is None else {}
    window = before.read.window
    about = {
        "baseline": baseline,
        "baseline_from": window.start,
        "baseline_to": window.end,
        "comparable": reason is None,
        "reason": reason,
        "sources_compared": len(common),
    }
    return [
        {
            **about,
            **dict(zip(KEY, cell, strict=True)),
            **_sides(*pair),
            **tests.get(place, _UNTESTED),
        }
        for place, (cell, pair) in enumerate(zip(cells, pairs, strict=True))
    ]


def _read_in_both(now: Coverage, before: Coverage) -> set[str]:
    return {
        name
        for name, source in now.sources.items()
        if source.state is State.DONE
        and name in before.sources
        and before.sources[name].state is State.DONE
    }


def _why_not(common: set[str], before: Side) -> str | None:
    if not common:
        return NO_SOURCE_IN_BOTH
    if before.unlabelled:
        return UNLABELLED_BEFORE.format(number=before.unlabelled)
    if before.facts.empty:
        return NOTHING_BEFORE
    return None


def _counted(side: Side, common: set[str]) -> dict[Key, _Count]:
    facts = side.facts
    if common and not common.issuperset(facts["source"].cat.categories):
        facts = facts[facts["source"].isin(sorted(common))]
    return {key: _Count(*counts) for key, counts in window_counts(facts).items()}


def _at(counts: Mapping[Key, _Count], cell: Key) -> _Count:
    """Return a cell's count; a pair that has none was counted 0 times among its first label."""
    if found := counts.get(cell):
        return found
    first = counts.get((*cell[:2], "", ""))
    if not cell[2] or first is None:
        return _Count(0, next((one.n for key, one in counts.items() if not key[2]), 0))
    return _Count(0, first.count)


def _sides(now: _Count, before: _Count) -> Row:
    return {
        "count": now.count,
        "n": now.n,
        "share": now.share,
        "before_count": before.count,
        "before_n": before.n,
        "before_share": before.share,
        "difference": _less(now.share, before.share),
    }


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


_UNTESTED: Row = dict.fromkeys(("difference_low", "difference_high", "p_value", "q_value"))


def _tests(pairs: Sequence[tuple[_Count, _Count]]) -> dict[int, Row]:
    """Return intervals, p- and q-values by place, of the pairs that can be compared."""
    places = [
        place
        for place, (now, before) in enumerate(pairs)
        if now.n and before.n and now.count + before.count
    ]
    if not places:
        return {}
    sides = [
        (now.count, now.n, before.count, before.n)
        for now, before in (pairs[place] for place in places)
    ]
    counts = np.array(sides).T
    low, high = newcombe_all(*counts)
    p_values = p_of_no_difference_all(*counts)
    columns = (low, high, p_values, multipletests(p_values, method="fdr_bh")[1])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {
        place: dict(zip(_UNTESTED, row, strict=True))
        for place, row in zip(places, rows, strict=True)
    }


def credible(rows: Iterable[Row], q: float = 0.05) -> list[Row]:
    """Return the comparable rows that chance does not explain, the greatest difference first."""
    found = [row for row in rows if row["q_value"] is not None and row["q_value"] <= q]
    return sorted(found, key=lambda row: -abs(row["difference"]))
