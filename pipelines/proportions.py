"""Shares, their intervals, and the difference of two of them."""

import numpy as np
import numpy.typing as npt
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

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


def newcombe(count: int, n: int, other: int, other_n: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of count / n - other / other_n; both n from 1 on.

    The hybrid score interval, method 10 of Newcombe, R. G. (1998), «Interval estimation for the
    difference between independent proportions», Statistics in Medicine 17.
    """
    low, high = confint_proportions_2indep(
        count, n, other, other_n, method="newcomb", compare="diff"
    )
    return float(low), float(high)


def p_of_no_difference(count: int, n: int, other: int, other_n: int) -> float:
    """Return the p-value of two equal shares, by the score test; both n from 1 on."""
    if count + other in (0, n + other_n):  # the score has no variance, and there is no difference
        return 1.0
    return float(proportions_ztest([count, other], [n, other_n])[1])
