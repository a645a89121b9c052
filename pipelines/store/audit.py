"""The audit as a hash chain: each event holds the digest of the one before it.

Whoever changes, adds or removes an event inside the chain breaks it. Two things a chain alone
can't show: that its end was cut off, and that somebody with the right to write to the database
made the whole chain anew. Both show against a head that was noted elsewhere (`verify`'s ``head``).
"""

import getpass
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select

from models.tables import AuditRow
from pipelines.store.engine import explained, writing

GENESIS = "0" * 64
"""What the first event has in place of a digest before it."""

_CHAINING = 29_734  # any number that every version of the software locks


@dataclass(frozen=True, slots=True)
class Event:
    """What was done, where, with what. ``detail`` is plain JSON and names no citizen."""

    action: str
    place: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the whole chain says.

    ``older`` events were written before there was a chain. ``broken`` is the first event that
    does not fit, and ``why`` it doesn't.
    """

    events: int
    older: int
    head: str
    broken: int | None = None
    why: str | None = None
    holds_noted: bool | None = None

    @property
    def whole(self) -> bool:
        """Whether every link fits and the noted head, if one was given, is in the chain."""
        return self.broken is None and self.holds_noted is not False


def actor() -> str:
    """Return the user of the operating system."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


def append(connection: Connection, event: Event, who: str) -> str:
    """Add an event to the chain, in the caller's transaction, and return its digest."""
    if connection.dialect.name == "postgresql":  # SQLite lets one write at a time by itself
        connection.execute(select(func.pg_advisory_xact_lock(_CHAINING)))
    newest = select(AuditRow.digest).where(AuditRow.digest.is_not(None))
    previous = connection.scalar(newest.order_by(AuditRow.id.desc()).limit(1)) or GENESIS
    values = {
        "at": datetime.now(UTC),
        "actor": who,
        "action": event.action,
        "municipality": event.place,
        "detail": json.loads(json.dumps(event.detail, default=str)),
    }
    digest = _digest(values, previous)
    connection.execute(insert(AuditRow).values(**values, previous=previous, digest=digest))
    return digest


def record(engine: Engine, event: Event, who: str) -> str:
    """Add an event to the chain in a transaction of its own."""
    with writing(engine) as connection:
        return append(connection, event, who)


def verify(engine: Engine, noted: str | None = None) -> Verified:
    """Check every link, from the first event to the last.

    Args:
        engine: the database; it is only read.
        noted: the digest of an event, as somebody wrote it down at the time.
    """
    with explained(engine), engine.connect() as connection:
        rows = connection.execute(select(AuditRow.__table__).order_by(AuditRow.id)).all()
    chained = [row for row in rows if row.digest is not None]
    older = len(rows) - len(chained)
    broken, why = _first_fault(rows)
    head = chained[-1].digest if chained else GENESIS
    holds = None if noted is None else any(row.digest == noted for row in chained)
    return Verified(len(chained), older, head, broken, why, holds)


def events(engine: Engine, action: str | None = None) -> Sequence[Row[Any]]:
    """Return the events, oldest first, of one action or of all."""
    query = select(AuditRow.__table__).order_by(AuditRow.id)
    if action is not None:
        query = query.where(AuditRow.action == action)
    with explained(engine), engine.connect() as connection:
        return connection.execute(query).all()


def _first_fault(rows: Sequence[Row[Any]]) -> tuple[int | None, str | None]:
    previous, begun = GENESIS, False
    for row in rows:
        if row.digest is None:
            if begun:
                return row.id, "it has no digest, though events before it have"
            continue
        begun = True
        if row.previous != previous:
            return row.id, "the event before it was removed, added or changed"
        if _digest(dict(row._mapping), previous) != row.digest:
            return row.id, "it was changed after it was written"
        previous = row.digest
    return None, None


def _digest(values: Mapping[str, Any], previous: str) -> str:
    content = {
        "at": values["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        "previous": previous,
        **{name: values[name] for name in ("actor", "action", "municipality", "detail")},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
