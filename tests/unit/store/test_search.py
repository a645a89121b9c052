"""Searching by stems and labels, on both databases."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, update

from models.records import Window
from models.search_tables import SearchRow
from models.tables import ManifestationRow
from pipelines.searching import index_texts
from pipelines.store.facets import Basis
from pipelines.store.search import Asked, conversation, search
from pipelines.store.write import Correction, Store
from tests.unit.store.builders import LIMA, MARCH, MODEL, TAXONOMY, begun, classified, said, save

TEXTS = (
    "Inundaciones en la pista de Huaycán",
    "la inundacion llegó a mi casa",
    "El camión de basura no pasa",
    "Basura en el camión viejo",
    "Asaltaron a dos señoras'; DROP TABLE run --",
)


def basis(**changes: object) -> Basis:
    values = {
        "municipality": "villa",
        "window": MARCH,
        "model_version": MODEL,
        "taxonomy_version": TAXONOMY,
    }
    return Basis(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(params=["one by one", "by the index of words"])
def indexed(
    store: Store, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Engine:
    if request.param != "one by one":
        monkeypatch.setattr("pipelines.store.search._FEW", 0)
    items = [said(i, text) for i, text in enumerate(TEXTS)]
    save(store, begun(store), *items)
    store.save_classifications(TAXONOMY, [classified(item) for item in items])
    assert index_texts(store.engine, "villa") == len(TEXTS)
    return store.engine


def texts(engine: Engine, words: str, **asked: str) -> set[str]:
    hits = search(engine, basis(), Asked(words=words, **asked), 0, 50)
    assert hits.exact
    assert hits.count == len(hits.found)
    return {one.text for one in hits.found}


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        ("inundación", {0, 1}),
        ("INUNDACIONES pistas", {0}),
        ("huaycan", {0}),
        ("camion basura", {2, 3}),
        ('"camión de basura"', {2}),
        ("asalto", {4}),
        ("nada parecido", set()),
        ("'; DROP TABLE run --", {4}),
        ('" OR stems MATCH "', set()),
        ("", {0, 1, 2, 3, 4}),
    ],
)
def test_words_are_found_by_their_stems(indexed: Engine, words: str, hits: set[int]) -> None:
    assert texts(indexed, words) == {TEXTS[i] for i in hits}


def test_words_that_very_many_texts_have_are_counted_among_the_latest(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(sqlite_engine)
    items = [said(i, f"Bache {i}, gracias" if i % 2 else f"Bache {i}") for i in range(10)]
    save(store, begun(store), *items)
    store.save_classifications(TAXONOMY, [classified(item) for item in items])
    index_texts(sqlite_engine, "villa")
    monkeypatch.setattr("pipelines.store.search._FEW", 4)
    monkeypatch.setattr("pipelines.store.search.READ_TO", 6)

    def hits(words: str, skip: int) -> tuple[int, int, bool]:
        found = search(sqlite_engine, basis(), Asked(words=words), skip, 3)
        return len(found.found), found.count, found.exact

    assert hits("bache", 0) == (3, 6, False)
    assert hits("bache", 6) == (3, 9, False)
    assert hits("bache", 9) == (1, 10, True)
    assert hits("bache gracias", 0) == (3, 5, True)
    assert hits("bache gracias", 3) == (2, 5, True)


def test_an_edit_is_found_by_its_new_words_alone(indexed: Engine) -> None:
    with indexed.begin() as connection:
        connection.execute(
            update(ManifestationRow)
            .where(ManifestationRow.text == TEXTS[2])
            .values(text="Ya pasó el recolector", text_hash="otro")
        )

    assert index_texts(indexed, "villa") == 1
    assert index_texts(indexed, "villa") == 0
    assert texts(indexed, '"camión de basura"') == set()
    with indexed.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(SearchRow)) == len(TEXTS)


def test_what_is_purged_is_not_found(indexed: Engine) -> None:
    with indexed.execution_options(writes=True).begin() as connection:
        connection.execute(ManifestationRow.__table__.delete())

    with indexed.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(SearchRow)) == 0
    assert texts(indexed, "inundación") == set()


def test_only_the_runs_window_model_and_labels_are_searched(indexed: Engine) -> None:
    before = Window(date(2026, 1, 1), date(2026, 2, 1), LIMA)
    asked = Asked(words="basura")

    assert search(indexed, basis(), asked, 0, 1).count == 2
    assert search(indexed, basis(window=before), asked, 0, 1).count == 0
    assert search(indexed, basis(model_version="otro"), asked, 0, 1).count == 0
    assert search(indexed, basis(municipality="otra"), asked, 0, 1).count == 0
    assert search(indexed, basis(), Asked(words="basura", source="foro"), 0, 1).count == 0


def test_texts_are_listed_by_whether_the_model_was_sure(store: Store) -> None:
    items = [said(i, text) for i, text in enumerate(TEXTS)]
    save(store, begun(store), *items)
    store.save_classifications(
        TAXONOMY, [classified(item, abstained=at < 3) for at, item in enumerate(items)]
    )
    read = items[2]
    now = datetime.now(UTC)
    store.save_corrections([Correction(read.id, read.text_hash, "p-1", now, "waste")])
    index_texts(store.engine, "villa")

    assert texts(store.engine, "", certainty="unsure") == {TEXTS[0], TEXTS[1]}
    assert texts(store.engine, "casa", certainty="unsure") == {TEXTS[1]}
    assert texts(store.engine, "", certainty="sure") == {TEXTS[2], TEXTS[3], TEXTS[4]}


def test_a_conversation_is_found_by_its_thread_and_not_among_all_texts(
    sqlite_engine: Engine,
) -> None:
    statements: list[tuple[str, Any]] = []
    event.listen(
        sqlite_engine,
        "before_cursor_execute",
        lambda _c, _cursor, sql, values, *_: statements.append((sql, values)),
    )
    save(Store(sqlite_engine), begun(Store(sqlite_engine)), item := said(1, TEXTS[0]))
    assert [one.id for one in conversation(sqlite_engine, basis(), item.id, 10)] == [item.id]
    sql, values = statements[-1]
    with sqlite_engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        reads = [str(row[3]) for row in plan if " manifestation " in str(row[3])]
    assert len(reads) == 2
    assert any("(id=?)" in read for read in reads)
    assert any("(thread_id=?)" in read for read in reads)


def test_a_conversation_of_another_municipality_is_not_told(indexed: Engine) -> None:
    one = search(indexed, basis(), Asked(words="asalto"), 0, 1).found[0]

    assert [found.id for found in conversation(indexed, basis(), one.id, 10)] == [one.id]
    assert conversation(indexed, basis(municipality="otra"), one.id, 10) == []
