"""Whether a printed share can be of the denominator beside it."""

from pipelines.figures import Printed, Rounding, check


def certified(share: str, n: int) -> bool:
    """Judge a percentage as Python and Babel round it: half to even."""
    verdicts = check([Printed.read(share)], n)
    return any(one.fits for one in verdicts if one.rounding is Rounding.HALF_EVEN)
