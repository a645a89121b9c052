"""Read and write files of texts, one JSON object a line."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from models.errors import InputError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Classification
from pipelines.classify import Progress, TextClassifier

_BATCH = 1_024
_LABELS = {"category": CATEGORIES, "sentiment": SENTIMENTS, "intent": INTENTS}
_ABOUT = ("source", "origin", "country", "tags")
_PROBABILITIES = {"categories": CATEGORIES, "sentiments": SENTIMENTS, "intents": INTENTS}
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Line:
    """A text of a file, with what stands beside it."""

    id: Any
    text: str
    labels: dict[str, str]
    about: dict[str, list[str]] = field(default_factory=dict)
    """What is known of the text's origin: `source`, `origin`, `country`, `tags`, if present."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be used, and why."""

    number: int
    problem: str


def read_lines(path: Path, *, with_id: bool = True) -> Iterator[Line | BadLine]:
    """Read ``{"id", "text"}`` objects, with ``category``, ``sentiment``, ``intent`` if present.

    Blank lines are passed over. ``with_id`` says whether a line needs an ``id``.

    Raises:
        InputError: the file is missing, empty, or no text file.
    """
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty: write one JSON object a line, with id and text")
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if raw.strip():
                    yield _line(number, raw, with_id=with_id)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _line(number: int, raw: bytes, *, with_id: bool) -> Line | BadLine:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return BadLine(number, "is no JSON object in UTF-8")
    if not isinstance(value, dict):
        return BadLine(number, f"is a {type(value).__name__}, not an object")
    text = value.get("text")
    if not isinstance(text, str):
        return BadLine(number, "has no «text»" if text is None else "has a «text» that is no text")
    if with_id and "id" not in value:
        return BadLine(number, "has no «id»")
    if problem := _wrong_label(value) or _unwritable([value.get("id"), text]):
        return BadLine(number, problem)
    labels = {task: str(value[task]) for task in _LABELS if value.get(task) is not None}
    return Line(value.get("id"), text, labels, _about(value))


def _about(value: dict[str, Any]) -> dict[str, list[str]]:
    given = {name: value.get(name) for name in _ABOUT}
    listed = {name: one if isinstance(one, list) else [one] for name, one in given.items() if one}
    return {name: [str(group) for group in groups] for name, groups in listed.items()}


def _wrong_label(value: dict[str, Any]) -> str | None:
    for task, known in _LABELS.items():
        label = value.get(task)
        if label is not None and label not in known:
            return f"has the {task} «{label}»; use one of {', '.join(known)}"
    return None


def _unwritable(value: Any) -> str | None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return "has half a character (a lone surrogate, such as \\ud83d)"
    return None


def classify_file(
    source: Path,
    target: Path,
    classifier: TextClassifier,
    report: Callable[[BadLine], None],
    progress: Progress,
) -> tuple[int, int]:
    """Classify a file of texts into another, in order; return how many were done, and were bad.

    The target appears whole or not at all.
    """
    done = bad = 0
    lines = read_lines(source)
    partial = target.with_name(target.name + ".part")
    try:
        with partial.open("w", encoding="utf-8") as file:
            for batch in _batches(lines):
                good = [line for line in batch if isinstance(line, Line)]
                for line in batch:
                    if isinstance(line, BadLine):
                        report(line)
                _write(file.write, good, classifier.classify([line.text for line in good]))
                done, bad = done + len(good), bad + len(batch) - len(good)
                progress(done, done)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return done, bad


def _write(
    write: Callable[[str], Any], lines: Sequence[Line], answers: Sequence[Classification]
) -> None:
    for line, answer in zip(lines, answers, strict=True):
        write(json.dumps(as_json(line.id, answer), ensure_ascii=False) + "\n")


def as_json(identity: Any, answer: Classification) -> dict[str, Any]:
    """Return a classification as the command line's contract has it."""
    return {
        "id": identity,
        "category": answer.category,
        "categories": dict(answer.categories),
        "sentiment": answer.sentiment,
        "sentiments": dict(answer.sentiments),
        "intent": answer.intent,
        "intents": dict(answer.intents),
        "confidence": answer.confidence,
        "abstained": answer.abstained,
        "model_version": answer.model_version,
    }


def read_answers(path: Path, ids: Sequence[Any]) -> list[Classification]:
    """Read what `classify_file` wrote, in the order of `ids`; without ids, in its own order.

    Raises:
        InputError: the file is missing, is no such file, or lacks an answer.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = [from_json(json.loads(line)) for line in lines if line.strip()]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} holds no answers as `manifiesta classify` writes them: {error!r}"
        ) from error
    if all(identity is None for identity in ids):
        if len(found) != len(ids):
            raise InputError(f"{path} holds {len(found):,} answers to {len(ids):,} gold texts")
        return [answer for _, answer in found]
    known = dict(found)
    lacking = [identity for identity in ids if identity not in known]
    if lacking:
        raise InputError(f"{path} holds no answer to {len(lacking):,} texts: {lacking[0]!r}, …")
    return [known[identity] for identity in ids]


def from_json(value: dict[str, Any]) -> tuple[Any, Classification]:
    """Return id and classification of an object that `as_json` made.

    Raises:
        KeyError: a field or the probability of a label is missing.
    """
    chances = {
        field_: {label: float(value[field_][label]) for label in labels}
        for field_, labels in _PROBABILITIES.items()
    }
    return value.get("id"), Classification(
        **chances, abstained=bool(value["abstained"]), model_version=str(value["model_version"])
    )


def _batches(items: Iterator[_Item]) -> Iterator[list[_Item]]:
    while batch := list(islice(items, _BATCH)):
        yield batch
