"""What the town really says, against what the shipped weights count of it, raw and corrected.

A smaller `benchmarks/coverage.py`: the raw shares miss the truth far more often than one time in
twenty, because the weights err; the intervals of the corrected ones are wide enough to hold it.
The rule by which a correction is made at all was chosen with the town in view, so what is tested
here guards it, and does not prove it.
"""

import numpy as np
import pytest

from benchmarks.coverage import Window, answered, held, windows
from crawlers.sandbox.texts import load_texts
from nlp.classifier import Classifier

SEEDS = range(1, 11)


@pytest.fixture(scope="module")
def found() -> dict[str, list[Window]]:
    """By task, the windows of some seeds."""
    texts, classifier = load_texts(), Classifier.load()
    answers = answered(texts, classifier)
    return {
        task: list(windows(texts, answers, task, classifier.manifest.errors[task], SEEDS))
        for task in ("category", "sentiment")
    }


def test_every_seed_says_the_published_totals(found: dict[str, list[Window]]) -> None:
    for window in found["sentiment"]:
        assert (100 * window.published).round(2).tolist() == [39.99, 24.76, 35.25]
    for window in found["category"]:
        assert (window.published[:4] * 5796).round().tolist() == [372, 105, 104, 30]


@pytest.mark.parametrize("task", ["category", "sentiment"])
def test_the_truth_lies_inside_the_corrected_intervals(
    found: dict[str, list[Window]], task: str
) -> None:
    for truth in ("truth", "published"):
        inside = [held(getattr(one, truth), one.corrected_ends) for one in found[task]]
        assert np.mean(inside) >= 0.9


@pytest.mark.parametrize("task", ["category", "sentiment"])
def test_a_correction_is_never_materially_worse_than_none(
    found: dict[str, list[Window]], task: str
) -> None:
    for one in found[task]:
        plain = np.abs(one.plain - one.truth).mean()
        assert np.abs(one.corrected - one.truth).mean() <= plain + 0.001


def test_raw_sentiments_are_within_a_tenth_of_the_truth(found: dict[str, list[Window]]) -> None:
    for one in found["sentiment"]:
        assert np.abs(one.plain - one.truth).max() < 0.1
