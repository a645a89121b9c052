"""Appoint the runs of the Prefect server that we start ourselves.

The scheduler of Prefect 3.8.8 cannot write runs with SQLAlchemy 2.1, which the lock file has
(«Can't evaluate bulk DML statement»). A server that runs elsewhere brings its own SQLAlchemy and
appoints them itself.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Event, Thread

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.schedules import Schedule
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.states import Scheduled

from configs.schema import Municipality
from flows.schedule import FLOW, schedule_of

_EVERY_SECONDS = 20.0
_LOG = logging.getLogger(__name__)


class Clock:
    """Appoints the next run of each municipality for as long as it goes; a context manager."""

    def __init__(self, places: Iterable[Municipality]) -> None:
        self._places = list(places)
        self._ended = Event()
        self._thread = Thread(target=self._go, daemon=True)

    def __enter__(self) -> "Clock":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join(_EVERY_SECONDS)

    def _go(self) -> None:
        with get_client(sync_client=True) as client:
            while not self._ended.wait(_EVERY_SECONDS):
                for place in self._places:
                    try:
                        appoint(client, place, datetime.now(UTC))
                    except (HTTPError, PrefectHTTPStatusError) as error:  # the next look may do
                        _LOG.warning("%s: no run appointed: %s", place.code, type(error).__name__)


def appoint(client: SyncPrefectClient, place: Municipality, now: datetime) -> datetime:
    """Appoint the next run of a municipality, once however often it is asked; return when."""
    when = next_time(schedule_of(place), now)
    deployment = client.read_deployment_by_name(f"{FLOW}/{place.code}")
    client.create_flow_run_from_deployment(
        deployment.id,
        state=Scheduled(scheduled_time=when),
        idempotency_key=f"{place.code} {when.astimezone(UTC).isoformat()}",
    )
    return when


def next_time(schedule: Schedule, now: datetime) -> datetime:
    """Return the first moment of a schedule that is not before ``now``."""
    times: CronSchedule | IntervalSchedule
    if schedule.cron is not None:
        times = CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    else:
        times = IntervalSchedule.model_validate(
            {
                "interval": schedule.interval,
                "anchor_date": schedule.anchor_date,
                "timezone": schedule.timezone,
            }
        )
    (when,) = asyncio.run(times.get_dates(1, start=now))
    return when
