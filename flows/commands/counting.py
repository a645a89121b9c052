"""Verbs that count and hand out: aggregate, report, export."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import Code, From, Json, To, as_day, print_json

RunId = Annotated[str | None, typer.Option("--run", help="A run's id; the latest if not given.")]


class Format(StrEnum):
    """The forms that a table can leave the house in."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command(
        "aggregate", epilog="Example: manifiesta aggregate -m ate --from 2026-01-01 --to 2026-02-01"
    )(aggregate_window)
    app.command("report", epilog="Example: manifiesta report -m ate")(write_report_again)
    app.command(
        "export", epilog="Example: manifiesta export -m ate --table insight_category --format xlsx"
    )(export)


def aggregate_window(
    municipality: Code, start: From = None, end: To = None, as_json: Json = False
) -> None:
    """Classify what the window holds unclassified, count it and write the report."""
    from configs.load import load_taxonomy
    from configs.settings import Settings
    from flows.house import SOFTWARE_VERSION, open_municipality, open_store, window_of
    from flows.progress import progress_bar, reporter
    from pipelines.analyse import Subject, classify_and_count, report_run
    from pipelines.ledger import recorded_run
    from pipelines.store.write import RunStart

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    window = window_of(place, as_day(start), as_day(end))
    taxonomy, store = load_taxonomy(), open_store(settings)
    begin = RunStart("aggregate", window, taxonomy.version, SOFTWARE_VERSION)
    with progress_bar(shown=not as_json) as bars, recorded_run(store, place, begin) as run:
        subject = Subject(store, run.id, place, window, taxonomy)
        analysis = classify_and_count(subject, reporter(bars, "Classifying"))
    path = report_run(subject, settings.reports)
    if as_json:
        print_json(
            {
                "run_id": run.id,
                "window_from": window.start,
                "window_to": window.end,
                "in_window": analysis.in_window,
                "classified": analysis.classified,
                "findings": analysis.findings,
                "model_version": analysis.model_version,
                "report": path,
            }
        )
        return
    typer.echo(
        f"Run {run.id}: {analysis.in_window:,} manifestations from {window.start} to {window.end} "
        f"(not included), {analysis.classified:,} classified now by {analysis.model_version}."
    )
    typer.echo(f"{analysis.findings} findings; `manifiesta findings -m {place.code}` tells them.")
    typer.echo(f"Report: {path}")


def write_report_again(municipality: Code, run_id: RunId = None) -> None:
    """Write the report of a run again from its insight rows."""
    from configs.load import load_taxonomy
    from configs.settings import Settings
    from flows.house import open_municipality, open_store, window_of
    from models.tables import InsightOverview
    from pipelines.analyse import Subject, report_run
    from pipelines.store.read import counted_run

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    store = open_store(settings)
    chosen = counted_run(store.engine, InsightOverview, place.code, run_id)
    subject = Subject(store, chosen, place, window_of(place, None, None), load_taxonomy())
    typer.echo(f"Report: {report_run(subject, settings.reports)}")


def export(
    municipality: Code,
    table: Annotated[str, typer.Option(help="Insight table, for instance insight_category.")],
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.CSV,
    out: Annotated[
        Path | None, typer.Option(help="File to write; made from table and run if not given.")
    ] = None,
    run_id: RunId = None,
) -> None:
    """Write one run's rows of an insight table to a file."""
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from pipelines.export import write_frame
    from pipelines.store.read import counted_run, insight_frame, insight_table

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    engine = open_store(settings).engine
    chosen_table = insight_table(table)
    chosen = counted_run(engine, chosen_table, place.code, run_id)
    frame = insight_frame(engine, chosen_table, chosen)
    path = out or Path(f"{table}-{chosen}.{form}")
    write_frame(frame, chosen_table, path, form.value)
    typer.echo(f"{len(frame):,} rows of {table} (run {chosen}) written to {path}")
