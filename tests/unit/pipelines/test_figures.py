"""Which denominators a printed percentage can have."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InputError
from pipelines.figures import Printed, Rounding, check

MODES = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.TRUNCATION: ROUND_DOWN,
}


def printed_as(count: int, n: int, decimals: int, rounding: Rounding) -> str:
    """Print a share as a careful person would, with decimal arithmetic."""
    with localcontext() as context:
        context.prec = 60
        step = Decimal(1).scaleb(-decimals)
        return str((Decimal(100 * count) / Decimal(n)).quantize(step, rounding=MODES[rounding]))


def verdicts(*shares: str, n: int, decimals: int | None = None, parts: bool = False):
    read = [Printed.read(share, decimals) for share in shares]
    return {verdict.rounding: verdict for verdict in check(read, n, parts=parts)}


def test_the_shares_of_the_2021_slide_are_not_of_its_total() -> None:
    found = verdicts("35.24", n=5796)
    assert not found[Rounding.HALF_UP].fits
    assert not found[Rounding.HALF_EVEN].fits
    assert found[Rounding.HALF_UP].counts == (None,)
    assert found[Rounding.HALF_UP].smallest == 105
    assert (found[Rounding.HALF_UP].below, found[Rounding.HALF_UP].above) == (5795, 5797)


@pytest.mark.parametrize("rounding", [Rounding.HALF_UP, Rounding.HALF_EVEN])
def test_they_are_of_105(rounding: Rounding) -> None:
    found = verdicts("35.24", "40", "24,76 %", n=105, decimals=2, parts=True)[rounding]
    assert found.fits
    assert found.counts == ((37, 37), (42, 42), (26, 26))
    assert found.smallest == 105


def test_a_share_cut_off_is_told_from_a_rounded_one() -> None:
    found = verdicts("35.24", n=5796)
    assert found[Rounding.TRUNCATION].counts == ((2043, 2043),)  # 35.2484 %


def test_a_half_goes_up_or_to_the_even_neighbour() -> None:
    found = verdicts("12.5", n=8), verdicts("12", n=8), verdicts("13", n=8)  # 1 of 8 is 12.5 %
    assert [each[Rounding.HALF_UP].fits for each in found] == [True, False, True]
    assert [each[Rounding.HALF_EVEN].fits for each in found] == [True, True, False]


def test_parts_must_add_up() -> None:
    assert verdicts("33.33", "33.33", "33.33", n=3, parts=True)[Rounding.HALF_UP].fits
    assert verdicts("50", "50", n=7)[Rounding.HALF_UP].fits is False
    apart, together = (verdicts("66.7", "66.7", n=3, parts=p) for p in (False, True))
    assert apart[Rounding.HALF_UP].fits
    assert not together[Rounding.HALF_UP].fits
    assert together[Rounding.HALF_UP].smallest is None
    assert together[Rounding.HALF_UP].above is None


@given(
    st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(0, 3),
    st.sampled_from(Rounding),
)
def test_a_true_share_always_fits_its_n(
    count_of_n: tuple[int, int], decimals: int, rounding: Rounding
) -> None:
    count, n = count_of_n
    share = printed_as(count, n, decimals, rounding)
    found = verdicts(share, n=n)[rounding]
    assert found.fits
    assert found.counts[0] is not None
    low, high = found.counts[0]
    assert low <= count <= high
    assert found.smallest is not None
    assert found.smallest <= n


@given(st.integers(0, 10_000), st.integers(1, 150), st.sampled_from(Rounding))
def test_counts_and_neighbours_are_those_of_an_exhaustive_search(
    units: int, n: int, rounding: Rounding
) -> None:
    share = str(Decimal(units).scaleb(-2))
    fitting = {
        k: [c for c in range(k + 1) if Decimal(printed_as(c, k, 2, rounding)) == Decimal(share)]
        for k in range(1, 151)
    }
    found = verdicts(share, n=n, decimals=2)[rounding]
    expected = (fitting[n][0], fitting[n][-1]) if fitting[n] else None
    assert found.counts == (expected,)
    possible = [k for k, counts in fitting.items() if counts]
    assert found.smallest == possible[0] if possible else found.smallest > 150
    assert found.below == max((k for k in possible if k < n), default=None)
    above = min((k for k in possible if k > n), default=None)
    assert found.above == above if above else found.above > 150


@given(st.lists(st.integers(0, 40), min_size=2, max_size=5).filter(sum), st.sampled_from(Rounding))
def test_the_parts_of_a_whole_fit_together(counts: list[int], rounding: Rounding) -> None:
    n = sum(counts)
    shares = [printed_as(count, n, 1, rounding) for count in counts]
    found = verdicts(*shares, n=n, parts=True)[rounding]
    assert found.fits
    assert found.smallest is not None
    assert found.above is not None


@pytest.mark.parametrize(
    "text", ["", "abc", "-3", "1e2", "35.24.1", "1,234.5", "١٢", "NaN", "12.34567"]
)
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        Printed.read(text)


def test_more_than_everything_is_refused() -> None:
    with pytest.raises(InputError, match="more than 100"):
        Printed.read("100.01")


def test_fewer_decimals_than_written_are_refused() -> None:
    with pytest.raises(InputError, match="--decimals"):
        Printed.read("35.24", 1)


@pytest.mark.parametrize("n", [0, -1, 10**11])
def test_an_impossible_n_is_refused(n: int) -> None:
    with pytest.raises(InputError, match="from 1 to"):
        verdicts("50", n=n)
