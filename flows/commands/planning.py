"""Verbs about plans: `match monitoring`, `match quality`, `match readiness`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import From, Json, as_day, print_json
from models.errors import InputError

if TYPE_CHECKING:
    from models.match_records import Question

Entity = Annotated[str, typer.Argument(help="Code of the entity.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to `manifiesta match`."""
    app.command(
        "monitoring",
        epilog="Example: manifiesta match monitoring villa-2026 --from 2026-04-01 "
        "--question 'waste:¿Qué se dice de la limpieza?'",
    )(monitoring)
    app.command("quality", epilog="Example: manifiesta match quality ate --draft")(quality)
    app.command("readiness", epilog="Example: manifiesta match readiness ate")(readiness)


def monitoring(
    pilot: Annotated[str, typer.Argument(help="Code of the pilot.")],
    start: From = None,
    months: Annotated[int, typer.Option(min=1, max=24, help="Windows of one month each.")] = 3,
    question: Annotated[
        list[str] | None,
        typer.Option(help="CATEGORY:text, CATEGORY/INTENT:text or :text; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan the monitoring of a service's users (with --from), or show what it says so far."""
    from dataclasses import asdict

    from configs.load import load_taxonomy
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from models.match_records import Batch
    from pipelines.match.exchange import store_records
    from pipelines.match.plans import monitored, monthly_plan
    from pipelines.match.read import of_pilot, pilot_of
    from pipelines.report.formats import formats

    settings = Settings.load()
    store = open_store(settings)
    record, first = pilot_of(store.engine, pilot), as_day(start)
    if first is not None:
        asked = [_question(text) for text in question or ()]
        if not asked:
            raise InputError("A plan needs a question: --question 'waste:¿Qué se dice de …?'")
        plan = monthly_plan(f"{pilot}-monitoreo", record, first, months, asked)
        store_records(store.engine, Batch(monitoring_plan=(plan,)), "monitoring")
        typer.echo(f"Planned {plan.code}: {months} windows, {len(asked)} questions.")
        return
    plans = of_pilot(store.engine, "monitoring_plan", pilot)
    if not plans:
        raise InputError(f"{pilot} has no monitoring plan yet; make one with --from DATE.")
    for kept in plans:
        place = open_municipality(settings, kept["municipality"])
        f = formats("es", place.zone)
        today = datetime.now(UTC).astimezone(place.zone).date()
        answers = monitored(store, kept, place, load_taxonomy(), today)
        if as_json:
            print_json({"plan": kept, "answers": [asdict(answer) for answer in answers]})
            continue
        begun = len({answer.start for answer in answers})
        typer.echo(f"{kept['code']}: {begun} de {len(kept['windows'])} ventanas empezadas.")
        for one in answers:
            share = (
                "sin manifestaciones"
                if one.share is None or one.low is None or one.high is None
                else f"{f.percent(one.share)} ({f.percent(one.low)} a {f.percent(one.high)})"
            )
            typer.echo(
                f"{f.period(one.start, one.end)} · {one.question} {one.count} de {one.n}: {share}; "
                f"{one.days_complete} de {one.days} días completos"
            )


def quality(
    entity: Entity,
    draft: Annotated[
        bool, typer.Option("--draft", help="Draft the plan from what is measured, and store it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show or draft the source and data-quality plan: volumes, more sources, governance."""
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from models.match_records import Batch
    from pipelines.match.exchange import store_records
    from pipelines.match.plans import PHASES, quality_plan
    from pipelines.store.records import stored

    settings = Settings.load()
    engine = open_store(settings).engine
    owner = next((row for row in stored(engine, "entity") if row["code"] == entity), None)
    if owner is None:
        raise InputError(f"There is no entity «{entity}».")
    if draft:
        if owner["municipality"] is None:
            raise InputError(f"{entity} names no municipality, so nothing of it is measured.")
        place = open_municipality(settings, owner["municipality"])
        steps = tuple(quality_plan(engine, entity, place))
        store_records(engine, Batch(quality_step=steps), "quality")
    rows = [row for row in stored(engine, "quality_step") if row["entity"] == entity]
    if as_json:
        print_json(rows)
        return
    if not rows:
        raise InputError(f"{entity} has no plan yet; draft one with --draft, or import it.")
    for phase, name in PHASES.items():
        mine = [row for row in rows if row["phase"] == phase]
        done = sum(row["done_on"] is not None for row in mine)
        typer.echo(f"Fase {phase}, {name}: {done} de {len(mine)} hechos")
        for row in mine:
            mark = f"hecho el {row['done_on']}" if row["done_on"] else f"meta: {row['target']}"
            typer.echo(f"  {row['number']}. {row['title']} ({mark})")


def readiness(
    entity: Entity,
    questions: Annotated[
        bool, typer.Option("--questions", help="Print the questionnaire as a CSV to fill in.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add up an entity's digital readiness by pillar, from the newest answer to each question."""
    from dataclasses import asdict

    from configs.matchmaking import load_readiness
    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.match.plans import readiness as add_up

    questionnaire = load_readiness()
    if questions:
        typer.echo("entity,question,answered_on,score,evidence")
        for one in questionnaire.questions:
            typer.echo(f"{entity},{one.code},,,")
        for one in questionnaire.questions:
            typer.echo(f"{one.code}: {one.es} (0 a 4)", err=True)
        return
    pillars = add_up(open_store(Settings.load()).engine, entity, questionnaire)
    if as_json:
        print_json([{**asdict(pillar), "share": pillar.share} for pillar in pillars])
        return
    for pillar in pillars:
        share = "sin respuestas" if pillar.share is None else f"{pillar.share:.0%}"
        typer.echo(
            f"{pillar.name}: {share} ({pillar.points} de {pillar.most} puntos; "
            f"{pillar.answered} de {pillar.questions} preguntas respondidas)"
        )


def _question(text: str) -> "Question":
    from models.match_records import Question

    cell, colon, words = text.partition(":")
    if not colon or not words.strip():
        raise InputError(f"«{text}» is no question; write CATEGORY:text, or :text for everything.")
    category, _, intent = cell.strip().partition("/")
    return Question(text=words, category=category or None, intent=intent or None)
