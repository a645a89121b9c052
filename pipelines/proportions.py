"""Shares, their intervals, and the difference of two of them."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    test_proportions_2indep,
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


def interval_columns(
    names: tuple[str, str, str], counts: Sequence[int], n: Sequence[int]
) -> dict[str, list[float | None]]:
    """Return columns of shares and of the ends of their intervals; None where n is 0."""
    absent = np.equal(n, 0)
    found = wilson_all(np.asarray(counts, np.int64), np.asarray(n, np.int64))
    return {
        name: np.where(absent, None, values).tolist()  # type: ignore[call-overload]
        for name, values in zip(names, found, strict=True)
    }


def newcombe(count: int, n: int, other: int, other_n: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of count / n - other / other_n; both n from 1 on."""
    low, high = newcombe_all(*_arrays(count, n, other, other_n))
    return float(low[0]), float(high[0])


def newcombe_all(counts: Ints, n: Ints, others: Ints, other_n: Ints) -> tuple[Floats, Floats]:
    """Return the ends of the 95 % intervals of differences of shares; every n from 1 on.

    The hybrid score interval, method 10 of Newcombe, R. G. (1998), «Interval estimation for the
    difference between independent proportions», Statistics in Medicine 17.
    """
    low, high = confint_proportions_2indep(
        counts, n, others, other_n, method="newcomb", compare="diff"
    )
    return low, high


def p_of_no_difference(count: int, n: int, other: int, other_n: int) -> float:
    """Return the p-value of two equal shares, by the score test; both n from 1 on."""
    return float(p_of_no_difference_all(*_arrays(count, n, other, other_n))[0])


def p_of_no_difference_all(counts: Ints, n: Ints, others: Ints, other_n: Ints) -> Floats:
    """Return the p-values of pairs of equal shares, by the score test; every n from 1 on."""
    with np.errstate(divide="ignore", invalid="ignore"):
        _, p = test_proportions_2indep(
            counts,
            n,
            others,
            other_n,
            method="score",
            compare="diff",
            correction=False,
            return_results=False,
        )
    # where none or all have it, the score has no variance, and there is no difference
    constant = (counts + others == 0) | (counts + others == n + other_n)
    found: Floats = np.where(constant, 1.0, p)
    return found


def _arrays(*numbers: int) -> Iterator[Ints]:
    return (np.array([number]) for number in numbers)
