"""Which windows were counted: what a reader may choose from. Nothing here writes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd
from sqlalchemy import Engine, Select, column, func, select, table

from models.insight_tables import InsightPlace, InsightSeries
from models.labels import EVERYTHING
from models.tables import Base, PartitionRow, RunRow
from models.views import NEWEST
from pipelines.store.engine import explained

_NEWEST = table(
    NEWEST,
    *(column(name) for name in ("run_id", "lens", "municipality", "window_from", "window_to")),
)


@dataclass(frozen=True, slots=True)
class CountedWindow:
    """A window and the run that counted it; ``end`` is the day after its last."""

    run_id: str
    start: date
    end: date
    counted_at: datetime

    @property
    def last(self) -> date:
        """The last local day of it."""
        return self.end - timedelta(days=1)


def newest_runs() -> Select[tuple[str]]:
    """Return the query of the runs that are the newest of some window and lens."""
    return select(_NEWEST.c.run_id).distinct()


def counted_municipalities(engine: Engine) -> tuple[str, ...]:
    """Return the codes of the municipalities that anything was counted for."""
    query = select(_NEWEST.c.municipality).distinct().order_by(_NEWEST.c.municipality)
    with explained(engine), engine.connect() as connection:
        return tuple(connection.scalars(query))


def counted_windows(engine: Engine, municipality: str) -> tuple[CountedWindow, ...]:
    """Return the newest run of each window, the window that ends last first."""
    run = RunRow
    query = (
        select(run.id, run.window_from, run.window_to, run.started_at)
        .join(_NEWEST, _NEWEST.c.run_id == run.id)
        .where(_NEWEST.c.municipality == municipality, _NEWEST.c.lens == EVERYTHING)
        .order_by(run.window_to.desc(), run.window_from.desc(), run.id.desc())
    )
    with explained(engine), engine.connect() as connection:
        return tuple(CountedWindow(*row) for row in connection.execute(query))


def gazetteer_of(engine: Engine, run_id: str) -> str | None:
    """Return by what places a run counted; nothing where it counted none."""
    row = InsightPlace.__table__.c
    query = select(row.gazetteer).where(row.run_id == run_id).limit(1)
    with explained(engine), engine.connect() as connection:
        found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def lens_frame(engine: Engine, table: type[Base], run_id: str, lens: str) -> pd.DataFrame:
    """Return a run's rows of an insight table under one lens, in the order of its key."""
    columns = table.__table__.c
    keys = [one for one in columns if one.primary_key]
    query = select(*columns).where(columns.run_id == run_id, columns.lens == lens).order_by(*keys)
    with explained(engine), engine.connect() as connection:
        return pd.read_sql(query, connection)


def series_frame(
    engine: Engine, run_id: str, lens: str, grain: str, dimensions: tuple[str, str]
) -> pd.DataFrame:
    """Return the rows of `insight_series` of one grain and dimension, or pair of dimensions."""
    row = InsightSeries.__table__.c
    query = (
        select(*row)
        .where(
            row.run_id == run_id,
            row.lens == lens,
            row.grain == grain,
            row.dimension == dimensions[0],
            row.second_dimension == dimensions[1],
        )
        .order_by(row.period, row.value, row.second_value)
    )
    with explained(engine), engine.connect() as connection:
        return pd.read_sql(query, connection)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The days of one source in one stage of a run that ended alike, and one reason given."""

    source: str
    stage: str
    state: str
    days: int
    rows: int
    reason: str | None


def ledger_of(engine: Engine, run_id: str) -> tuple[Ledger, ...]:
    """Return what a run did, by source, stage and state."""
    row = PartitionRow
    query = (
        select(
            row.source, row.stage, row.state, func.count(), func.sum(row.rows), func.max(row.error)
        )
        .where(row.run_id == run_id)
        .group_by(row.source, row.stage, row.state)
        .order_by(row.source, row.stage, row.state)
    )
    with explained(engine), engine.connect() as connection:
        return tuple(Ledger(*found) for found in connection.execute(query))
