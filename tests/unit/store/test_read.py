"""What the read queries give, and that the window's query finds its index."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from models.errors import InputError
from models.insight_tables import INSIGHT_TABLES, InsightCategory, InsightOverview
from models.records import Outcome, Rejection, Stage, State, Window
from models.tables import Base
from pipelines.store.crawled import remembered_source
from pipelines.store.read import (
    Countable,
    classified_per_day,
    collect_attempts,
    counted_run,
    find_run,
    insight_frame,
    insight_table,
    latest_attempts,
    latest_runs,
    manifestations_per_day,
    rejection_counts,
    unclassified,
)
from pipelines.store.write import Partition, Store
from tests.unit.store.builders import (
    LIMA,
    MARCH,
    MODEL,
    TAXONOMY,
    at,
    begun,
    classified,
    counted_texts,
    municipality,
    said,
    save,
)


def pending(engine: Engine, window: Window = MARCH, model: str = MODEL) -> list[str]:
    todo = unclassified(engine, "villa", window, model, TAXONOMY)
    texts = [item.text for page in todo.pages(2) for item in page]
    assert todo.count() == len(texts)
    return texts


# --- what is left to classify ----------------------------------------------------------------


def test_what_is_classified_is_not_pending(store: Store) -> None:
    done, left = said(1, "Hecho"), said(2, "Falta")
    save(store, begun(store), done, left)
    store.save_classifications(TAXONOMY, [classified(done)])
    assert pending(store.engine) == ["Falta"]


def test_an_edited_text_is_pending_again(store: Store) -> None:
    run_id, item = begun(store), said(1, "Falta agua")
    save(store, run_id, item)
    store.save_classifications(TAXONOMY, [classified(item)])
    save(store, run_id, said(1, "Ya volvió el agua"))
    assert pending(store.engine) == ["Ya volvió el agua"]


def test_another_model_or_taxonomy_has_everything_pending(store: Store) -> None:
    item = said(1, "Falta agua")
    save(store, begun(store), item)
    store.save_classifications(TAXONOMY, [classified(item)])
    assert pending(store.engine, model="prueba-2") == ["Falta agua"]
    assert unclassified(store.engine, "villa", MARCH, MODEL, "2027.1").count() == 1


def test_the_oldest_is_classified_first(store: Store) -> None:
    save(store, begun(store), said(1, "B", when=at(9)), said(2, "A", when=at(2)), said(3, "C"))
    assert pending(store.engine) == ["A", "B", "C"]


def test_pages_are_as_large_as_asked_and_what_is_stored_between_them_moves_none(
    store: Store,
) -> None:
    items = [said(number, f"Texto {number}", when=at(1 + number % 3)) for number in range(7)]
    save(store, begun(store), *items)
    by_id = {item.id: item for item in items}
    read = []
    for page in unclassified(store.engine, "villa", MARCH, MODEL, TAXONOMY).pages(3):
        done = [by_id[one.manifestation_id] for one in page]
        store.save_classifications(TAXONOMY, [classified(item) for item in done])
        read.append(done)
    assert [len(page) for page in read] == [3, 3, 1]
    in_order = sorted(items, key=lambda item: (item.said_at, item.id))
    assert [item.id for page in read for item in page] == [item.id for item in in_order]
    assert pending(store.engine) == []


def test_another_municipality_is_another_matter(store: Store) -> None:
    save(store, begun(store), said(1, municipality="ate"), said(2, "Nuestra"))
    assert pending(store.engine) == ["Nuestra"]


# --- the edges of a window -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        (at(28, 23, 59, 59, month=2), False),
        (at(1, 0, 0, 0), True),
        (at(31, 23, 59, 59), True),
        (at(1, 0, 0, 0, month=4), False),
        (datetime(2026, 3, 1, 4, 59, 59, tzinfo=UTC), False),  # still February in Lima
        (datetime(2026, 3, 1, 5, 0, tzinfo=UTC), True),
        (datetime(2026, 4, 1, 4, 59, 59, tzinfo=UTC), True),  # already April in UTC
        (datetime(2026, 4, 1, 5, 0, tzinfo=UTC), False),
    ],
)
def test_days_are_cut_on_the_clocks_of_lima(store: Store, moment: datetime, inside: bool) -> None:
    item = said(1, when=moment)
    save(store, begun(store), item)
    store.save_classifications("2027.1", [classified(item)])
    expected = 1 if inside else 0
    assert len(pending(store.engine)) == expected
    assert len(counted_texts(store.engine, "2027.1")) == expected
    assert sum(manifestations_per_day(store.engine, "villa", MARCH).values()) == expected
    assert MARCH.holds(moment) is inside


def test_days_are_counted_by_source(store: Store) -> None:
    first, second = date(2026, 3, 10), date(2026, 3, 11)
    items = [
        said(1, when=at(10, 0, 0)),
        said(2, when=at(10, 23, 59)),
        said(3, when=at(11, 0, 0)),
        said(1, source="foro", when=at(11)),
    ]
    save(store, begun(store), *items)
    store.save_classifications(TAXONOMY, [classified(item) for item in items[1:]])
    assert manifestations_per_day(store.engine, "villa", MARCH) == {
        ("diario", first): 2,
        ("diario", second): 1,
        ("foro", second): 1,
    }
    assert classified_per_day(store.engine, "villa", MARCH, MODEL, TAXONOMY) == {
        ("diario", first): 1,
        ("diario", second): 1,
        ("foro", second): 1,
    }


def test_one_row_is_counted_for_each_classified_manifestation(store: Store) -> None:
    items = [said(n, f"Texto {n}") for n in range(3)]
    save(store, begun(store), *items)
    store.save_classifications(TAXONOMY, [classified(items[0], "water", "positive", "praise")])
    store.save_classifications(TAXONOMY, [classified(items[0], "waste", model="prueba-2")])
    assert counted_texts(store.engine) == [
        Countable(
            id=items[0].id,
            text_hash=items[0].text_hash,
            kind="comment",
            author="",
            cluster=items[0].text_hash,
            language="und",
            category="water",
            sentiment="positive",
            intent="praise",
            abstained="",
            zone="",
            inherited="",
            lenses="",
        )
    ]


# --- runs, attempts, insights ----------------------------------------------------------------


def test_the_latest_runs_come_first(store: Store) -> None:
    ids = {begun(store) for _ in range(3)}
    other = begun(store, municipality(code="ate"))
    found = latest_runs(store.engine, "villa", 10)
    assert {run.id for run in found} == ids
    moments = [run.started_at for run in found]
    assert moments == sorted(moments, reverse=True)
    assert [run.id for run in latest_runs(store.engine, None, 1)] == [other]


def test_a_run_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(InputError, match="no run 2026-no-hay"):
        find_run(store.engine, "2026-no-hay")


def test_a_source_that_was_never_used_is_not_remembered(store: Store) -> None:
    assert remembered_source(store.engine, "villa", "diario") is None
    begun(store)
    assert remembered_source(store.engine, "villa", "diario") == municipality().source("diario")
    assert remembered_source(store.engine, "ate", "diario") is None


def test_attempts_are_those_of_the_window(store: Store) -> None:
    run_id = begun(store)
    days = [MARCH.start - timedelta(1), MARCH.start, MARCH.end - timedelta(1), MARCH.end]
    partitions = [Partition("diario", day, Stage.COLLECT, State.DONE, 0) for day in days]
    partitions.append(Partition("diario", MARCH.start, Stage.CLASSIFY, State.DONE, 0))
    store.save_partitions(run_id, partitions)
    found = collect_attempts(store.engine, "villa", MARCH)
    assert [(attempt.day, attempt.state) for attempt in found] == [
        (MARCH.start, State.DONE),
        (MARCH.end - timedelta(1), State.DONE),
    ]
    assert collect_attempts(store.engine, "ate", MARCH) == []
    latest = latest_attempts(store.engine, "villa")
    assert {name: attempt.day for name, attempt in latest.items()} == {"diario": MARCH.end}


def test_rejections_are_counted_by_source_and_reason(store: Store) -> None:
    run_id = begun(store)
    rejections = [
        *[Rejection("diario", Outcome.NO_TEXT, str(n), "vacío") for n in range(3)],
        Rejection("diario", Outcome.DUPLICATE, "4", "repetido"),
        Rejection("foro", Outcome.NO_TEXT, "5", "vacío"),
    ]
    store.save_collected(run_id, municipality(), "diario", [], rejections)
    frame = rejection_counts(store.engine, run_id)
    assert frame.to_dict("records") == [
        {"source": "diario", "outcome": "duplicate", "ignored": True, "count": 1},
        {"source": "diario", "outcome": "no_text", "ignored": False, "count": 3},
        {"source": "foro", "outcome": "no_text", "ignored": False, "count": 1},
    ]
    assert rejection_counts(store.engine, begun(store)).empty


def overview(run_id: str) -> dict[str, Any]:
    numbers = dict.fromkeys(
        ("sources_read", "sources_configured", "days_complete", "days"), 1
    ) | dict.fromkeys(("count", "distinct_count", "n"), 3)
    return numbers | {
        "run_id": run_id,
        "municipality": "villa",
        "window_from": MARCH.start,
        "window_to": MARCH.end,
        "model_version": MODEL,
        "taxonomy_version": TAXONOMY,
        "measure": "total",
        "label": "total",
    }


def test_the_run_that_counted_is_found(store: Store) -> None:
    counting, silent = begun(store), begun(store)
    store.save_insights(counting, {InsightOverview: [overview(counting)]})
    assert counted_run(store.engine, InsightOverview, "villa") == counting
    assert counted_run(store.engine, InsightOverview, "villa", counting) == counting
    assert len(insight_frame(store.engine, InsightOverview, counting)) == 1
    assert insight_frame(store.engine, InsightOverview, silent).empty
    with pytest.raises(InputError, match=f"Run {silent} has no figures of villa"):
        counted_run(store.engine, InsightOverview, "villa", silent)
    with pytest.raises(InputError, match="No run of ate has counted"):
        counted_run(store.engine, InsightOverview, "ate")
    with pytest.raises(InputError, match="no figures of ate"):
        counted_run(store.engine, InsightOverview, "ate", counting)
    with pytest.raises(InputError, match="No run of villa has counted"):
        counted_run(store.engine, InsightCategory, "villa")


@pytest.mark.parametrize("table", INSIGHT_TABLES)
def test_an_insight_table_is_found_by_its_name(table: type[Base]) -> None:
    assert insight_table(table.__tablename__) is table


def test_a_table_that_is_no_insight_is_refused() -> None:
    with pytest.raises(InputError, match=r"no insight table «manifestation».*insight_source"):
        insight_table("manifestation")


# --- how the database goes about it ----------------------------------------------------------

MANY = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5999)
INSERT INTO manifestation
  (id, municipality, source, external_id, kind, text, text_hash, said_at, said_on, fetched_at)
SELECT CAST(n AS VARCHAR), 'villa', 'diario', CAST(n AS VARCHAR), 'comment', 'texto', 'x',
       '2020-01-01 12:00:00', {day}, '2020-01-01 12:00:00' FROM numbers
"""
DAY = {
    "sqlite": "date('2020-01-01', '+' || (n % 2000) || ' days')",
    "postgresql": "DATE '2020-01-01' + n % 2000",
}


@pytest.mark.parametrize("query", [unclassified, manifestations_per_day])
def test_a_window_is_found_by_its_index(engine: Engine, query: Callable[..., Any]) -> None:
    with engine.begin() as connection:
        connection.execute(text(MANY.format(day=DAY[engine.dialect.name])))
        connection.execute(text("ANALYZE"))
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _listen(_c: Any, _k: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    window = Window(date(2021, 3, 1), date(2021, 3, 8), LIMA)
    versions = (MODEL, TAXONOMY) if query is unclassified else ()
    found = query(engine, "villa", window, *versions)
    if query is unclassified:
        list(found.pages(500))
    statement, parameters = next(
        one for one in asked if one[0].startswith("SELECT") and "manifestation" in one[0]
    )
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(explain + statement, parameters).all()
    assert "ix_manifestation_municipality_said_on" in str(plan)
