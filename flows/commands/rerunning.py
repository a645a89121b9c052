"""Verbs for longer windows: rerun, resume."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Code, From, Json, To, as_day, print_json
from models.errors import ConfigError
from models.records import Stage

if TYPE_CHECKING:
    from datetime import date

    from flows.rerun import Request


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command(
        "rerun",
        epilog="Example: manifiesta rerun -m ate --from 2021-04-01 --to 2021-08-01 --replay",
    )(rerun)
    app.command("resume", epilog="Example: manifiesta resume -m ate")(resume)


def rerun(  # noqa: PLR0913, PLR0917 - each is an option
    municipality: Code,
    start: From = None,
    end: To = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Derive the whole window from the archive again.")
    ] = False,
    recrawl: Annotated[
        bool, typer.Option("--recrawl", help="Ask the sources for the whole window again.")
    ] = False,
    model: Annotated[
        Path | None, typer.Option(help="Folder of another model; only classifies, never reads.")
    ] = None,
    taxonomy: Annotated[
        str | None, typer.Option(help="Version of the taxonomy, or the path of another one.")
    ] = None,
    only: Annotated[Stage | None, typer.Option(help="Do only this stage.")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", "--sources", help="Only this source. May be given again."),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="Run to compare with; the newest of another window if not given."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Read relative source addresses from this server.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Derive a longer window again: do what is missing or stale, and compare the result.

    Without --replay or --recrawl only days that no run has read to the end are asked for. It can
    be stopped at any moment; `manifiesta resume` goes on.
    """
    if replay and recrawl:
        raise ConfigError("--replay reads the archive and --recrawl the sources: choose one.")
    _prepare()
    from flows.rerun import Request
    from pipelines.rerun import How

    how = How.REPLAY if replay else How.RECRAWL if recrawl else How.MISSING
    request = Request(
        how=how,
        only=only,
        sources=tuple(name for given in source or () for name in given.split(",")),
        model=str(model.absolute()) if model else None,
        taxonomy=taxonomy,
        baseline=baseline,
        base_url=base_url,
    )
    if dry_run:
        _show_plan(municipality, request, as_day(start), as_day(end), as_json=as_json)
        return
    _run(municipality, request, as_day(start), as_day(end), None, as_json=as_json)


def resume(
    municipality: Code,
    run_id: Annotated[
        str | None, typer.Option("--run", help="Which; the newest if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Go on with a run that was stopped, killed or done only in part."""
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from pipelines.store.ledger import unfinished_run
    from pipelines.store.read import find_run

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    engine = open_store(settings).engine
    chosen = run_id or unfinished_run(engine, place.code)
    if chosen is None:
        typer.echo(f"Nothing of {place.code} is left to resume: its newest run is done.")
        return
    run = find_run(engine, chosen)
    _prepare()
    options = run.options or {}
    if run.command == "rerun":
        from flows.rerun import Request

        request = Request.read(options)
        _run(municipality, request, run.window_from, run.window_to, run.id, as_json=as_json)
    elif run.command in ("run", "replay"):
        from flows.commands.reading import finish
        from flows.monitor import monitor

        typer.echo(f"Run {run.id} goes on as a new run of the same window.", err=True)
        summary = monitor(
            municipality,
            run.window_from,
            run.window_to,
            options.get("base_url"),
            show_progress=not as_json,
            replay=run.command == "replay",
        )
        finish(summary, as_json=as_json)
    else:
        raise ConfigError(f"Run {run.id} is of `{run.command}`: do that again, it repeats nothing.")


def _prepare() -> None:
    from configs.settings import Settings
    from flows.environment import prepare_prefect

    prepare_prefect(Settings.load().home)


def _run(
    municipality: str,
    request: "Request",
    start: "date | None",
    end: "date | None",
    resumed: str | None,
    *,
    as_json: bool,
) -> None:
    from rich.console import Console

    from configs.settings import Settings
    from flows.comparisons import rerun_lines
    from flows.rerun import rerun
    from flows.runners import task_runner

    running = rerun.with_options(task_runner=task_runner(Settings.load()))
    summary = running(municipality, start, end, request, resumed=resumed, show_progress=not as_json)
    if as_json:
        print_json(summary.as_json())
    else:
        console = Console()
        for line in rerun_lines(summary):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
    raise typer.Exit(summary.exit_code)


def _show_plan(
    municipality: str,
    request: "Request",
    start: "date | None",
    end: "date | None",
    *,
    as_json: bool,
) -> None:
    from flows.rerun import planned

    found = planned(municipality, request, start, end)
    if as_json:
        print_json(found)
        return
    typer.echo(f"{found['window_from']} to {found['window_to']} (not included), nothing was done:")
    for stage in found["stages"]:
        typer.echo(f"  {stage['stage']:9} {stage['partitions']:7,} partitions: {stage['what']}")
