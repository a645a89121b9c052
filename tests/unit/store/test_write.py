"""What the store writes: runs, manifestations, classifications, insights; each once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select

from configs.schema import Source
from models.errors import StoreError
from models.insight_tables import InsightSource
from models.labels import CATEGORIES
from models.records import Kind, Outcome, Protocol, Rejection, Stage, State, Window
from models.tables import (
    CaptureRow,
    ClassificationRow,
    ManifestationRow,
    PartitionRow,
    RejectionRow,
    RunRow,
    SourceRow,
)
from pipelines.store.collecting import Saved
from pipelines.store.crawled import remembered_source
from pipelines.store.read import find_run
from pipelines.store.write import Partition, Store
from tests.unit.store.builders import (
    LIMA,
    MARCH,
    MODEL,
    TAXONOMY,
    answer,
    at,
    begun,
    capture,
    classified,
    municipality,
    rows,
    said,
    save,
)

VILLA = municipality()


# --- moments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 4, 59, 59, tzinfo=UTC),
        at(31, 23, 59, 59),
        datetime(2026, 3, 1, 0, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9))),
    ],
)
def test_a_moment_comes_back_in_utc(store: Store, moment: datetime) -> None:
    save(store, begun(store), said(1, when=moment))
    (row,) = rows(store.engine, ManifestationRow)
    assert row["said_at"] == moment
    assert row["said_at"].utcoffset() == timedelta(0)
    assert row["said_on"] == moment.astimezone(LIMA).date()


def test_a_moment_without_zone_is_refused(store: Store) -> None:
    run_id = begun(store)
    naive = replace(said(1), fetched_at=datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(StoreError, match="without time zone"):
        save(store, run_id, naive)
    assert rows(store.engine, ManifestationRow) == []


# --- runs ------------------------------------------------------------------------------------


def test_a_run_is_open_until_it_is_closed(store: Store) -> None:
    run_id = begun(store)
    opened = find_run(store.engine, run_id)
    assert (opened.state, opened.finished_at) == (State.RUNNING, None)
    assert (opened.window_from, opened.window_to) == (MARCH.start, MARCH.end)

    store.set_model(run_id, MODEL)
    store.set_window(run_id, Window(date(2026, 3, 5), date(2026, 3, 6), LIMA))
    store.end_run(run_id, State.FAILED, "se fue la luz")
    closed = find_run(store.engine, run_id)
    assert (closed.state, closed.error, closed.model_version) == ("failed", "se fue la luz", MODEL)
    assert (closed.window_from, closed.window_to) == (date(2026, 3, 5), date(2026, 3, 6))
    assert closed.finished_at is not None
    assert closed.started_at <= closed.finished_at


def test_closing_one_run_leaves_the_others_open(store: Store) -> None:
    first, second = begun(store), begun(store)
    store.end_run(first, State.DONE)
    assert find_run(store.engine, second).state == State.RUNNING


def test_a_run_notes_its_sources_as_configured(store: Store) -> None:
    begun(store)
    renamed = municipality()
    sources = [renamed.sources[0].model_copy(update={"title": "El Diario"}), renamed.sources[1]]
    begun(store, renamed.model_copy(update={"sources": tuple(sources)}))
    found = {row["name"]: row["title"] for row in rows(store.engine, SourceRow)}
    assert found == {"diario": "El Diario", "foro": "Foro"}


def test_a_run_keeps_the_remembered_columns_of_an_upload(store: Store) -> None:
    columns = {"text": "comentario", "date": "fecha"}
    upload = {"name": "buzon", "title": "Buzón", "protocol": "upload"}
    store.save_source("villa", Source.model_validate(upload | {"columns": columns}))
    begun(store, municipality((), sources=[upload]))
    remembered = remembered_source(store.engine, "villa", "buzon")
    assert remembered is not None
    assert remembered.protocol is Protocol.UPLOAD
    assert remembered.columns is not None
    assert remembered.columns.text == "comentario"


def test_a_line_of_the_ledger_is_replaced_when_it_is_written_again(store: Store) -> None:
    run_id, day = begun(store), date(2026, 3, 1)
    store.save_partitions(
        run_id, [Partition("diario", day, Stage.COLLECT, State.FAILED, 0, "no responde")]
    )
    store.save_partitions(
        run_id,
        [
            Partition("diario", day, Stage.COLLECT, State.DONE, 7),
            Partition("diario", day, Stage.CLASSIFY, State.DONE, 6),
        ],
    )
    found = {
        row["stage"]: (row["state"], row["rows"], row["error"])
        for row in rows(store.engine, PartitionRow)
    }
    assert found == {"collect": ("done", 7, None), "classify": ("done", 6, None)}


# --- manifestations --------------------------------------------------------------------------


def test_new_known_and_changed_are_counted(store: Store) -> None:
    run_id = begun(store)
    first = [said(1), said(2), said(3)]
    assert store.save_collected(run_id, VILLA, "diario", first) == Saved(new=3)
    second = [said(1), said(2, "La pista ya está arreglada"), said(4)]
    assert store.save_collected(run_id, VILLA, "diario", second) == Saved(1, 1, 1)


def test_an_edited_text_keeps_its_identity(store: Store) -> None:
    run_id = begun(store)
    before = said(1, "Falta agua", author="a-1", when=at(5), title="Aviso")
    save(store, run_id, before)
    edited = replace(
        said(1, "Ya volvió el agua", author="a-2", when=at(6), title="Aviso, corregido"),
        fetched_at=datetime(2026, 4, 9, tzinfo=UTC),
        capture_id="otra",
    )
    save(store, run_id, edited)
    (row,) = rows(store.engine, ManifestationRow)
    assert (row["id"], row["author"], row["said_at"]) == (before.id, "a-1", before.said_at)
    assert (row["title"], row["text"]) == ("Aviso, corregido", "Ya volvió el agua")
    assert (row["text_hash"], row["capture_id"]) == (edited.text_hash, "otra")
    assert row["fetched_at"] == edited.fetched_at


def test_a_text_that_reads_the_same_is_left_as_it_was_first_fetched(store: Store) -> None:
    run_id = begun(store)
    save(store, run_id, said(1, "¡Falta agua!"))
    before = rows(store.engine, ManifestationRow)
    later = replace(said(1, "falta AGUA"), fetched_at=datetime(2026, 4, 9, tzinfo=UTC))
    assert store.save_collected(run_id, VILLA, "diario", [later]) == Saved(known=1)
    assert rows(store.engine, ManifestationRow) == before


def test_the_same_batch_twice_changes_nothing(store: Store) -> None:
    run_id = begun(store)
    batch = [said(n, f"Texto {n}", kind=Kind.POST, title=f"Título {n}") for n in range(20)]
    store.save_collected(run_id, VILLA, "diario", batch, captures=[capture(1)])
    before = [rows(store.engine, table) for table in (ManifestationRow, CaptureRow)]
    again = store.save_collected(run_id, VILLA, "diario", batch, captures=[capture(1)])
    assert again == Saved(known=20)
    assert [rows(store.engine, table) for table in (ManifestationRow, CaptureRow)] == before


def test_an_identity_that_comes_twice_in_a_batch_keeps_its_last_text(store: Store) -> None:
    batch = [said(1, "primero"), said(2), said(1, "último")]
    assert store.save_collected(begun(store), VILLA, "diario", batch) == Saved(new=2)
    texts = {row["external_id"]: row["text"] for row in rows(store.engine, ManifestationRow)}
    assert texts == {"1": "último", "2": "La pista está rota"}


def test_the_same_number_at_two_sources_is_two_manifestations(store: Store) -> None:
    save(store, begun(store), said(1), said(1, source="foro"))
    assert {row["source"] for row in rows(store.engine, ManifestationRow)} == {"diario", "foro"}


def test_what_is_rejected_is_kept_with_its_reason(store: Store) -> None:
    run_id = begun(store)
    rejections = [
        Rejection("diario", Outcome.NO_TEXT, "https://example.pe/1", "sin texto"),
        Rejection("diario", Outcome.DUPLICATE, "https://example.pe/2", "repetido"),
    ]
    assert store.save_collected(run_id, VILLA, "diario", [], rejections) == Saved()
    found = [
        (row["outcome"], row["ignored"], row["place"]) for row in rows(store.engine, RejectionRow)
    ]
    assert found == [
        ("no_text", False, "https://example.pe/1"),
        ("duplicate", True, "https://example.pe/2"),
    ]


def test_emoji_quotes_and_sql_are_kept_as_they_are(store: Store) -> None:
    text = "👏🏽 ñandú «'; DROP TABLE manifestation; --» %s :x \\ \U0001f1f5\U0001f1ea"
    save(store, begun(store), said(1, text))
    assert [row["text"] for row in rows(store.engine, ManifestationRow)] == [text]


def test_a_batch_of_several_chunks(store: Store) -> None:
    run_id = begun(store)
    batch = [said(n) for n in range(1_201)]
    assert store.save_collected(run_id, VILLA, "diario", batch) == Saved(new=1_201)
    edited = [replace(item, text_hash="0" * 64) for item in batch[:600]]
    assert store.save_collected(run_id, VILLA, "diario", edited) == Saved(changed=600)
    assert len(rows(store.engine, ManifestationRow)) == 1_201


def test_more_rows_than_a_statement_may_have_variables(sqlite_engine: Engine) -> None:
    """SQLite takes 32,766 variables in one statement."""
    store = Store(sqlite_engine)
    run_id, batch = begun(store), [said(n) for n in range(40_001)]
    assert store.save_collected(run_id, VILLA, "diario", batch) == Saved(new=40_001)


# --- classifications -------------------------------------------------------------------------


def labels(engine: Engine) -> list[tuple[str, str, str]]:
    columns = ClassificationRow.__table__.c
    query = select(columns.text_hash, columns.model_version, columns.category).order_by(
        columns.category
    )
    with engine.connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def test_a_classification_is_never_replaced(store: Store) -> None:
    item = said(1)
    save(store, begun(store), item)
    store.save_classifications(TAXONOMY, [classified(item, "transport")])
    before = rows(store.engine, ClassificationRow)
    store.save_classifications(TAXONOMY, [classified(item, "water", "positive")])
    assert rows(store.engine, ClassificationRow) == before


def test_an_edited_text_gets_a_classification_of_its_own(store: Store) -> None:
    item, edited = said(1), said(1, "Falta agua")
    save(store, begun(store), item)
    store.save_classifications(TAXONOMY, [classified(item, "transport")])
    store.save_classifications(TAXONOMY, [classified(edited, "water")])
    assert labels(store.engine) == [
        (item.text_hash, MODEL, "transport"),
        (edited.text_hash, MODEL, "water"),
    ]


def test_another_model_or_taxonomy_adds_its_own(store: Store) -> None:
    item = said(1)
    save(store, begun(store), item)
    store.save_classifications(TAXONOMY, [classified(item, "transport")])
    store.save_classifications(TAXONOMY, [classified(item, "water", model="prueba-2")])
    store.save_classifications("2027.1", [classified(item, "waste")])
    found = {
        (row["model_version"], row["taxonomy_version"]): row["category"]
        for row in rows(store.engine, ClassificationRow)
    }
    assert found == {
        (MODEL, TAXONOMY): "transport",
        ("prueba-2", TAXONOMY): "water",
        (MODEL, "2027.1"): "waste",
    }


def test_a_classification_keeps_all_its_probabilities(store: Store) -> None:
    item, given = said(1), answer("housing", "positive", "praise", abstained=True)
    save(store, begun(store), item)
    store.save_classifications(TAXONOMY, [classified(item, "housing", "positive", "praise")])
    (row,) = rows(store.engine, ClassificationRow)
    assert (row["category"], row["sentiment"], row["intent"]) == ("housing", "positive", "praise")
    assert row["categories"] == given.categories
    assert list(row["categories"]) == list(CATEGORIES)
    assert row["confidence"] == 0.9
    assert row["abstained"] is False


def test_a_classification_of_nothing_stored_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        store.save_classifications(TAXONOMY, [classified(said(1))])
    assert rows(store.engine, ClassificationRow) == []


# --- insights --------------------------------------------------------------------------------


def insight(run_id: str, source: str, count: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "municipality": "villa",
        "window_from": MARCH.start,
        "window_to": MARCH.end,
        "model_version": MODEL,
        "taxonomy_version": TAXONOMY,
        "sources_read": 1,
        "sources_configured": 1,
        "days_complete": 31,
        "days": 31,
        "source": source,
        "state": State.DONE,
        "rejected": 0,
        "ignored": 0,
        "count": count,
        "distinct_count": count,
        "n": count,
        "negative": count,
        "neutral": 0,
        "positive": 0,
    }


def test_a_run_replaces_its_own_insights_and_no_other_runs(store: Store) -> None:
    first, second = begun(store), begun(store)
    for run_id in (first, second):
        store.save_insights(
            run_id, {InsightSource: [insight(run_id, name, 1) for name in ("diario", "foro")]}
        )
    store.save_insights(first, {InsightSource: [insight(first, "foro", 5)]})
    found = {
        (row["run_id"], row["source"]): row["count"] for row in rows(store.engine, InsightSource)
    }
    assert found == {(first, "foro"): 5, (second, "diario"): 1, (second, "foro"): 1}


def test_insights_that_cannot_be_written_leave_the_earlier_ones(store: Store) -> None:
    run_id = begun(store)
    store.save_insights(run_id, {InsightSource: [insight(run_id, "diario", 1)]})
    twice = [insight(run_id, "foro", 2), insight(run_id, "foro", 3)]
    with pytest.raises(StoreError):
        store.save_insights(run_id, {InsightSource: twice})
    assert [row["source"] for row in rows(store.engine, InsightSource)] == ["diario"]


def test_what_hangs_on_a_run_goes_with_it(store: Store) -> None:
    run_id = begun(store)
    store.save_insights(run_id, {InsightSource: [insight(run_id, "diario", 1)]})
    store.save_collected(
        run_id, VILLA, "diario", [said(1)], [Rejection("diario", Outcome.NO_TEXT, "x", "y")]
    )
    with store.engine.begin() as connection:
        connection.execute(delete(RunRow).where(RunRow.id == run_id))
    assert rows(store.engine, InsightSource) == []
    assert rows(store.engine, RejectionRow) == []
    assert len(rows(store.engine, ManifestationRow)) == 1
