"""Verbs between insights and matchmaking: `match propose`, `match evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.counting import RunId
from flows.commands.options import Code, Json, print_json
from models.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from configs.schema import Municipality
    from pipelines.match.needs import Need, Needs

Pilot = Annotated[str, typer.Argument(help="Code of the pilot.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to `manifiesta match`."""
    app.command(
        "propose",
        epilog="Example: manifiesta match propose -m ate --window 2026-03-01..2026-04-01 "
        "--write limpieza-2026 --entity ate",
    )(propose)
    app.command("dossier", epilog="Example: manifiesta match dossier villa-2026 --pdf")(dossier)
    app.command("evaluate", epilog="Example: manifiesta match evaluate villa-2026")(evaluate)


def propose(  # noqa: PLR0913, PLR0917 - each option is a choice of the reader's
    municipality: Code,
    window: Annotated[
        str | None, typer.Option(help="FROM..TO of a counted window; the latest if not given.")
    ] = None,
    run_id: RunId = None,
    work_category: Annotated[
        int | None, typer.Option(min=1, max=9, help="Draft for this one, not for the first.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(help="Only this urban category, not all of its work category.")
    ] = None,
    fall: Annotated[
        float, typer.Option(min=0.1, max=99, help="Points by which the negative share must fall.")
    ] = 10.0,
    write: Annotated[str | None, typer.Option(help="Store the draft under this code.")] = None,
    entity: Annotated[str | None, typer.Option(help="Who calls; needed with --write.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the draft to this Markdown file.")] = None,
    as_json: Json = False,
) -> None:
    """Rank what citizens need and draft a call for it: figures, quotes, indicator, startups."""
    from dataclasses import asdict

    from configs.load import load_taxonomy
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from models.match_records import Batch
    from pipelines.match.draft import as_markdown, draft_call, ranking_lines
    from pipelines.match.exchange import store_records
    from pipelines.match.needs import needs
    from pipelines.report.formats import formats

    if write and not entity:
        raise InputError("--write needs --entity: the code of who calls.")
    settings = Settings.load()
    place, engine = open_municipality(settings, municipality), open_store(settings).engine
    run = _run_of(engine, place, window, run_id)
    found = needs(engine, run, place, load_taxonomy(), category)
    need = _chosen(found, work_category)
    call = draft_call(
        engine,
        found,
        need,
        place,
        code=write or "borrador",
        entity=entity or place.code,
        fall=fall / 100,
    )
    f = formats("es", place.zone)
    if write:
        store_records(engine, Batch(technological_call=(call,)), f"propose {found.run_id}")
    if out is not None:
        out.write_text(as_markdown(call, need, f), encoding="utf-8")
    if as_json:
        print_json({"needs": asdict(found), "call": call.model_dump(mode="json")})
        return
    typer.echo(f"Corrida {found.run_id}, {f.period(found.start, found.end)}. Necesidades:")
    for line in ranking_lines(found, f):
        typer.echo(line)
    if out is None:
        typer.echo("\n" + as_markdown(call, need, f))
    else:
        typer.echo(f"Written: {out}")
    if write:
        typer.echo(f"Stored as draft {write}. Next: manifiesta match publish {write}")


def evaluate(
    pilot: Pilot,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days before and after; as long as the pilot.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the time before a pilot with the time after it, against a control, honestly."""
    from dataclasses import asdict

    from configs.load import load_taxonomy
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from pipelines.match.effect import evaluate as compare
    from pipelines.match.effect_words import effect_lines
    from pipelines.match.read import pilot_of
    from pipelines.report.formats import formats

    settings = Settings.load()
    store = open_store(settings)
    record = pilot_of(store.engine, pilot)
    if record["municipality"] is None:
        raise InputError(f"{pilot} names no municipality, so no insights belong to it.")
    place = open_municipality(settings, record["municipality"])
    effect = compare(store, record, place, load_taxonomy(), days)
    if as_json:
        print_json(asdict(effect))
        return
    for line in effect_lines(effect, formats("es", place.zone)):
        typer.echo(line)


def dossier(
    pilot: Pilot,
    out: Annotated[
        Path | None, typer.Option(help="File; in the folder of reports if not given.")
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print it to PDF too, with Chromium.")] = False,
) -> None:
    """Write the dossier of a pilot for the preparatory acts of a public purchase."""
    from zoneinfo import ZoneInfo

    from configs.load import load_taxonomy
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from pipelines.match.dossier import gather, render
    from pipelines.match.effect import Effect
    from pipelines.match.effect import evaluate as compare
    from pipelines.match.read import pilot_of
    from pipelines.report.formats import formats
    from pipelines.report.paper import print_pdf

    settings, taxonomy = Settings.load(), load_taxonomy()
    store = open_store(settings)
    record = pilot_of(store.engine, pilot)
    place: Municipality | None = None
    effect: Effect | str = "el piloto no nombra una municipalidad con mediciones."
    if record["municipality"] is not None:
        place = open_municipality(settings, record["municipality"])
        try:
            effect = compare(store, record, place, taxonomy)
        except InputError as error:
            effect = str(error)
    zone = place.zone if place else ZoneInfo("America/Lima")
    gathered = gather(store.engine, pilot, place, taxonomy, effect)
    page = out or settings.reports / gathered.file_name
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(gathered, formats("es", zone)), encoding="utf-8")
    typer.echo(f"Written: {page}")
    if pdf:
        typer.echo(f"Written: {print_pdf(page)}")


def _run_of(engine: "Engine", place: "Municipality", window: str | None, run_id: str | None) -> str:
    """Return the run asked for, the newest of a window, or the newest of all."""
    from datetime import date

    from models.insight_tables import InsightOverview
    from pipelines.store.read import counted_run, latest_runs

    if window is None:
        return counted_run(engine, InsightOverview, place.code, run_id)
    if run_id is not None:
        raise InputError("Give --window or --run, not both.")
    try:
        start, end = (date.fromisoformat(day) for day in window.split(".."))
    except ValueError:
        raise InputError(f"«{window}» is no window; write 2026-03-01..2026-04-01") from None
    for run in latest_runs(engine, place.code, limit=1_000):
        if (run.window_from, run.window_to) == (start, end) and run.state in ("done", "partial"):
            return counted_run(engine, InsightOverview, place.code, run.id)
    raise InputError(
        f"No run has counted {window} yet: manifiesta aggregate -m {place.code} --from {start} "
        f"--to {end}"
    )


def _chosen(found: "Needs", work_category: int | None) -> "Need":
    for need in found.ranked:
        if work_category in (None, need.work_category):
            return need
    raise InputError(
        f"Run {found.run_id} counted nothing for work category {work_category}."
        if work_category
        else f"Run {found.run_id} counted nothing."
    )
