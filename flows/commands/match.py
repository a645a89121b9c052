"""Verbs about matchmaking records: import, export, list, indicators, verify."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.commands import bridging, planning, selecting
from flows.commands.options import Json, print_json

Kind = Annotated[str | None, typer.Option("--type", help="The table: startup, pilot, entity, …")]

app = typer.Typer(
    no_args_is_help=True,
    epilog="Start with: manifiesta match import govlink-2021-2022",
    help="Matchmaking: records, blind selection, from an insight to a call, pilots, dossier.",
)


class Form(StrEnum):
    """The forms that records can leave the house in."""

    JSON = "json"
    CSV = "csv"


def register(root: typer.Typer) -> None:
    """Add the verbs to the command line."""
    command = app.command
    command("import", epilog="Example: manifiesta match import govlink-2021-2022")(import_file)
    command("export", epilog="Example: manifiesta match export --type startup --format csv")(
        export_kinds
    )
    command("list", epilog="Example: manifiesta match list pilot")(list_records)
    command("indicators", epilog="Example: manifiesta match indicators --pilot ate-2021")(
        show_indicators
    )
    command("verify", epilog="Example: manifiesta match verify")(verify_audit)
    selecting.register(app)
    bridging.register(app)
    planning.register(app)
    root.add_typer(app, name="match")


def import_file(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A file, or a shipped one's name.")],
    kind: Kind = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let records differ from those stored.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import records from YAML, JSON or CSV: all of a file, or nothing with every reason."""
    from dataclasses import asdict

    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.match.exchange import import_records

    done = import_records(open_store(Settings.load()).engine, path, kind, replace=replace)
    if as_json:
        problems = [asdict(problem) for problem in done.problems]
        print_json({"records": dict(done.records), "refused": problems})
    else:
        for problem in done.problems:
            typer.echo(str(problem), err=True)
        if done.refused:
            count = sum(not problem.warning for problem in done.problems)
            typer.echo(f"{count} records refused; nothing was written.", err=True)
        else:
            said = ", ".join(f"{count} {name}" for name, count in done.records.items())
            typer.echo(f"Imported: {said or 'nothing, the file holds no records'}.")
    raise typer.Exit(2 if done.refused else 0)


def export_kinds(
    kind: Kind = None,
    form: Annotated[Form, typer.Option("--format", help="json, or csv for one type.")] = Form.JSON,
    out: Annotated[Path | None, typer.Option(help="File; the terminal if not given.")] = None,
) -> None:
    """Write records as they can be imported again; applications and identities stay here."""
    from configs.settings import Settings
    from flows.house import open_store
    from models.match_records import KINDS
    from pipelines.match.exchange import export_records

    engine = open_store(Settings.load()).engine
    text = export_records(engine, [kind] if kind else KINDS, form)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"Written: {out}")


def list_records(
    kind: Annotated[str, typer.Argument(help="The table: entity, startup, pilot, fact, …")],
    as_json: Json = False,
) -> None:
    """List the records of a table."""
    from rich.console import Console
    from rich.table import Table

    from configs.settings import Settings
    from flows.house import open_store
    from models.errors import InputError
    from models.match_records import KINDS, record_type
    from pipelines.store.records import stored

    if kind not in KINDS:
        raise InputError(f"There is no kind of record «{kind}». There are {', '.join(KINDS)}.")
    rows = stored(open_store(Settings.load()).engine, kind)
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo(f"No {kind} yet. `manifiesta match import FILE` brings records in.")
        return
    names = [name for name in record_type(kind).model_fields if any(row[name] for row in rows)]
    table = Table(title=f"{kind}: {len(rows)}")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        cells = (row[name] for name in names)
        table.add_row(*("" if cell in (None, [], {}) else str(cell) for cell in cells))
    Console().print(table)


def show_indicators(
    pilot: Annotated[str | None, typer.Option(help="Only of this pilot.")] = None,
    as_json: Json = False,
) -> None:
    """Compute the indicators of the logical framework, each with its numerator and denominator."""
    from dataclasses import asdict

    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.match.logframe import indicators

    values = indicators(open_store(Settings.load()).engine, pilot)
    if as_json:
        print_json([asdict(value) for value in values])
        return
    if not values:
        typer.echo("No indicator yet. `manifiesta match import govlink-2021-2022` brings three.")
    for value in values:
        typer.echo(f"{value.code} [{value.level}] {value.kpi}: {value.said}")
        typer.echo(f"   source of verification: {value.verification}")


def verify_audit(
    head: Annotated[
        str | None, typer.Option(help="A digest noted earlier, that must be in the chain.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the audit's hash chain and the seals of all scores. Exit 1: something was changed."""
    from dataclasses import asdict

    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.match.blind import changed_scores
    from pipelines.store.audit import verify

    engine = open_store(Settings.load()).engine
    found, changed = verify(engine, head), changed_scores(engine)
    if as_json:
        print_json({**asdict(found), "whole": found.whole, "changed_scores": changed})
        raise typer.Exit(0 if found.whole and not changed else 1)
    for call, official in changed:
        typer.echo(f"{call}: the scores of {official} are not those that were sealed.", err=True)
    if found.broken is not None:
        typer.echo(f"BROKEN at event {found.broken}: {found.why}.", err=True)
    elif not found.whole:
        typer.echo(
            "The noted digest is not in the chain: its end was cut off, or it was made anew.",
            err=True,
        )
    else:
        typer.echo(f"{found.events} events, every link fits. Head: {found.head}")
        if found.older:
            typer.echo(f"{found.older} events are older than the chain and not covered by it.")
        typer.echo("Note the head somewhere else: `match verify --head` compares with it later.")
    raise typer.Exit(0 if found.whole and not changed else 1)
