"""What a page may show of the matchmaking: calls, assessment under codes, pilots.

No identity is shown before the reveal, and no score before the selection is closed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from models.errors import InputError
from pipelines.match.noted import Note
from pipelines.store.calls import (
    all_calls,
    assessments_of,
    attestations_of,
    call_of,
    interruptions_of,
    reveal_of,
    selection_of,
    shown_applications,
)
from pipelines.store.records import stored

Row = Mapping[str, Any]

AWAITED = {
    "draft": "su publicación (match publish {code})",
    "open": "postulaciones, y después su cierre (match close {code})",
    "attest": "{n} declaraciones de evaluadores (match attest {code})",
    "seal": "{n} evaluaciones selladas (match seal {code})",
    "open scores": "que los evaluadores abran sus puntajes (match open {code})",
    "select": "el cierre de la selección (match select {code})",
    "selected": "la revelación (match reveal {code})",
    "interrupted": "la entrega a los nuevos funcionarios (match hand-over {code})",
    "revealed": "nada: ya se sabe quién es quién",
    "void": "nada: quedó desierta",
}
"""What a call waits for, by its state or, while it is assessed, by its next step."""


@dataclass(frozen=True, slots=True)
class Assessor:
    """Where one assessor stands: declared, stopped, sealed, opened."""

    official: str
    knows_none: bool
    reason: str | None
    commitment: str | None
    opened: bool


@dataclass(frozen=True, slots=True)
class CallPage:
    """A call as anybody may see it now.

    ``ranking`` and ``notes`` are empty until the selection is closed, ``identities`` until the
    reveal.
    """

    call: Row
    applications: Sequence[Row]
    assessors: Sequence[Assessor]
    ranking: Sequence[Row]
    notes: Sequence[Note | str]
    identities: Mapping[str, str]
    interruptions: Sequence[Row]

    @property
    def waits_for(self) -> str:
        """What the process waits for now, in Spanish."""
        message, values = self.awaited
        return message.format(**values)

    @property
    def awaited(self) -> tuple[str, Mapping[str, Any]]:
        """What the process waits for now: a Spanish message of `AWAITED`, and its values."""
        return _waits(self)


def calls(engine: Engine) -> list[Row]:
    """Return every call with its state, and how many applications it has."""
    return [
        {**call, "applications": len(shown_applications(engine, call["code"]))}
        for call in all_calls(engine)
    ]


def call_page(engine: Engine, code: str) -> CallPage:
    """Return what may be shown of a call.

    Raises:
        InputError: there is no such call.
    """
    call = call_of(engine, code)
    selection, reveal = selection_of(engine, code), reveal_of(engine, code)
    sealed = {row["official"]: row for row in assessments_of(engine, code)}
    assessors = [
        Assessor(
            official=row["official"],
            knows_none=row["knows_none"],
            reason=row["reason"],
            commitment=sealed.get(row["official"], {}).get("commitment"),
            opened=sealed.get(row["official"], {}).get("opened_at") is not None,
        )
        for row in attestations_of(engine, code)
    ]
    return CallPage(
        call=call,
        applications=shown_applications(engine, code, withdrawn=True),
        assessors=assessors,
        ranking=selection["ranking"] if selection else (),
        notes=selection["notes"] if selection else (),
        identities=reveal["identities"] if reveal else {},
        interruptions=interruptions_of(engine, code),
    )


def pilots(engine: Engine) -> list[Row]:
    """Return every pilot."""
    return list(stored(engine, "pilot"))


def pilot_of(engine: Engine, code: str) -> Row:
    """Return a pilot.

    Raises:
        InputError: there is none of that code.
    """
    found = next((row for row in stored(engine, "pilot") if row["code"] == code), None)
    if found is None:
        raise InputError(f"There is no pilot «{code}». `manifiesta match list pilot` lists them.")
    return found


def of_pilot(engine: Engine, kind: str, pilot: str) -> list[Row]:
    """Return the records of a kind that belong to a pilot."""
    return [row for row in stored(engine, kind) if row["pilot"] == pilot]


def _waits(page: CallPage) -> tuple[str, Mapping[str, Any]]:
    fit = [one for one in page.assessors if one.knows_none]
    sealed = sum(one.commitment is not None for one in fit)
    state, code = str(page.call["state"]), page.call["code"]
    if state != "assessing":
        return AWAITED[state], {"code": code}
    missing = page.call["assessors"] - len(fit)
    if missing > 0:
        return AWAITED["attest"], {"n": missing, "code": code}
    if sealed < len(fit):
        return AWAITED["seal"], {"n": len(fit) - sealed, "code": code}
    unopened = any(not one.opened for one in fit)
    return AWAITED["open scores" if unopened else "select"], {"code": code}
