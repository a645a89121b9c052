"""Verbs that count and hand out: aggregate, report, export."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Code, From, Json, To, as_day, print_json
from models.errors import ConfigError

if TYPE_CHECKING:
    from models.tables import RunRow

RunId = Annotated[str | None, typer.Option("--run", help="A run's id; the latest if not given.")]


class Format(StrEnum):
    """The forms that a table can leave the house in."""

    CSV = "csv"
    GEOJSON = "geojson"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command(
        "aggregate", epilog="Example: manifiesta aggregate -m ate --from 2026-01-01 --to 2026-02-01"
    )(aggregate_window)
    app.command("compare", epilog="Example: manifiesta compare -m ate --baseline RUN")(compare)
    app.command("diff", epilog="Example: manifiesta diff RUN_A RUN_B")(diff_runs)
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


def compare(
    municipality: Code,
    run_id: RunId = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="A run whose window to compare with; the window before if not given."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a run's window with an earlier one, with intervals and false discoveries in check."""
    from configs.load import load_taxonomy
    from configs.schema import lenses_of
    from configs.settings import Settings
    from flows.comparisons import change_lines
    from flows.house import open_municipality, open_store
    from models.insight_tables import InsightOverview
    from models.labels import EVERYTHING
    from models.records import Window
    from pipelines.change import PREVIOUS, credible
    from pipelines.compare import compare_windows, earlier_window
    from pipelines.counted import Counted
    from pipelines.store.read import counted_run, find_run

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    taxonomy, store = load_taxonomy(), open_store(settings)

    def counted(run: str | None) -> "RunRow":
        return find_run(store.engine, counted_run(store.engine, InsightOverview, place.code, run))

    run = counted(run_id)
    window = Window(run.window_from, run.window_to, place.zone)
    before, name = earlier_window(window), PREVIOUS
    if baseline is not None:
        other = counted(baseline)
        before, name = Window(other.window_from, other.window_to, place.zone), other.id
    lenses = lenses_of(place, taxonomy)
    version = run.model_version or ""
    subject = Counted(run.id, place, window, version, run.taxonomy_version, lenses)
    rows = compare_windows(store, subject, before, name)
    everything = [row for row in rows if row["lens"] == EVERYTHING]
    found = credible(everything)
    if as_json:
        print_json(
            {"run_id": run.id, "baseline": name, "compared": len(everything), "changes": found}
        )
        return
    typer.echo(
        f"Run {run.id}: {window.start} to {window.end} beside {before.start} to {before.end}"
    )
    for line in change_lines(everything, found):
        typer.echo(line)


def diff_runs(
    run_a: Annotated[str, typer.Argument(help="The earlier run's id.", show_default=False)],
    run_b: Annotated[str, typer.Argument(help="The later run's id.", show_default=False)],
    limit: Annotated[int, typer.Option(min=1, help="How many changes to print.")] = 20,
    as_json: Json = False,
) -> None:
    """Say what differs between two runs' insight rows, and why."""
    from configs.settings import Settings
    from flows.comparisons import diff_lines
    from flows.house import open_store
    from pipelines.diff import biggest, diff

    found = diff(open_store(Settings.load()).engine, run_a, run_b)
    shown = biggest(found.changes, limit)
    if as_json:
        print_json(
            {
                "run_a": run_a,
                "run_b": run_b,
                "reasons": [
                    {"code": one.code, "text": one.text, "partitions": one.partitions}
                    for one in found.reasons
                ],
                "rows_changed": found.rows,
                "findings_gained": found.gained,
                "findings_lost": found.lost,
                "changes": shown.astype(object).where(shown.notna(), None).to_dict("records"),
            }
        )
        return
    for line in diff_lines(found, shown):
        typer.echo(line)


def write_report_again(
    municipality: Code,
    run_id: RunId = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print it to PDF too; needs Chromium.")
    ] = False,
) -> None:
    """Write the report of a run again from its insight rows."""
    from configs.load import load_taxonomy
    from configs.settings import Settings
    from flows.house import open_municipality, open_store, window_of
    from models.insight_tables import InsightOverview
    from pipelines.analyse import Subject, report_run
    from pipelines.store.read import counted_run

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    store = open_store(settings)
    chosen = counted_run(store.engine, InsightOverview, place.code, run_id)
    subject = Subject(store, chosen, place, window_of(place, None, None), load_taxonomy())
    page = report_run(subject, settings.reports)
    typer.echo(f"Report: {page}")
    if pdf:
        from pipelines.report.paper import print_pdf

        typer.echo(f"PDF: {print_pdf(page)}")


def export(
    municipality: Code,
    table: Annotated[
        str | None, typer.Option(help="Insight table, for instance insight_category.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.CSV,
    out: Annotated[
        Path | None, typer.Option(help="File to write; made from table and run if not given.")
    ] = None,
    run_id: RunId = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Leave small cells in: only for use inside the house.")
    ] = False,
    corrections: Annotated[
        bool,
        typer.Option(
            "--corrections", help="The texts that people corrected, as JSON lines of gold."
        ),
    ] = False,
) -> None:
    """Write one run's rows of an insight table, or the corrected texts, to a file."""
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from models.errors import InputError
    from models.insight_tables import InsightPlace
    from pipelines.corrections import export_corrections
    from pipelines.export import write_frame
    from pipelines.geo import write_geojson
    from pipelines.store.audit import Event, actor, record
    from pipelines.store.read import counted_run, insight_frame, insight_table
    from pipelines.suppress import SUPPRESSED, suppress

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    store = open_store(settings)
    if corrections:
        record(store.engine, Event("export", place.code, {"corrections": True}), actor())
        path = out or Path(f"corrections-{place.code}.jsonl")
        typer.echo(f"{export_corrections(store, place.code, path):,} texts written to {path}")
        return
    if table is None:
        raise ConfigError("Name what to export: --table insight_category, or --corrections.")
    engine = store.engine
    chosen_table = insight_table(table)
    chosen = counted_run(engine, chosen_table, place.code, run_id)
    k = 1 if whole else place.suppress_below
    frame = suppress(insight_frame(engine, chosen_table, chosen), chosen_table, k)
    path = out or Path(f"{table}-{chosen}.{form}")
    if form is Format.GEOJSON and chosen_table is not InsightPlace:
        raise InputError("Only insight_place can be written as GeoJSON: the others have no zones.")
    done = {"table": table, "run": chosen, "format": form.value, "whole": whole}
    record(store.engine, Event("export", place.code, done), actor())  # before anything leaves
    if form is not Format.GEOJSON:
        write_frame(frame, chosen_table, path, form.value)
    else:
        write_geojson(frame, place, path)
    typer.echo(f"{len(frame):,} rows of {table} (run {chosen}) written to {path}")
    if hidden := int((frame[SUPPRESSED] != "").sum()):
        typer.echo(
            f"{hidden:,} of them have figures hidden: fewer than {k} authors (--whole: all)."
        )
