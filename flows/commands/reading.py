"""Verbs that bring manifestations in: run, import, sources."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.checking import check_sources
from flows.commands.options import Code, From, Json, To, as_day, print_json
from models.errors import ConfigError

if TYPE_CHECKING:
    from configs.schema import Municipality
    from flows.summary import RunSummary
    from models.records import Health
    from pipelines.importing import Imported

Column = Annotated[str | None, typer.Option(help="Column of the file; guessed if not given.")]

BaseUrl = Annotated[
    str | None, typer.Option(help="Read relative source addresses from this server.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("run", epilog="Example: manifiesta run --municipality ate --from 2026-01-01")(run)
    app.command(
        "import",
        epilog="Example: manifiesta import news.csv -m ate --source news --date created_at",
    )(import_records)
    sources = typer.Typer(help="The sources of a municipality.", no_args_is_help=True)
    sources.command("list", epilog="Example: manifiesta sources list -m ate")(list_sources)
    sources.command("check", epilog="Example: manifiesta sources check https://example.pe/feed")(
        check_sources
    )
    sources.command("release", epilog="Example: manifiesta sources release -m ate rpp")(
        release_source
    )
    app.add_typer(sources, name="sources")


def run(
    municipality: Code,
    start: From = None,
    end: To = None,
    base_url: BaseUrl = None,
    as_json: Json = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Read the archive again, and ask no source.")
    ] = False,
) -> None:
    """Do one monitoring run: read every source that is due, classify, count, report."""
    from configs.settings import Settings
    from flows.environment import prepare_prefect

    prepare_prefect(Settings.load().home)
    from flows.monitor import monitor

    summary = monitor(
        municipality,
        as_day(start),
        as_day(end),
        base_url,
        show_progress=not as_json,
        replay=replay,
    )
    finish(summary, as_json=as_json)


def finish(summary: "RunSummary", *, as_json: bool) -> None:
    """Print a run's summary and leave with its exit code."""
    from rich.console import Console

    from flows.summary import show

    if as_json:
        print_json(summary.as_json())
    else:
        show(summary, Console())
    raise typer.Exit(summary.exit_code)


def import_records(  # noqa: PLR0913, PLR0917 - one option for each column
    file: Annotated[Path, typer.Argument(help="A .csv, .jsonl or .xlsx file, or a .zip of them.")],
    municipality: Code,
    source: Annotated[
        str, typer.Option(help="Source that the records belong to; a new one is remembered.")
    ],
    text: Column = None,
    date: Column = None,
    title: Column = None,
    id: Column = None,  # noqa: A002 - the option is --id
    url: Column = None,
    author: Column = None,
    thread: Column = None,
    parent: Column = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="Tool that exported it, 4cat or crowdtangle; told by its columns if not given.",
        ),
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d"],
            help="First day that the file is complete for; that of its first record without it.",
        ),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="The day after the last such day."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Store the records of a file; its columns are remembered for the next time."""
    from configs.settings import Settings
    from flows.house import open_municipality, window_of
    from flows.summary import EXIT_CODES
    from flows.uploads import bring_in
    from pipelines.exports import format_named

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    covers = window_of(place, as_day(start), as_day(end)) if start or end else None
    named = {
        "text": text,
        "date": date,
        "title": title,
        "id": id,
        "url": url,
        "author": author,
        "thread": thread,
        "parent": parent,
    }
    given = {name: column for name, column in named.items() if column}
    outcome = bring_in(
        settings, place, source, file, given, format_named(form), covers, show_progress=not as_json
    )
    if as_json:
        print_json(outcome.as_json())
    else:
        show_import(outcome)
        _tell_next(outcome, place.code)
    raise typer.Exit(EXIT_CODES[outcome.state])


def show_import(outcome: "Imported") -> None:
    """Print what became of a file's rows."""
    saved = outcome.saved
    rejected = ", ".join(f"{n:,} {why}" for why, n in outcome.rejections.items()) or "none"
    typer.echo(
        f"{outcome.rows:,} rows: {saved.new:,} new, {saved.changed:,} changed, "
        f"{saved.known:,} known; not stored: {rejected}."
    )
    mapping = ", ".join(f"{k}={v}" for k, v in outcome.columns.model_dump().items() if v)
    typer.echo(f"Columns, remembered for source {outcome.source}: {mapping}")
    for warning in outcome.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    for rejection in outcome.examples:
        typer.echo(f"  {rejection.where}: {rejection.outcome}: {rejection.detail}", err=True)


def _tell_next(outcome: "Imported", municipality: str) -> None:
    if outcome.first and outcome.last:
        end = outcome.last + timedelta(days=1)
        typer.echo(
            f"Next: manifiesta aggregate -m {municipality} --from {outcome.first} --to {end}"
        )


def list_sources(municipality: Code, as_json: Json = False) -> None:
    """List the sources of a municipality, how its latest run found them, and how they fare."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from configs.schema import absolute_url
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from models.records import Health
    from pipelines.expectations import recent_fields
    from pipelines.store.crawled import source_fields, source_health
    from pipelines.store.read import latest_attempts

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    engine = open_store(settings).engine
    found = latest_attempts(engine, place.code)
    health = source_health(engine, place.code)
    fields = source_fields(engine, place.code)
    now = datetime.now(UTC)
    rows = [
        {
            "name": source.name,
            "title": source.title,
            "protocol": source.protocol,
            "url": absolute_url(place, source) if source.url else "",
            "enabled": source.enabled,
            "state": found[source.name].state if source.name in found else "never read",
            **_reason_columns(found[source.name].error if source.name in found else None),
            **_health_columns(health.get(source.name, Health()), place),
            "warning": recent_fields(fields.get(source.name, {}), now),
        }
        for source in place.sources
    ]
    if as_json:
        print_json(rows)
        return
    table = Table(title=f"{place.name}: {len(rows)} sources")
    shown = ("name", "title", "protocol", "state", "health", "next_due", "reason", "warning")
    for column in shown:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(row[column] or "")) for column in shown))
    Console().print(table)


def _reason_columns(reason: str | None) -> dict[str, object]:
    """Return why a source was not read to its end: the sentence, its code, and it in words."""
    from models.reasons import understood
    from pipelines.report.texts import texts
    from pipelines.report.why import told

    known = understood(reason) if reason else None
    return {
        "reason": reason or "",
        "reason_code": known.code if known else None,
        **{f"reason_{code}": told(reason, texts(code)) if reason else "" for code in ("es", "en")},
    }


def _health_columns(health: "Health", place: "Municipality") -> dict[str, object]:
    """Return what `sources list` says of a source's health, on the municipality's clocks."""

    def local(moment: "datetime | None") -> str | None:
        return f"{moment.astimezone(place.zone):%Y-%m-%d %H:%M}" if moment else None

    return {
        "health": health.state,
        "failures": health.failures,
        "last_success": local(health.last_success),
        "next_due": local(health.next_due),
        "why": health.reason,
    }


def release_source(
    municipality: Code,
    name: Annotated[str, typer.Argument(help="The source that the next run is to read.")],
) -> None:
    """Bring a quarantined or resting source back: the next run reads it."""
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from models.records import Health
    from pipelines.health import released
    from pipelines.store.crawled import source_health

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    if place.source(name) is None:
        known = ", ".join(source.name for source in place.sources)
        raise ConfigError(f"{place.code} has no source «{name}»: {known}")
    store = open_store(settings)
    was = source_health(store.engine, place.code).get(name, Health())
    store.save_health(place.code, name, released(was))
    typer.echo(f"{name} was {was.state}; the next run reads it.")
