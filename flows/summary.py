"""What a run did, for a person and for a program."""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from models.records import State
from pipelines.collect import Collected
from pipelines.store.collecting import Saved

EXIT_CODES = {State.DONE: 0, State.PARTIAL: 3, State.FAILED: 1}


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The outcome of one run.

    ``sources`` are those that the run was to read. How many were read for every day of the window
    is told as its coverage tells it: by this run, an earlier one, or an import.
    """

    run_id: str
    municipality: str
    window_from: date
    window_to: date
    state: State
    model_version: str
    sources: tuple[Collected, ...]
    sources_read: int
    sources_configured: int
    in_window: int
    classified: int
    findings: int
    report: Path

    @property
    def exit_code(self) -> int:
        """0 done, 3 done in part, 1 nothing could be read."""
        return EXIT_CODES[self.state]

    def as_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            **asdict(self),
            "window_from": self.window_from.isoformat(),
            "window_to": self.window_to.isoformat(),
            "report": str(self.report),
        }


def overall_state(sources: list[Collected]) -> State:
    """Judge a run by its sources: failed if none was read, partial if one was not.

    A source that was not due says nothing of the run.
    """
    sources = [source for source in sources if source.state is not State.UNREAD]
    if all(source.state is State.DONE for source in sources):
        return State.DONE
    if all(source.state is State.FAILED for source in sources):
        return State.FAILED
    return State.PARTIAL


def show(summary: RunSummary, console: Console) -> None:
    """Print the summary as a table, then where the report lies."""
    table = Table(title=f"Run {summary.run_id} · {summary.municipality} · {summary.state}")
    for name in ("source", "state", "new", "changed", "gone", "known", "rejected", "ignored"):
        table.add_column(name, justify="left" if name in ("source", "state") else "right")
    for source in summary.sources:
        table.add_row(source.source, source.state, *_numbers(source.saved, source))
    total = sum((source.saved for source in summary.sources), Saved())
    table.add_section()
    table.add_row(
        "all",
        summary.state,
        f"{total.new:,}",
        f"{total.changed:,}",
        f"{sum(s.gone for s in summary.sources):,}",
        f"{total.known:,}",
        f"{sum(s.rejected for s in summary.sources):,}",
        f"{sum(s.ignored for s in summary.sources):,}",
    )
    console.print(table)
    for source in summary.sources:
        if source.reason:
            console.print(f"[bold]{source.source}[/bold]: ", end="")
            console.print(source.reason, markup=False)
        for warning in source.warnings:
            console.print(f"[bold]{source.source}[/bold], warning: ", end="")
            console.print(warning, markup=False)
    console.print(
        f"Window {summary.window_from} to {summary.window_to} (not included): "
        f"{summary.in_window:,} manifestations, {summary.classified:,} classified in this run by "
        f"{summary.model_version}; {summary.sources_read} of {summary.sources_configured} sources "
        "read for all of its days."
    )
    console.print(
        f"{summary.findings} findings; `manifiesta findings -m {summary.municipality}` tells them."
    )
    console.print(f"Report: {summary.report}", soft_wrap=True)


def _numbers(saved: Saved, source: Collected) -> tuple[str, ...]:
    values = (saved.new, saved.changed, source.gone, saved.known, source.rejected, source.ignored)
    return tuple(f"{value:,}" for value in values)
