"""Choose the manifestations that stand for many: the most central first, then the most diverse.

The central ones lie nearest to the mean of all; each diverse one is, among the half nearest to that
mean, the least like those that were chosen before it (farthest-first traversal: Gonzalez 1985). An
outlier stands for nobody, so the farther half is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST = 6
"""How many manifestations a finding shows at most."""
CENTRAL = 2


class Role(StrEnum):
    """Why a manifestation was chosen."""

    CENTRAL = "central"
    DIVERSE = "diverse"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A row that was chosen, and why."""

    row: int
    role: Role


def choose(vectors: Floats, most: int = MOST) -> list[Chosen]:
    """Choose rows from vectors of shape (texts, width); ties go to the first row."""
    if not len(vectors):
        return []
    centre = vectors.mean(axis=0)
    order = np.argsort(-(vectors @ centre), kind="stable")
    chosen = [int(row) for row in order[: min(CENTRAL, most)]]
    pool = [int(row) for row in order[: max(most, -(-len(order) // 2))]]
    while len(chosen) < min(most, len(pool)):
        rest = [row for row in pool if row not in chosen]
        nearest = (vectors[rest] @ vectors[chosen].T).max(axis=1)
        chosen.append(rest[int(nearest.argmin())])
    return [
        Chosen(row, Role.CENTRAL if place < CENTRAL else Role.DIVERSE)
        for place, row in enumerate(chosen)
    ]


def distinct(clusters: Sequence[str], texts: Sequence[str]) -> list[int]:
    """Return the rows that say something of their own: the first of each cluster and each text."""
    seen: set[str] = set()
    kept = []
    for row, marks in enumerate(zip(clusters, texts, strict=True)):
        if seen.isdisjoint(marks):
            kept.append(row)
        seen.update(marks)
    return kept
