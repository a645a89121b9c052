"""Leases: one process at a time works on a municipality, and only the holder may write.

A lease is taken over by deleting its row: the delete waits for transactions of the former holder
that have checked it (`require`), and every later one finds that it is gone.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from models.errors import BusyError
from models.operations_tables import LeaseRow
from pipelines.store.engine import explained, writing


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write for a municipality."""

    municipality: str
    lane: str
    token: str


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as others see it; ``process`` names its holder where it can be looked for."""

    lease: Lease
    beats: int
    host: str
    process: str | None
    taken_at: datetime
    beaten_at: datetime


def held(engine: Engine, municipality: str | None = None, lane: str | None = None) -> list[Held]:
    """Return the leases that are held, of one municipality or of all, oldest first."""
    row = LeaseRow
    query = select(row.__table__).order_by(row.taken_at)
    if municipality is not None:
        query = query.where(row.municipality == municipality)
    if lane is not None:
        query = query.where(row.lane == lane)
    with explained(engine), engine.connect() as connection:
        return [
            Held(
                Lease(one.municipality, one.lane, one.token),
                one.beats,
                one.host,
                one.process,
                one.taken_at,
                one.beaten_at,
            )
            for one in connection.execute(query)
        ]


def take(
    engine: Engine,
    municipality: str,
    lane: str,
    host: str,
    process: str | None,
    instead_of: Held | None = None,
) -> Lease | None:
    """Take a free lease, or that of a dead holder; nothing if somebody else was faster.

    Args:
        engine: the database.
        municipality: its code.
        lane: what is exclusive.
        host: who takes it, for people.
        process: who takes it, for processes of the same machine.
        instead_of: a lease that nobody keeps alive any more; one that has beaten since stays.
    """
    lease = Lease(municipality, lane, secrets.token_hex(16))
    now = datetime.now(UTC)
    values = {"host": host, "process": process, "taken_at": now, "beaten_at": now, "beats": 0}
    named = {"municipality": municipality, "lane": lane, "token": lease.token}
    with writing(engine) as connection:
        if instead_of is not None:
            still = and_(_is(instead_of.lease), LeaseRow.beats == instead_of.beats)
            if not connection.execute(delete(LeaseRow).where(still)).rowcount:
                return None
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        free = dialect.insert(LeaseRow).values(**named, **values).on_conflict_do_nothing()
        inserted = connection.execute(free.returning(LeaseRow.token)).first()
        return lease if inserted is not None else None


def beat(engine: Engine, lease: Lease) -> bool:
    """Show that the holder lives; false if the lease is somebody else's by now."""
    values: dict[str, Any] = {"beats": LeaseRow.beats + 1, "beaten_at": datetime.now(UTC)}
    with writing(engine) as connection:
        changed = connection.execute(update(LeaseRow).where(_is(lease)).values(**values))
        return bool(changed.rowcount)


def release(engine: Engine, lease: Lease) -> None:
    """Give a lease back; one that was taken over stays with its new holder."""
    with writing(engine) as connection:
        connection.execute(delete(LeaseRow).where(_is(lease)))


def require(connection: Connection, lease: Lease) -> None:
    """Make sure, inside a transaction that writes, that the lease is still held.

    On PostgreSQL the row stays locked against a takeover until the transaction ends; beats pass.

    Raises:
        BusyError: another process has taken the work over.
    """
    query = select(LeaseRow.token).where(_is(lease)).with_for_update(read=True, key_share=True)
    if connection.execute(query).scalar_one_or_none() is None:
        raise BusyError(
            f"Another process has taken over the work on {lease.municipality}, because this one "
            "gave no sign of life. What it had stored is kept; `manifiesta status` says more."
        )


def _is(lease: Lease) -> ColumnElement[bool]:
    return and_(
        LeaseRow.municipality == lease.municipality,
        LeaseRow.lane == lease.lane,
        LeaseRow.token == lease.token,
    )
