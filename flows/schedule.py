"""Monitoring by the clock: one deployment a municipality, never two runs of it at once.

Deploy ``flows.schedule.on_schedule``; `manifiesta schedule` serves it, ``prefect.yaml`` puts it
into a work pool.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import (
    ConcurrencyLimitConfig,
    ConcurrencyLimitStrategy,
)
from prefect.client.schemas.objects import State as PrefectState
from prefect.deployments.runner import RunnerDeployment
from prefect.runtime import flow_run
from prefect.schedules import Cron, Interval
from prefect.schedules import Schedule as PrefectSchedule
from prefect.states import Cancelled, Completed, Failed
from prefect.types.entrypoint import EntrypointType

from configs.schema import Municipality
from configs.settings import Settings
from flows.house import open_municipality, open_store
from flows.monitor import monitor
from models.errors import BusyError, ConfigError
from models.records import State
from pipelines.store.ledger import started_since

ONE_AT_A_TIME = ConcurrencyLimitConfig(
    limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
)
"""A run that is due while another of the municipality is under way is not queued behind it."""


FLOW = "on-schedule"

_ANCHOR = datetime(2020, 1, 1)  # noqa: DTZ001 - midnight on whichever clocks


@flow(name=FLOW, persist_result=False)
def on_schedule(municipality: str) -> PrefectState[Any]:
    """Do a monitoring run that is due, unless a later one has done its work already.

    After an outage many runs may be due at once: the first reads everything, and the others find
    that it began after they were due.
    """
    settings = Settings.load()
    place = open_municipality(settings, municipality)
    due: datetime | None = flow_run.get_scheduled_start_time()
    done = started_since(open_store(settings).engine, place.code, due) if due else None
    if done is not None:
        return Completed(name="Collapsed", message=f"Run {done} began after this one was due.")
    try:
        summary = monitor(municipality)
    except BusyError as busy:
        return Cancelled(message=str(busy))
    told = f"Run {summary.run_id}: {summary.state}, {summary.in_window:,} manifestations."
    if summary.state is State.FAILED:
        return Failed(message=told)
    return Completed(message=told, name=summary.state.capitalize())


def schedule_of(place: Municipality) -> PrefectSchedule:
    """Return when a municipality is run, on its own clocks.

    Raises:
        ConfigError: it has no schedule, or one that Prefect cannot read.
    """
    when = place.schedule
    if when is None:
        raise ConfigError(
            f"{place.code} has no schedule. Write one into its file, for half past five in the "
            'morning: schedule: {cron: "30 5 * * *"}'
        )
    try:
        if when.cron is not None:
            return Cron(when.cron, timezone=place.time_zone)
        span = timedelta(hours=when.every_hours or 0)
        anchor = _ANCHOR.replace(tzinfo=place.zone)
        return Interval(span, anchor_date=anchor, timezone=place.time_zone)
    except ValueError as error:
        raise ConfigError(f"{place.code}: schedule: {error}") from None


def deployments(
    places: Iterable[tuple[str, Municipality]], *, timed: bool = True
) -> list[RunnerDeployment]:
    """Return one deployment for each municipality; each comes with how it was named.

    With ``timed`` the server appoints the runs; without it `flows.clock` has to.
    """
    return [
        RunnerDeployment.from_flow(
            on_schedule,
            name=place.code,
            schedule=schedule_of(place) if timed else None,
            parameters={"municipality": named},
            concurrency_limit=ONE_AT_A_TIME,
            description=f"Monitoring of {place.name}",
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for named, place in places
    ]
