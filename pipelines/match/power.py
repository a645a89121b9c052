"""How many manifestations are needed to see a cell move: two shares, two windows.

Cohen, J. (1988), «Statistical Power Analysis for the Behavioral Sciences», 2nd ed., chapter 6
(effect size h of two proportions), as statsmodels computes it. Manifestations of one author on one
day, and copies, are not independent: numbers are multiplied by the design effect, manifestations
per voice (Kish 1965).
"""

from dataclasses import dataclass
from math import asin, ceil, sin, sqrt
from typing import Final

from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

ALPHA: Final = 0.05
POWER: Final = 0.8


@dataclass(frozen=True, slots=True)
class Indicator:
    """A success indicator: a share that must fall from ``before`` to ``after`` at least.

    ``n`` is how many manifestations the cell has now, ``needed`` how many each of the two windows
    must have, design effect included; ``days`` how long that takes at the present volume.
    ``visible`` is the least fall that the present n can show; nothing where none can.
    """

    before: float
    after: float
    n: int
    design_effect: float
    needed: int
    days: int | None
    visible: float | None

    @property
    def enough(self) -> bool:
        """Whether a window like the present one is enough."""
        return self.n >= self.needed


def indicator(before: float, fall: float, n: int, voices: int, days: int) -> Indicator:
    """Work out what it takes to see a share fall.

    Args:
        before: the share now, between 0 and 1.
        fall: by how much it must fall, between 0 and ``before``.
        n: manifestations of the cell in the window.
        voices: the same with each author counted once a day.
        days: length of the window.

    Raises:
        ValueError: the share cannot fall by so much.
    """
    if not 0 < fall <= before < 1:
        raise ValueError(f"a share of {before:.1%} cannot fall by {100 * fall:.1f} points")
    effect = n / voices if voices else 1.0
    needed = ceil(_needed(before, before - fall) * effect)
    per_day = n / days
    return Indicator(
        before=before,
        after=before - fall,
        n=n,
        design_effect=effect,
        needed=needed,
        days=ceil(needed / per_day) if per_day else None,
        visible=_visible(before, n / effect),
    )


def _needed(before: float, after: float) -> float:
    """Return how many independent answers each window needs."""
    size = proportion_effectsize(before, after)
    power = NormalIndPower()
    return float(power.solve_power(size, alpha=ALPHA, power=POWER, ratio=1.0))


def _visible(before: float, n: float) -> float | None:
    """Return the least fall that n independent answers in each window show."""
    size = NormalIndPower().solve_power(None, nobs1=n, alpha=ALPHA, power=POWER, ratio=1.0)
    angle = asin(sqrt(before)) - float(size) / 2
    return before - sin(angle) ** 2 if angle > 0 else None
