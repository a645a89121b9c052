"""Progress bars on standard error, silent where nobody watches."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def progress_bar(*, shown: bool) -> Progress:
    """Return a progress display; it prints nothing unless a terminal watches."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not (shown and console.is_terminal),
    )


def reporter(progress: Progress, description: str) -> Callable[[int, int], None]:
    """Add a bar and return the callable that moves it: (done, total)."""
    bar = progress.add_task(description, total=None)

    def move(done: int, total: int) -> None:
        progress.update(bar, completed=done, total=total)

    return move
