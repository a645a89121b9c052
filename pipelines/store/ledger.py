"""Read the ledger: what a run planned and did, what days are settled, and digests of rows."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, select

from models.insight_tables import InsightOverview
from models.records import Stage, State, Window
from models.tables import ClassificationRow, ManifestationRow, PartitionRow, RunRow
from pipelines.store.engine import explained
from pipelines.store.partitions import Key


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger as it stands."""

    source: str
    day: date
    stage: Stage
    state: State
    rows: int
    error: str | None
    attempts: int
    version: str | None
    checksum: str | None

    @property
    def key(self) -> Key:
        """Source and day."""
        return self.source, self.day


def lines_of(engine: Engine, run_id: str, stage: Stage | None = None) -> list[Line]:
    """Return a run's lines by source and day."""
    row = PartitionRow
    query = (
        select(
            row.source,
            row.day,
            row.stage,
            row.state,
            row.rows,
            row.error,
            row.attempts,
            row.version,
            row.checksum,
        )
        .where(row.run_id == run_id)
        .order_by(row.stage, row.source, row.day)
    )
    if stage is not None:
        query = query.where(row.stage == stage)
    with explained(engine), engine.connect() as connection:
        return [
            Line(
                one.source,
                one.day,
                Stage(one.stage),
                State(one.state),
                one.rows,
                one.error,
                one.attempts,
                one.version,
                one.checksum,
            )
            for one in connection.execute(query)
        ]


def settled_days(
    engine: Engine, municipality: str, window: Window, lookback: timedelta
) -> set[Key]:
    """Return the days that a run has read to the end, at least ``lookback`` after they were over.

    What was said late on an earlier reading may have been missed; such days are open again.
    """
    row = PartitionRow
    query = (
        select(row.source, row.day, RunRow.started_at)
        .join(RunRow, RunRow.id == row.run_id)
        .where(
            RunRow.municipality == municipality,
            row.stage == Stage.COLLECT,
            row.state == State.DONE,
            *_within(row.day, window),
        )
    )
    with explained(engine), engine.connect() as connection:
        return {
            (source, day)
            for source, day, started in connection.execute(query)
            if window.day_of(started - lookback) > day
        }


def made_with(
    engine: Engine, municipality: str, window: Window, stage: Stage, source: str, version: str
) -> set[date]:
    """Return the days of a source that some run made with a version."""
    row = PartitionRow
    query = (
        select(row.day)
        .join(RunRow, RunRow.id == row.run_id)
        .where(
            RunRow.municipality == municipality,
            row.source == source,
            row.stage == stage,
            row.state == State.DONE,
            row.version == version,
            *_within(row.day, window),
        )
    )
    with explained(engine), engine.connect() as connection:
        return set(connection.scalars(query))


def collected_digests(
    engine: Engine, municipality: str, window: Window, sources: Collection[str]
) -> dict[Key, tuple[int, str]]:
    """Return how many texts the sources' days hold, and a digest of them."""
    said = ManifestationRow
    query = select(said.source, said.said_on, said.id, said.text_hash).where(
        said.municipality == municipality,
        said.source.in_(sources),
        *_within(said.said_on, window),
    )
    return _digests(engine, query.order_by(said.source, said.said_on, said.id))


def classified_digests(
    engine: Engine, municipality: str, window: Window, model_version: str, taxonomy_version: str
) -> dict[Key, tuple[int, str]]:
    """Return how many texts of each source and day a model has classified, and a digest of it."""
    said, labels = ManifestationRow, ClassificationRow
    by = and_(
        labels.manifestation_id == said.id,
        labels.text_hash == said.text_hash,
        labels.model_version == model_version,
        labels.taxonomy_version == taxonomy_version,
    )
    query = (
        select(
            said.source,
            said.said_on,
            said.id,
            said.text_hash,
            labels.category,
            labels.sentiment,
            labels.intent,
            labels.abstained,
        )
        .join(labels, by)
        .where(said.municipality == municipality, *_within(said.said_on, window))
    )
    return _digests(engine, query.order_by(said.source, said.said_on, said.id))


def earlier_count(engine: Engine, municipality: str, window: Window, run_id: str) -> str | None:
    """Return the newest run before this one that counted another window, if there is one."""
    row = RunRow
    counted = select(InsightOverview.run_id).where(InsightOverview.municipality == municipality)
    query = (
        select(row.id)
        .where(
            row.municipality == municipality,
            row.id < run_id,
            row.id.in_(counted),
            ~and_(row.window_from == window.start, row.window_to == window.end),
        )
        .order_by(row.id.desc())
        .limit(1)
    )
    with explained(engine), engine.connect() as connection:
        return connection.scalars(query).first()


def unfinished_run(engine: Engine, municipality: str) -> str | None:
    """Return the municipality's newest run that ended early or only in part, if it can go on.

    One that a later run of the same days has outdone is left alone.
    """
    row = RunRow
    query = (
        select(row.id, row.state)
        .where(
            row.municipality == municipality,
            row.command.in_(("run", "replay", "rerun")),
        )
        .order_by(row.started_at.desc(), row.id.desc())
        .limit(1)
    )
    with explained(engine), engine.connect() as connection:
        found = connection.execute(query).first()
    return None if found is None or found.state == State.DONE else str(found.id)


def started_since(engine: Engine, municipality: str, moment: datetime) -> str | None:
    """Return a monitoring run that began after a moment and did not fail, if there is one."""
    row = RunRow
    query = select(row.id).where(
        row.municipality == municipality,
        row.command == "run",
        row.started_at > moment,
        row.state != State.FAILED,
    )
    with explained(engine), engine.connect() as connection:
        return connection.scalars(query.order_by(row.id).limit(1)).first()


def _within(day: Any, window: Window) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return day >= window.start, day < window.end


def _digests(engine: Engine, query: Any) -> dict[Key, tuple[int, str]]:
    with explained(engine), engine.connect() as connection:
        found = connection.execution_options(yield_per=5_000).execute(query)
        return {
            (str(source), day): _digest(rows)
            for (source, day), rows in groupby(found, key=lambda row: (row[0], row[1]))
        }


def _digest(rows: Iterable[Any]) -> tuple[int, str]:
    digest, count = blake2b(digest_size=16), 0
    for row in rows:
        digest.update("\x1f".join(map(str, row[2:])).encode() + b"\n")
        count += 1
    return count, digest.hexdigest()
