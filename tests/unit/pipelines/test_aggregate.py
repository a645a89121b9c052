"""The insight tables: counts worked out by hand, and intervals from the literature."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sqlalchemy import update

from models.insight_tables import (
    INSIGHT_TABLES,
    InsightCategory,
    InsightChange,
    InsightDay,
    InsightOverview,
    InsightPlace,
    InsightSeries,
    InsightSource,
)
from models.labels import CATEGORIES, EVERYTHING, INTENTS, SENTIMENTS
from models.records import Kind, Manifestation, Outcome, Rejection, Stage, State, Window
from models.tables import Base, RunRow
from nlp.language import HOME, UNDETERMINED
from nlp.quantify import Confusion
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.store.write import Classified, Partition, Store
from tests.unit.store.builders import (
    LIMA,
    MARCH,
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
THREE = Window(date(2026, 3, 1), date(2026, 3, 4), LIMA)
SHARES = ("share", "share_low", "share_high")
CORRECTED = ("corrected_share", "corrected_low", "corrected_high")


def count(
    store: Store,
    run_id: str,
    window: Window = THREE,
    confusions: dict[str, Confusion] | None = None,
) -> int:
    return aggregate(store, Counted(run_id, VILLA, window, MODEL, TAXONOMY), confusions or {})


def put(store: Store, run_id: str, *said_and_labels: tuple[Manifestation, Any]) -> None:
    save(store, run_id, *(item for item, _ in said_and_labels))
    store.save_classifications(
        TAXONOMY, [Classified(item.id, item.text_hash, given) for item, given in said_and_labels]
    )


def cells(store: Store, run_id: str, table: type[Base], *key: str) -> dict[Any, dict[str, Any]]:
    found = [row for row in rows(store.engine, table) if row["run_id"] == run_id]
    return {tuple(row[name] for name in key) if key[1:] else row[key[0]]: row for row in found}


@pytest.fixture
def counted(store: Store) -> str:
    """Count a window of five manifestations, and one outside of it."""
    run_id = begun(store)
    put(
        store,
        run_id,
        (said(1, "Falta agua", when=at(1, 0)), answer("water", "negative", "complaint")),
        (said(2, "¡FALTA AGUA!", when=at(1, 23, 59)), answer("water", "negative", "complaint")),
        (
            said(3, "¿Y el agua?", when=at(3), kind=Kind.POST),
            answer("water", "neutral", "question", abstained=True),
        ),
        (
            said(1, "Bonito parque", when=at(3), source="foro"),
            answer("environment", "positive", "praise"),
        ),
        (
            said(2, "Qué será", when=at(3), source="foro", kind=Kind.ARTICLE),
            answer("other", "neutral", "other", abstained=True),
        ),
        (said(9, "Otro mes", when=at(4)), answer("health", "positive", "praise")),
    )
    save(store, run_id, said(10, "Sin clasificar", when=at(2)))
    rejections = [
        Rejection("diario", Outcome.NO_TEXT, "a", "vacío"),
        Rejection("diario", Outcome.BAD_DATE, "b", "fecha"),
        Rejection("diario", Outcome.DUPLICATE, "c", "repetido"),
    ]
    store.save_collected(run_id, VILLA, "diario", [], rejections)
    days = THREE.days
    store.save_partitions(
        run_id, [Partition("diario", day, Stage.COLLECT, State.DONE, 0) for day in days]
    )
    store.save_partitions(
        run_id,
        [Partition("foro", day, Stage.COLLECT, State.FAILED, 0, "no responde") for day in days],
    )
    with store.engine.begin() as connection:  # as if it had run when the window was over
        started = {"started_at": datetime(2026, 3, 5, tzinfo=UTC)}
        connection.execute(update(RunRow).where(RunRow.id == run_id).values(started))
    assert count(store, run_id) == 5
    return run_id


def numbers(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_the_overview(store: Store, counted: str) -> None:
    found = cells(store, counted, InsightOverview, "measure", "label")
    counts = {key: numbers(row, "count", "distinct_count") for key, row in found.items()}
    assert {key: pair for key, pair in counts.items() if pair != (0, 0)} == {
        ("total", "total"): (5, 4),
        ("sentiment", "negative"): (2, 1),
        ("sentiment", "neutral"): (2, 2),
        ("sentiment", "positive"): (1, 1),
        ("intent", "complaint"): (2, 1),
        ("intent", "question"): (1, 1),
        ("intent", "praise"): (1, 1),
        ("intent", "other"): (1, 1),
        ("kind", "comment"): (3, 2),
        ("kind", "post"): (1, 1),
        ("kind", "article"): (1, 1),
        ("certainty", "sure"): (3, 2),
        ("certainty", "unsure"): (2, 2),
        ("language", UNDETERMINED): (5, 4),
    }
    assert len(found) == len(HOME) + 1 + len(SENTIMENTS) + len(INTENTS) + len(Kind) + 2
    assert {row["n"] for row in found.values()} == {5}
    assert found["sentiment", "negative"]["share"] == 0.4


def test_the_categories(store: Store, counted: str) -> None:
    found = cells(store, counted, InsightCategory, "category")
    assert set(found) == set(CATEGORIES)
    water = found["water"]
    assert numbers(water, "count", "distinct_count", "n", "unsure") == (3, 2, 5, 1)
    assert numbers(water, "negative", "neutral", "positive") == (2, 1, 0)
    assert water["share"] == 0.6
    assert water["negative_share"] == pytest.approx(2 / 3)
    assert numbers(found["other"], "count", "unsure", "negative_share") == (1, 1, 0)
    empty = found["energy"]
    assert numbers(empty, "count", "distinct_count", "n", "share") == (0, 0, 5, 0)
    assert numbers(empty, "negative_share", "negative_low", "negative_high") == (None, None, None)


def test_the_days(store: Store, counted: str) -> None:
    found = cells(store, counted, InsightDay, "day")
    assert {day.day: numbers(row, "count", "n", "negative") for day, row in found.items()} == {
        1: (2, 5, 2),
        2: (0, 5, 0),
        3: (3, 5, 0),
    }
    assert {row["complete"] for row in found.values()} == {False}


def test_the_sources(store: Store, counted: str) -> None:
    found = cells(store, counted, InsightSource, "source")
    names = ("state", "reason", "count", "n", "rejected", "ignored")
    assert {source: numbers(row, *names) for source, row in found.items()} == {
        "diario": ("done", None, 3, 5, 2, 1),
        "foro": ("failed", "no responde", 2, 5, 0, 0),
    }


@pytest.mark.parametrize("table", INSIGHT_TABLES)
def test_every_row_says_whose_it_is_and_how_complete(
    store: Store, counted: str, table: type[Base]
) -> None:
    for row in rows(store.engine, table):
        assert numbers(row, "run_id", "municipality") == (counted, "villa")
        assert numbers(row, "window_from", "window_to") == (THREE.start, THREE.end)
        assert numbers(row, "model_version", "taxonomy_version") == (MODEL, TAXONOMY)
        assert numbers(row, "sources_read", "sources_configured") == (1, 2)
        assert numbers(row, "days_complete", "days") == (0, 3)
        assert row["lens"] == EVERYTHING
        assert row["n"] == 5 or table in (InsightSeries, InsightChange)  # n of their own


def test_a_source_that_is_only_stored_is_counted_too(store: Store) -> None:
    run_id = begun(store)
    put(store, run_id, (said(1, source="antiguo", when=at(1)), answer()))
    count(store, run_id)
    found = cells(store, run_id, InsightSource, "source")
    assert numbers(found["antiguo"], "state", "count") == ("unread", 1)
    assert found["antiguo"]["sources_configured"] == 2


def test_an_empty_window_has_rows_without_shares(store: Store) -> None:
    run_id = begun(store)
    assert count(store, run_id, confusions={"sentiment": [[8, 1, 1]] * 3}) == 0
    found = cells(store, run_id, InsightOverview, "measure", "label")
    assert len(found) == len(HOME) + 1 + len(SENTIMENTS) + len(INTENTS) + len(Kind) + 2
    for row in found.values():
        assert numbers(row, "count", "n") == (0, 0)
        assert numbers(row, *SHARES, *CORRECTED) == (None,) * 6
    assert len(cells(store, run_id, InsightCategory, "category")) == len(CATEGORIES)
    assert len(cells(store, run_id, InsightDay, "day")) == 3
    assert set(cells(store, run_id, InsightSource, "source")) == {"diario", "foro"}


@pytest.mark.parametrize("table", INSIGHT_TABLES)
def test_counting_again_gives_the_same_rows(store: Store, counted: str, table: type[Base]) -> None:
    before = rows(store.engine, table)
    count(store, counted)
    assert rows(store.engine, table) == before


def test_another_model_counts_for_itself(store: Store, counted: str) -> None:
    other = Counted(counted, VILLA, THREE, "prueba-2", TAXONOMY)
    assert aggregate(store, other, {}) == 0


# --- intervals -------------------------------------------------------------------------------


def with_negatives(store: Store, negative: int, n: int) -> dict[str, Any]:
    run_id = begun(store)
    put(
        store,
        run_id,
        *(
            (
                said(i, f"Texto {i}", when=at(1)),
                answer(sentiment="negative" if i < negative else "positive"),
            )
            for i in range(n)
        ),
    )
    count(store, run_id)
    return cells(store, run_id, InsightOverview, "measure", "label")["sentiment", "negative"]


@pytest.mark.parametrize(
    ("negative", "n", "low", "high"),
    [
        # Newcombe, R. G. (1998), «Two-sided confidence intervals for the single proportion»,
        # Statistics in Medicine 17, table I, method 3 (score without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_those_of_the_literature(
    sqlite_engine: Any, negative: int, n: int, low: float, high: float
) -> None:
    row = with_negatives(Store(sqlite_engine), negative, n)
    assert numbers(row, "share_low", "share_high") == (
        pytest.approx(low, abs=5e-5),
        pytest.approx(high, abs=5e-5),
    )


@pytest.mark.parametrize(("negative", "n"), [(0, 1), (1, 1), (3, 7), (7, 7), (37, 105)])
def test_intervals_are_those_of_scipy(sqlite_engine: Any, negative: int, n: int) -> None:
    row = with_negatives(Store(sqlite_engine), negative, n)
    expected = binomtest(negative, n).proportion_ci(method="wilson")
    assert row["share"] == negative / n
    assert row["share_low"] == pytest.approx(expected.low, abs=1e-6)
    assert row["share_high"] == pytest.approx(expected.high, abs=1e-6)
    assert 0 <= row["share_low"] <= row["share"] <= row["share_high"] <= 1


# --- correction ------------------------------------------------------------------------------


def test_only_a_task_with_known_errors_is_corrected(store: Store, counted: str) -> None:
    count(store, counted, confusions={"sentiment": [[80, 10, 10], [10, 80, 10], [10, 10, 80]]})
    overview = cells(store, counted, InsightOverview, "measure", "label")
    for (measure, _), row in overview.items():
        missing = [row[name] is None for name in CORRECTED]
        assert missing == [measure != "sentiment"] * 3
    for row in cells(store, counted, InsightCategory, "category").values():
        assert numbers(row, *CORRECTED) == (None, None, None)
    corrected = [overview["sentiment", label]["corrected_share"] for label in SENTIMENTS]
    assert sum(corrected) == pytest.approx(1)


def test_a_perfect_classifier_needs_no_correction(store: Store, counted: str) -> None:
    size = len(CATEGORIES)
    perfect = [[10_000 if row == column else 0 for column in range(size)] for row in range(size)]
    count(store, counted, confusions={"category": perfect})
    for row in cells(store, counted, InsightCategory, "category").values():
        assert row["corrected_share"] == pytest.approx(row["share"], abs=0.01)
        assert row["corrected_low"] <= row["corrected_share"] <= row["corrected_high"]


def test_a_classifier_that_cries_wolf_is_corrected_downwards(store: Store) -> None:
    run_id = begun(store)
    put(
        store,
        run_id,
        *(
            (
                said(i, f"Texto {i}", when=at(1)),
                answer(sentiment="negative" if i < 50 else "positive"),
            )
            for i in range(100)
        ),
    )
    wolf = [[1000, 0, 0], [0, 1000, 0], [300, 0, 700]]  # three in ten positives look negative
    count(store, run_id, confusions={"sentiment": wolf})
    row = cells(store, run_id, InsightOverview, "measure", "label")["sentiment", "negative"]
    # 0.5 = s + 0.3 (1 - s) where no text is neutral
    assert row["share"] == 0.5
    assert row["corrected_share"] == pytest.approx(0.2 / 0.7, abs=0.04)  # 100 texts: held back


# --- counts conserve -------------------------------------------------------------------------

LABELLED = st.lists(
    st.tuples(
        st.sampled_from(["diario", "foro", "otro"]),
        st.integers(min_value=1, max_value=4),
        st.sampled_from(["uno", "dos", "tres", "cuatro"]),
        st.sampled_from(CATEGORIES),
        st.sampled_from(SENTIMENTS),
        st.sampled_from(INTENTS),
        st.booleans(),
    ),
    max_size=25,
)


@given(LABELLED)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_counts_conserve(sqlite_engine: Any, labelled: list[tuple[Any, ...]]) -> None:
    store, place = Store(sqlite_engine), f"v-{datetime.now(UTC):%H%M%S%f}"
    mine = VILLA.model_copy(update={"code": place})
    run_id = begun(store, mine)
    put(
        store,
        run_id,
        *(
            (
                said(i, words, source=source, when=at(day), id=f"{place}{i}", municipality=place),
                answer(category, sentiment, intent, abstained=abstained),
            )
            for i, (source, day, words, category, sentiment, intent, abstained) in enumerate(
                labelled
            )
        ),
    )
    inside = [one for one in labelled if one[1] < 4]
    n = aggregate(store, Counted(run_id, mine, THREE, MODEL, TAXONOMY), {})
    assert n == len(inside)
    sums: Counter[str] = Counter()
    for row in cells(store, run_id, InsightOverview, "measure", "label").values():
        sums[row["measure"]] += row["count"]
    for table, key in (
        (InsightCategory, "category"),
        (InsightDay, "day"),
        (InsightSource, "source"),
        (InsightPlace, "zone"),
    ):
        for row in cells(store, run_id, table, key).values():
            sums[key] += row["count"]
            assert row["negative"] + row["neutral"] + row["positive"] == row["count"]
            assert min(1, row["count"]) <= row["distinct_count"] <= row["count"]
            assert row["n"] == n
    measures = (
        "total",
        "sentiment",
        "intent",
        "kind",
        "certainty",
        "language",
        "category",
        "day",
        "source",
        "zone",
    )
    assert dict(sums) == dict.fromkeys(measures, n)
    total = cells(store, run_id, InsightOverview, "measure", "label")["total", "total"]
    assert total["distinct_count"] == len({one[2] for one in inside})


def test_a_month_has_a_row_for_each_day(sqlite_engine: Any) -> None:
    store = Store(sqlite_engine)
    run_id = begun(store)
    count(store, run_id, MARCH)
    found = cells(store, run_id, InsightDay, "day")
    assert list(found) == [MARCH.start + timedelta(n) for n in range(31)]
