"""Which texts are shown for many."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.evidence import CENTRAL, Role, choose, distinct


def unit(*rows: tuple[float, float]) -> np.ndarray:
    found = np.array(rows)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_the_most_central_come_first_and_then_the_least_alike_without_outliers() -> None:
    crowd = [(1, 0.01 * at) for at in range(-5, 6)]
    vectors = unit(*crowd, (1, 0.5), (1, -0.5), (-1, 0))
    chosen = choose(vectors, most=4)
    assert [each.role for each in chosen] == [Role.CENTRAL] * 2 + [Role.DIVERSE] * 2
    assert {each.row for each in chosen[:CENTRAL]} <= set(range(11))
    assert 13 not in {each.row for each in chosen}  # says the opposite of all others


def test_few_texts_are_all_shown_and_none_gives_none() -> None:
    assert sorted(each.row for each in choose(unit((1, 0), (0, 1), (1, 1)))) == [0, 1, 2]
    assert choose(np.zeros((0, 4))) == []


@given(st.integers(1, 60), st.integers(1, 10), st.integers(0, 99))
def test_each_is_shown_once_and_never_more_than_asked(n: int, most: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(n, 5))
    chosen = [each.row for each in choose(vectors, most)]
    assert len(chosen) == len(set(chosen)) == min(n, most)


def test_copies_and_repeated_words_are_left_out() -> None:
    assert distinct(["a", "a", "b", "c"], ["x", "y", "x", "z"]) == [0, 3]
