"""Progress bars on standard error, silent where nobody watches."""

from collections.abc import Callable
from datetime import timedelta
from math import ceil

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

_ENOUGH = 3
"""Steps that must be done before a time is told: the first ones load models and caches."""


class SoberEta(ProgressColumn):
    """The time that is left at the speed of all that was done so far, rounded up, never down."""

    max_refresh = 1.0

    def render(self, task: Task) -> Text:
        """Return nothing until there is enough to judge by."""
        left = remaining(task.completed, task.total, task.elapsed)
        return Text("" if left is None or task.finished else f"about {left} left")


def remaining(done: float, total: float | None, elapsed: float | None) -> timedelta | None:
    """Return the time that is left, in whole minutes from two minutes on, else in tens of seconds.

    Args:
        done: steps done.
        total: steps in all.
        elapsed: seconds since the first began.
    """
    if total is None or elapsed is None or done < _ENOUGH or done < total / 50:
        return None
    seconds = elapsed / done * (total - done)
    step = 60 if seconds > 120 else 10
    return timedelta(seconds=ceil(seconds / step) * step)


def progress_bar(*, shown: bool) -> Progress:
    """Return a progress display; it prints nothing unless a terminal watches."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        SoberEta(),
        console=console,
        disable=not (shown and console.is_terminal),
    )


def reporter(progress: Progress, description: str) -> Callable[[int, int], None]:
    """Add a bar and return the callable that moves it: (done, total)."""
    bar = progress.add_task(description, total=None)

    def move(done: int, total: int) -> None:
        progress.update(bar, completed=done, total=total)

    return move
