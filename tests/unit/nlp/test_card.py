"""The model card says what the manifest says, and nothing else."""

import json
import re
import shutil
from pathlib import Path

import pytest

from models.records import Classification
from nlp.card import main, model_card
from nlp.manifest import SHIPPED, read_manifest
from nlp.training.measure import curve, measure, text_set

ROOT = Path(__file__).parents[3]


def test_the_card_in_the_docs_is_that_of_the_shipped_weights() -> None:
    card = (ROOT / "docs" / "model-card.md").read_text(encoding="utf-8")
    assert card == model_card(read_manifest(SHIPPED)), "run `make docs`"


def test_what_the_card_names_exists() -> None:
    card = model_card(read_manifest(SHIPPED))
    named = re.findall(r"`((?:docs|tests|nlp)/[\w./-]+)`", card)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert "not described" not in card


def test_the_card_follows_the_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_text(encoding="utf-8"))
    manifest["version"] = "9.8.7"
    manifest["scores"]["civic"]["category"]["macro_f1"] = 0.1234
    manifest["measured"] = None
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["--model", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "manifiesta 9.8.7" in said
    n = manifest["scores"]["civic"]["category"]["n"]
    assert f"| civic | category | {n:,} | 0.123 |" in said
    assert "| gold |" not in said
    assert main(["--model", str(tmp_path / "absent")]) == 1
    assert "no manifest.json" in capsys.readouterr().err


def test_measuring_writes_data_gold_and_curve(
    weights: Path, small_data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(weights, folder)
    gold = small_data / "civic" / "dev.jsonl"
    found = measure(small_data, gold, folder)
    assert read_manifest(folder).measured == found
    assert found.trained_on["civic"].n > 0
    assert found.gold.n == len(gold.read_text().splitlines())
    assert found.gold_scores["category"]["n"] == found.gold.n
    assert [point.accepted for point in found.abstention["gold"]] == [1, 0.9, 0.8, 0.7, 0.6, 0.5]
    card = model_card(read_manifest(folder))
    assert f"| gold | category | {found.gold.n} |" in card
    assert f"| civic | {found.trained_on['civic'].n:,} |" in card


def test_the_surest_are_answered_first() -> None:
    def answer(chance: float) -> Classification:
        return Classification({"waste": chance, "water": 1 - chance}, {}, {}, False, "m")

    answers = [answer(0.6), answer(0.9), answer(0.8), answer(0.7)]
    rows = [{"category": "water"}, *[{"category": "waste"}] * 3]
    points = {point.accepted: point for point in curve(rows, answers)}
    assert (points[1.0].n, points[1.0].precision, points[1.0].threshold) == (4, 0.75, 0.6)
    assert (points[0.5].n, points[0.5].precision, points[0.5].threshold) == (2, 1.0, 0.8)
    assert curve([], []) == []


def test_a_set_of_texts_is_told_from_another_of_the_same_letters() -> None:
    assert text_set(["ab", "c"]).n == 2
    assert text_set(["ab", "c"]).sha256 != text_set(["a", "bc"]).sha256
