"""Drift is told from chance, also where a day's texts hang together."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import InputError
from nlp.drift import Signals, kolmogorov_smirnov, measure_drift, stability_index
from nlp.tokens import unknown_shares


def signals(rng: np.random.Generator, first: int, shift: float = 0.0, day: float = 0.0) -> Signals:
    """Ten days of 60 texts; `shift` moves all of them, `day` is how much days differ."""
    days = np.repeat(np.arange(first, first + 10), 60)
    level = shift + np.repeat(rng.normal(0, day, 10), 60) if day else shift
    values = rng.normal(level, 1, len(days))
    return Signals(
        days,
        {"confidence": values},
        {"sentiment": np.digitize(values, [-0.5, 0.5])},
        {"sentiment": 3},
    )


def test_the_same_distribution_does_not_drift_and_a_shifted_one_does() -> None:
    rng = np.random.default_rng(1)
    still = measure_drift(signals(rng, 0), signals(rng, 10))
    assert not any(one.drifted for one in still.values())
    moved = measure_drift(signals(rng, 0), signals(rng, 10, shift=0.6))
    assert all(one.drifted and one.distance > one.chance for one in moved.values())
    assert moved["confidence"].psi > 0.1 > still["confidence"].psi
    assert moved["sentiment"].after[2] > moved["sentiment"].before[2] + 0.1


def test_days_that_differ_anyway_are_no_drift() -> None:
    rng = np.random.default_rng(2)
    false = [
        measure_drift(signals(rng, 0, day=0.8), signals(rng, 10, day=0.8), seed=i)["confidence"].p
        < 0.05
        for i in range(15)
    ]
    assert sum(false) <= 4


def test_too_little_to_tell_is_said() -> None:
    rng = np.random.default_rng(3)
    ten = signals(rng, 0)
    few = ten.days < 3
    short = Signals(
        ten.days[few],
        {"confidence": ten.numbers["confidence"][few]},
        {"sentiment": ten.labels["sentiment"][few]},
        {"sentiment": 3},
    )
    with pytest.raises(InputError, match="hold texts of 3 days"):
        measure_drift(short, short)
    nothing = Signals(np.array([], int), {}, {}, {})
    with pytest.raises(InputError, match="no classified text"):
        measure_drift(ten, nothing)


def test_distances_match_values_computed_by_hand() -> None:
    assert kolmogorov_smirnov(np.array([1.0, 2]), np.array([3.0, 4])) == 1
    assert stability_index(np.array([9.5, 9.5]), np.array([9.5, 9.5])) == 0
    found = stability_index(np.array([49.5, 49.5]), np.array([74.5, 24.5]))
    assert found == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5))


def test_unknown_tokens_of_the_shipped_vocabulary(tmp_path: Path) -> None:
    plain, strange, nothing = unknown_shares(["No hay agua en Huaycán", "ཀཁག ངཅཆ agua", ""])
    assert plain == nothing == 0
    assert strange > 0.5
