"""When a source is read: failing ones rest, idle ones are asked less often."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from configs.schema import Collection, Municipality, Source
from models.reasons import Reason
from models.records import Condition, Failure, Health, State

IDLE_AFTER = 3
"""Runs in a row without anything new after which an adaptive source is read less often."""

FIRST_REST = timedelta(hours=6)
"""How long it then rests at first; twice as long after each further one."""

_LONGEST_EXPONENT = 30


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run made of a source: ``is_new`` if it gave anything that was not stored.

    ``reach`` is back to when it has been read, if not to the very beginning.
    """

    state: State
    failure: Failure | None
    reason: str
    is_new: bool
    is_complete: bool
    reach: datetime | None = None


def is_due(health: Health | None, now: datetime) -> bool:
    """Say whether a run is to read a source."""
    return health is None or health.next_due is None or health.next_due <= now


def after_failure(health: Health, reason: str, rules: Collection, now: datetime) -> Health:
    """Return the health of a source that could not be read once more."""
    failures = health.failures + 1
    beyond = failures - rules.quarantine_after
    if beyond < 0:
        return replace(
            health, state=Condition.FAILING, failures=failures, reason=reason, next_due=None
        )
    rest = _doubled(timedelta(hours=rules.quarantine_hours), beyond)
    return replace(
        health,
        state=Condition.QUARANTINED,
        failures=failures,
        reason=reason,
        next_due=now + min(rest, timedelta(days=rules.quarantine_days)),
    )


def after_success(
    health: Health, source: Source, rules: Collection, reading: Reading, now: datetime
) -> Health:
    """Return the health of a source that was read."""
    unchanged = 0 if reading.is_new else health.unchanged + 1
    due = None
    if source.poll == "adaptive" and unchanged >= IDLE_AFTER:
        rest = _doubled(FIRST_REST, unchanged - IDLE_AFTER)
        due = now + min(rest, timedelta(hours=rules.idle_hours))
    return Health(
        unchanged=unchanged,
        complete=reading.is_complete,
        reach=reading.reach,
        last_success=now,
        next_due=due,
    )


def after_crawl(
    health: Health, source: Source, rules: Collection, reading: Reading, now: datetime
) -> Health:
    """Return the health of a source after a crawl, however that ended.

    A crawl that read nothing for a reason that is none of the source's, such as a full disk,
    leaves its health as it was.
    """
    if reading.state is not State.FAILED:
        return after_success(health, source, rules, reading, now)
    if reading.failure in (Failure.HARD, Failure.TEMPORARY):
        return after_failure(health, reading.reason, rules, now)
    return health


def released(health: Health) -> Health:
    """Return the health of a source that a person wants read again by the next run."""
    return replace(health, state=Condition.ACTIVE, failures=0, unchanged=0, next_due=None)


def why_resting(health: Health, municipality: Municipality) -> str:
    """Say in one sentence why a source is not read now, and when it is again."""
    due = (health.next_due or datetime.now(UTC)).astimezone(municipality.zone)
    when = f"{due:%Y-%m-%d %H:%M}"
    if health.state is Condition.QUARANTINED:
        number, why = health.failures, health.reason
        return Reason.QUARANTINED.said(number=number, why=why, when=when)
    return Reason.IDLE.said(number=health.unchanged, when=when)


def _doubled(span: timedelta, times: int) -> timedelta:
    return span * 2 ** min(times, _LONGEST_EXPONENT) if times < _LONGEST_EXPONENT else timedelta.max
