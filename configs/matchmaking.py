"""Files of matchmaking: records, the digital-readiness questionnaire, words that give away."""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from configs.check import Problem, Report, Schema, examine, read_as
from configs.document import Document, Route
from configs.explain import one_of
from configs.schema import SHIPPED, Code, Strict, Text
from models.errors import ConfigError
from models.labels import CATEGORIES, INTENTS
from models.match_records import KINDS, Batch, Record

FOLDER: Final = SHIPPED / "matchmaking"

PILLARS: Final = ("government", "regulation", "infrastructure", "business", "people")

Identity = tuple[str, ...]
Known = Mapping[str, Mapping[Identity, Mapping[str, Any]]]
"""Records that are stored already, by kind and identity."""

_NOTHING: Final[Known] = {}
_LABELS: Final = {"categories": CATEGORIES, "category": CATEGORIES, "intent": INTENTS}


class ReadinessQuestion(Strict):
    """One question; its answer is a score from 0 (nothing of it) to 4 (all of it, every day)."""

    code: Code
    pillar: Literal["government", "regulation", "infrastructure", "business", "people"]
    es: Text


class Readiness(Strict):
    """The digital-readiness questionnaire by pillars."""

    version: Text
    pillars: dict[str, Text]
    questions: tuple[ReadinessQuestion, ...] = Field(min_length=1)


class Redaction(Strict):
    """Words by which a text may give its author away, whoever that is."""

    given_names: tuple[Text, ...]
    titles: tuple[Text, ...]
    demonyms: tuple[Text, ...]
    common: tuple[Text, ...]


def read_records(
    path: Path, known: Known = _NOTHING, *, replace: bool = False
) -> tuple[Batch | None, list[Problem]]:
    """Read a YAML or JSON file of records, with every reason why one of them is refused.

    Args:
        path: the file, whose keys are names of tables.
        known: what is stored; a record may name its codes, and may not contradict it.
        replace: whether a record may differ from the one stored under its code.
    """
    return read_as(path, Batch, (partial(_fit, known=known, replace=replace),))


def check_rows(
    path: Path, document: Document, known: Known = _NOTHING, *, replace: bool = False
) -> tuple[Batch | None, list[Problem]]:
    """Hold the rows of a table against the same rules; lines are the document's."""
    return examine(path, document, Batch, (partial(_fit, known=known, replace=replace),))


def record_files() -> dict[str, Path]:
    """Return the shipped files of records, by name."""
    others = {"readiness", "redaction"}
    return {path.stem: path for path in sorted(FOLDER.glob("*.yml")) if path.stem not in others}


def check_matchmaking() -> list[Problem]:
    """Find every problem of the matchmaking files that ship with the project."""
    problems = read_as(FOLDER / "readiness.yml", Readiness, (_questions,))[1]
    problems += read_as(FOLDER / "redaction.yml", Redaction, ())[1]
    for path in record_files().values():
        problems += read_records(path)[1]
    return problems


@cache
def load_readiness() -> Readiness:
    """Load the questionnaire that ships with the project.

    Raises:
        ConfigError: the file has errors; all are named.
    """
    return _whole(*read_as(FOLDER / "readiness.yml", Readiness, (_questions,)))


@cache
def load_redaction() -> Redaction:
    """Load the words that give away, as they ship with the project.

    Raises:
        ConfigError: the file has errors; all are named.
    """
    return _whole(*read_as(FOLDER / "redaction.yml", Redaction, ()))


def _whole(value: Schema | None, problems: list[Problem]) -> Schema:
    if value is None:
        raise ConfigError("\n".join(str(problem) for problem in problems))
    return value


def _questions(report: Report) -> None:
    seen: dict[str, int] = {}
    for index, question in report.items("questions"):
        code = str(question.get("code"))
        if code in seen:
            report.add(("questions", index, "code"), f"«{code}» is there twice", "keep one")
        seen[code] = index
    named = report.document.at(("pillars",))
    for pillar in named if isinstance(named, dict) else ():
        if pillar not in PILLARS:
            report.add(("pillars", pillar), *one_of(pillar, PILLARS))


def _fit(report: Report, *, known: Known, replace: bool) -> None:
    """Report unknown codes and repeated records, once every record is valid by itself."""
    try:
        batch = Batch.model_validate(report.document.value)
    except ValidationError:
        return
    own: dict[str, dict[Identity, int]] = {kind: {} for kind in KINDS}
    for kind, index, record in _records(batch):
        _once(report, (kind, index), record, own[kind])
        stored = known.get(kind, {}).get(record.identity)
        if stored is not None and not replace and not _same(stored, record):
            report.add(
                (kind, index),
                f"«{_name(record)}» is stored with other values",
                "give it another code, or import with --replace",
            )
    for kind, index, record in _records(batch):
        _references(report, (kind, index), record, own, known)
        _known_labels(report, (kind, index), record.model_dump())
    questions = [question.code for question in load_readiness().questions]
    for index, answer in enumerate(batch.readiness_answer):
        if answer.question not in questions:
            report.add(("readiness_answer", index, "question"), *one_of(answer.question, questions))


def _records(batch: Batch) -> Iterator[tuple[str, int, Record]]:
    for kind in KINDS:
        for index, record in enumerate(getattr(batch, kind)):
            yield kind, index, record


def _once(report: Report, route: Route, record: Record, seen: dict[Identity, int]) -> None:
    first = seen.setdefault(record.identity, int(route[1]))
    if first != route[1]:
        line = report.document.line((route[0], first))
        report.add(route, f"«{_name(record)}» is there twice, first in line {line}", "keep one")


def _same(stored: Mapping[str, Any], record: Record) -> bool:
    return type(record).model_validate(stored) == record


def _name(record: Record) -> str:
    return "/".join(part for part in record.identity if part != "None")


def _references(
    report: Report,
    route: Route,
    record: Record,
    own: Mapping[str, Mapping[Identity, int]],
    known: Known,
) -> None:
    refers = dict(record.refers)
    if hasattr(record, "subject_kind"):
        refers["subject"] = record.subject_kind
    for name, kind in refers.items():
        value = getattr(record, name)
        for code in value if isinstance(value, tuple) else (value,):
            if code is None or (code,) in own[kind] or (code,) in known.get(kind, {}):
                continue
            codes = sorted({*own[kind], *known.get(kind, {})})
            said, advice = one_of(code, [one[0] for one in codes])
            if not codes:
                advice = f"import the {kind} first, or write it into this file"
            report.add((*route, name), f"there is no {kind} {said.split(' ')[0]}", advice)


def _known_labels(report: Report, route: Route, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name in _LABELS:
            for code in value if isinstance(value, tuple) else (value,):
                if code is not None and code not in _LABELS[name]:
                    report.add((*route, name), *one_of(code, _LABELS[name]))
        elif name == "questions":
            for index, question in enumerate(value):
                _known_labels(report, (*route, name, index), question)
