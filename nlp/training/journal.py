"""What training leaves behind: a loss curve in JSON lines, progress, and file checksums."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


class Journal:
    """Append-only log of a training run: one JSON object a line."""

    def __init__(self, path: Path) -> None:
        """Open the log at `path`; earlier lines are kept."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    def write(self, **fields: object) -> None:
        """Append one line."""
        with self._path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(fields, ensure_ascii=False) + "\n")


@contextmanager
def progress_bar(what: str, total: int, done: int = 0) -> Iterator[ProgressStep]:
    """Show a progress bar on standard error; yields an object whose `advance` moves it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, completed=done, note="")
        yield ProgressStep(bar, task)


class ProgressStep:
    """A handle on one progress bar."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        """Bind a bar and its task."""
        self._bar, self._task = bar, task

    def advance(self, note: str) -> None:
        """Move one step on and show `note` beside the bar."""
        self._bar.update(self._task, advance=1, note=note)
