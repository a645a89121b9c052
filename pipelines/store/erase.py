"""Find what is to be purged, and delete it from the database so that no trace is left."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, insert, select
from sqlalchemy import update as change

from models.errors import StoreError
from models.match_tables import CallRow
from models.search_tables import INDEX
from models.tables import (
    CaptureRow,
    ManifestationRow,
    NearDuplicateRow,
    RejectionRow,
    RevisionRow,
    RunRow,
    TombstoneRow,
    ValidatorRow,
)
from pipelines.store.audit import Event, append
from pipelines.store.chunks import chunks
from pipelines.store.demands import forget_texts
from pipelines.store.engine import explained, writing
from pipelines.store.partitions import forget_facts, touch_of

ERASED = "[purged]"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is to be purged; a manifestation must meet all that are given."""

    authors: tuple[str, ...] = ()
    before: date | None = None
    source: str | None = None
    id: str | None = None

    @property
    def names(self) -> list[str]:
        """The criteria that are given, by name."""
        given = {"author": self.authors, "before": self.before, "source": self.source}
        return [name for name, value in {**given, "id": self.id}.items() if value]

    @property
    def of_a_person(self) -> bool:
        """Whether single manifestations are meant, not all of a source or of a time."""
        return bool(self.authors or self.id)


@dataclass(frozen=True, slots=True)
class Target:
    """A manifestation, or a former text of one, that is to be purged."""

    id: str
    source: str
    external_id: str
    title: str | None
    text: str
    url: str | None
    since: datetime
    said_on: date
    capture_id: str | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one purge deletes from the database."""

    municipality: str
    ids: Sequence[str]
    captures: Sequence[str]
    urls: Sequence[str]
    sources: Sequence[str]
    """Sources of which nothing is to stay."""
    buried: Mapping[str, str] = field(default_factory=dict)
    """What is not to be collected again, by keyed hash, and by which criterion it was purged."""


def targets(engine: Engine, municipality: str, criteria: Criteria) -> list[Target]:
    """Return what is to be purged: the texts as they are, and as they were before edits."""
    said, former = ManifestationRow, RevisionRow
    wanted = _wanted(municipality, criteria)
    about = (said.url, said.said_at, said.fetched_at, said.said_on)
    named: tuple[Any, ...] = (said.id, said.source, said.external_id)
    now = select(*named, said.title, said.text, *about, said.capture_id)
    then = select(*named, former.title, former.text, *about, former.capture_id)
    queries = (
        now.where(wanted),
        then.join(former, former.manifestation_id == said.id).where(wanted),
    )
    with explained(engine), engine.connect() as connection:
        return [
            Target(id_, source, own, title, text, url, min(said_at, fetched_at), said_on, capture)
            for query in queries
            for id_, source, own, title, text, url, said_at, fetched_at, said_on, capture in (
                connection.execute(query)
            )
        ]


def _wanted(municipality: str, criteria: Criteria) -> ColumnElement[bool]:
    said = ManifestationRow
    conditions = [said.municipality == municipality]
    if criteria.authors:
        conditions.append(said.author.in_(criteria.authors))
    if criteria.before is not None:
        conditions.append(said.said_on < criteria.before)
    if criteria.source is not None:
        conditions.append(said.source == criteria.source)
    if criteria.id is not None:
        conditions.append(said.id == criteria.id)
    return and_(*conditions)


def runs_over(engine: Engine, municipality: str, days: Iterable[date]) -> list[str]:
    """Return the runs whose window held one of the days."""
    wanted = sorted(set(days))
    query = select(RunRow.id, RunRow.window_from, RunRow.window_to)
    query = query.where(RunRow.municipality == municipality).order_by(RunRow.id)
    with explained(engine), engine.connect() as connection:
        runs = connection.execute(query).all()
    return [run.id for run in runs if any(run.window_from <= day < run.window_to for day in wanted)]


def stored_sources(engine: Engine, municipality: str) -> list[str]:
    """Return the sources of which something is stored."""
    query = select(ManifestationRow.source).distinct()
    query = query.where(ManifestationRow.municipality == municipality)
    with explained(engine), engine.connect() as connection:
        return sorted(connection.scalars(query))


def capture_urls(engine: Engine, captures: Iterable[str]) -> dict[str, str]:
    """Return the addresses of captures, by id."""
    found: dict[str, str] = {}
    with explained(engine), engine.connect() as connection:
        for chunk in chunks(sorted(set(captures))):
            query = select(CaptureRow.id, CaptureRow.url).where(CaptureRow.id.in_(chunk))
            found.update({row.id: row.url for row in connection.execute(query)})
    return found


def copies_left(engine: Engine, ids: Sequence[str]) -> int:
    """Count the near-duplicates of manifestations that are not among them."""
    mine, left = set(ids), set()
    row = NearDuplicateRow
    with explained(engine), engine.connect() as connection:
        for chunk in chunks(ids):
            theirs = select(row.cluster_id).where(row.manifestation_id.in_(chunk))
            query = select(row.manifestation_id).where(row.cluster_id.in_(theirs))
            left |= set(connection.scalars(query)) - mine
    return len(left)


def erase(engine: Engine, erasure: Erasure, audit: dict[str, Any], actor: str) -> None:
    """Delete it and note in the audit that it was done, all in one transaction."""
    with writing(engine) as connection:
        forget_facts(connection, erasure.municipality, erasure.ids)
        _break_clusters(connection, erasure.ids)
        forget_texts(connection, sorted(erasure.ids))
        _forget_quotes(connection, erasure.ids)
        for chunk in chunks(sorted(erasure.ids)):
            connection.execute(delete(ManifestationRow).where(ManifestationRow.id.in_(chunk)))
        _forget_captures(connection, erasure)
        _forget_addresses(connection, erasure)
        _bury(connection, erasure)
        append(connection, Event("purge", erasure.municipality, audit), actor)


def _forget_quotes(connection: Connection, ids: Iterable[str]) -> None:
    """Take the purged out of the quotes of technological calls; the calls' figures stay."""
    row, gone = CallRow, set(ids)
    for code, need in connection.execute(select(row.code, row.need)).all():
        quotes = need.get("quotes")
        if not isinstance(quotes, list):  # imported calls may rest on anything
            continue
        left = [one for one in quotes if not (isinstance(one, dict) and one.get("id") in gone)]
        if len(left) < len(quotes):
            kept = {**need, "quotes": left}
            connection.execute(change(row).where(row.code == code).values(need=kept))


def _bury(connection: Connection, erasure: Erasure) -> None:
    """Note what is not to be collected again; what is noted already keeps its date."""
    row, now = TombstoneRow, datetime.now(UTC)
    for chunk in chunks(sorted(erasure.buried)):
        ours = (row.municipality == erasure.municipality, row.digest.in_(chunk))
        known = set(connection.scalars(select(row.digest).where(*ours)))
        new = [
            {
                "municipality": erasure.municipality,
                "digest": digest,
                "reason": erasure.buried[digest],
                "purged_at": now,
            }
            for digest in chunk
            if digest not in known
        ]
        if new:
            connection.execute(insert(row), new)


def _break_clusters(connection: Connection, ids: Sequence[str]) -> None:
    """Leave those that resembled something purged to be compared again, under their own names."""
    row = NearDuplicateRow
    for chunk in chunks(sorted(ids)):
        theirs = select(row.cluster_id).where(row.manifestation_id.in_(chunk))
        shaken = set(connection.scalars(theirs))
        for some in chunks(sorted(shaken)):
            left = row.cluster_id.in_(some)
            touch_of(connection, connection.scalars(select(row.manifestation_id).where(left)))
            connection.execute(
                change(row).where(left).values(text_hash="", cluster_id=row.manifestation_id)
            )


def _forget_captures(connection: Connection, erasure: Erasure) -> None:
    for chunk in chunks(sorted(erasure.captures)):
        for table in (ManifestationRow, RevisionRow):
            connection.execute(
                change(table).where(table.capture_id.in_(chunk)).values(capture_id=None)
            )
        connection.execute(delete(CaptureRow).where(CaptureRow.id.in_(chunk)))


def _forget_addresses(connection: Connection, erasure: Erasure) -> None:
    """Forget where the purged stood: in rejections, and in what is asked for again."""
    runs = select(RunRow.id).where(RunRow.municipality == erasure.municipality)
    ours = RejectionRow.run_id.in_(runs)
    theirs = ValidatorRow.municipality == erasure.municipality
    blank = {"place": ERASED, "detail": ERASED}
    for chunk in chunks(sorted(erasure.urls)):
        places = change(RejectionRow).where(ours, RejectionRow.place.in_(chunk))
        connection.execute(places.values(blank))
        connection.execute(delete(ValidatorRow).where(theirs, ValidatorRow.url.in_(chunk)))
    for chunk in chunks(sorted(erasure.sources)):
        places = change(RejectionRow).where(ours, RejectionRow.source.in_(chunk))
        connection.execute(places.values(blank))
        connection.execute(delete(ValidatorRow).where(theirs, ValidatorRow.source.in_(chunk)))


def scrub(engine: Engine) -> bool:
    """Overwrite what deletions left in the database's files; say whether all of it is gone.

    SQLite writes its file anew and empties its log, which another process that reads at the same
    time can prevent. PostgreSQL frees the rows for reuse; its log keeps them until it is recycled.
    """
    if engine.dialect.name != "sqlite":
        with explained(engine), engine.connect() as plain:
            plain.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
        return True
    with explained(engine):
        connection = engine.raw_connection()  # SQLAlchemy would open a transaction around it
        try:
            cursor = connection.cursor()
            cursor.execute(f"INSERT INTO {INDEX}({INDEX}) VALUES ('rebuild')")  # noqa: S608
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy = cursor.fetchone()
            cursor.close()
        except sqlite3.OperationalError as error:
            raise StoreError(
                f"What was deleted may still lie in the database's file ({error}). Purge again "
                "when no other process uses it."
            ) from error
        finally:
            connection.close()
    return busy is not None and not busy[0]
