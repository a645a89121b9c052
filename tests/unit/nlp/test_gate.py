"""The quality gate: the shipped weights pass it, and it can't be loosened in silence."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from models.errors import ConfigError, ModelError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from nlp.evaluate import EvaluationReport, TaskScore
from nlp.gate import (
    Floors,
    lowered,
    main,
    measure,
    pinned_anew,
    problems,
    raised,
    read_floors,
)
from nlp.training.examples import WRITTEN
from nlp.training.rows import read_rows

GOLD = Path(__file__).parents[2] / "gold" / "peru.jsonl"
FLOORS = GOLD.with_name("floors.json")
REASON = "a smaller encoder, agreed on"


def report(macro_f1: float = 0.8, ece: float = 0.04) -> EvaluationReport:
    score = TaskScore(100, macro_f1, macro_f1 - 0.03, macro_f1 + 0.03, 0.8, ece, 0.02, {}, 0.01)
    return EvaluationReport(100, 3, {"category": score})


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"text": "no hay agua"}\n', encoding="utf-8")
    return path


@pytest.fixture
def floors(gold: Path) -> Floors:
    return pinned_anew(None, gold, report(), "m-1", "the first floors")


def written(path: Path, base: Floors, **changed: Any) -> Path:
    value = base.model_dump(mode="json") | changed
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


# --- what ships ------------------------------------------------------------------------------


def test_the_shipped_weights_pass_the_gate() -> None:
    found, model = measure(GOLD)
    assert not problems(read_floors(FLOORS), GOLD, found), model


def test_the_gold_is_balanced_and_has_hard_cases() -> None:
    rows = read_rows(GOLD)
    categories = Counter(row["category"] for row in rows)
    assert len(rows) >= 400
    assert set(categories) == set(CATEGORIES)
    assert len(set(categories.values())) == 1
    assert {row["sentiment"] for row in rows} == set(SENTIMENTS)
    assert {row["intent"] for row in rows} == set(INTENTS)
    tags = Counter(tag for row in rows for tag in row["tags"])
    assert all(tags[hard] >= 25 for hard in ("irony", "negation", "mixed", "demand"))


def test_no_gold_text_was_trained_on() -> None:
    gold = {row["text"].casefold() for row in read_rows(GOLD)}
    assert len(gold) == len(read_rows(GOLD))
    trained = {r["text"].casefold() for path in WRITTEN.glob("*.jsonl") for r in read_rows(path)}
    assert trained
    assert not gold & trained


# --- the gate itself -------------------------------------------------------------------------


def test_a_worse_model_is_named_with_its_figures(floors: Floors, gold: Path) -> None:
    assert problems(floors, gold, report(0.785, 0.055)) == []
    (found,) = problems(floors, gold, report(0.77))
    assert "category: macro-F1 0.770 (n = 100" in found
    assert "under the floor of 0.780" in found
    (found,) = problems(floors, gold, report(ece=0.07))
    assert "calibration error 0.070 (n = 100) is over the ceiling of 0.060" in found


def test_changed_gold_is_noticed(floors: Floors, gold: Path) -> None:
    gold.write_text('{"text": "hay agua"}\n', encoding="utf-8")
    (found,) = problems(floors, gold, report())
    assert "not the gold that the floors belong to" in found


def test_a_better_model_raises_floors_and_never_lowers_one(floors: Floors) -> None:
    better = raised(floors, report(0.9, 0.08), "m-2")
    assert better.floors["category"].macro_f1 == 0.88
    assert better.floors["category"].ece == 0.06
    assert [change.model for change in better.changes] == ["m-1", "m-2"]
    assert raised(better, report(0.8), "m-3") == better


def test_lowering_needs_a_reason_and_keeps_it(floors: Floors, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="why the floors change"):
        lowered(floors, report(0.7), "m-2", " ")
    with pytest.raises(ConfigError, match="no floor needs lowering"):
        lowered(floors, report(0.8), "m-2", REASON)
    looser = lowered(floors, report(0.7), "m-2", REASON)
    assert looser.floors["category"].macro_f1 == 0.68
    assert looser.floors["category"].ece == 0.06
    kept = read_floors(written(tmp_path / "floors.json", looser))
    assert kept.changes[-1].reason == REASON


def test_floors_edited_by_hand_are_refused(floors: Floors, tmp_path: Path) -> None:
    lower = {"category": {"macro_f1": 0.1, "ece": 0.5}}
    with pytest.raises(ModelError, match="edited by hand"):
        read_floors(written(tmp_path / "floors.json", floors, floors=lower))
    changes = floors.model_dump(mode="json")["changes"]
    silent = [*changes, {**changes[0], "floors": lower, "reason": ""}]
    with pytest.raises(ModelError, match="needs a reason"):
        read_floors(written(tmp_path / "floors.json", floors, floors=lower, changes=silent))


def test_new_gold_needs_a_reason_and_keeps_the_history(floors: Floors, gold: Path) -> None:
    gold.write_text('{"text": "hay agua"}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="why the floors change"):
        pinned_anew(floors, gold, report(0.5), "m-2", "")
    fresh = pinned_anew(floors, gold, report(0.5), "m-2", "harder texts were added")
    assert problems(fresh, gold, report(0.5)) == []
    assert [change.reason for change in fresh.changes] == [
        "the first floors",
        "harder texts were added",
    ]


def test_the_command_says_what_is_wrong_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = tmp_path / "gold.jsonl"
    texts.write_bytes(b"".join(GOLD.read_bytes().splitlines(keepends=True)[:40]))
    assert main([str(texts)]) == 1
    assert "holds no floors" in capsys.readouterr().err
    assert main([str(texts), "--gold", "forty texts are enough here"]) == 0
    assert main([str(texts)]) == 0
    floors = read_floors(tmp_path / "floors.json")
    out = {task: {"macro_f1": 0.999, "ece": 0.0} for task in floors.floors}
    changes = floors.model_dump(mode="json")["changes"]
    changes.append({**changes[0], "floors": out, "reason": "raised"})
    written(tmp_path / "floors.json", floors, floors=out, changes=changes)
    assert main([str(texts)]) == 1
    assert "is under the floor of 0.999" in capsys.readouterr().err
    assert main([str(texts), "--lower", "too"]) == 2
    assert main([str(texts), "--lower", "the ceiling was an experiment"]) == 0
    assert main([str(texts)]) == 0
