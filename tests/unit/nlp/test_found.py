"""Labels that ship without their texts find them again in the training data."""

import json
import lzma
from pathlib import Path

import pytest

from models.errors import ModelError
from nlp.tasks import TASKS
from nlp.training.examples import load_sets
from nlp.training.found import LABELS, found_rows, line_digest
from nlp.training.rows import read_rows

LINE = "Otra vez sin agua en Huaycán. Y nadie responde el teléfono."
OTHER = "Qué bonito quedó el parque, gracias"


def write_labels(folder: Path, **changed: object) -> None:
    row = {
        "genre": "social",
        "line": line_digest(LINE),
        "characters": 29,
        "category": "water",
        "second": None,
        "sentiment": "negative",
        "intent": "complaint",
    }
    folder.mkdir(exist_ok=True)
    (folder / "some.jsonl").write_text(json.dumps({**row, **changed}), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "lm").mkdir()
    with lzma.open(tmp_path / "lm" / "social.txt.xz", "wt", encoding="utf-8") as lines:
        lines.write(f"{OTHER}\n{LINE}\n{LINE}\n")
    return tmp_path


def test_a_labelled_text_is_found_once_and_cut(data: Path) -> None:
    write_labels(data / "labels")
    (row,) = found_rows(data, data / "labels")
    assert row["text"] == "Otra vez sin agua en Huaycán."
    assert row["category"] == "water"


def test_the_whole_line_where_no_length_is_given(data: Path) -> None:
    write_labels(data / "labels", characters=None)
    assert [row["text"] for row in found_rows(data, data / "labels")] == [LINE]


@pytest.mark.parametrize("changed", [{"genre": "novels"}, {"line": line_digest("otra")}])
def test_texts_that_the_data_lack_are_left_out(data: Path, changed: dict[str, str]) -> None:
    write_labels(data / "labels", **changed)
    assert found_rows(data, data / "labels") == []


def test_a_broken_line_of_labels_is_named(data: Path) -> None:
    (data / "labels").mkdir()
    (data / "labels" / "some.jsonl").write_text("{}\n{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"some\.jsonl, line 2"):
        found_rows(data, data / "labels")


def test_found_texts_train_unless_a_dev_set_has_them(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_labels(data / "labels")
    monkeypatch.setattr(
        "nlp.training.examples.found_rows", lambda _: found_rows(data, data / "labels")
    )
    (data / "civic").mkdir()
    gold = {"category": "environment", "sentiment": "positive", "intent": "praise"}
    (data / "civic" / "train.jsonl").write_text(json.dumps({"text": OTHER, **gold}))
    assert load_sets(data, ())["found"].texts == ["Otra vez sin agua en Huaycán."]
    dev = {"text": "Otra vez sin agua en Huaycán.", **gold}
    (data / "civic" / "dev.jsonl").write_text(json.dumps(dev))
    assert "found" not in load_sets(data, ())


def test_what_ships_has_valid_labels_and_no_text() -> None:
    rows = [row for path in LABELS.glob("*.jsonl") for row in read_rows(path)]
    assert len(rows) > 5_000
    assert len({(row["genre"], row["line"]) for row in rows}) == len(rows)
    names = {"genre", "line", "characters", "category", "second", "sentiment", "intent"}
    for row in rows:
        assert row.keys() == names
        assert all(row[task] in labels for task, labels in TASKS.items())
        assert row["second"] in {None, *TASKS["category"]} - {row["category"]}
