"""Classifying a window: batch by batch, once, and on from where it broke off."""

import pytest

import pipelines.classify
from models.records import Stage
from models.tables import ClassificationRow, PartitionRow
from pipelines.classify import classify_window, reading
from pipelines.store.read import find_run
from pipelines.store.write import Store
from tests.unit.pipelines.fakes import WordClassifier, quiet
from tests.unit.store.builders import (
    MARCH,
    MODEL,
    TAXONOMY,
    at,
    begun,
    municipality,
    rows,
    said,
    save,
)

VILLA = municipality()


@pytest.fixture
def batches_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines.classify, "_BATCH", 3)


def run(store: Store, run_id: str, classifier: WordClassifier) -> int:
    return classify_window(store, run_id, VILLA, MARCH, TAXONOMY, classifier, quiet)


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        (None, "Falta agua.", "Falta agua."),
        ("", "Falta agua.", "Falta agua."),
        ("Otra vez", "Falta agua.", "Otra vez. Falta agua."),
        ("Otra vez.", "Falta agua.", "Otra vez. Falta agua."),
        ("¿Otra vez?", "Falta agua.", "¿Otra vez?. Falta agua."),
        ("Falta agua", "FALTA  AGUA en Huaycán", "FALTA  AGUA en Huaycán"),
        ("Falta agua en…", "Falta agua en Huaycán", "Falta agua en Huaycán"),
        ("Falta agua en...", "Falta agua en Huaycán", "Falta agua en Huaycán"),
        ("Falta agua", "", "Falta agua"),
        ("Falta agua", "En Huaycán: falta agua", "Falta agua. En Huaycán: falta agua"),
        ("...", "Falta agua", "Falta agua"),
    ],
)
def test_a_title_opens_the_text_unless_it_repeats_it(
    title: str | None, text: str, expected: str
) -> None:
    assert reading(title, text) == expected


def test_the_window_is_classified_once(store: Store) -> None:
    run_id = begun(store)
    save(
        store,
        run_id,
        said(1, "en la cuadra dos", title="Falta agua", when=at(1)),
        said(2, "Bonito parque", source="foro", when=at(2)),
        said(3, "Fuera de la ventana", when=at(1, month=4)),
    )
    classifier = WordClassifier()
    assert run(store, run_id, classifier) == 2
    assert classifier.read == [["Falta agua. en la cuadra dos", "Bonito parque"]]
    found = {
        row["manifestation_id"]: row["category"] for row in rows(store.engine, ClassificationRow)
    }
    assert found == {
        said(1).id: "water",
        said(2, source="foro").id: "environment",
    }
    again = WordClassifier()
    assert run(store, run_id, again) == 0
    assert again.read == []


def test_the_run_and_the_ledger_say_what_was_classified(store: Store) -> None:
    run_id = begun(store)
    save(
        store, run_id, said(1, when=at(1)), said(2, when=at(1)), said(1, source="foro", when=at(2))
    )
    run(store, run_id, WordClassifier())
    assert find_run(store.engine, run_id).model_version == MODEL
    found = [(row["source"], row["day"], row["rows"]) for row in rows(store.engine, PartitionRow)]
    assert found == [("diario", at(1).date(), 2), ("foro", at(2).date(), 1)]
    assert {row["stage"] for row in rows(store.engine, PartitionRow)} == {Stage.CLASSIFY}


@pytest.mark.usefixtures("batches_of_three")
def test_what_was_done_before_it_broke_is_kept_and_not_done_again(store: Store) -> None:
    run_id = begun(store)
    save(store, run_id, *(said(n, f"Texto {n}", when=at(n + 1)) for n in range(8)))
    with pytest.raises(MemoryError):
        run(store, run_id, WordClassifier(batches_until_it_breaks=1))
    assert len(rows(store.engine, ClassificationRow)) == 3
    assert rows(store.engine, PartitionRow) == []

    second = WordClassifier()
    assert run(store, begun(store), second) == 5
    assert second.read == [["Texto 3", "Texto 4", "Texto 5"], ["Texto 6", "Texto 7"]]
    assert len(rows(store.engine, ClassificationRow)) == 8


@pytest.mark.usefixtures("batches_of_three")
def test_progress_tells_how_many_are_done(store: Store) -> None:
    run_id = begun(store)
    save(store, run_id, *(said(n) for n in range(7)))
    told: list[tuple[int, int]] = []
    classify_window(
        store, run_id, VILLA, MARCH, TAXONOMY, WordClassifier(), lambda *now: told.append(now)
    )
    assert told == [(0, 7), (3, 7), (6, 7), (7, 7)]


def test_an_edited_text_is_classified_again_and_others_are_not(store: Store) -> None:
    run_id = begun(store)
    save(store, run_id, said(1, "Bonito parque"), said(2, "Otro parque"))
    run(store, run_id, WordClassifier())
    save(store, run_id, said(1, "Falta agua"))
    second = WordClassifier()
    assert run(store, run_id, second) == 1
    assert second.read == [["Falta agua"]]


def test_the_category_of_an_unsure_reply_is_read_with_its_parent(store: Store) -> None:
    opener = said(1, "Otra vez sin agua", title="Ate", when=at(2))
    reply = said(2, "Eso mismo, qué cólera", when=at(3), parent_id=opener.id)
    orphan = said(3, "Eso, eso", when=at(3), parent_id="never-stored")
    alone = said(4, "Eso, ¿no?", when=at(3))
    sure = said(5, "Lindo parque", when=at(3), parent_id=opener.id)
    run_id = begun(store)
    save(store, run_id, opener, reply, orphan, alone, sure)
    model = WordClassifier()
    classify_window(store, run_id, VILLA, MARCH, TAXONOMY, model, quiet)
    found = {row["manifestation_id"]: row for row in rows(store.engine, ClassificationRow)}
    assert (found[reply.id]["category"], found[reply.id]["abstained"]) == ("water", False)
    assert (found[reply.id]["sentiment"], found[reply.id]["intent"]) == ("negative", "opinion")
    assert found[orphan.id]["category"] == found[alone.id]["category"] == "other"
    assert found[sure.id]["category"] == "environment"
    assert model.read[1] == ["Ate. Otra vez sin agua [SEP] Eso mismo, qué cólera"]
