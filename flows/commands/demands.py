"""Verbs on demands: what neighbours ask for, who answers, and how it went."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Code, From, Json, To, as_day, print_json
from models.demands import Status

if TYPE_CHECKING:
    from pipelines.demands.workflow import Workflow
    from pipelines.store.demands import Demand

Identity = Annotated[
    str, typer.Argument(metavar="ID", help="The demand's id, or six letters or more of it.")
]
By = Annotated[str, typer.Option(help="Your code or pseudonym, such as E-07; no name.")]
Note = Annotated[str | None, typer.Option(help="Why, in a sentence; it stays in the history.")]
Version = Annotated[
    int | None,
    typer.Option(help="The version that you read: refused if somebody has decided since."),
]
ZoneOption = Annotated[str | None, typer.Option(help="Code of a zone; «» for none.")]
Category = Annotated[str | None, typer.Option(help="Urban category.")]


class Open311Format(StrEnum):
    """The two forms of GeoReport v2."""

    JSON = "json"
    XML = "xml"


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    verbs = typer.Typer(
        help="Demands: what neighbours ask for, who answers, and how it went.",
        no_args_is_help=True,
    )
    example = "Example: manifiesta demands"
    verbs.command("propose", epilog=f"{example} propose -m ate")(propose_demands)
    verbs.command("list", epilog=f"{example} list -m ate --status new --overdue")(list_demands)
    verbs.command("show", epilog=f"{example} show ID -m ate")(show_demand)
    verbs.command("confirm", epilog=f"{example} confirm ID -m ate --by E-07")(confirm)
    verbs.command("assign", epilog=f"{example} assign ID -m ate --by E-07 --to P-12")(assign)
    verbs.command("start", epilog=f"{example} start ID -m ate --by P-12")(start)
    verbs.command("answer", epilog=f'{example} answer ID -m ate --by P-12 --reply "Ya pasa."')(
        answer
    )
    verbs.command("close", epilog=f"{example} close ID -m ate --by P-12")(close)
    verbs.command("reject", epilog=f'{example} reject ID -m ate --by E-07 --reason "Es de Lima."')(
        reject
    )
    verbs.command("reopen", epilog=f'{example} reopen ID -m ate --by E-07 --reason "Volvió."')(
        reopen
    )
    verbs.command("merge", epilog=f"{example} merge ID -m ate --into OTHER --by E-07")(merge)
    verbs.command("split", epilog=f"{example} split ID -m ate --text T1 --text T2 --by E-07")(split)
    verbs.command("export", epilog=f"{example} export -m ate --format xml --out requests.xml")(
        export_demands
    )
    verbs.command("import", epilog=f"{example} import requests.json -m ate")(import_demands)
    app.add_typer(verbs, name="demands")


def propose_demands(
    municipality: Code, start: From = None, end: To = None, as_json: Json = False
) -> None:
    """Group the window's complaints and requests into demands for a person to confirm."""
    from configs.settings import Settings
    from flows.house import open_municipality, open_store, window_of
    from pipelines.demands.propose import propose
    from pipelines.store.read import latest_model

    settings = Settings.load()
    place, store = open_municipality(settings, municipality), open_store(settings)
    window = window_of(place, as_day(start), as_day(end))
    done = propose(store, place, window, latest_model(store.engine, place.code))
    if as_json:
        print_json({"window_from": window.start, "window_to": window.end, **asdict(done)})
        return
    typer.echo(
        f"{window.start} to {window.end} (not included): {done.texts:,} texts found a demand; "
        f"{done.founded:,} demands are new, {done.joined:,} were joined."
    )


def list_demands(
    municipality: Code,
    status: Annotated[
        list[str] | None, typer.Option(help="proposed, new, assigned …; repeatable.")
    ] = None,
    category: Category = None,
    zone: ZoneOption = None,
    area: Annotated[str | None, typer.Option(help="Name of the responsible area.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their day.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List demands: the most urgent first."""
    from rich.console import Console
    from rich.table import Table

    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from pipelines.store.demands import Wanted, count_demands, demands

    settings = Settings.load()
    place, engine = open_municipality(settings, municipality), open_store(settings).engine
    today = datetime.now(UTC).astimezone(place.zone).date()
    wanted = Wanted(_statuses(status or ()), category, zone, area, today if overdue else None)
    found = demands(engine, place.code, wanted, limit=limit)
    total = count_demands(engine, place.code, wanted)
    if as_json:
        print_json({"total": total, "demands": [asdict(one) for one in found]})
        return
    table = Table(title=f"{len(found)} of {total:,} demands of {place.code} (!: late)")
    for name in ("id", "status", "category", "zone", "area", "due", "texts"):
        table.add_column(name, no_wrap=name != "area", max_width=24 if name == "area" else None)
    for one in found:
        late = "!" if one.due_on and one.due_on < today and not one.answered_at else ""
        due = f"{one.due_on or ''}{late}"
        cells = (one.id[:8], one.status, one.category, one.zone or "", one.area or "", due)
        table.add_row(*cells, f"{one.texts:,}")
    Console().print(table)


def _statuses(names: Sequence[str]) -> list[Status]:
    from models.errors import InputError

    known = [status.value for status in Status]
    if wrong := [name for name in names if name not in known]:
        raise InputError(f"There is no status «{wrong[0]}». There are: {', '.join(known)}.")
    return [Status(name) for name in names]


def show_demand(demand: Identity, municipality: Code, as_json: Json = False) -> None:
    """Show a demand with the texts behind it, its history and what can be done now."""
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from pipelines.demands.workflow import possible
    from pipelines.report.safe import shorten
    from pipelines.store.demands import evidence, find_demand, history

    settings = Settings.load()
    place, engine = open_municipality(settings, municipality), open_store(settings).engine
    one = find_demand(engine, place.code, demand)
    texts, events = evidence(engine, one.id), history(engine, one.id)
    if as_json:
        told = {"evidence": [asdict(t) for t in texts], "history": [asdict(e) for e in events]}
        print_json({**asdict(one), "possible": possible(one), **told})
        return
    _tell(one)
    typer.echo("\nTexts:")
    for text in texts[:20]:
        words = "(taken back by its source)" if text.gone else f"«{shorten(text.text, 200)}»"
        typer.echo(f"  {text.id} {text.said_on} {text.source}: {words}")
    if len(texts) > 20:
        typer.echo(f"  … and {len(texts) - 20:,} more (--json: all of them)")
    typer.echo("\nHistory:")
    for event in events:
        moved = f"{event.from_status or ''} → {event.to_status}"
        note = f" «{shorten(event.note, 200)}»" if event.note else ""
        typer.echo(f"  {event.at:%Y-%m-%d %H:%M} UTC {event.actor}: {event.action} ({moved}){note}")
    typer.echo(f"\nWhat can be done now: {', '.join(possible(one)) or 'nothing more'}.")


def _tell(one: "Demand") -> None:
    typer.echo(f"Demand {one.id} (version {one.version}): {one.status}")
    lines = {
        "summary": one.summary,
        "category": one.category,
        "zone": one.zone,
        "area": one.area,
        "assignee": one.assignee,
        "due": one.due_on,
        "reply": one.reply,
        "reason": one.reason,
        "follows": one.follows,
        "merged into": one.merged_into,
    }
    for name, value in lines.items():
        if value:
            typer.echo(f"  {name}: {value}")


def confirm(  # noqa: PLR0913, PLR0917 - one option for each field
    demand: Identity,
    municipality: Code,
    by: By,
    category: Category = None,
    zone: ZoneOption = None,
    summary: Annotated[
        str | None, typer.Option(help="What is asked, in a sentence that may be published.")
    ] = None,
    note: Note = None,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Confirm a proposed demand: its area and its due day follow from its category."""
    from pipelines.demands.workflow import Decision

    decision = Decision(demand, by, version, note)
    done = _workflow(municipality).confirm(decision, category=category, zone=zone, summary=summary)
    _say(done, as_json=as_json)


def assign(  # noqa: PLR0913, PLR0917 - one option for each field
    demand: Identity,
    municipality: Code,
    by: By,
    area: Annotated[str | None, typer.Option(help="Name of the area; else the category's.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Code of the person who does it.")] = None,
    due: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Another day by which to answer.")
    ] = None,
    note: Note = None,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Hand a confirmed demand to its area, and to a person there."""
    from pipelines.demands.workflow import Decision

    decision = Decision(demand, by, version, note)
    flow = _workflow(municipality)
    _say(flow.assign(decision, area=area, assignee=to, due_on=as_day(due)), as_json=as_json)


def start(
    demand: Identity,
    municipality: Code,
    by: By,
    note: Note = None,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Say that work on an assigned demand has begun."""
    from pipelines.demands.workflow import Decision

    _say(_workflow(municipality).start(Decision(demand, by, version, note)), as_json=as_json)


def answer(
    demand: Identity,
    municipality: Code,
    by: By,
    reply: Annotated[str, typer.Option(help="The public reply, plain text; - reads stdin.")],
    note: Note = None,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Answer a demand in public."""
    from pipelines.demands.workflow import Decision

    text = typer.get_text_stream("stdin").read() if reply == "-" else reply
    decision = Decision(demand, by, version, note)
    _say(_workflow(municipality).answer(decision, text), as_json=as_json)


def close(
    demand: Identity,
    municipality: Code,
    by: By,
    note: Note = None,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Close an answered demand."""
    from pipelines.demands.workflow import Decision

    _say(_workflow(municipality).close(Decision(demand, by, version, note)), as_json=as_json)


def reject(
    demand: Identity,
    municipality: Code,
    by: By,
    reason: Annotated[str, typer.Option(help="Why, in a sentence that may be published.")],
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Turn a demand down, with the reason."""
    from pipelines.demands.workflow import Decision

    decision = Decision(demand, by, version)
    _say(_workflow(municipality).reject(decision, reason), as_json=as_json)


def reopen(
    demand: Identity,
    municipality: Code,
    by: By,
    reason: Annotated[str, typer.Option(help="Why, in a sentence; it stays in the history.")],
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Let a closed or rejected demand wait for an answer again, with the reason."""
    from pipelines.demands.workflow import Decision

    decision = Decision(demand, by, version)
    _say(_workflow(municipality).reopen(decision, reason), as_json=as_json)


def merge(
    demand: Identity,
    municipality: Code,
    into: Annotated[str, typer.Option(help="The demand that takes the texts.")],
    by: By,
    note: Note = None,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Move the texts of a demand into another that asks for the same."""
    from pipelines.demands.workflow import Decision

    decision = Decision(demand, by, version, note)
    _say(_workflow(municipality).merge(decision, into), as_json=as_json)


def split(
    demand: Identity,
    municipality: Code,
    texts: Annotated[list[str], typer.Option("--text", help="A text to move out; repeatable.")],
    by: By,
    note: Note = None,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Move texts that ask for something else into a demand of their own."""
    from pipelines.demands.workflow import Decision

    decision = Decision(demand, by, version, note)
    _say(_workflow(municipality).split(decision, texts), as_json=as_json)


def export_demands(
    municipality: Code,
    form: Annotated[Open311Format, typer.Option("--format", help="json or xml.")] = (
        Open311Format.JSON
    ),
    out: Annotated[Path | None, typer.Option(help="File to write; printed if not given.")] = None,
    services: Annotated[
        bool, typer.Option("--services", help="The services instead: what can be asked for.")
    ] = False,
) -> None:
    """Write the confirmed demands as service requests of Open311 GeoReport v2."""
    from configs.load import load_taxonomy
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from models.demands import PUBLIC
    from pipelines.demands import open311
    from pipelines.store.audit import Event, actor, record
    from pipelines.store.demands import Wanted, demands

    settings = Settings.load()
    place, taxonomy = open_municipality(settings, municipality), load_taxonomy()
    if services:
        rows, root, each = open311.services(taxonomy, place), "services", "service"
    else:
        store = open_store(settings)
        found = demands(store.engine, place.code, Wanted(statuses=PUBLIC))
        done = {"demands": len(found), "format": form.value}
        record(store.engine, Event("export", place.code, done), actor())  # before anything leaves
        rows = open311.requests(store, found, taxonomy, place)
        root, each = "service_requests", "request"
    is_json = form is Open311Format.JSON
    written = open311.as_json(rows) if is_json else open311.as_xml(rows, root, each)
    if out is None:
        typer.echo(written.decode())
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(written)
    typer.echo(f"{len(rows):,} {each}s written to {out}", err=True)


def import_demands(
    file: Annotated[Path, typer.Argument(help="A GeoReport v2 answer: requests.json or .xml.")],
    municipality: Code,
    as_json: Json = False,
) -> None:
    """Bring demands up to date with what a city's Open311 says of them. Exit 3: not all of it."""
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from pipelines.demands.open311 import import_requests, read_requests

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    done = import_requests(open_store(settings), place, read_requests(file.read_bytes(), place))
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(
            f"{len(done.changed):,} demands changed, {len(done.same):,} were up to date, "
            f"{len(done.unknown):,} requests are of no demand here."
        )
        for id_, why in done.refused.items():
            typer.echo(f"  {id_}: left as it is, {why}", err=True)
    if done.refused or done.unknown:
        raise typer.Exit(3)


def _workflow(municipality: str) -> "Workflow":
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from pipelines.demands.workflow import Workflow

    settings = Settings.load()
    return Workflow(open_store(settings), open_municipality(settings, municipality))


def _say(done: "Demand", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(done))
    else:
        _tell(done)
