"""What is kept: made once for all who wait, fresh for a while, forgotten when something changes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from dashboard.keep import Kept


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_made_once_and_again_when_it_is_old() -> None:
    clock, made = _Clock(), iter("abc")
    kept: Kept[str] = Kept(8, 30.0, clock=clock)
    assert [kept.get("x", lambda: next(made)) for _ in range(3)] == ["a", "a", "a"]
    clock.now = 30.0
    assert kept.get("x", lambda: next(made)) == "b"


def test_a_value_is_not_made_again_while_what_it_is_made_of_is_the_same() -> None:
    clock, made, states = _Clock(), iter("abc"), iter([1, 1, 2, 2])
    kept: Kept[str] = Kept(8, 30.0, lambda: next(states), clock)
    found = []
    for clock.now in (0.0, 30.0, 59.0, 60.0, 90.0):
        found.append(kept.get("x", lambda: next(made)))
    assert found == ["a", "a", "a", "b", "b"]


def test_many_who_ask_at_once_have_it_made_once() -> None:
    kept: Kept[int] = Kept(8, 30.0)
    barrier, calls = Barrier(8), []

    def make() -> int:
        calls.append(1)
        return len(calls)

    def ask(_: int) -> int:
        barrier.wait()
        return kept.get("x", make)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {1}
    assert len(calls) == 1


def test_while_an_old_value_is_made_again_others_get_the_old_one() -> None:
    clock = _Clock()
    kept: Kept[str] = Kept(8, 30.0, clock=clock)
    kept.get("x", lambda: "old")
    clock.now = 31.0
    begun, go_on = Event(), Event()

    def slowly() -> str:
        begun.set()
        assert go_on.wait(10)
        return "new"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept.get, "x", slowly)
        assert begun.wait(10)
        assert kept.get("x", lambda: "not made") == "old"
        assert (
            kept.get("y", lambda: "another key waits for nobody") == "another key waits for nobody"
        )
        go_on.set()
        assert first.result(10) == "new"
    assert kept.get("x", lambda: "not made") == "new"


def test_what_was_being_made_when_all_was_forgotten_is_not_kept() -> None:
    kept: Kept[str] = Kept(8, 30.0)

    def meanwhile() -> str:
        kept.clear()
        return "of before"

    assert kept.get("x", meanwhile) == "of before"
    assert kept.get("x", lambda: "of now") == "of now"


def test_a_failure_is_not_kept_and_lets_the_next_one_try() -> None:
    kept: Kept[str] = Kept(8, 30.0)

    def fail() -> str:
        raise KeyError

    with pytest.raises(KeyError):
        kept.get("x", fail)
    assert kept.get("x", lambda: "a") == "a"


def test_the_oldest_go_first() -> None:
    kept: Kept[int] = Kept(2, 30.0)
    for key in (1, 2, 3):
        kept.get(key, lambda key=key: key)  # type: ignore[misc]
    assert kept.get(3, lambda: 0) == 3
    assert kept.get(1, lambda: 0) == 0
