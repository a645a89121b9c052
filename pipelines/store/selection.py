"""The steps of a blind selection in the database: what each needs, and what it leaves.

Every step is one transaction: the call's row is locked, its state is checked, the step is written
and noted in the audit, or none of it. The only thing that is kept of a refused step is that
somebody tried to read an identity.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, update

from models.errors import InputError, RefusedError
from models.match_tables import (
    ApplicationRow,
    AssessmentRow,
    AttachmentRow,
    AttestationRow,
    CallRow,
    EntityRow,
    InterruptionRow,
    OfficialRow,
    PilotRow,
    RevealRow,
    SelectionRow,
    StartupRow,
)
from models.tables import AuditRow
from pipelines.store.audit import Event, append, record
from pipelines.store.engine import explained, writing


@dataclass(frozen=True, slots=True)
class Handed:
    """An application as it was handed in and as assessors see it."""

    code: str
    applicant: str
    original: Mapping[str, str]
    shown: Mapping[str, str]
    removed: Mapping[str, int]
    attachments: Sequence[tuple[str, str, str]]
    """Media, SHA-256 of the file, and redacted text."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The scores of one assessor, by application and criterion."""

    official: str
    salt: str
    scores: Mapping[str, Mapping[str, int]]


class Step:
    """One step of a call, in its transaction."""

    def __init__(self, connection: Connection, call: Row[Any], who: str) -> None:
        self.connection = connection
        self.call = call
        self.who = who

    def note(self, action: str, **detail: Any) -> None:
        """Note in the audit what was done; it names codes only."""
        event = Event(f"match.{action}", self.call.entity, {"call": self.call.code, **detail})
        append(self.connection, event, self.who)

    def become(self, state: str) -> None:
        """Give the call its next state."""
        row = CallRow
        statement = update(row).where(row.code == self.call.code).values(state=state)
        self.connection.execute(statement)

    def applications(self) -> list[str]:
        """Return the codes of the applications that were not withdrawn."""
        row = ApplicationRow
        query = select(row.code).where(row.call == self.call.code, row.withdrawn_at.is_(None))
        return list(self.connection.scalars(query.order_by(row.code)))

    def attestations(self) -> dict[str, bool]:
        """Return who has declared, and whether no applicant is known."""
        row = AttestationRow
        query = select(row.official, row.knows_none).where(row.call == self.call.code)
        return {one.official: one.knows_none for one in self.connection.execute(query)}

    def assessments(self) -> dict[str, Row[Any]]:
        """Return the assessments of those assessors who were not stopped."""
        fit = {official for official, knows_none in self.attestations().items() if knows_none}
        query = select(AssessmentRow.__table__).where(AssessmentRow.call == self.call.code)
        rows = self.connection.execute(query.order_by(AssessmentRow.official))
        return {row.official: row for row in rows if row.official in fit}


@contextmanager
def step(engine: Engine, code: str, states: Sequence[str], who: str, doing: str) -> Iterator[Step]:
    """Open a step of a call, which must be in one of the states.

    Raises:
        InputError: there is no such call.
        RefusedError: the call is in another state.
    """
    with writing(engine) as connection:
        query = select(CallRow.__table__).where(CallRow.code == code).with_for_update()
        call = connection.execute(query).one_or_none()
        if call is None:
            raise InputError(f"There is no call «{code}». `manifiesta match calls` lists them.")
        if call.state not in states:
            raise RefusedError(
                f"{code} is {call.state}: {doing} is possible only while it is "
                f"{' or '.join(states)}."
            )
        yield Step(connection, call, who)


def publish(engine: Engine, code: str, who: str) -> None:
    """Open a drafted call for applications."""
    with step(engine, code, ["draft"], who, "publishing") as now:
        now.become("open")
        now.note("publish")


def hand_in(engine: Engine, code: str, handed: Handed, today: date, who: str) -> None:
    """Store an application.

    Raises:
        RefusedError: too early, too late, or the applicant has applied already.
    """
    with step(engine, code, ["open"], who, "applying") as now:
        opens, closes = now.call.opens_on, now.call.closes_on
        if (opens and today < opens) or (closes and today > closes):
            raise RefusedError(f"{code} takes applications from {opens} to {closes}, not today.")
        who_may = EntityRow if now.call.kind == "challenge" else StartupRow
        if not now.connection.scalar(select(who_may.code).where(who_may.code == handed.applicant)):
            kind = who_may.__tablename__
            raise InputError(f"There is no {kind} «{handed.applicant}»; import it first.")
        row = ApplicationRow
        again = select(row.code).where(
            row.call == code, row.applicant == handed.applicant, row.withdrawn_at.is_(None)
        )
        if now.connection.scalar(again):
            raise RefusedError("This applicant has applied already; withdraw that one first.")
        now.connection.execute(
            insert(row).values(
                call=code,
                code=handed.code,
                applicant=handed.applicant,
                original=dict(handed.original),
                shown=dict(handed.shown),
                removed=dict(handed.removed),
                received_at=datetime.now(UTC),
            )
        )
        for number, (media, digest, shown) in enumerate(handed.attachments, 1):
            now.connection.execute(
                insert(AttachmentRow).values(
                    call=code,
                    application=handed.code,
                    number=number,
                    media=media,
                    sha256=digest,
                    shown=shown,
                )
            )
        now.note("apply", application=handed.code, removed=sum(handed.removed.values()))


def withdraw(engine: Engine, code: str, application: str, why: str, who: str) -> None:
    """Mark an application as withdrawn; its identity stays hidden for good."""
    with step(engine, code, ["open", "assessing"], who, "withdrawing") as now:
        if application not in now.applications():
            raise InputError(f"{code} has no application {application} that could be withdrawn.")
        row = ApplicationRow
        statement = update(row).where(row.call == code, row.code == application)
        values = {"withdrawn_at": datetime.now(UTC), "withdrawn_why": why}
        now.connection.execute(statement.values(values))
        now.note("withdraw", application=application)


def close(engine: Engine, code: str, who: str) -> int:
    """End applications; return how many are assessed. A call without any is void."""
    with step(engine, code, ["open"], who, "closing") as now:
        count = len(now.applications())
        now.become("assessing" if count else "void")
        now.note("close", applications=count)
    return count


def attest(engine: Engine, code: str, official: str, conflict: str | None, who: str) -> None:
    """Note that an assessor knows no applicant, or the conflict that stops the assessor."""
    with step(engine, code, ["assessing"], who, "attesting") as now:
        _fit_assessor(now, official)
        if official in now.attestations():
            raise RefusedError(f"{official} has declared already; a declaration is made once.")
        now.connection.execute(
            insert(AttestationRow).values(
                call=code,
                official=official,
                knows_none=conflict is None,
                reason=conflict,
                attested_at=datetime.now(UTC),
            )
        )
        now.note("attest", official=official, knows_none=conflict is None)


def stop_assessor(engine: Engine, code: str, official: str, why: str, who: str) -> None:
    """Leave an assessor aside who found a conflict later, or who doesn't come back."""
    with step(engine, code, ["assessing"], who, "stopping an assessor") as now:
        if not now.attestations().get(official):
            raise RefusedError(f"{official} is no assessor of {code}, or was stopped already.")
        row = AttestationRow
        statement = update(row).where(row.call == code, row.official == official)
        now.connection.execute(statement.values(knows_none=False, reason=why))
        now.note("stop", official=official)


def _fit_assessor(now: Step, official: str) -> None:
    query = select(OfficialRow.__table__).where(OfficialRow.code == official)
    row = now.connection.execute(query).one_or_none()
    if row is None or row.entity != now.call.entity:
        raise InputError(f"There is no official «{official}» of {now.call.entity}.")
    if row.until is not None and row.until < datetime.now(UTC).date():
        raise RefusedError(f"{official} has left the post on {row.until}.")


def seal(engine: Engine, code: str, official: str, commitment: str, who: str) -> None:
    """Store the hash of an assessor's scores, before any score is shown.

    Raises:
        RefusedError: the assessor has not declared, was stopped, or has sealed already.
    """
    with step(engine, code, ["assessing"], who, "sealing") as now:
        declared = now.attestations().get(official)
        if declared is None:
            raise RefusedError(
                f"{official} has not declared yet: manifiesta match attest {code} "
                f"--official {official}."
            )
        if not declared:
            raise RefusedError(f"{official} was stopped by a conflict and cannot assess {code}.")
        if official in now.assessments():
            raise RefusedError(f"{official} has sealed already; sealed scores stay as they are.")
        if any(row.opened_at for row in now.assessments().values()):
            raise RefusedError("Scores have been shown already; nobody can seal any more.")
        now.connection.execute(
            insert(AssessmentRow).values(
                call=code, official=official, commitment=commitment, sealed_at=datetime.now(UTC)
            )
        )
        now.note("seal", official=official, commitment=commitment)


def unseal(engine: Engine, code: str, opened: Opened, commitment: str, who: str) -> None:
    """Store the scores behind a hash, once every assessor has sealed.

    Raises:
        RefusedError: somebody has not sealed yet, or these scores are not the sealed ones.
    """
    with step(engine, code, ["assessing"], who, "opening scores") as now:
        sealed = now.assessments()
        mine = sealed.get(opened.official)
        if mine is None:
            raise RefusedError(f"{opened.official} has sealed nothing in {code}.")
        waiting = [o for o, fit in now.attestations().items() if fit and o not in sealed]
        if waiting or len(sealed) < now.call.assessors:
            missing = ", ".join(waiting) or f"{now.call.assessors - len(sealed)} more"
            raise RefusedError(f"No score is shown before all are sealed; missing: {missing}.")
        if mine.commitment != commitment:
            raise RefusedError("These are not the scores that were sealed: their hash differs.")
        if mine.opened_at is not None:
            raise RefusedError(f"{opened.official} has opened the scores already.")
        left_out = set(now.applications()) - set(opened.scores)
        if left_out:
            raise RefusedError(f"No score for {', '.join(sorted(left_out))}.")
        row = AssessmentRow
        statement = update(row).where(row.call == code, row.official == opened.official)
        values = {
            "salt": opened.salt,
            "scores": {key: dict(value) for key, value in opened.scores.items()},
            "opened_at": datetime.now(UTC),
        }
        now.connection.execute(statement.values(values))
        now.note("open", official=opened.official)


def save_selection(
    now: Step,
    ranking: Sequence[Mapping[str, Any]],
    chosen: Sequence[str],
    notes: Sequence[Mapping[str, Any]],
) -> None:
    """Close the selection; a call of which nobody is chosen is void."""
    now.connection.execute(
        insert(SelectionRow).values(
            call=now.call.code,
            ranking=[dict(row) for row in ranking],
            chosen=list(chosen),
            notes=[dict(note) for note in notes],
            closed_at=datetime.now(UTC),
            actor=now.who,
        )
    )
    now.become("selected" if chosen else "void")
    now.note("select", chosen=list(chosen), applications=len(ranking))


def reveal(engine: Engine, code: str, who: str) -> dict[str, str]:
    """Turn codes into applicants, once, after the selection is closed; return them by code.

    Raises:
        RefusedError: it is too early, or they were revealed already; the attempt is noted.
    """
    try:
        return _reveal(engine, code, who)
    except RefusedError:
        record(engine, Event("match.reveal", "", {"call": code, "refused": True}), who)
        raise


def _reveal(engine: Engine, code: str, who: str) -> dict[str, str]:
    with step(engine, code, ["selected"], who, "the reveal") as now:
        row = ApplicationRow
        query = select(row.code, row.applicant).where(row.call == code, row.withdrawn_at.is_(None))
        identities = {one.code: one.applicant for one in now.connection.execute(query)}
        now.connection.execute(
            insert(RevealRow).values(
                call=code, identities=identities, revealed_at=datetime.now(UTC), actor=who
            )
        )
        now.become("revealed")
        now.note("reveal", applications=sorted(identities))
    return identities


def identity(engine: Engine, code: str, application: str, who: str) -> str:
    """Return who is behind an application, after the reveal; every attempt is noted.

    Raises:
        RefusedError: there was no reveal, or this application was withdrawn before it.
    """
    with explained(engine), engine.connect() as connection:
        call = connection.execute(
            select(CallRow.__table__).where(CallRow.code == code)
        ).one_or_none()
        found = connection.scalar(select(RevealRow.identities).where(RevealRow.call == code))
    if call is None:
        raise InputError(f"There is no call «{code}». `manifiesta match calls` lists them.")
    known = (found or {}).get(application)
    detail = {"call": code, "application": application, "refused": known is None}
    record(engine, Event("match.identity", call.entity, detail), who)
    if found is None:
        raise RefusedError(
            f"{code} is {call.state}: nobody may know who is behind {application} before the "
            "reveal. This attempt was noted in the audit."
        )
    if known is None:
        raise RefusedError(f"{application} was withdrawn, or never was: it stays unknown. Noted.")
    return str(known)


# --- interruptions ---------------------------------------------------------------------------

_STOPPABLE = {
    "technological_call": ("open", "assessing", "selected", "revealed"),
    "pilot": ("planned", "running"),
}


def interrupt(engine: Engine, code: str, on: date, reason: str, who: str) -> str:
    """Stop a call or a pilot of that code and return which of the two it is."""
    with writing(engine) as connection:
        kind, row = _subject(connection, code)
        if row.state not in _STOPPABLE[kind]:
            raise RefusedError(f"{code} is {row.state} and cannot be interrupted.")
        values = {"subject_kind": kind, "subject": code, "stopped_on": on, "reason": reason}
        connection.execute(insert(InterruptionRow).values(values))
        _become(connection, kind, code, "interrupted")
        detail = {kind: code, "state": row.state, "on": on}
        append(connection, Event("match.interrupt", row.entity, detail), who)
    return kind


def hand_over(engine: Engine, code: str, on: date, who: str) -> None:
    """Note that new officials took over an interrupted call or pilot."""
    with writing(engine) as connection:
        kind, row = _subject(connection, code)
        _open_interruption(connection, kind, code, on, handed_over_on=on)
        append(connection, Event("match.hand-over", row.entity, {kind: code, "on": on}), who)


def resume(engine: Engine, code: str, on: date, who: str) -> str:
    """Let an interrupted call or pilot go on where it was; return its state."""
    with writing(engine) as connection:
        kind, row = _subject(connection, code)
        stop = _open_interruption(connection, kind, code, on, resumed_on=on)
        if stop.handed_over_on is None:
            raise RefusedError(
                f"{code} was not handed over yet: manifiesta match hand-over {code} --out FILE."
            )
        state = _state_before(connection, kind, code)
        _become(connection, kind, code, state)
        append(connection, Event("match.resume", row.entity, {kind: code, "state": state}), who)
    return state


def _subject(connection: Connection, code: str) -> tuple[str, Row[Any]]:
    for table in (CallRow, PilotRow):
        query = select(table.__table__).where(table.code == code).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is not None:
            return table.__tablename__, row
    raise InputError(f"There is no call and no pilot «{code}».")


def _become(connection: Connection, kind: str, code: str, state: str) -> None:
    table = CallRow if kind == "technological_call" else PilotRow
    connection.execute(update(table).where(table.code == code).values(state=state))


def _open_interruption(
    connection: Connection, kind: str, code: str, on: date, **values: date
) -> Row[Any]:
    row = InterruptionRow
    query = select(row.__table__).where(
        row.subject_kind == kind, row.subject == code, row.resumed_on.is_(None)
    )
    found = connection.execute(query.order_by(row.stopped_on.desc())).first()
    if found is None:
        raise RefusedError(f"{code} is not interrupted.")
    if on < found.stopped_on:
        raise RefusedError(f"{on} is before the interruption of {found.stopped_on}.")
    mine = update(row).where(
        row.subject_kind == kind, row.subject == code, row.stopped_on == found.stopped_on
    )
    connection.execute(mine.values(values))
    return found


def _state_before(connection: Connection, kind: str, code: str) -> str:
    query = select(AuditRow.detail).where(AuditRow.action == "match.interrupt")
    for detail in connection.scalars(query.order_by(AuditRow.id.desc())):
        if detail.get(kind) == code:
            return str(detail["state"])
    return "running" if kind == "pilot" else "draft"  # it was imported as interrupted
