"""Share correction: properties, and synthetic shifted data."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.errors import ModelError
from nlp.quantify import Errors, correct_shares, fit_errors

LABELS = ("a", "b", "c", "d")
CONFUSION_RATES = np.array(
    [
        [0.80, 0.10, 0.05, 0.05],
        [0.15, 0.70, 0.10, 0.05],
        [0.05, 0.15, 0.75, 0.05],
        [0.20, 0.10, 0.10, 0.60],
    ]
)


def sample(
    rng: np.random.Generator, shares: npt.NDArray[np.float64], size: int
) -> npt.NDArray[np.int64]:
    """Confusion counts (true, predicted) of `size` texts with the given true shares."""
    true = rng.multinomial(size, shares)
    return np.stack([rng.multinomial(n, row) for n, row in zip(true, CONFUSION_RATES, strict=True)])


@given(
    hnp.arrays(np.int64, 4, elements=st.integers(0, 500)),
    hnp.arrays(np.int64, (4, 4), elements=st.integers(0, 60)),
)
def test_shares_are_a_distribution_inside_their_intervals(
    counts: npt.NDArray[np.int64], confusion: npt.NDArray[np.int64]
) -> None:
    seen = dict(zip(LABELS, counts.tolist(), strict=True))
    found = correct_shares(seen, confusion.tolist(), LABELS, draws=20)
    assert list(found) == list(LABELS)
    total = sum(one.share for one in found.values())
    assert total == pytest.approx(1.0 if counts.sum() else 0.0)
    for one in found.values():
        assert 0 <= one.low <= one.share <= one.high <= 1 + 1e-9


def test_a_perfect_classifier_needs_no_correction() -> None:
    confusion = (np.eye(4, dtype=int) * 100_000).tolist()
    found = correct_shares({"a": 50, "b": 30, "c": 15, "d": 5}, confusion, LABELS)
    assert [round(found[one].share, 2) for one in LABELS] == [0.5, 0.3, 0.15, 0.05]


def test_the_same_seed_gives_the_same_interval() -> None:
    confusion = sample(np.random.default_rng(1), np.full(4, 0.25), 400).tolist()
    counts = {"a": 30, "b": 20}
    assert correct_shares(counts, confusion, LABELS) == correct_shares(counts, confusion, LABELS)


def test_correction_beats_naive_shares_and_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(3)
    naive_error, error, inside, tries = [], [], [], 60
    for _ in range(tries):
        truth = rng.dirichlet(np.ones(4))
        confusion = sample(rng, np.full(4, 0.25), 800)
        seen = sample(rng, truth, 1_500).sum(0)
        counts = dict(zip(LABELS, seen.tolist(), strict=True))
        found = correct_shares(counts, confusion.tolist(), LABELS, draws=200)
        shares = np.array([found[one].share for one in LABELS])
        naive_error.append(np.abs(seen / seen.sum() - truth).mean())
        error.append(np.abs(shares - truth).mean())
        inside += [
            found[one].low <= t <= found[one].high for one, t in zip(LABELS, truth, strict=True)
        ]
    assert np.mean(error) < 0.4 * np.mean(naive_error)
    assert 0.90 <= np.mean(inside) <= 1.0


def test_no_texts_give_no_knowledge() -> None:
    found = correct_shares({}, np.eye(4, dtype=int).tolist(), LABELS)
    assert all((one.share, one.low, one.high) == (0.0, 0.0, 1.0) for one in found.values())


@pytest.mark.parametrize(
    ("counts", "confusion"),
    [({"z": 1}, np.eye(4)), ({"a": -1}, np.eye(4)), ({"a": 1}, np.eye(3))],
)
def test_wrong_input_is_named(counts: dict[str, int], confusion: npt.NDArray[np.float64]) -> None:
    with pytest.raises(ModelError, match="confusion matrix"):
        correct_shares(counts, confusion.tolist(), LABELS)


# --- domains that differ ---------------------------------------------------------------------


def domain(rng: np.random.Generator, spread: float, size: int = 400) -> npt.NDArray[np.int64]:
    """Confusion counts of a domain whose rows scatter around the common ones."""
    rows = np.stack([rng.dirichlet(row * spread) for row in CONFUSION_RATES])
    true = rng.multinomial(size, np.full(4, 0.25))
    return np.stack([rng.multinomial(n, row) for n, row in zip(true, rows, strict=True)])


def test_domains_that_differ_more_have_a_smaller_concentration() -> None:
    rng = np.random.default_rng(4)
    found: dict[float, float] = {}
    for spread in (5.0, 40.0, 1e6):
        errors = fit_errors([domain(rng, spread).tolist() for _ in range(12)])
        assert errors.concentration is not None
        found[spread] = errors.concentration
        assert len(errors.effective) == 4
        assert np.array(errors.counts).sum() == 12 * 400
    assert 2 < found[5.0] < 6
    assert 20 < found[40.0] < 60
    assert found[1e6] > 150


def test_a_single_domain_says_nothing_of_others() -> None:
    counts = domain(np.random.default_rng(5), 40).tolist()
    assert fit_errors([counts]) == fit_errors([counts, np.zeros((4, 4), int).tolist()])
    assert fit_errors([counts]) == Errors(counts)


def test_intervals_hold_the_truth_of_a_domain_never_seen() -> None:
    """Without the domains' spread the interval is too narrow; with it, it holds."""
    rng = np.random.default_rng(6)
    inside: dict[str, list[bool]] = {"pooled": [], "domains": []}
    for seed in range(30):
        errors = fit_errors([domain(rng, 15).tolist() for _ in range(10)])
        counted = domain(rng, 15, 1_500)
        truth = counted.sum(1) / counted.sum()
        seen = dict(zip(LABELS, counted.sum(0).tolist(), strict=True))
        for name, known in (("pooled", Errors(errors.counts)), ("domains", errors)):
            found = correct_shares(seen, known, LABELS, seed=seed)
            inside[name] += [
                found[one].low <= t + 1e-9 and t - 1e-9 <= found[one].high
                for one, t in zip(LABELS, truth, strict=True)
            ]
    assert np.mean(inside["pooled"]) < 0.8
    assert np.mean(inside["domains"]) >= 0.9


def test_a_correction_that_may_be_chance_is_not_made() -> None:
    errors = Errors((CONFUSION_RATES * 20).astype(int).tolist(), 5.0, (10.0,) * 4)
    counts = {"a": 6, "b": 5, "c": 4, "d": 5}
    found = correct_shares(counts, errors, LABELS)
    naive = [count / 20 for count in counts.values()]
    assert [found[one].share for one in LABELS] == pytest.approx(naive, abs=0.03)


def test_interval_ends_are_whole_texts() -> None:
    found = correct_shares({"a": 7, "b": 4}, (CONFUSION_RATES * 100).astype(int).tolist(), LABELS)
    for one in found.values():
        assert one.low * 11 == pytest.approx(round(one.low * 11))
        assert one.high * 11 == pytest.approx(round(one.high * 11))
