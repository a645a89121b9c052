"""The quality gate: the scores under which no model ships, pinned beside the gold texts.

`floors.json` holds, per task, the least macro-F1 and the greatest calibration error, with the
SHA-256 of the gold texts they belong to. A floor is lowered, or the gold changed, only with a
reason, which stays in the file; raising one needs none. The changes in the file form a chain
that ends at the floors, so a floor edited by hand is noticed.

    python -m nlp.gate                            check the shipped weights
    python -m nlp.gate --raise                    raise the floors that a better model allows
    python -m nlp.gate --lower "why"              lower the floors that it no longer reaches
    python -m nlp.gate --gold "why"               pin anew, after the gold was changed
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from configs.model import ModelSpec
from models.errors import ConfigError, ManifiestaError, ModelError
from nlp.checksum import file_sha256
from nlp.evaluate import EvaluationReport, GoldItem, evaluate
from nlp.training.rows import read_rows

GOLD = Path("tests/gold/peru.jsonl")
MARGIN = 0.02
"""How far under its score a floor is set, so that another machine's rounding passes."""
_SHORTEST_REASON = 10


class Floor(BaseModel):
    """What one task must reach: macro-F1 at least, calibration error at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    macro_f1: float
    ece: float


class Change(BaseModel):
    """One change of the floors: when, for which model, why, and to what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: date
    model: str
    sha256: str
    reason: str
    floors: dict[str, Floor]


class Floors(BaseModel):
    """The pinned floors; see `floors.json` beside the gold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gold: str
    sha256: str
    n: int
    floors: dict[str, Floor]
    changes: list[Change]


def read_floors(path: Path) -> Floors:
    """Read the floors and check that they are what the last change says.

    Raises ModelError where the file is missing or invalid, where it was edited by hand, or
    where a change that lowers a floor or changes the gold gives no reason.
    """
    try:
        found = Floors.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as fault:
        raise ModelError(f"{path} holds no floors: {fault}") from fault
    if not found.changes or (found.changes[-1].floors, found.changes[-1].sha256) != (
        found.floors,
        found.sha256,
    ):
        raise ModelError(
            f"{path} was edited by hand: its floors are not those of its last change; "
            "use `python -m nlp.gate --lower` or `--gold` with a reason"
        )
    for before, after in zip(found.changes, found.changes[1:], strict=False):
        loosened = before.sha256 != after.sha256 or _loosened(before.floors, after.floors)
        if loosened and len(after.reason) < _SHORTEST_REASON:
            raise ModelError(f"{path}: the change of {after.on} needs a reason")
    return found


def problems(floors: Floors, gold: Path, report: EvaluationReport) -> list[str]:
    """Return in words what keeps a model from shipping; nothing where it passes."""
    found = []
    if file_sha256(gold) != floors.sha256:
        found.append(
            f"{gold} is not the gold that the floors belong to; pin them anew with "
            '`python -m nlp.gate --gold "why it changed"`'
        )
    for task, floor in floors.floors.items():
        score = report.tasks.get(task)
        if score is None:
            found.append(f"{task}: the gold has no labels")
            continue
        if score.macro_f1 < floor.macro_f1:
            found.append(
                f"{task}: macro-F1 {score.macro_f1:.3f} (n = {score.n}, 95 % "
                f"{score.macro_f1_low:.3f}-{score.macro_f1_high:.3f}) is under the floor of "
                f"{floor.macro_f1:.3f}"
            )
        if score.ece > floor.ece:
            found.append(
                f"{task}: the calibration error {score.ece:.3f} (n = {score.n}) is over the "
                f"ceiling of {floor.ece:.3f}"
            )
    return found


def raised(floors: Floors, report: EvaluationReport, model: str) -> Floors:
    """Return the floors with those raised that the report allows; none is lowered."""
    fresh = _pinned(report)
    best = {
        task: Floor(
            macro_f1=max(floor.macro_f1, fresh[task].macro_f1), ece=min(floor.ece, fresh[task].ece)
        )
        for task, floor in floors.floors.items()
    }
    return _changed(floors, best, floors.sha256, model, "raised")


def lowered(floors: Floors, report: EvaluationReport, model: str, reason: str) -> Floors:
    """Return the floors with those lowered that the report does not reach.

    Raises ConfigError without a reason, or where nothing needs lowering.
    """
    _require(reason)
    fresh = _pinned(report)
    loose = {
        task: Floor(
            macro_f1=floor.macro_f1
            if report.tasks[task].macro_f1 >= floor.macro_f1
            else fresh[task].macro_f1,
            ece=floor.ece if report.tasks[task].ece <= floor.ece else fresh[task].ece,
        )
        for task, floor in floors.floors.items()
    }
    if loose == floors.floors:
        raise ConfigError("no floor needs lowering: the model reaches all of them")
    return _changed(floors, loose, floors.sha256, model, reason)


def pinned_anew(
    floors: Floors | None, gold: Path, report: EvaluationReport, model: str, reason: str
) -> Floors:
    """Return floors for changed (or first) gold texts, a margin under the report's scores.

    Raises ConfigError without a reason.
    """
    _require(reason)
    sha256, fresh = file_sha256(gold), _pinned(report)
    empty = Floors(gold=gold.name, sha256=sha256, n=report.n, floors={}, changes=[])
    return _changed(floors or empty, fresh, sha256, model, reason).model_copy(
        update={"n": report.n, "gold": gold.name}
    )


def _changed(floors: Floors, to: dict[str, Floor], sha256: str, model: str, reason: str) -> Floors:
    if (to, sha256) == (floors.floors, floors.sha256):
        return floors
    today = datetime.now(UTC).date()
    change = Change(on=today, model=model, sha256=sha256, reason=reason, floors=to)
    return floors.model_copy(
        update={"floors": to, "sha256": sha256, "changes": [*floors.changes, change]}
    )


def _pinned(report: EvaluationReport) -> dict[str, Floor]:
    return {
        task: Floor(macro_f1=round(score.macro_f1 - MARGIN, 3), ece=round(score.ece + MARGIN, 3))
        for task, score in report.tasks.items()
    }


def _loosened(before: dict[str, Floor], after: dict[str, Floor]) -> bool:
    return any(
        task not in after or after[task].macro_f1 < floor.macro_f1 or after[task].ece > floor.ece
        for task, floor in before.items()
    )


def _require(reason: str) -> None:
    if len(reason.strip()) < _SHORTEST_REASON:
        raise ConfigError("say in a sentence why the floors change; it stays in the file")


def measure(gold: Path, model: Path | None = None) -> tuple[EvaluationReport, str]:
    """Score a model (the shipped one if None) on the gold; return report and model version."""
    from nlp.classifier import Classifier

    rows = read_rows(gold)
    classifier = Classifier.load(ModelSpec(path=model))
    items = [GoldItem(row["category"], row["sentiment"], row["intent"]) for row in rows]
    answers = classifier.classify([row["text"] for row in rows])
    return evaluate(items, answers, classifier.manifest.errors), classifier.model_version


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gate; return 0 where the model passes or the floors were written, else 1."""
    parser = argparse.ArgumentParser(prog="python -m nlp.gate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("texts", nargs="?", type=Path, default=GOLD, help="gold texts")
    parser.add_argument("--model", type=Path, help="folder of weights; the shipped if not given")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--raise", dest="better", action="store_true", help="raise floors")
    how.add_argument("--lower", metavar="WHY", help="lower floors, with the reason")
    how.add_argument("--gold", metavar="WHY", help="pin anew after the gold changed")
    asked = parser.parse_args(arguments)
    try:
        return _run(asked)
    except ManifiestaError as fault:
        sys.stderr.write(f"{fault}\n")
        return fault.exit_code


def _run(asked: argparse.Namespace) -> int:
    path = asked.texts.with_name("floors.json")
    report, model = measure(asked.texts, asked.model)
    if asked.gold is not None:
        known = read_floors(path) if path.exists() else None
        return _write(path, pinned_anew(known, asked.texts, report, model, asked.gold))
    floors = read_floors(path)
    if asked.lower is not None:
        return _write(path, lowered(floors, report, model, asked.lower))
    found = problems(floors, asked.texts, report)
    sys.stderr.writelines(f"{problem}\n" for problem in found)
    if found:
        return 1
    if asked.better:
        return _write(path, raised(floors, report, model))
    sys.stdout.write(f"{model} passes: {_said(floors)}\n")
    return 0


def _write(path: Path, floors: Floors) -> int:
    path.write_text(floors.model_dump_json(indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{path}: {_said(floors)}\n")
    return 0


def _said(floors: Floors) -> str:
    return ", ".join(
        f"{task} macro-F1 ≥ {floor.macro_f1:.3f}, ECE ≤ {floor.ece:.3f}"
        for task, floor in floors.floors.items()
    )


if __name__ == "__main__":
    sys.exit(main())
