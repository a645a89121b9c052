"""How the installation stands: what is running, what ran, what failed, and what to do about it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from models.records import Condition, State
from models.tables import RunRow
from pipelines.lease import PATIENCE, is_running
from pipelines.store.crawled import source_health
from pipelines.store.leases import Held, held
from pipelines.store.ledger import lines_of
from pipelines.store.read import latest_runs

_LOOKED_AT = 200
_LINES = 10
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """Sentences for a person, each list the most urgent first."""

    running: Sequence[str]
    latest: Sequence[str]
    failed: Sequence[str]
    todo: Sequence[str]

    def lines(self) -> list[str]:
        """Return at most ten lines; of what ran as much as what matters more leaves room for."""
        urgent = [*self.running[:2], *self.failed[:3], *(f"→ {each}" for each in self.todo[:2])]
        ran = self.latest[: _LINES - len(urgent)]
        return [*self.running[:2], *ran, *urgent[len(self.running[:2]) :]]


def standing(engine: Engine, municipality: str | None, now: datetime) -> Standing:
    """Look at leases, ledger and sources of one municipality, or of all."""
    runs = latest_runs(engine, municipality, _LOOKED_AT)
    newest: dict[str, RunRow] = {}
    for run in runs:
        newest.setdefault(run.municipality, run)
    leases = held(engine, municipality)
    at_work = {each.lease.municipality for each in leases if _lives(each, now)}
    dead = [run for run in runs if run.state == State.RUNNING and run.municipality not in at_work]
    quarantined = {
        code: sorted(
            name
            for name, health in source_health(engine, code).items()
            if health.state is Condition.QUARANTINED
        )
        for code in newest
    }
    failed = [*_failures(engine, newest.values(), dead), *_resting(quarantined)]
    todo = list(_todo(newest, dead, quarantined, at_work))
    return Standing(
        [_at_work(each, now) for each in leases if _lives(each, now)] or ["Nothing is running."],
        [_ran(run) for run in runs if run.state != State.RUNNING],
        failed or ["Nothing has failed."],
        todo or ["Nothing to do."],
    )


def _lives(lease: Held, now: datetime) -> bool:
    seen = is_running(lease.process)
    return (now - lease.beaten_at).total_seconds() < 2 * PATIENCE if seen is None else seen


def _at_work(lease: Held, now: datetime) -> str:
    beat = max(0, round((now - lease.beaten_at).total_seconds()))
    return (
        f"Running: {lease.lease.municipality} ({lease.lease.lane}) on {lease.host} since "
        f"{lease.taken_at:%Y-%m-%d %H:%M} UTC, last sign of life {beat} s ago"
    )


def _ran(run: RunRow) -> str:
    took = f", {_minutes(run)} min" if run.finished_at else ""
    return (
        f"{run.state:7} {run.municipality}: {run.command} {run.id}, "
        f"{run.window_from} to {run.window_to}{took}"
    )


def _minutes(run: RunRow) -> int:
    return round(((run.finished_at or run.started_at) - run.started_at).total_seconds() / 60)


def _failures(engine: Engine, newest: Iterable[RunRow], dead: Sequence[RunRow]) -> Iterator[str]:
    for run in dead:
        yield f"Dead: {run.municipality}: run {run.id} is noted as running, but no process does it"
    for run in newest:
        if run.state == State.FAILED:
            yield f"Failed: {run.municipality}: run {run.id}: {run.error or 'no source was read'}"
        elif run.state == State.PARTIAL:
            lines = [one for one in lines_of(engine, run.id) if one.state is not State.DONE]
            sources = sorted({line.source for line in lines})
            yield (
                f"In part: {run.municipality}: run {run.id}: {len(lines):,} partitions of "
                f"{', '.join(sources[:_NAMED])}{' …' if len(sources) > _NAMED else ''}"
            )


def _resting(quarantined: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for code, names in quarantined.items():
        if names:
            yield f"In quarantine: {code}: {', '.join(names[:_NAMED])}"


def _todo(
    newest: Mapping[str, RunRow],
    dead: Sequence[RunRow],
    quarantined: Mapping[str, Sequence[str]],
    at_work: Collection[str],
) -> Iterator[str]:
    if not newest:
        yield "manifiesta sandbox run"
    stopped = {run.municipality for run in dead}
    for code, run in newest.items():
        resumable = run.command in ("run", "replay", "rerun")
        if code in stopped or (run.state == State.FAILED and resumable and code not in at_work):
            yield f"manifiesta resume -m {code}"
        elif run.state == State.PARTIAL and resumable:
            yield f"manifiesta sources list -m {code}   (why), then manifiesta resume -m {code}"
        if quarantined[code]:
            yield f"manifiesta sources release -m {code} {quarantined[code][0]}   (once mended)"
