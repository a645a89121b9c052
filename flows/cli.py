"""The command line `manifiesta`.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done in part. Each verb imports
what it needs when it runs, so that `--help` answers at once.
"""

import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from flows.commands import (
    counting,
    demands,
    evaluating,
    findings,
    house,
    language,
    match,
    people,
    privacy,
    reading,
    serving,
    town,
    users,
)
from models.errors import ManifiestaError

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
    reading,
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
        app()
    except ManifiestaError as error:
        typer.echo(f"manifiesta: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"manifiesta: {where}{error.strerror or error}", err=True)
        sys.exit(1)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
