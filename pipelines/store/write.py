"""The only place that writes to the database. Each public method is one transaction."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, and_, delete, func, insert, select, update

from configs.schema import Municipality, Source
from models.insight_tables import InsightChange
from models.operations_tables import NotificationRow
from models.records import (
    Capture,
    Classification,
    Health,
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
    CorrectionRow,
    LanguageRow,
    LensRow,
    ManifestationRow,
    PartitionRow,
    PlaceRow,
    RejectionRow,
    RunInputRow,
    RunRow,
    SourceRow,
)
from pipelines.store.audit import Event, append
from pipelines.store.bulk import Batch, insert_batch
from pipelines.store.chunks import chunks
from pipelines.store.collecting import NOTHING, Learnt, Saved, upsert_health, write_collected
from pipelines.store.engine import writing
from pipelines.store.facets import relabel
from pipelines.store.leases import Lease, require
from pipelines.store.notices import Sent
from pipelines.store.partitions import Facts, Key, touch_of
from pipelines.store.upsert import table_of, upsert

_INPUT = ("source", "day", "recipe", "rows", "texts", "corrections", "labels")


@dataclass(frozen=True, slots=True)
class Placed:
    """The place of one text; without a kind, that it was looked for and there is none.

    ``zones`` are the codes, divided by blanks, of those in which a place may lie.
    """

    manifestation_id: str
    text_hash: str
    zone: str | None = None
    confidence: float = 0.0
    inherited: bool = False
    kind: str | None = None
    name: str | None = None
    district: str | None = None
    zones: str | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """One line of the ledger."""

    source: str
    day: date
    stage: Stage
    state: State
    rows: int
    error: str | None = None
    version: str | None = None
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Classified:
    """The classification of one manifestation as its text was at that moment."""

    manifestation_id: str
    text_hash: str
    classification: Classification


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's labels for a text; what is None stays as the model said."""

    manifestation_id: str
    text_hash: str
    reader: str
    corrected_at: datetime
    category: str | None = None
    sentiment: str | None = None
    intent: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is known of a run when it begins."""

    command: str
    window: Window
    taxonomy_version: str
    software_version: str
    options: Mapping[str, Any] | None = None


class Store:
    """Writes runs, what they collected, how it was classified, and what was counted."""

    def __init__(self, engine: Engine, lease: Lease | None = None) -> None:
        """Write to a database; with a lease only as long as that is held."""
        self.engine = engine
        self._lease = lease

    @contextmanager
    def fenced(self, lease: Lease) -> Iterator[None]:
        """Meanwhile write only as long as the lease is held."""
        before, self._lease = self._lease, lease
        try:
            yield
        finally:
            self._lease = before

    def begin_run(self, municipality: Municipality, start: RunStart) -> str:
        """Open a run in the ledger, note its sources as configured, and return its id.

        Ids go up, also where the clock was set back: the newest run is the one begun last.
        """
        with self._writing() as connection:
            theirs = RunRow.municipality == municipality.code
            last = connection.scalar(select(func.max(RunRow.started_at)).where(theirs))
            now = datetime.now(UTC)
            if last is not None and now < last:
                now = last + timedelta(seconds=1)
            run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
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
                    options=dict(start.options) if start.options is not None else None,
                )
            )
            _upsert_sources(connection, municipality.code, _settled(municipality), now)
        return run_id

    def reopen_run(self, municipality: Municipality, run_id: str) -> str:
        """Open a run again that ended early, and return its id."""
        now = datetime.now(UTC)
        with self._writing() as connection:
            connection.execute(
                update(RunRow)
                .where(RunRow.id == run_id)
                .values(state=State.RUNNING, error=None, finished_at=None)
            )
            _upsert_sources(connection, municipality.code, _settled(municipality), now)
        return run_id

    def close_zombies(self, municipality: str, reason: str, *, imports: bool) -> list[str]:
        """Close the runs that the ledger holds for running; return which, oldest first.

        To be called by whoever has the lease under which they ran: their processes are dead.
        """
        is_import = RunRow.command == "import"
        theirs = and_(
            RunRow.municipality == municipality,
            RunRow.state == State.RUNNING,
            is_import if imports else ~is_import,
        )
        with self._writing() as connection:
            found = list(connection.scalars(select(RunRow.id).where(theirs).order_by(RunRow.id)))
            connection.execute(
                update(RunRow)
                .where(RunRow.id.in_(found))
                .values(state=State.FAILED, error=reason, finished_at=datetime.now(UTC))
            )
        return found

    def stamp_partitions(
        self, run_id: str, stage: Stage, source: str, version: str, left: Mapping[date, str | None]
    ) -> None:
        """Note with what partitions of a source were made, and the digest of what they left."""
        row = PartitionRow
        with self._writing() as connection:
            for day, checksum in sorted(left.items()):
                connection.execute(
                    update(row)
                    .where(
                        row.run_id == run_id,
                        row.stage == stage,
                        row.source == source,
                        row.day == day,
                    )
                    .values(version=version, checksum=checksum)
                )

    def forget_rejections(self, run_id: str, source: str) -> None:
        """Forget what a run rejected of a source that it is about to collect once more."""
        row = RejectionRow
        with self._writing() as connection:
            connection.execute(delete(row).where(row.run_id == run_id, row.source == source))

    def end_run(self, run_id: str, state: State, error: str | None = None) -> None:
        """Close a run in the ledger."""
        with self._writing() as connection:
            connection.execute(
                update(RunRow)
                .where(RunRow.id == run_id)
                .values(state=state, error=error, finished_at=datetime.now(UTC))
            )

    def note_sent(self, sent: Iterable[Sent]) -> None:
        """Note what people were told; a topic that is told again keeps the newest time."""
        rows = [asdict(one) for one in sent]
        with self._writing() as connection:
            upsert(connection, NotificationRow, rows, replace=("kind", "run_id", "sent_at"))

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
        manifestations: Iterable[Manifestation],
        rejections: Sequence[Rejection] = (),
        captures: Sequence[Capture] = (),
        learnt: Learnt = NOTHING,
    ) -> Saved:
        """Store what was collected; a manifestation seen before is only touched by an edit.

        An edited one keeps its former text as a revision. One that was gone and is back is no
        longer marked as gone.

        All of it or nothing: what tells a later crawl that it need not read something again is
        never there without the records.

        Args:
            run_id: the run that collected it.
            municipality: whose source it is; ``said_on`` is cut in its time zone.
            source: the source that was read.
            manifestations: to store. A list is put in order, and an id that comes twice in it keeps
                its last text; an iterator is not held: it gives each id once, in order.
            rejections: input records that are not stored, with their reasons.
            captures: the raw responses that the source gave.
            learnt: what the crawl says of the source beside them.
        """
        with self._writing() as connection:
            return write_collected(
                connection,
                run_id,
                municipality,
                source,
                manifestations,
                rejections,
                captures,
                learnt,
            )

    def save_health(self, municipality: str, source: str, health: Health) -> None:
        """Note what a run has made of a source."""
        with self._writing() as connection:
            upsert_health(connection, municipality, source, health)

    def forget_captures(self, municipality: str, files: Sequence[str]) -> int:
        """Forget the captures of WARC files that are to be removed; return how many."""
        theirs = and_(CaptureRow.municipality == municipality, CaptureRow.warc_file.in_(files))
        with self._writing() as connection:
            connection.execute(
                update(ManifestationRow)
                .where(
                    ManifestationRow.municipality == municipality,
                    ManifestationRow.capture_id.in_(select(CaptureRow.id).where(theirs)),
                )
                .values(capture_id=None)
            )
            return connection.execute(delete(CaptureRow).where(theirs)).rowcount

    def save_partitions(self, run_id: str, partitions: Iterable[Partition]) -> None:
        """Write lines of the ledger; a line written again replaces the earlier one."""
        rows = [{"run_id": run_id, **asdict(partition)} for partition in partitions]
        names = ("state", "rows", "error", "version", "checksum")
        with self._writing() as connection:
            upsert(connection, PartitionRow, rows, replace=names)

    def plan_partitions(self, run_id: str, partitions: Iterable[Partition]) -> None:
        """Note what a run is to do, before it does any of it; lines that are there stay."""
        rows = [{"run_id": run_id, **asdict(one), "attempts": 0} for one in partitions]
        with self._writing() as connection:
            upsert(connection, PartitionRow, rows)

    def begin_partitions(self, run_id: str, stage: Stage, keys: Iterable[Key]) -> None:
        """Note that planned partitions are begun, once more if they were begun before."""
        row = PartitionRow
        days: dict[str, list[date]] = {}
        for source, day in sorted(set(keys)):
            days.setdefault(source, []).append(day)
        with self._writing() as connection:
            for source, theirs in days.items():
                for chunk in chunks(theirs):
                    connection.execute(
                        update(row)
                        .where(
                            row.run_id == run_id,
                            row.stage == stage,
                            row.source == source,
                            row.day.in_(chunk),
                        )
                        .values(state=State.RUNNING, attempts=row.attempts + 1)
                    )

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
            upsert(connection, ClassificationRow, rows)
            touch_of(connection, (item.manifestation_id for item in items))

    def save_corrections(self, items: Sequence[Correction]) -> None:
        """Add people's labels; the newest of a text outranks the older ones and the model's.

        Who gave them is noted among the audit events too.
        """
        said = ManifestationRow
        with self._writing() as connection:
            if items:
                connection.execute(insert(CorrectionRow), [asdict(item) for item in items])
            for item in items:
                place = select(said.municipality).where(said.id == item.manifestation_id)
                labels = {task: getattr(item, task) for task in ("category", "sentiment", "intent")}
                done = {"manifestation": item.manifestation_id, **labels}
                counting = {task: label for task, label in labels.items() if label is not None}
                relabel(connection, item.manifestation_id, item.text_hash, counting)
                where = connection.execute(place).scalar_one()
                append(connection, Event("correct", where, done), item.reader)
            touch_of(connection, (item.manifestation_id for item in items))

    def save_languages(self, identifier: str, labels: Mapping[tuple[str, str], str]) -> None:
        """Label texts, by manifestation and text hash; a text that has a label keeps it."""
        rows = [
            {
                "manifestation_id": manifestation_id,
                "text_hash": text_hash,
                "language": language,
                "identifier": identifier,
            }
            for (manifestation_id, text_hash), language in labels.items()
        ]
        with self._writing() as connection:
            upsert(connection, LanguageRow, rows)
            touch_of(connection, (key for key, _ in labels))

    def save_places(self, gazetteer: str, placed: Sequence[Placed]) -> None:
        """Keep which zones texts speak of; a text that the gazetteer has placed stays there."""
        rows = [{"gazetteer": gazetteer, **asdict(place)} for place in placed]
        with self._writing() as connection:
            upsert(connection, PlaceRow, rows)
            touch_of(connection, (place.manifestation_id for place in placed))

    def save_lenses(self, lenses: str, seen: Mapping[tuple[str, str], Sequence[str]]) -> None:
        """Keep through which lenses texts are seen, by manifestation and text hash."""
        rows = [
            {
                "manifestation_id": manifestation_id,
                "text_hash": text_hash,
                "lenses": lenses,
                "codes": " ".join(codes),
            }
            for (manifestation_id, text_hash), codes in seen.items()
        ]
        with self._writing() as connection:
            upsert(connection, LensRow, rows)
            touch_of(connection, (key for key, _ in seen))

    def save_changes(self, run_id: str, baseline: str, rows: list[dict[str, Any]]) -> None:
        """Write a run's comparison with a baseline, in place of the one it had."""
        columns = table_of(InsightChange).columns
        with self._writing() as connection:
            connection.execute(
                delete(InsightChange).where(
                    columns["run_id"] == run_id, columns["baseline"] == baseline
                )
            )
            if rows:
                connection.execute(insert(InsightChange), rows)

    def save_insights(
        self,
        run_id: str,
        tables: Mapping[type[Base], list[dict[str, Any]] | Batch],
        counted: Sequence[Facts] | None = None,
    ) -> None:
        """Write a run's insight rows, in place of those the same run wrote before.

        Args:
            run_id: the run that counted.
            tables: its rows, by insight table; where they are many, by column.
            counted: the partitions that it counted, if it did; only their digests are noted.
        """
        written = dict(tables)
        if counted is not None:
            inputs = {name: [getattr(facts, name) for facts in counted] for name in _INPUT}
            written[RunInputRow] = Batch({"run_id": run_id}, inputs)
        with self._writing() as connection:
            for table, rows in written.items():
                columns = table_of(table).columns
                connection.execute(delete(table).where(columns["run_id"] == run_id))
                if isinstance(rows, Batch):
                    insert_batch(connection, table_of(table), rows)
                elif rows:
                    connection.execute(insert(table), rows)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with writing(self.engine) as connection:
            if self._lease is not None:
                require(connection, self._lease)
            yield connection


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
    upsert(connection, SourceRow, rows, replace=("title", "protocol", "config", "updated_at"))
