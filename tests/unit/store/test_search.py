"""Searching by stems and labels, on both databases."""

from datetime import date

import pytest
from sqlalchemy import Engine, func, select, update

from models.records import Window
from models.search_tables import SearchRow
from models.tables import ManifestationRow
from pipelines.searching import index_texts
from pipelines.store.facets import Basis
from pipelines.store.search import Asked, conversation, count_hits, search
from pipelines.store.write import Store
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
    found = search(engine, basis(), Asked(words=words, **asked), 0, 50)
    assert count_hits(engine, basis(), Asked(words=words, **asked)) == len(found)
    return {one.text for one in found}


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

    assert count_hits(indexed, basis(), asked) == 2
    assert count_hits(indexed, basis(window=before), asked) == 0
    assert count_hits(indexed, basis(model_version="otro"), asked) == 0
    assert count_hits(indexed, basis(municipality="otra"), asked) == 0
    assert count_hits(indexed, basis(), Asked(words="basura", source="foro")) == 0


def test_a_conversation_of_another_municipality_is_not_told(indexed: Engine) -> None:
    one = search(indexed, basis(), Asked(words="asalto"), 0, 1)[0]

    assert [found.id for found in conversation(indexed, basis(), one.id, 10)] == [one.id]
    assert conversation(indexed, basis(municipality="otra"), one.id, 10) == []
