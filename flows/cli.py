"""The command line `manifiesta`.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done in part. Each verb imports
what it needs when it runs, so that `--help` answers at once.
"""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer

from flows.commands import (
    counting,
    demands,
    evaluating,
    findings,
    house,
    keeping,
    language,
    match,
    people,
    privacy,
    reading,
    rerunning,
    scheduling,
    serving,
    town,
    users,
)
from flows.logs import set_up_logs
from models.errors import ManifiestaError

INTERRUPTED = 130
"""Exit code of a command that was stopped, as shells have it."""

GRACE = 10.0
"""Seconds that a command has, once it is told to end, to close what it has open."""

_STOPPED = (
    "stopped. What was done so far is kept; `manifiesta resume`, or the same command again, goes "
    "on from there."
)

app = typer.Typer(
    name="manifiesta",
    epilog="Start with: manifiesta sandbox run",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("manifiesta"))
        raise typer.Exit


@app.callback()
def _program(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Citizen-sentiment engine for municipalities: collect, classify, count, report."""


for verbs in (
    town,
    house,
    keeping,
    reading,
    rerunning,
    scheduling,
    language,
    evaluating,
    counting,
    findings,
    demands,
    people,
    serving,
    users,
    privacy,
    match,
):
    verbs.register(app)


def main() -> None:
    """Run the command line and leave with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        set_up_logs()
        app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            typer.echo(f"manifiesta: {_STOPPED}", err=True)
        raise
    except ManifiestaError as error:
        typer.echo(f"manifiesta: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"manifiesta: {where}{error.strerror or error}", err=True)
        sys.exit(1)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """Stop as Ctrl-C does; at once if that takes too long, say because of a native thread."""
    patience = threading.Timer(GRACE, _leave_at_once)
    patience.daemon = True
    patience.start()
    raise KeyboardInterrupt


def _leave_at_once() -> None:
    sys.stderr.write(f"manifiesta: {_STOPPED}\n")
    sys.stderr.flush()
    os._exit(INTERRUPTED)
