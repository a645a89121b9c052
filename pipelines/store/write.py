"""The only place that writes to the database. Each public method is one transaction."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from configs.schema import Municipality, Source
from models.records import (
    Capture,
    Classification,
    Manifestation,
    Protocol,
    Rejection,
    Stage,
    State,
    Window,
)
from models.tables import (
    Base,
    CaptureRow,
    ClassificationRow,
    ManifestationRow,
    PartitionRow,
    RejectionRow,
    RunRow,
    SourceRow,
)
from pipelines.store.engine import explained

_CHUNK = 500
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of manifestations that were handed to the store."""

    new: int = 0
    changed: int = 0
    known: int = 0

    def __add__(self, other: "Saved") -> "Saved":
        return Saved(self.new + other.new, self.changed + other.changed, self.known + other.known)


@dataclass(frozen=True, slots=True)
class Partition:
    """One line of the ledger."""

    source: str
    day: date
    stage: Stage
    state: State
    rows: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Classified:
    """The classification of one manifestation as its text was at that moment."""

    manifestation_id: str
    text_hash: str
    classification: Classification


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is known of a run when it begins."""

    command: str
    window: Window
    taxonomy_version: str
    software_version: str


class Store:
    """Writes runs, what they collected, how it was classified, and what was counted."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def begin_run(self, municipality: Municipality, start: RunStart) -> str:
        """Open a run in the ledger, note its sources as configured, and return its id."""
        now = datetime.now(UTC)
        run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        with self._writing() as connection:
            connection.execute(
                insert(RunRow).values(
                    id=run_id,
                    municipality=municipality.code,
                    command=start.command,
                    window_from=start.window.start,
                    window_to=start.window.end,
                    state=State.RUNNING,
                    started_at=now,
                    taxonomy_version=start.taxonomy_version,
                    software_version=start.software_version,
                )
            )
            _upsert_sources(connection, municipality.code, _settled(municipality), now)
        return run_id

    def end_run(self, run_id: str, state: State, error: str | None = None) -> None:
        """Close a run in the ledger."""
        with self._writing() as connection:
            connection.execute(
                update(RunRow)
                .where(RunRow.id == run_id)
                .values(state=state, error=error, finished_at=datetime.now(UTC))
            )

    def set_model(self, run_id: str, model_version: str) -> None:
        """Note which model a run classified with."""
        with self._writing() as connection:
            connection.execute(
                update(RunRow).where(RunRow.id == run_id).values(model_version=model_version)
            )

    def set_window(self, run_id: str, window: Window) -> None:
        """Note which days a run turned out to be about."""
        with self._writing() as connection:
            connection.execute(
                update(RunRow)
                .where(RunRow.id == run_id)
                .values(window_from=window.start, window_to=window.end)
            )

    def save_source(self, municipality: str, source: Source) -> None:
        """Remember a source's configuration, for instance the columns of an upload."""
        with self._writing() as connection:
            _upsert_sources(connection, municipality, (source,), datetime.now(UTC))

    def save_collected(
        self,
        run_id: str,
        municipality: Municipality,
        source: str,
        manifestations: Sequence[Manifestation],
        rejections: Sequence[Rejection] = (),
        captures: Sequence[Capture] = (),
    ) -> Saved:
        """Store what was collected; a manifestation seen before is only touched by an edit.

        Args:
            run_id: the run that collected it.
            municipality: whose source it is; ``said_on`` is cut in its time zone.
            source: the source that was read.
            manifestations: to store; an id that comes twice keeps its last text.
            rejections: input records that are not stored, with their reasons.
            captures: the raw responses that the source gave.
        """
        with self._writing() as connection:
            saved = Saved()
            for chunk in _chunks(list({m.id: m for m in manifestations}.values())):
                saved += _upsert_manifestations(connection, chunk, municipality.zone)
            _insert_rejections(connection, run_id, rejections)
            _insert_captures(connection, run_id, municipality.code, source, captures)
        return saved

    def save_partitions(self, run_id: str, partitions: Iterable[Partition]) -> None:
        """Write lines of the ledger; a line written again replaces the earlier one."""
        rows = [{"run_id": run_id, **asdict(partition)} for partition in partitions]
        with self._writing() as connection:
            _upsert(connection, PartitionRow, rows, replace=("state", "rows", "error"))

    def save_classifications(self, taxonomy_version: str, items: Sequence[Classified]) -> None:
        """Add classifications; one that is already there stays as it is."""
        rows = [
            {
                "manifestation_id": item.manifestation_id,
                "text_hash": item.text_hash,
                "model_version": item.classification.model_version,
                "taxonomy_version": taxonomy_version,
                "category": item.classification.category,
                "sentiment": item.classification.sentiment,
                "intent": item.classification.intent,
                "confidence": item.classification.confidence,
                "abstained": item.classification.abstained,
                "categories": dict(item.classification.categories),
                "sentiments": dict(item.classification.sentiments),
                "intents": dict(item.classification.intents),
            }
            for item in items
        ]
        with self._writing() as connection:
            _upsert(connection, ClassificationRow, rows)

    def save_insights(self, run_id: str, tables: Mapping[type[Base], list[dict[str, Any]]]) -> None:
        """Write a run's insight rows, in place of those the same run wrote before."""
        with self._writing() as connection:
            for table, rows in tables.items():
                columns = _table(table).columns
                connection.execute(delete(table).where(columns["run_id"] == run_id))
                if rows:
                    connection.execute(insert(table), rows)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with (
            explained(self.engine),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection


def _chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _table(row: type[Base]) -> Table:
    table = row.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{row.__name__} is not mapped to a table")
    return table


def _upsert(
    connection: Connection,
    row: type[Base],
    rows: Sequence[Mapping[str, Any]],
    replace: Sequence[str] = (),
    only_where: str | None = None,
) -> None:
    """Insert rows; on a known primary key replace the named columns, or leave the row alone.

    With ``only_where`` a known row is replaced only if that column differs.
    """
    if not rows:
        return
    table = _table(row)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    if replace:
        changed = None
        if only_where is not None:
            changed = table.columns[only_where] != statement.excluded[only_where]
        statement = statement.on_conflict_do_update(
            index_elements=keys,
            set_={name: statement.excluded[name] for name in replace},
            where=changed,
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    for chunk in _chunks(rows):
        connection.execute(statement, list(chunk))


def _settled(municipality: Municipality) -> list[Source]:
    """Return the sources without the uploads whose columns only the store remembers."""
    return [
        source
        for source in municipality.sources
        if source.protocol is not Protocol.UPLOAD or source.columns is not None
    ]


def _upsert_sources(
    connection: Connection, municipality: str, sources: Sequence[Source], now: datetime
) -> None:
    rows = [
        {
            "municipality": municipality,
            "name": source.name,
            "title": source.title,
            "protocol": source.protocol,
            "config": source.model_dump(mode="json"),
            "updated_at": now,
        }
        for source in sources
    ]
    _upsert(connection, SourceRow, rows, replace=("title", "protocol", "config", "updated_at"))


def _upsert_manifestations(
    connection: Connection, items: Sequence[Manifestation], zone: ZoneInfo
) -> Saved:
    stored = {
        row.id: row.text_hash
        for row in connection.execute(
            select(ManifestationRow.id, ManifestationRow.text_hash).where(
                ManifestationRow.id.in_([item.id for item in items])
            )
        )
    }
    rows = [{**asdict(i), "said_on": i.said_at.astimezone(zone).date()} for i in items]
    _upsert(
        connection,
        ManifestationRow,
        rows,
        replace=("title", "text", "text_hash", "fetched_at", "capture_id"),
        only_where="text_hash",
    )
    known = sum(stored.get(item.id) == item.text_hash for item in items)
    new = sum(item.id not in stored for item in items)
    return Saved(new=new, changed=len(items) - new - known, known=known)


def _insert_rejections(
    connection: Connection, run_id: str, rejections: Sequence[Rejection]
) -> None:
    rows = [
        {
            "run_id": run_id,
            "source": rejection.source,
            "outcome": rejection.outcome,
            "ignored": rejection.outcome.ignored,
            "place": rejection.where,
            "detail": rejection.detail,
        }
        for rejection in rejections
    ]
    if rows:
        connection.execute(insert(RejectionRow), rows)


def _insert_captures(
    connection: Connection,
    run_id: str,
    municipality: str,
    source: str,
    captures: Sequence[Capture],
) -> None:
    rows = [
        {"run_id": run_id, "municipality": municipality, "source": source, **asdict(capture)}
        for capture in captures
    ]
    _upsert(connection, CaptureRow, rows)
