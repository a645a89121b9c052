"""Windows side by side: known intervals, false discoveries, and what can be compared."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from models.insight_tables import InsightChange
from models.records import Manifestation, Stage, State, Window
from pipelines.aggregate import aggregate
from pipelines.change import PREVIOUS, _Count, _tests, credible
from pipelines.compare import compare_windows, earlier_window
from pipelines.counted import Counted
from pipelines.proportions import newcombe
from pipelines.store.write import Classified, Partition, Store
from tests.unit.store.builders import (
    LIMA,
    MODEL,
    TAXONOMY,
    answer,
    at,
    begun,
    municipality,
    rows,
    said,
    save,
)

VILLA = municipality()
NOW = Window(date(2026, 3, 8), date(2026, 3, 15), LIMA)
BEFORE = Window(date(2026, 3, 1), date(2026, 3, 8), LIMA)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_intervals_are_those_of_newcombe(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    assert newcombe(*first, *second) == (
        pytest.approx(low, abs=5e-5),
        pytest.approx(high, abs=5e-5),
    )


def test_the_earlier_window_ends_where_this_one_starts() -> None:
    assert earlier_window(NOW) == BEFORE


def fill(store: Store, window: Window, negatives: int, n: int, source: str = "diario") -> None:
    items: list[Manifestation] = []
    answers = []
    for number in range(n):
        when = at(window.start.day) + timedelta(days=number % 7)
        item = said(window.start.day * 1000 + number, f"Texto {number}", when=when, source=source)
        items.append(item)
        answers.append(
            Classified(
                item.id,
                item.text_hash,
                answer("water", "negative" if number < negatives else "positive"),
            )
        )
    save(store, begun(store, VILLA), *items)
    store.save_classifications(TAXONOMY, answers)


def read(store: Store, window: Window, *sources: str) -> str:
    """Note that a run has read sources after the window was over."""
    run_id = begun(store, VILLA, window)
    store.save_partitions(
        run_id,
        [Partition(s, day, Stage.COLLECT, State.DONE, 1) for s in sources for day in window.days],
    )
    return run_id


def changed(store: Store, run_id: str) -> dict[tuple[str, str], dict[str, Any]]:
    aggregate(store, Counted(run_id, VILLA, NOW, MODEL, TAXONOMY), {})
    found = [row for row in rows(store.engine, InsightChange) if row["run_id"] == run_id]
    return {(row["dimension"], row["value"]): row for row in found if not row["second_dimension"]}


def test_a_true_change_stands_out_and_an_equal_share_does_not(store: Store) -> None:
    fill(store, BEFORE, 20, 100)
    fill(store, NOW, 60, 100)
    read(store, BEFORE, "diario")
    found = changed(store, read(store, NOW, "diario"))
    row = found["sentiment", "negative"]
    assert (row["baseline"], row["baseline_from"], row["baseline_to"]) == (
        PREVIOUS,
        BEFORE.start,
        BEFORE.end,
    )
    assert (row["count"], row["n"], row["before_count"], row["before_n"]) == (60, 100, 20, 100)
    assert row["difference"] == pytest.approx(0.4)
    assert 0 < row["difference_low"] < 0.4 < row["difference_high"] < 1
    assert row["q_value"] < 0.001
    assert row["sources_compared"] == 1
    same = found["category", "water"]
    assert (same["difference"], same["p_value"]) == (0, 1)
    assert found["category", "health"]["p_value"] is None  # nothing to compare
    assert {row["value"] for row in credible(found.values())} == {"negative", "positive"}


def test_a_source_that_was_down_makes_no_change(store: Store) -> None:
    fill(store, BEFORE, 20, 100)
    fill(store, BEFORE, 100, 100, "foro")
    fill(store, NOW, 20, 100)
    read(store, BEFORE, "diario", "foro")
    row = changed(store, read(store, NOW, "diario"))["sentiment", "negative"]
    assert (row["before_count"], row["before_n"], row["difference"]) == (20, 100, 0)
    assert row["comparable"]


@pytest.mark.parametrize("cause", ["unread", "unlabelled", "silent"])
def test_what_cannot_be_compared_says_why(store: Store, cause: str) -> None:
    fill(store, NOW, 20, 100)
    if cause != "silent":
        fill(store, BEFORE, 20, 100)
    if cause == "unlabelled":
        save(store, begun(store, VILLA), said(99_999, when=at(2)))
    if cause != "unread":
        read(store, BEFORE, "diario")
    row = changed(store, read(store, NOW, "diario"))["sentiment", "negative"]
    assert not row["comparable"]
    expected = {"unread": "no source", "unlabelled": "1 texts", "silent": "nothing was said"}
    assert expected[cause] in row["reason"]
    assert [row[name] for name in ("difference_low", "p_value", "q_value")] == [None] * 3
    assert (row["count"], row["n"]) == (20, 100)


def test_a_baseline_is_kept_beside_the_window_before(store: Store) -> None:
    fill(store, BEFORE, 20, 100)
    fill(store, NOW, 60, 100)
    read(store, BEFORE, "diario")
    run_id = read(store, NOW, "diario")
    changed(store, run_id)
    subject = Counted(run_id, VILLA, NOW, MODEL, TAXONOMY)
    compare_windows(store, subject, BEFORE, "20260101T000000Z-abcdef")
    compare_windows(store, subject, BEFORE, "20260101T000000Z-abcdef")
    kept = {row["baseline"] for row in rows(store.engine, InsightChange)}
    assert kept == {PREVIOUS, "20260101T000000Z-abcdef"}


def test_of_many_equal_shares_few_are_called_changes() -> None:
    """Of 40 rounds in which nothing changed, at most a few show any change at all."""
    chance = np.random.default_rng(1)
    alarms = 0
    for _ in range(40):
        pairs = [
            (_Count(int(one), 300), _Count(int(two), 300))
            for one, two in chance.binomial(300, 0.3, (60, 2))
        ]
        found = _tests(pairs)
        alarms += any(row["q_value"] <= 0.05 for row in found.values())
        assert all(row["q_value"] >= row["p_value"] for row in found.values())
    assert alarms <= 5  # 2 are expected; without the control nearly every round has one
