"""A window that is counted again gets a revision; superseded ones can be forgotten.

What goes is the revision's insight rows and what it was counted of. The run itself stays with its
ledger, captures and rejections: coverage rests on those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine, delete, func, select, union

from models.insight_tables import INSIGHT_TABLES, InsightChange, InsightOverview, TopicCentroidRow
from models.labels import EVERYTHING
from models.match_tables import CallRow
from models.operations_tables import NotificationRow
from models.records import Stage, State
from models.tables import Base, PartitionRow, RunInputRow, RunRow
from pipelines.store.audit import Event, append
from pipelines.store.chunks import chunks
from pipelines.store.counted import newest_runs
from pipelines.store.engine import explained, writing

_TABLES: tuple[type[Base], ...] = (*INSIGHT_TABLES, RunInputRow, TopicCentroidRow)


@dataclass(frozen=True, slots=True)
class Revision:
    """A run that counted a window; ``place`` is 1 for the window's newest."""

    run_id: str
    window_from: date
    window_to: date
    started_at: datetime
    place: int


def revisions(engine: Engine, municipality: str) -> list[Revision]:
    """Return the counted runs of a municipality that are not running, by window, newest first."""
    run, counted = RunRow, InsightOverview
    place = func.row_number().over(
        partition_by=(run.window_from, run.window_to),
        order_by=(run.started_at.desc(), run.id.desc()),
    )
    query = (
        select(run.id, run.window_from, run.window_to, run.started_at, place)
        .join(counted, counted.run_id == run.id)
        .where(
            run.municipality == municipality,
            run.state != State.RUNNING,
            counted.measure == "total",
            counted.lens == EVERYTHING,
        )
        .order_by(run.window_from, run.window_to, place)
    )
    with explained(engine), engine.connect() as connection:
        return [Revision(*row) for row in connection.execute(query)]


def cited_runs(engine: Engine) -> frozenset[str]:
    """Return the runs that somebody or something refers to.

    A technological call rests on one, people were told of one, a lens or a model has no newer one.
    """
    centroid = TopicCentroidRow
    place = func.row_number().over(
        partition_by=(
            centroid.municipality,
            centroid.lens,
            centroid.window_from,
            centroid.model_version,
        ),
        order_by=centroid.run_id.desc(),
    )
    topics = select(centroid.run_id, place.label("place")).subquery()
    query = union(
        select(CallRow.run_id).where(CallRow.run_id.is_not(None)),
        select(NotificationRow.run_id),
        newest_runs(),
        select(topics.c.run_id).where(topics.c.place == 1),
    )
    with explained(engine), engine.connect() as connection:
        return frozenset(connection.scalars(query))


def baselines(engine: Engine, runs: Sequence[str]) -> frozenset[str]:
    """Return the runs beside whose windows the given runs were set."""
    row, found = InsightChange.__table__.c, set[str]()
    with explained(engine), engine.connect() as connection:
        for chunk in chunks(sorted(runs)):
            query = select(row.baseline).distinct().where(row.run_id.in_(chunk))
            found |= set(connection.scalars(query))
    return frozenset(found)


def rows_of(engine: Engine, runs: Sequence[str]) -> dict[str, int]:
    """Count what runs have written, by table; tables of which they have nothing are left out."""
    with explained(engine), engine.connect() as connection:
        counts = {table.__tablename__: _count(connection, table, runs) for table in _TABLES}
    return {table: count for table, count in counts.items() if count}


def forget_revisions(engine: Engine, runs: Sequence[str], event: Event, who: str) -> None:
    """Delete what runs counted and note in the audit that it was done, all in one transaction."""
    counted = PartitionRow.stage == Stage.COUNT
    with writing(engine) as connection:
        for chunk in chunks(sorted(runs)):
            for table in _TABLES:
                connection.execute(delete(table).where(table.__table__.c.run_id.in_(chunk)))
            mine = PartitionRow.run_id.in_(chunk)
            connection.execute(delete(PartitionRow).where(mine, counted))
        append(connection, event, who)


def _count(connection: Connection, table: type[Base], runs: Sequence[str]) -> int:
    column = table.__table__.c.run_id
    queries = (
        select(func.count()).select_from(table).where(column.in_(chunk)) for chunk in chunks(runs)
    )
    return sum(connection.scalar(query) or 0 for query in queries)
