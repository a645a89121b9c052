"""People's labels: kept one after the other, counted before the model's, handed out as gold."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.errors import InputError
from models.records import Kind
from models.tables import CorrectionRow
from nlp.training.examples import CORRECTIONS, load_sets
from pipelines.corrections import correct, export_corrections
from pipelines.store.write import Store
from tests.unit.store.builders import begun, rows, said, save

TEXT = said(1, "El camión no pasa. Llamen al 987654321", title="Basura")


@pytest.fixture
def stored(store: Store) -> Store:
    save(store, begun(store), TEXT, said(2, "Otro texto"))
    return store


def labels(**given: str) -> dict[str, str | None]:
    return {"category": None, "sentiment": None, "intent": None, **given}


def test_every_correction_stays_with_who_when_and_why(stored: Store) -> None:
    before = datetime.now(UTC)
    correct(stored, TEXT.id, labels(category="transport"), "E-07", "llamar al 987654321")
    correct(stored, TEXT.id, labels(category="waste", intent="request"), "E-09")
    first, second = rows(stored.engine, CorrectionRow)
    assert (first["category"], first["sentiment"], first["reader"]) == ("transport", None, "E-07")
    assert first["note"] == "llamar al [teléfono]"
    assert (second["category"], second["intent"], second["note"]) == ("waste", "request", None)
    assert first["text_hash"] == TEXT.text_hash
    assert before <= first["corrected_at"] <= second["corrected_at"]


@pytest.mark.parametrize(
    ("given", "reader", "said_why"),
    [
        ({}, "E-07", "Say what is right"),
        ({"category": "basura"}, "E-07", "There is no category «basura»"),
        ({"intent": "request"}, "ana@muni.pe", "is no code of a person"),
        ({"intent": "request"}, "Ana Quispe", "is no code of a person"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    stored: Store, given: dict[str, str], reader: str, said_why: str
) -> None:
    with pytest.raises(InputError, match=said_why):
        correct(stored, TEXT.id, labels(**given), reader)
    assert rows(stored.engine, CorrectionRow) == []


def test_an_unknown_manifestation_is_named(stored: Store) -> None:
    with pytest.raises(InputError, match="There is no manifestation abc"):
        correct(stored, "abc", labels(category="waste"), "E-07")


def exported(store: Store, path: Path) -> list[dict[str, Any]]:
    count = export_corrections(store, "villa", path)
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(found) == count
    return found


def test_the_newest_label_of_each_task_is_exported_as_gold(stored: Store, tmp_path: Path) -> None:
    correct(stored, TEXT.id, labels(category="transport", sentiment="negative"), "E-07")
    correct(stored, TEXT.id, labels(category="waste"), "E-09")
    (gold,) = exported(stored, tmp_path / "gold.jsonl")
    assert gold["text"] == "Basura. El camión no pasa. Llamen al 987654321"
    assert (gold["category"], gold["sentiment"], gold["by"]) == ("waste", "negative", "E-09")
    assert "intent" not in gold
    train = tmp_path / "data" / "civic" / "train.jsonl"
    train.parent.mkdir(parents=True)
    train.write_text(json.dumps({"text": "No hay agua", "category": "water"}) + "\n")
    found = load_sets(tmp_path / "data", (), tmp_path / "gold.jsonl")[CORRECTIONS]
    assert len(found) == 1
    assert found.weights["category"].tolist() == [1]
    assert found.weights["intent"].tolist() == [0]


def test_a_text_edited_since_is_the_models_again(stored: Store, tmp_path: Path) -> None:
    correct(stored, TEXT.id, labels(category="waste"), "E-07")
    edited = said(1, "Ya pasó, gracias", fetched_at=datetime(2026, 4, 3, tzinfo=UTC))
    save(stored, begun(stored), edited)
    with pytest.raises(InputError, match="No text of villa is corrected yet"):
        export_corrections(stored, "villa", tmp_path / "gold.jsonl")


def test_a_purged_manifestation_takes_its_corrections_along(stored: Store) -> None:
    from pipelines.store.erase import Erasure, erase

    correct(stored, TEXT.id, labels(category="waste"), "E-07")
    erase(stored.engine, Erasure("villa", [TEXT.id], [], [], []), {}, "test")
    assert rows(stored.engine, CorrectionRow) == []


def test_a_post_and_an_article_are_corrected_alike(stored: Store) -> None:
    post = said(3, "Un post", kind=Kind.POST)
    save(stored, begun(stored), post)
    assert correct(stored, post.id, labels(sentiment="neutral"), "E-07").sentiment == "neutral"
