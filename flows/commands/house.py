"""Verbs about the installation itself: init, validate, status, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import Json, print_json


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("init", epilog="Example: MANIFIESTA_HOME=/srv/manifiesta manifiesta init")(init)
    app.command("validate", epilog="Example: manifiesta validate municipalities/ate.yml")(validate)
    app.command("status", epilog="Example: manifiesta status")(status)
    app.command("doctor", epilog="Example: manifiesta doctor --json")(doctor)


def init() -> None:
    """Make the home folder, the database and the key of pseudonyms, or bring them up to date."""
    from configs.settings import Settings
    from flows.house import open_store

    settings = Settings.load()
    for folder in (settings.home, settings.municipalities, settings.reports):
        folder.mkdir(parents=True, exist_ok=True)
    settings.archive.mkdir(mode=0o700, exist_ok=True)
    settings.pseudonym_secret()
    url = open_store(settings).engine.url.render_as_string(hide_password=True)
    typer.echo(f"Home: {settings.home.absolute()}")
    typer.echo(f"Database: {url}")
    typer.echo(f"Your municipality's file goes into {settings.municipalities.absolute()}")
    typer.echo("Next: manifiesta sandbox run")


def validate(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Municipality files; all of them if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print every problem of the configuration with its file, line and remedy."""
    from dataclasses import asdict

    from configs.check import check_file, check_taxonomy
    from configs.load import list_municipalities
    from configs.matchmaking import check_matchmaking
    from configs.schema import SHIPPED
    from configs.settings import Settings

    chosen = files or list(list_municipalities(Settings.load().municipalities).values())
    problems = [problem for file in chosen for problem in check_file(file)]
    if not files:
        problems += check_taxonomy(SHIPPED / "taxonomy.yml") + check_matchmaking()
    errors = sum(not problem.warning for problem in problems)
    if as_json:
        print_json([{**asdict(p), "file": str(p.file)} for p in problems])
    else:
        for problem in problems:
            typer.echo(str(problem))
        typer.echo(
            f"{len(chosen)} municipality files: {errors} errors, {len(problems) - errors} warnings"
        )
    raise typer.Exit(2 if errors else 0)


def status(
    municipality: Annotated[
        str | None, typer.Option("--municipality", "-m", help="Only this municipality.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say in ten lines what is running, what ran, what failed, and what to do."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.standing import standing
    from pipelines.store.read import latest_runs

    engine = open_store(Settings.load()).engine
    found = standing(engine, municipality, datetime.now(UTC))
    if as_json:
        names = ("id", "municipality", "command", "window_from", "window_to", "state", "error")
        runs = latest_runs(engine, municipality, limit=10)
        print_json(
            asdict(found) | {"runs": [{name: getattr(run, name) for name in names} for run in runs]}
        )
        return
    for line in found.lines():
        typer.echo(line)


def doctor(as_json: Json = False) -> None:
    """Say what is installed, which database and model are used, and what is missing."""
    from flows.diagnosis import diagnose

    findings = diagnose()
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        for finding in findings:
            typer.echo(str(finding))
    raise typer.Exit(1 if any(finding.broken for finding in findings) else 0)
