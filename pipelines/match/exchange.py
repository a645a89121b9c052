"""Matchmaking records as files: read with a reason for every refusal, and written."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from configs.check import Problem, shown
from configs.document import Document
from configs.load import load_taxonomy
from configs.matchmaking import Known, check_rows, read_records, record_files
from models.errors import InputError
from models.match_records import KINDS, Batch, TechnologicalCall, record_type
from pipelines.export import harmless
from pipelines.store.audit import actor
from pipelines.store.records import call_states, identities, save_records, stored
from pipelines.tabular import Broken, open_table

_BETWEEN: Final = ";"
_TEXTS: Final = (".yml", ".yaml", ".json")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: how many records of each kind, or why it was refused whole."""

    records: Mapping[str, int]
    problems: Sequence[Problem]

    @property
    def refused(self) -> bool:
        """Whether nothing was written."""
        return any(not problem.warning for problem in self.problems)


def import_records(
    engine: Engine, path: Path, kind: str | None = None, *, replace: bool = False
) -> Imported:
    """Write the records of a file, or none of them.

    Args:
        engine: the database.
        path: YAML or JSON by table names; a table (CSV, Excel) of one ``kind``; or the name of a
            file that ships with the project.
        kind: the table that a table's rows belong to.
        replace: whether records may differ from those stored under their codes.

    Raises:
        InputError: there is no such file, or a table without its kind.
    """
    source = _file(path)
    known = identities(engine)
    if source.suffix.lower() in _TEXTS:
        batch, problems = read_records(source, known, replace=replace)
    else:
        batch, problems = _read_table(source, _kind(kind, source), known, replace=replace)
    if batch is not None:
        problems += _frozen(engine, source, batch, known)
    if batch is None or any(not problem.warning for problem in problems):
        return Imported({}, problems)
    return Imported(save_records(engine, batch, load_taxonomy(), actor()), problems)


def store_records(engine: Engine, batch: Batch, where: str) -> None:
    """Store records that the program itself has made, by the rules of an import.

    Raises:
        InputError: a code is unknown or taken; nothing is written.
    """
    known = identities(engine)
    values = batch.model_dump(mode="json", exclude_defaults=True)
    checked, problems = check_rows(Path(where), Document(value=values), known)
    if checked is None:
        raise InputError("\n".join(f"{p.path}: {p.message}; {p.advice}" for p in problems))
    save_records(engine, checked, load_taxonomy(), actor())


def export_records(engine: Engine, kinds: Iterable[str], form: str) -> str:
    """Return records as ``json`` (by table names, as they can be imported) or ``csv`` (one kind).

    Raises:
        InputError: no such kind, or more than one kind as CSV.
    """
    wanted = [_kind(kind, None) for kind in kinds]
    if form == "json":
        records = {kind: [_plain(kind, row) for row in stored(engine, kind)] for kind in wanted}
        filled = {kind: rows for kind, rows in records.items() if rows}
        return json.dumps(filled, ensure_ascii=False, indent=2) + "\n"
    if len(wanted) != 1:
        raise InputError("A CSV file holds one kind of record: name it with --type.")
    return _csv(wanted[0], [_plain(wanted[0], row) for row in stored(engine, wanted[0])])


def _file(path: Path) -> Path:
    shipped = record_files()
    if not path.exists() and str(path) in shipped:
        return shipped[str(path)]
    if not path.is_file():
        raise InputError(f"There is no file {path}. Shipped files: {', '.join(shipped)}.")
    return path


def _kind(kind: str | None, path: Path | None) -> str:
    if kind is None:
        raise InputError(f"{path} is a table: say with --type what its rows are, {_kinds()}.")
    if kind not in KINDS:
        raise InputError(f"There is no kind of record «{kind}». There are {_kinds()}.")
    return kind


def _kinds() -> str:
    return ", ".join(KINDS)


def _read_table(
    path: Path, kind: str, known: Known, *, replace: bool
) -> tuple[Batch | None, list[Problem]]:
    fields = list(record_type(kind).model_fields)
    document = Document(value={kind: []})
    for row in open_table(path, fields).rows():
        if isinstance(row, Broken):
            raise InputError(f"{path}, line {row.line}: {row.reason}")
        document.lines[kind, len(document.value[kind])] = row.line
        document.value[kind].append(
            {name: _cell(kind, name, value) for name, value in row.cells.items() if _given(value)}
        )
    return check_rows(path, document, known, replace=replace)


def _given(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


def _cell(kind: str, name: str, value: Any) -> Any:
    """Return what a cell says: lists stand with «;» between, what is deeper as JSON."""
    text = str(value).strip()
    field = record_type(kind).model_fields.get(name)
    if text.startswith(("[", "{")):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    if field is not None and str(field.annotation).startswith("tuple"):
        return [part.strip() for part in text.split(_BETWEEN) if part.strip()]
    return text


def _frozen(engine: Engine, path: Path, batch: Batch, known: Known) -> list[Problem]:
    """Refuse to change a call that startups can see already."""
    states = call_states(engine)
    return [
        Problem(
            shown(path),
            1,
            f"technological_call {call.code}",
            f"the call is {states[call.code]} and can no longer be changed",
            "take it out of the file",
        )
        for call in batch.technological_call
        if states.get(call.code, "draft") != "draft"
        and TechnologicalCall.model_validate(known["technological_call"][call.identity]) != call
    ]


def _plain(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as JSON has it, without what is not known."""
    values = record_type(kind).model_validate(row).model_dump(mode="json", exclude_defaults=True)
    return dict(values)


def _csv(kind: str, rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(record_type(kind).model_fields), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: harmless(_flat(value)) for name, value in row.items()})
    return out.getvalue()


def _flat(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        if any(isinstance(one, dict) for one in value):
            return json.dumps(value, ensure_ascii=False)
        return _BETWEEN.join(str(one) for one in value)
    return value
