"""How complete a window is: which sources were read, for which of its days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from configs.schema import Municipality
from models.records import State, Window
from pipelines.store.read import Attempt, collect_attempts


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """What is known of one source in a window; ``days`` are those that were read to the end."""

    state: State
    days: frozenset[date]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The sources of a window and how far each was read."""

    window: Window
    sources: Mapping[str, SourceCoverage]

    @property
    def sources_read(self) -> int:
        """Sources that were read for every day of the window."""
        return sum(source.state is State.DONE for source in self.sources.values())

    @property
    def complete_days(self) -> frozenset[date]:
        """Days for which every source was read."""
        if not self.sources:
            return frozenset()
        return frozenset(self.window.days).intersection(*(s.days for s in self.sources.values()))


def coverage(engine: Engine, municipality: Municipality, window: Window, run_id: str) -> Coverage:
    """Judge the coverage of a window from the ledger of all runs.

    A day of a source that this run read, or failed to read, counts as this run found it. Another
    counts as earlier runs left it: a day is read if some run read the source after it was over.
    A source whose files are imported is one of the window's if an import covers a day of it.
    """
    attempts: dict[str, list[Attempt]] = {source.name: [] for source in municipality.crawled}
    for attempt in collect_attempts(engine, municipality.code, window):
        attempts.setdefault(attempt.source, []).append(attempt)
    return Coverage(
        window, {name: _judge(tries, window, run_id) for name, tries in attempts.items()}
    )


def _judge(attempts: list[Attempt], window: Window, run_id: str) -> SourceCoverage:
    mine = [attempt for attempt in attempts if attempt.run_id == run_id]
    settled = {attempt.day for attempt in mine}
    relevant = [*mine, *(attempt for attempt in attempts if attempt.day not in settled)]
    read = frozenset(
        attempt.day
        for attempt in relevant
        if attempt.state is State.DONE and window.day_of(attempt.started_at) > attempt.day
    )
    reason = next((attempt.error for attempt in relevant if attempt.error), None)
    if read >= set(window.days):
        return SourceCoverage(State.DONE, read)
    if read or any(attempt.state in (State.PARTIAL, State.DONE) for attempt in relevant):
        return SourceCoverage(State.PARTIAL, read, reason)
    return SourceCoverage(State.FAILED if attempts else State.UNREAD, read, reason)
