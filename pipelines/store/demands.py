"""Read and write demands, their texts and their history. Each public function is a transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from models.demand_tables import DemandEventRow, DemandManifestationRow, DemandRow
from models.demands import WAITING, Action, Origin, Status
from models.errors import ConflictError, InputError
from models.records import Manifestation
from models.tables import ManifestationRow
from pipelines.store.chunks import chunks
from pipelines.store.collecting import insert_manifestation
from pipelines.store.engine import explained, writing
from pipelines.store.partitions import touch_of

SOFTWARE = "manifiesta"
"""Who acts where no person does."""

_PART, _SAID = DemandManifestationRow, ManifestationRow


@dataclass(frozen=True, slots=True)
class Demand:
    """A demand and how many texts it is made of, said between two local days."""

    id: str
    municipality: str
    category: str
    zone: str | None
    area: str | None
    status: Status
    origin: Origin
    summary: str | None
    assignee: str | None
    due_on: date | None
    reply: str | None
    reason: str | None
    external_id: str | None
    merged_into: str | None
    follows: str | None
    version: int
    proposed_at: datetime
    confirmed_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    updated_at: datetime
    texts: int
    first_said_on: date | None
    last_said_on: date | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A text that a demand is made of, masked, and why it is part of it.

    Of one that its source took back (``gone``) there are no words.
    """

    id: str
    source: str
    said_on: date
    title: str | None
    text: str
    url: str | None
    gone: bool
    why: str


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a demand's history."""

    at: datetime
    actor: str
    action: Action
    from_status: Status | None
    to_status: Status
    note: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which demands are wanted; what is None does not matter.

    ``zone`` and ``area`` may be empty: those without one.
    """

    statuses: Sequence[Status] = ()
    category: str | None = None
    zone: str | None = None
    area: str | None = None
    overdue_on: date | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Founded:
    """A new demand, its texts by id with why each is part of it, and what is said of its birth."""

    values: Mapping[str, Any]
    parts: Mapping[str, str]
    event: Event


@dataclass(frozen=True, slots=True)
class Change:
    """A decision about a demand: what it was made of, the fields it sets, and its history."""

    demand_id: str
    version: int
    event: Event
    values: Mapping[str, Any] = field(default_factory=dict)


# --- reading ---------------------------------------------------------------------------------


def _demands() -> Select[*tuple[Any, ...]]:
    return (
        select(
            DemandRow.__table__,
            func.count(_PART.manifestation_id).label("texts"),
            func.min(_SAID.said_on).label("first_said_on"),
            func.max(_SAID.said_on).label("last_said_on"),
        )
        .outerjoin(_PART, _PART.demand_id == DemandRow.id)
        .outerjoin(_SAID, _SAID.id == _PART.manifestation_id)
        .group_by(DemandRow.id)
    )


def demands(
    engine: Engine,
    municipality: str,
    wanted: Wanted | None = None,
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[Demand]:
    """Return demands: those with a due date first, the most urgent before, then by texts."""
    row, meets = DemandRow, _meets(municipality, wanted or Wanted())
    part = aliased(_PART)
    texts = select(func.count()).where(part.demand_id == row.id).scalar_subquery()
    order = (row.due_on.is_(None), row.due_on, texts.desc(), row.id)
    if limit is not None:  # only of these the texts are read: when they were said takes a while
        meets = row.id.in_(select(row.id).where(meets).order_by(*order).limit(limit).offset(offset))
    with explained(engine), engine.connect() as connection:
        found = connection.execute(_demands().where(meets).order_by(*order))
        return [_demand(one._mapping) for one in found]


def count_demands(engine: Engine, municipality: str, wanted: Wanted | None = None) -> int:
    """Count demands."""
    query = select(func.count()).select_from(DemandRow)
    query = query.where(_meets(municipality, wanted or Wanted()))
    with explained(engine), engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def count_by_status(engine: Engine, municipality: str, wanted: Wanted) -> dict[Status, int]:
    """Count the demands that are wanted, whatever their status, by it; all of them are there."""
    others = replace(wanted, statuses=(), overdue_on=None)
    query = select(DemandRow.status, func.count()).where(_meets(municipality, others))
    with explained(engine), engine.connect() as connection:
        rows = connection.execute(query.group_by(DemandRow.status))
        found = {status: n for status, n in rows}  # noqa: C416 - rows are no pairs to dict()
    return {status: found.get(status, 0) for status in Status}


def latest_event(engine: Engine) -> int:
    """Return the number of the latest event; while it is the same, no demand has changed."""
    query = select(func.coalesce(func.max(DemandEventRow.id), 0))
    with explained(engine), engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def _meets(municipality: str, wanted: Wanted) -> ColumnElement[bool]:
    row = DemandRow
    conditions: list[ColumnElement[bool]] = [row.municipality == municipality]
    if wanted.statuses:
        conditions.append(row.status.in_(wanted.statuses))
    if wanted.category is not None:
        conditions.append(row.category == wanted.category)
    for column, value in ((row.zone, wanted.zone), (row.area, wanted.area)):
        if value is not None:
            conditions.append(column == value if value else column.is_(None))
    if wanted.overdue_on is not None:
        conditions += [row.due_on < wanted.overdue_on, row.answered_at.is_(None)]
        conditions.append(row.ended_at.is_(None))
    if wanted.since is not None:
        conditions.append(row.confirmed_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(row.confirmed_at <= wanted.until)
    if wanted.ids is not None:
        conditions.append(or_(row.id.in_(wanted.ids), row.external_id.in_(wanted.ids)))
    return and_(*conditions)


def _demand(row: RowMapping) -> Demand:
    values: dict[str, Any] = {**row}
    values |= {"status": Status(row["status"]), "origin": Origin(row["origin"])}
    return Demand(**values)


def find_demand(engine: Engine, municipality: str, demand_id: str) -> Demand:
    """Return a demand by its id, by the beginning of it, or by its identifier elsewhere.

    Raises:
        InputError: there is none, or several begin so.
    """
    row = DemandRow
    theirs = or_(
        row.id == demand_id,
        row.external_id == demand_id,
        row.id.startswith(demand_id, autoescape=True) if len(demand_id) >= 6 else row.id.is_(None),
    )
    query = _demands().where(row.municipality == municipality, theirs).limit(2)
    with explained(engine), engine.connect() as connection:
        found = [_demand(one._mapping) for one in connection.execute(query)]
    if len(found) > 1:
        raise InputError(f"Several demands begin with {demand_id}: write more of the id.")
    if not found:
        raise InputError(
            f"{municipality} has no demand {demand_id}. `manifiesta demands list` lists them."
        )
    return found[0]


def evidence(engine: Engine, demand_id: str, limit: int | None = None) -> list[Evidence]:
    """Return the texts that a demand is made of, the earliest first."""
    query = (
        select(
            _SAID.id,
            _SAID.source,
            _SAID.said_on,
            case((_SAID.gone_at.is_(None), _SAID.title)),
            case((_SAID.gone_at.is_(None), _SAID.text), else_=""),
            case((_SAID.gone_at.is_(None), _SAID.url)),
            _SAID.gone_at.is_not(None),
            _PART.why,
        )
        .join(_PART, _PART.manifestation_id == _SAID.id)
        .where(_PART.demand_id == demand_id)
        .order_by(_SAID.said_at, _SAID.id)
        .limit(limit)
    )
    with explained(engine), engine.connect() as connection:
        return [Evidence(*row) for row in connection.execute(query)]


def first_texts(engine: Engine, ids: Sequence[str]) -> dict[str, tuple[str | None, str]]:
    """Return title and text of the earliest text of each demand, by the demand's id."""
    place = func.row_number().over(partition_by=_PART.demand_id, order_by=(_SAID.said_at, _SAID.id))
    inner = (
        select(_PART.demand_id, _SAID.title, _SAID.text, place.label("place"))
        .join(_SAID, _SAID.id == _PART.manifestation_id)
        .where(_PART.demand_id.in_(ids))
        .subquery()
    )
    query = select(inner.c.demand_id, inner.c.title, inner.c.text).where(inner.c.place == 1)
    with explained(engine), engine.connect() as connection:
        return {id_: (title, text) for id_, title, text in connection.execute(query)}


def texts_of(engine: Engine, ids: Sequence[str], most: int) -> dict[str, list[str]]:
    """Return the earliest texts of each demand that their sources still show, ``most`` at most."""
    place = func.row_number().over(partition_by=_PART.demand_id, order_by=(_SAID.said_at, _SAID.id))
    inner = (
        select(_PART.demand_id, _SAID.text, place.label("place"))
        .join(_SAID, _SAID.id == _PART.manifestation_id)
        .where(_PART.demand_id.in_(ids), _SAID.gone_at.is_(None))
        .subquery()
    )
    query = select(inner.c.demand_id, inner.c.text).where(inner.c.place <= most)
    found: dict[str, list[str]] = {}
    with explained(engine), engine.connect() as connection:
        for id_, text in connection.execute(query.order_by(inner.c.demand_id, inner.c.place)):
            found.setdefault(id_, []).append(text)
    return found


def history(engine: Engine, demand_id: str) -> list[Event]:
    """Return what happened to a demand, in order."""
    row = DemandEventRow
    query = (
        select(row.at, row.actor, row.action, row.from_status, row.to_status, row.note, row.detail)
        .where(row.demand_id == demand_id)
        .order_by(row.id)
    )
    with explained(engine), engine.connect() as connection:
        return [
            Event(
                at, actor, Action(action), Status(before) if before else None, Status(after), *rest
            )
            for at, actor, action, before, after, *rest in connection.execute(query)
        ]


# --- writing ---------------------------------------------------------------------------------


def save_proposals(
    engine: Engine, founded: Sequence[Founded], joined: Mapping[str, Mapping[str, str]]
) -> int:
    """Add new demands, and texts to demands that wait; return how many texts found a place.

    A text that is part of a demand by now stays there. A demand that waits no more is left as it
    is: its texts are for the next proposal.

    Args:
        engine: the database.
        founded: the new demands.
        joined: by demand, the ids of texts that join it and why.
    """
    placed = 0
    with writing(engine) as connection:
        for new in founded:
            placed += _found(connection, new)
        for demand_id, parts in sorted(joined.items()):
            placed += _join(connection, demand_id, parts)
    return placed


def _found(connection: Connection, new: Founded) -> int:
    free = _free(connection, new.parts)
    if not free:
        return 0
    known = connection.execute(select(DemandRow.id).where(DemandRow.id == new.values["id"]))
    if known.first() is not None:  # another process proposed it at the same time
        return 0
    connection.execute(insert(DemandRow).values(**new.values))
    placed = _add_parts(connection, new.values["id"], {id_: new.parts[id_] for id_ in free})
    _log(connection, new.values["id"], new.event)
    return placed


def _join(connection: Connection, demand_id: str, parts: Mapping[str, str]) -> int:
    query = select(DemandRow.status).where(DemandRow.id == demand_id).with_for_update()
    status = connection.execute(query).scalar_one_or_none()
    free = _free(connection, parts)
    if status not in WAITING or not free:
        return 0
    placed = _add_parts(connection, demand_id, {id_: parts[id_] for id_ in free})
    now, stands = datetime.now(UTC), Status(status)
    event = Event(now, SOFTWARE, Action.JOIN, stands, stands, None, {"texts": placed})
    _log(connection, demand_id, event)
    return placed


def _free(connection: Connection, parts: Mapping[str, str]) -> list[str]:
    """Return those of the texts that are still stored and part of no demand."""
    found: set[str] = set()
    for chunk in chunks(sorted(parts)):
        query = (
            select(_SAID.id)
            .outerjoin(_PART, _PART.manifestation_id == _SAID.id)
            .where(_SAID.id.in_(chunk), _PART.demand_id.is_(None))
        )
        found |= set(connection.scalars(query))
    return sorted(found)


def _add_parts(connection: Connection, demand_id: str, parts: Mapping[str, str]) -> int:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    now = datetime.now(UTC)
    rows = [
        {"manifestation_id": id_, "demand_id": demand_id, "added_at": now, "why": why}
        for id_, why in sorted(parts.items())
    ]
    statement = dialect.insert(_PART).on_conflict_do_nothing()
    connection.execute(statement, rows)
    query = select(func.count()).where(
        _PART.demand_id == demand_id, _PART.manifestation_id.in_(sorted(parts))
    )
    return int(connection.execute(query).scalar_one())


def change_demand(engine: Engine, change: Change) -> None:
    """Keep a decision about a demand.

    Raises:
        ConflictError: somebody decided in the meantime.
    """
    with writing(engine) as connection:
        _change(connection, change)


def merge_demands(engine: Engine, merged: Change, into: Change) -> int:
    """Move the texts of a demand into another, and keep both decisions; return how many texts.

    Raises:
        ConflictError: somebody decided about one of them in the meantime.
    """
    with writing(engine) as connection:
        for one in sorted((merged, into), key=lambda change: change.demand_id):
            _change(connection, one)
        theirs = update(_PART).where(_PART.demand_id == merged.demand_id)
        return connection.execute(theirs.values(demand_id=into.demand_id)).rowcount


def split_demand(engine: Engine, parent: Change, new: Founded) -> None:
    """Move texts of a demand into a new one.

    Raises:
        ConflictError: somebody decided in the meantime, or a text is no longer part of it.
    """
    with writing(engine) as connection:
        _change(connection, parent)
        connection.execute(insert(DemandRow).values(**new.values))
        moved = connection.execute(
            update(_PART)
            .where(_PART.demand_id == parent.demand_id, _PART.manifestation_id.in_(new.parts))
            .values(demand_id=new.values["id"], why="person")
        ).rowcount
        if moved != len(new.parts):
            raise ConflictError("Some of these texts are no longer part of the demand: look again.")
        _log(connection, new.values["id"], new.event)


def receive_demand(engine: Engine, said: Manifestation, said_on: date, new: Founded) -> None:
    """Store a request that came in, as a manifestation and the demand that it founds."""
    with writing(engine) as connection:
        insert_manifestation(connection, said, said_on)
        connection.execute(insert(DemandRow).values(**new.values))
        _add_parts(connection, new.values["id"], new.parts)
        _log(connection, new.values["id"], new.event)
        touch_of(connection, [said.id])


def _change(connection: Connection, change: Change) -> None:
    row = DemandRow
    values = {
        **change.values,
        "status": change.event.to_status,
        "version": change.version + 1,
        "updated_at": change.event.at,
    }
    mine = (row.id == change.demand_id, row.version == change.version)
    if not connection.execute(update(row).where(*mine).values(**values)).rowcount:
        raise ConflictError(
            f"Somebody else has decided about demand {change.demand_id} since you read it: look "
            "at it again, then decide."
        )
    _log(connection, change.demand_id, change.event)


def _log(connection: Connection, demand_id: str, event: Event) -> None:
    connection.execute(
        insert(DemandEventRow).values(
            demand_id=demand_id,
            at=event.at,
            actor=event.actor,
            action=event.action,
            from_status=event.from_status,
            to_status=event.to_status,
            note=event.note,
            detail=dict(event.detail),
        )
    )


def forget_texts(connection: Connection, ids: Sequence[str]) -> None:
    """Take manifestations that are purged out of their demands, within that transaction.

    A demand that nobody has confirmed goes with its last text; another keeps its history, and a
    line in it says how many texts were purged.
    """
    lost: dict[str, int] = {}
    for chunk in chunks(ids):
        some = _PART.manifestation_id.in_(chunk)
        query = select(_PART.demand_id, func.count()).where(some).group_by(_PART.demand_id)
        for demand_id, n in connection.execute(query):
            lost[demand_id] = lost.get(demand_id, 0) + n
        connection.execute(delete(_PART).where(some))
    now = datetime.now(UTC)
    for demand_id, n in sorted(lost.items()):
        left = select(func.count()).where(_PART.demand_id == demand_id)
        found = select(DemandRow.status).where(DemandRow.id == demand_id)
        status = Status(connection.execute(found).scalar_one())
        if status is Status.PROPOSED and not connection.execute(left).scalar_one():
            connection.execute(delete(DemandRow).where(DemandRow.id == demand_id))
            continue
        event = Event(now, SOFTWARE, Action.PURGE, status, status, None, {"texts": n})
        _log(connection, demand_id, event)
