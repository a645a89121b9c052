"""Which windows were counted: what a reader may choose from. Nothing here writes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, column, select, table

from models.labels import EVERYTHING
from models.tables import RunRow
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
