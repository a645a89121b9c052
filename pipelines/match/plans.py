"""Plans that go with a pilot or an entity: monitoring of needs, data quality, digital readiness."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Engine

from configs.matchmaking import Readiness
from configs.schema import Municipality, Taxonomy, lenses_of
from models.errors import InputError
from models.insight_tables import InsightOverview, InsightSource
from models.match_records import MonitoringPlan, MonitoringWindow, QualityStep, Question
from models.records import Window
from pipelines.coverage import coverage
from pipelines.facts import Recipe, frame, up_to_date
from pipelines.proportions import wilson
from pipelines.report.texts import Texts, texts
from pipelines.report.why import told
from pipelines.store.read import counted_run, insight_frame, latest_model
from pipelines.store.records import stored
from pipelines.store.write import Store

Row = Mapping[str, Any]

MOST_SCORE: Final = 4
PHASES: Final = {1: "Volúmenes", 2: "Más fuentes", 3: "Gobernanza"}


# --- monitoring ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """What one window says to one question: ``count`` of ``n``, with its 95 % interval (Wilson)."""

    start: date
    end: date
    question: str
    count: int
    n: int
    share: float | None
    low: float | None
    high: float | None
    days_complete: int
    days: int


def monthly_plan(
    code: str, pilot: Row, start: date, months: int, questions: Sequence[Question]
) -> MonitoringPlan:
    """Plan windows of one calendar month each, one after the other.

    Raises:
        InputError: the pilot's insights are counted nowhere.
    """
    if pilot["municipality"] is None:
        raise InputError(f"{pilot['code']} names no municipality, so nothing can be monitored.")
    edges = [_months_after(start, number) for number in range(months + 1)]
    return MonitoringPlan(
        code=code,
        pilot=pilot["code"],
        municipality=pilot["municipality"],
        windows=tuple(MonitoringWindow(start=first, end=last) for first, last in pairwise(edges)),
        questions=tuple(questions),
    )


def monitored(
    store: Store, plan: Row, municipality: Municipality, taxonomy: Taxonomy, today: date
) -> list[Answered]:
    """Return what the windows that have begun say to each question of a plan."""
    model, version = latest_model(store.engine, municipality.code)
    recipe = Recipe(municipality, model, version, lenses_of(municipality, taxonomy))
    answers: list[Answered] = []
    for one in plan["windows"]:
        start, end = date.fromisoformat(one["start"]), date.fromisoformat(one["end"])
        if start > today:
            continue
        window = Window(start, end, municipality.zone)
        facts = frame(up_to_date(store, recipe, window), recipe, window)
        complete = len(coverage(store.engine, municipality, window, "").complete_days)
        for question in plan["questions"]:
            mine = facts
            for name in ("category", "intent"):
                if question[name]:
                    mine = mine[mine[name] == question[name]]
            count, n = len(mine), len(facts)
            answers.append(
                Answered(
                    start, end, question["text"], count, n, *wilson(count, n),
                    days_complete=complete, days=len(window.days),
                )
            )  # fmt: skip
    return answers


def _months_after(start: date, months: int) -> date:
    """Return the same day some months later, or the last that month has."""
    month = start.month - 1 + months
    year, number = start.year + month // 12, month % 12 + 1
    following = date(year + number // 12, number % 12 + 1, 1)
    last = (following - date(year, number, 1)).days
    return date(year, number, min(start.day, last))


# --- sources and data quality ----------------------------------------------------------------


def quality_plan(engine: Engine, entity: str, municipality: Municipality) -> list[QualityStep]:
    """Draft the three phases from what is measured: weak sources, unused protocols, rules.

    Raises:
        InputError: no run of the municipality has counted anything.
    """
    run_id = counted_run(engine, InsightOverview, municipality.code, None)
    table = insight_frame(engine, InsightSource, run_id)
    rows = [row for row in table.to_dict("records") if row["lens"] == ""]
    spanish = texts("es")
    volumes = [
        (f"Revisar la fuente {row['source']}: {_why(row, spanish)}", "leída completa")
        for row in rows
        if row["state"] != "done"
    ] + [
        (f"La fuente {row['source']} no dio ninguna manifestación", "alguna, o retirarla")
        for row in rows
        if row["state"] == "done" and not row["count"]
    ]
    used = {str(source.protocol) for source in municipality.sources if source.enabled}
    wanted = {
        "forum": "un foro vecinal",
        "open311": "los reclamos de la entidad (Open311)",
        "decidim": "una plataforma de participación",
        "upload": "archivos de la entidad",
    }
    sources = [
        (f"Añadir {name}", "una fuente más") for code, name in wanted.items() if code not in used
    ]
    rules = {
        "Fijar cuántos días se conservan los datos (retention_days)": municipality.retention_days,
        "Decir qué área responde por cada categoría (areas)": municipality.areas,
        "Nombrar las zonas del distrito (zones)": municipality.zones,
        "Decir qué se espera de cada fuente (expect)": any(s.expect for s in municipality.sources),
    }
    governance = [(title, "configurado") for title, there in rules.items() if not there]
    governance.append(("Corregir una muestra de etiquetas cada mes (correct)", "100 textos"))
    return [
        QualityStep(entity=entity, phase=phase, number=number, title=title[:300], target=target)
        for phase, steps in enumerate((volumes, sources, governance), 1)
        for number, (title, target) in enumerate(steps, 1)
    ]


def _why(row: Mapping[Hashable, Any], t: Texts) -> str:
    return told(row["reason"], t) if row["reason"] else t.name("state", row["state"])


# --- readiness -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pillar:
    """The score of one pillar: points of the most that its answered questions can give."""

    code: str
    name: str
    points: int
    most: int
    answered: int
    questions: int

    @property
    def share(self) -> float | None:
        """Points over the most; nothing where no question was answered."""
        return self.points / self.most if self.most else None


def readiness(engine: Engine, entity: str, questionnaire: Readiness) -> list[Pillar]:
    """Return an entity's score by pillar, from the newest answer to each question.

    Raises:
        InputError: there is no such entity.
    """
    if entity not in [row["code"] for row in stored(engine, "entity")]:
        raise InputError(f"There is no entity «{entity}»: see `manifiesta match list entity`.")
    newest: dict[str, int] = {}
    answers = [row for row in stored(engine, "readiness_answer") if row["entity"] == entity]
    for row in sorted(answers, key=lambda row: row["answered_on"]):
        newest[row["question"]] = row["score"]
    pillars = []
    for code, name in questionnaire.pillars.items():
        mine = [question.code for question in questionnaire.questions if question.pillar == code]
        scores = [newest[question] for question in mine if question in newest]
        most = MOST_SCORE * len(scores)
        pillars.append(Pillar(code, name, sum(scores), most, len(scores), len(mine)))
    return pillars
