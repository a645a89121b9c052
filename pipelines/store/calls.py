"""What may be read of calls: everything but who is behind an application.

No query here selects `application.applicant`; before the reveal nobody but
`pipelines.store.selection` touches it.
"""

from typing import Any

from sqlalchemy import Engine, Select, select

from models.errors import InputError
from models.match_tables import (
    ApplicationRow,
    AssessmentRow,
    AttachmentRow,
    AttestationRow,
    CallRow,
    InterruptionRow,
    RevealRow,
    SelectionRow,
)
from pipelines.store.engine import explained

Row = dict[str, Any]

_SHOWN = tuple(
    getattr(ApplicationRow, name)
    for name in ("code", "shown", "removed", "withdrawn_at", "withdrawn_why")
)
"""When it was handed in is left out: somebody may have seen who came on that day."""


def all_calls(engine: Engine) -> list[Row]:
    """Return every call, by code."""
    return _rows(engine, select(CallRow.__table__).order_by(CallRow.code))


def call_of(engine: Engine, code: str) -> Row:
    """Return a call.

    Raises:
        InputError: there is none of that code.
    """
    rows = _rows(engine, select(CallRow.__table__).where(CallRow.code == code))
    if not rows:
        raise InputError(f"There is no call «{code}». `manifiesta match calls` lists them.")
    return rows[0]


def shown_applications(engine: Engine, call: str, *, withdrawn: bool = False) -> list[Row]:
    """Return applications as assessors see them: code, redacted texts, attachments as text."""
    row, part = ApplicationRow, AttachmentRow
    query = select(*_SHOWN).where(row.call == call).order_by(row.code)
    if not withdrawn:
        query = query.where(row.withdrawn_at.is_(None))
    columns = (part.application, part.number, part.media, part.shown)
    attached = _rows(engine, select(*columns).where(part.call == call).order_by(part.number))
    return [
        {**one, "attachments": [a for a in attached if a["application"] == one["code"]]}
        for one in _rows(engine, query)
    ]


def attestations_of(engine: Engine, call: str) -> list[Row]:
    """Return what the assessors of a call declared."""
    row = AttestationRow
    return _rows(engine, select(row.__table__).where(row.call == call).order_by(row.official))


def assessments_of(engine: Engine, call: str) -> list[Row]:
    """Return the sealed and the opened assessments of a call."""
    row = AssessmentRow
    return _rows(engine, select(row.__table__).where(row.call == call).order_by(row.official))


def selection_of(engine: Engine, call: str) -> Row | None:
    """Return the closed selection of a call, if there is one."""
    found = _rows(engine, select(SelectionRow.__table__).where(SelectionRow.call == call))
    return found[0] if found else None


def reveal_of(engine: Engine, call: str) -> Row | None:
    """Return the reveal of a call, if there was one."""
    found = _rows(engine, select(RevealRow.__table__).where(RevealRow.call == call))
    return found[0] if found else None


def interruptions_of(engine: Engine, subject: str) -> list[Row]:
    """Return the interruptions of a call or pilot, oldest first."""
    row = InterruptionRow
    query = select(row.__table__).where(row.subject == subject).order_by(row.stopped_on)
    return _rows(engine, query)


def _rows(engine: Engine, query: Select[*tuple[Any, ...]]) -> list[Row]:
    with explained(engine), engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
