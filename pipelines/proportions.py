"""Shares and their intervals."""

import numpy as np
import numpy.typing as npt
from statsmodels.stats.proportion import proportion_confint

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def wilson(count: int, n: int) -> tuple[float | None, float | None, float | None]:
    """Return a share and the ends of its Wilson 95 % interval; nothing where n is 0."""
    if n == 0:
        return None, None, None
    share, low, high = wilson_all(np.array([count]), np.array([n]))
    return float(share[0]), float(low[0]), float(high[0])


def wilson_all(counts: Ints, n: Ints) -> tuple[Floats, Floats, Floats]:
    """Return shares and the ends of their Wilson 95 % intervals; NaN where n is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = counts / n
        low, high = proportion_confint(counts, n, alpha=0.05, method="wilson")
    # rounding: 7 of 7 gave 1 - 1e-16
    return share, np.minimum(low, share), np.maximum(high, share)
