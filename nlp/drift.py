"""Has what the model answers changed between two windows, by more than chance?

Distances between the answers of an earlier and a later window: Kolmogorov-Smirnov for numbers
(confidence, unknown tokens), Jensen-Shannon for labels, and for both the population stability
index (PSI, the symmetric Kullback-Leibler divergence of binned shares, as credit scoring uses
it). What one day says hangs together (a strike, a flood), so chance is measured by dealing
whole days anew to two windows: `p` is the share of such deals whose distance is at least the
one seen. All measures are tested together (Holm, 1979).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import jensenshannon  # type: ignore[import-untyped]
from scipy.stats import ks_2samp  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests

from models.errors import InputError

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Distance = Callable[[Floats, Floats], float]
Deals = Sequence[npt.NDArray[np.bool_]]
"""For each deal, which texts fall into the earlier window."""

LEVEL = 0.05
FEWEST_DAYS = 10
"""Days in both windows together; of fewer, there are not enough ways to deal them."""
_DEALS = 500
_BINS = 10
_HALF = 0.5  # texts added to every bin, so that an empty one gives no infinite index


@dataclass(frozen=True, slots=True)
class Signals:
    """What is compared, one entry a text: days, and per measure numbers or label numbers.

    `numbers[name]` has shape (texts,); `labels[name]` holds whole numbers below `sizes[name]`.
    """

    days: Numbers
    numbers: Mapping[str, Floats]
    labels: Mapping[str, Numbers]
    sizes: Mapping[str, int]

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.days)


@dataclass(frozen=True, slots=True)
class Drift:
    """One measure: its distance, the 95 % point of chance, `p`, and the index (PSI).

    `before` and `after` are the means of a number, or the shares of each label.
    """

    distance: float
    chance: float
    p: float
    drifted: bool
    psi: float
    before: list[float]
    after: list[float]


def measure_drift(before: Signals, after: Signals, *, seed: int = 0) -> dict[str, Drift]:
    """Compare two windows' signals, measure by measure.

    Raises InputError where a window holds no text, or both together fewer than 10 days.
    """
    if not len(before) or not len(after):
        raise InputError("one of the two windows holds no classified text: choose other windows")
    days = np.concatenate([before.days, after.days])
    if len(np.unique(days)) < FEWEST_DAYS:
        raise InputError(
            f"both windows together hold texts of {len(np.unique(days))} days; chance can only "
            f"be told from {FEWEST_DAYS} days on: choose longer windows"
        )
    deals = _deals(days, len(np.unique(before.days)), seed)
    found = {
        name: _number_drift(before.numbers[name], after.numbers[name], deals)
        for name in before.numbers
    }
    for name, size in before.sizes.items():
        found[name] = _label_drift(before.labels[name], after.labels[name], size, deals)
    refused = multipletests([one.p for one in found.values()], LEVEL, "holm")[0]
    return {
        name: replace(one, drifted=bool(no))
        for no, (name, one) in zip(refused, found.items(), strict=True)
    }


def _number_drift(before: Floats, after: Floats, deals: Deals) -> Drift:
    edges = np.unique(np.quantile(before, np.linspace(0, 1, _BINS + 1)[1:-1]))
    psi = stability_index(_binned(before, edges), _binned(after, edges))
    seen, chance, p = _tested(before, after, deals, kolmogorov_smirnov)
    return Drift(seen, chance, p, False, psi, [float(before.mean())], [float(after.mean())])


def _label_drift(before: Numbers, after: Numbers, size: int, deals: Deals) -> Drift:
    old, new = (np.bincount(one, minlength=size).astype(float) for one in (before, after))
    seen, chance, p = _tested(before, after, deals, _label_distance(size))
    shares = [(one / one.sum()).tolist() for one in (old, new)]
    return Drift(seen, chance, p, False, stability_index(old, new), *shares)


def kolmogorov_smirnov(before: Floats, after: Floats) -> float:
    """Return the greatest difference of the two distribution functions, 0 to 1."""
    return float(ks_2samp(before, after, method="asymp").statistic)


def stability_index(before: Floats, after: Floats) -> float:
    """Return the PSI of two vectors of counts; half a text is added to every bin."""
    old, new = (one + _HALF for one in (before, after))
    old, new = old / old.sum(), new / new.sum()
    return float(((new - old) * np.log(new / old)).sum())


def _binned(values: Floats, edges: Floats) -> Floats:
    counts: Floats = np.bincount(
        np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1
    ).astype(float)
    return counts


def _label_distance(size: int) -> Distance:
    def distance(before: Floats, after: Floats) -> float:
        counts = (np.bincount(one.astype(int), minlength=size) for one in (before, after))
        return float(jensenshannon(*counts, base=2))

    return distance


def _deals(days: Numbers, first: int, seed: int) -> Deals:
    """Deal whole days anew, `first` of them to the earlier window."""
    rng = np.random.default_rng(seed)
    known = np.unique(days)
    dealt = (rng.permutation(known)[:first] for _ in range(_DEALS))
    return [np.isin(days, one) for one in dealt]


def _tested(
    before: Floats | Numbers, after: Floats | Numbers, deals: Deals, distance: Distance
) -> tuple[float, float, float]:
    """Return the distance seen, the 95 % point of the deals' distances, and p."""
    pooled = np.concatenate([before, after]).astype(float)
    seen = distance(pooled[: len(before)], pooled[len(before) :])
    chance = np.array([distance(pooled[one], pooled[~one]) for one in deals])
    p = (1 + int((chance >= seen - 1e-12).sum())) / (1 + len(chance))
    return seen, float(np.quantile(chance, 1 - LEVEL)), p
