"""Options that several verbs share, and how their answers are printed."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

Code = Annotated[
    str,
    typer.Option(
        "--municipality",
        "-m",
        help="Code of a municipality, or the path of its file.",
        show_default=False,
    ),
]
From = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First local day of the window."),
]
To = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="The day after the last of the window."),
]
Model = Annotated[
    Path | None, typer.Option(help="Folder of a model; the shipped weights if not given.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]


def as_day(moment: datetime | None) -> date | None:
    """Return the day of an option, if it was given."""
    return None if moment is None else moment.date()


def print_json(value: Any) -> None:
    """Print a value as JSON, with letters as they are."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
