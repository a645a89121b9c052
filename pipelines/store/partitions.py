"""Partitions: a source's local day, how often it changed, and its facts ready for counting.

Every write that may change a count raises the version of its partition in the same transaction.
Facts carry the version that they were made of: a version read before the rows can only be too
low, and then the partition is merely derived once more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from models.records import Window
from models.tables import (
    ManifestationRow,
    PartitionFactsRow,
    PartitionVersionRow,
    RunInputRow,
)
from pipelines.store.chunks import chunks
from pipelines.store.engine import explained, writing

Key = tuple[str, date]
"""A source and a local day."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A partition made ready for counting; digests tell what changed between two of them."""

    source: str
    day: date
    recipe: str
    version: int
    rows: int
    texts: str
    corrections: str
    labels: str
    facts: bytes


def touch(connection: Connection, municipality: str, keys: Iterable[Key]) -> None:
    """Note that partitions have changed."""
    rows = [
        {"municipality": municipality, "source": source, "day": day, "version": 1}
        for source, day in sorted(set(keys))  # one order: writers must not wait for each other
    ]
    if rows:
        statement = _insert(connection)
        connection.execute(_raised(statement), rows)


def touch_of(connection: Connection, ids: Iterable[str]) -> None:
    """Note that the partitions of manifestations have changed."""
    said = ManifestationRow
    wanted = sorted(set(ids))
    for chunk in chunks(wanted):
        changed = (
            select(said.municipality, said.source, said.said_on.label("day"), literal(1))
            .where(said.id.in_(chunk))
            .group_by(said.municipality, said.source, said.said_on)
            .order_by(said.municipality, said.source, said.said_on)
        )
        names = ["municipality", "source", "day", "version"]
        connection.execute(_raised(_insert(connection).from_select(names, changed)))


def forget_facts(connection: Connection, municipality: str, ids: Sequence[str]) -> None:
    """Delete the facts made of manifestations that are about to go, and all that share a day."""
    said, row = ManifestationRow, PartitionFactsRow
    touch_of(connection, ids)
    for chunk in chunks(ids):
        theirs = select(said.source, said.said_on).where(said.id.in_(chunk)).distinct()
        for source, day in connection.execute(theirs).all():
            mine = and_(row.municipality == municipality, row.source == source, row.day == day)
            connection.execute(delete(row).where(mine))


def _insert(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement: sqlite.Insert | postgresql.Insert = dialect.insert(PartitionVersionRow)
    return statement


def _raised(statement: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    return statement.on_conflict_do_update(
        index_elements=["municipality", "source", "day"],
        set_={"version": PartitionVersionRow.version + 1},
    )


def versions(engine: Engine, municipality: str, window: Window) -> dict[Key, int]:
    """Return the version of every partition of the window that ever held something."""
    row = PartitionVersionRow
    query = (
        select(row.source, row.day, row.version)
        .where(row.municipality == municipality, row.day >= window.start, row.day < window.end)
        .order_by(row.day, row.source)
    )
    with explained(engine), engine.connect() as connection:
        return {(source, day): version for source, day, version in connection.execute(query)}


def saved_versions(
    engine: Engine, municipality: str, window: Window, recipe: str
) -> dict[Key, int]:
    """Return the version of the partitions whose facts were made by this recipe."""
    row = PartitionFactsRow
    query = select(row.source, row.day, row.version).where(_made(municipality, window, recipe))
    with explained(engine), engine.connect() as connection:
        return {(source, day): version for source, day, version in connection.execute(query)}


def saved_facts(engine: Engine, municipality: str, window: Window, recipe: str) -> list[Facts]:
    """Return the facts of the window's partitions, by day and source."""
    row = PartitionFactsRow
    columns = (row.recipe, row.version, row.rows, row.texts, row.corrections, row.labels, row.facts)
    query = (
        select(row.source, row.day, *columns)
        .where(_made(municipality, window, recipe))
        .order_by(row.day, row.source)
    )
    with explained(engine), engine.connect() as connection:
        return [Facts(*found) for found in connection.execute(query)]


def _made(municipality: str, window: Window, recipe: str) -> ColumnElement[bool]:
    row = PartitionFactsRow
    return and_(
        row.municipality == municipality,
        row.day >= window.start,
        row.day < window.end,
        row.recipe == recipe,
    )


def save_facts(engine: Engine, municipality: str, made: Sequence[Facts]) -> None:
    """Keep partitions' facts in place of those that were kept of them before."""
    rows = [{"municipality": municipality, **asdict(facts)} for facts in made]
    if not rows:
        return
    keys = ("municipality", "source", "day")
    with writing(engine) as connection:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(PartitionFactsRow)
        replaced = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        connection.execute(
            statement.on_conflict_do_update(index_elements=list(keys), set_=replaced),
            sorted(rows, key=lambda values: (values["source"], values["day"])),
        )


@dataclass(frozen=True, slots=True)
class RunInput:
    """What a run counted of a partition."""

    recipe: str
    rows: int
    texts: str
    corrections: str
    labels: str


def run_inputs(engine: Engine, run_id: str) -> dict[Key, RunInput]:
    """Return what a run counted, by source and day."""
    row = RunInputRow.__table__.c
    query = select(
        row.source, row.day, row.recipe, row.rows, row.texts, row.corrections, row.labels
    )
    with explained(engine), engine.connect() as connection:
        return {
            (source, day): RunInput(*rest)
            for source, day, *rest in connection.execute(query.where(row.run_id == run_id))
        }
