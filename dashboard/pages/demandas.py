"""Demandas: what neighbours ask for, who answers, and what has been done about it."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from configs.schema import Municipality
from dashboard.filters import none_of
from dashboard.shell import Page, Visit, Visiting, kept
from dashboard.words import N_
from models.demands import BANDS, WAITING, Action, Status
from models.errors import ConflictError, InputError
from models.records import Window
from nlp.places import named_by
from pipelines.demands.figures import Afterwards, afterwards, delays, is_overdue
from pipelines.demands.title import title_of
from pipelines.demands.workflow import Decision, Workflow, possible
from pipelines.store.demands import (
    Demand,
    Wanted,
    count_by_status,
    count_demands,
    demands,
    evidence,
    find_demand,
    history,
    latest_event,
    texts_of,
)
from pipelines.store.read import latest_model
from pipelines.store.write import Store

PAGE = Page("demandas", "/demandas", N_("Demandas"))
router = APIRouter()

AT_ONCE = 25
"""Demands on one page of the list."""

_COMPARED = 15  # texts of a demand among which its title is looked for

DECIDES = "reviewer"
"""The least role that may decide."""

GROUPS: dict[str, tuple[Status, ...]] = {
    "waiting": WAITING,
    "confirmed": tuple(status for status in WAITING if status is not Status.PROPOSED),
    "overdue": WAITING,
}
"""What the filter «status» knows beside the states: those that wait, those of them that somebody
has confirmed, those that are late."""

STATES = {
    Status.PROPOSED: N_("Propuesta"),
    Status.NEW: N_("Nueva"),
    Status.ASSIGNED: N_("Asignada"),
    Status.IN_PROGRESS: N_("En curso"),
    Status.ANSWERED: N_("Respondida"),
    Status.CLOSED: N_("Cerrada"),
    Status.REJECTED: N_("Rechazada"),
    Status.MERGED: N_("Unida a otra"),
}
ACTIONS = {
    Action.PROPOSE: N_("Propuesta por el programa"),
    Action.JOIN: N_("Se sumaron textos"),
    Action.RECEIVE: N_("Recibida por Open311"),
    Action.CONFIRM: N_("Confirmada"),
    Action.ASSIGN: N_("Asignada"),
    Action.START: N_("Puesta en curso"),
    Action.ANSWER: N_("Respondida"),
    Action.CLOSE: N_("Cerrada"),
    Action.REJECT: N_("Rechazada"),
    Action.REOPEN: N_("Reabierta"),
    Action.MERGE: N_("Unida a otra"),
    Action.SPLIT: N_("Dividida"),
    Action.UPDATE: N_("Actualizada por Open311"),
    Action.PURGE: N_("Se borraron textos"),
}
WHY = {
    "founder": N_("es el primer texto"),
    "copy": N_("es copia de otro de la demanda"),
    "thread": N_("está en la misma conversación"),
    "alike": N_("pide algo parecido, en la misma zona y días"),
    "person": N_("lo puso aquí una persona"),
}

CHANGED = N_(
    "Otra persona decidió sobre esta demanda desde que usted la leyó. Vuelva a mirarla y decida."
)
TOO_LATE = N_("Eso ya no se puede hacer con una demanda en este estado.")
NEEDED = {
    Action.CONFIRM: N_("Revise la categoría, la zona y el resumen (hasta 300 caracteres)."),
    Action.ASSIGN: N_("Elija un área y un día como 2026-03-31; el código no es un nombre."),
    Action.ANSWER: N_("Escriba la respuesta que leerán los vecinos (hasta 4 000 caracteres)."),
    Action.REJECT: N_("Escriba por qué se rechaza (hasta 500 caracteres)."),
    Action.REOPEN: N_("Escriba por qué se reabre (hasta 500 caracteres)."),
    Action.MERGE: N_("Escriba el código de otra demanda que aún espere respuesta."),
    Action.SPLIT: N_("Marque algunos de los textos, y deje alguno."),
}
"""What a form wants that was refused."""


@dataclass(frozen=True)
class _Desk:
    """What the pages of one visit work with."""

    visit: Visit
    town: Municipality

    @property
    def store(self) -> Store:
        return Store(self.visit.house.engine)

    @cached_property
    def today(self) -> date:
        return datetime.now(UTC).astimezone(self.town.zone).date()

    @property
    def window(self) -> Window:
        """The window that is looked at; where none was counted, today."""
        chosen = self.visit.window
        if chosen is None:
            return Window(self.today, date.fromordinal(self.today.toordinal() + 1), self.town.zone)
        return Window(chosen.start, chosen.end, self.town.zone)

    def zones(self) -> dict[str, str]:
        return {zone.code: zone.name for zone in self.town.zones}

    def wanted(self) -> Wanted:
        """What the filters of the address ask for."""
        filters = self.visit.filters
        if filters.status in ("", *GROUPS):
            statuses = GROUPS.get(filters.status, tuple(s for s in Status if s != Status.MERGED))
        elif filters.status in list(Status):
            statuses = (Status(filters.status),)
        else:
            raise none_of("status", [*GROUPS, *Status], self.visit._)
        late = self.today if filters.status == "overdue" else None
        zone, area = (_or_none(value) for value in (filters.zone, filters.area))
        return Wanted(statuses, filters.category or None, zone, area, late)

    def late(self, wanted: Wanted) -> Wanted:
        """Of what is wanted, whatever its status, what should have been answered."""
        return replace(wanted, statuses=WAITING, overdue_on=self.today)

    def names(self) -> dict[str, Any]:
        """The names that both pages show codes by."""
        return {
            "page": PAGE,
            "states": STATES,
            "zones": self.zones(),
            "categories": self.visit.names("category"),
            "today": self.today,
            "late": lambda one: is_overdue(one, self.today),
            "decides": self.visit.person.may(DECIDES),
        }


def _or_none(value: str) -> str | None:
    """Return what a filter asks for: «(none)» is what has no value, nothing is anything."""
    return {"": None, "(none)": ""}.get(value, value)


def _desk(visit: Visit) -> _Desk | None:
    return _Desk(visit, visit.town) if visit.town else None


@router.get("/demandas")
@kept
def show(visit: Visiting) -> HTMLResponse:
    """List the demands that the filters ask for, and how long they wait."""
    desk = _desk(visit)
    if desk is None:
        return visit.page("demandas.html.j2", page=PAGE, desk=None)
    engine, code = visit.house.engine, desk.town.code
    wanted = desk.wanted()
    found = demands(engine, code, wanted, limit=AT_ONCE, offset=(visit.filters.page - 1) * AT_ONCE)
    asked = (code, desk.window, desk.today, latest_event(engine))
    known = visit.house.delays.get(asked, lambda: delays(engine, code, desk.window))
    return visit.page(
        "demandas.html.j2",
        desk=desk,
        found=found,
        total=count_demands(engine, code, wanted),
        at_once=AT_ONCE,
        counts=count_by_status(engine, code, wanted),
        overdue=count_demands(engine, code, desk.late(wanted)),
        titles={
            id_: title_of(texts)
            for id_, texts in texts_of(engine, [one.id for one in found], _COMPARED).items()
        },
        bands=BANDS,
        ages={
            (row["dimension"], row["value"], row["band"]): row
            for row in known.ageing
            if row["dimension"] in ("all", "area")
        },
        areas=sorted({str(row["value"]) for row in known.ageing if row["dimension"] == "area"}),
        times=[row for row in known.response_times if row["dimension"] in ("all", "area")],
        **desk.names(),
    )


@router.get("/demandas/{demand_id}")
@kept
def show_one(visit: Visiting, demand_id: str) -> HTMLResponse:
    """Show one demand with the texts behind it, its history and what can be done."""
    return _one(visit, demand_id)


def _one(
    visit: Visit, demand_id: str, *, status: int = 200, problem: str = "", given: Any = None
) -> HTMLResponse:
    desk = _desk(visit)
    if desk is None:
        raise HTTPException(404)
    try:
        demand = find_demand(visit.house.engine, desk.town.code, demand_id)
    except InputError as error:
        raise HTTPException(404) from error
    may = visit.person.may(DECIDES)
    return visit.page(
        "demanda.html.j2",
        status=status,
        desk=desk,
        demand=demand,
        title=title_of(texts_of(visit.house.engine, [demand.id], _COMPARED).get(demand.id, [])),
        evidence=evidence(visit.house.engine, demand.id),
        events=history(visit.house.engine, demand.id),
        possible=possible(demand) if may else (),
        actions=ACTIONS,
        why=WHY,
        mood=_mood(desk, demand),
        problem=problem,
        given=defaultdict(str, given or {}),
        **desk.names(),
    )


def _mood(desk: _Desk, demand: Demand) -> Afterwards | None:
    if demand.answered_at is None:
        return None
    versions = latest_model(desk.visit.house.engine, desk.town.code)
    gazetteer = named_by(desk.town)
    return afterwards(desk.store, demand, desk.window, versions, gazetteer)


# --- decisions -------------------------------------------------------------------------------

Text = Annotated[str, Form()]
Number = Annotated[int, Form()]


def _decided(
    visit: Visit,
    demand_id: str,
    version: int,
    note: str,
    action: Action,
    **given: Any,
) -> Response:
    """Keep a decision and show the demand that it leads to; or say on its page why not."""
    if not visit.person.may(DECIDES):
        raise HTTPException(403)
    desk = _desk(visit)
    if desk is None:
        raise HTTPException(404)
    decision = Decision(demand_id, visit.person.name, version, note or None)
    given_back = {**{name: value or "" for name, value in given.items()}, "note": note}
    try:
        done = getattr(Workflow(desk.store, desk.town), action)(decision, **given)
    except InputError:
        now = find_demand(visit.house.engine, desk.town.code, demand_id)
        why = NEEDED.get(action, TOO_LATE) if action in possible(now) else TOO_LATE
        return _one(visit, demand_id, status=400, problem=visit._(why), given=given_back)
    except ConflictError:
        return _one(visit, demand_id, status=409, problem=visit._(CHANGED), given=given_back)
    finally:
        visit.house.forget()
    return RedirectResponse(visit.link(f"/demandas/{done.id}"), status_code=303)


@router.post("/demandas/{demand_id}/confirm")
def confirm(
    visit: Visiting,
    demand_id: str,
    version: Number,
    category: Text = "",
    zone: Text = "",
    summary: Text = "",
    note: Text = "",
) -> Response:
    """Confirm a proposed demand."""
    given = {"category": category, "zone": zone, "summary": summary}
    return _decided(visit, demand_id, version, note, Action.CONFIRM, **given)


@router.post("/demandas/{demand_id}/assign")
def assign(
    visit: Visiting,
    demand_id: str,
    version: Number,
    area: Text = "",
    assignee: Text = "",
    due: Text = "",
    note: Text = "",
) -> Response:
    """Hand a demand to an area."""
    due_on: date | None = None
    if due:
        try:
            due_on = date.fromisoformat(due)
        except ValueError:
            problem = visit._(NEEDED[Action.ASSIGN])
            return _one(visit, demand_id, status=400, problem=problem)
    given = {"area": area or None, "assignee": assignee or None, "due_on": due_on}
    return _decided(visit, demand_id, version, note, Action.ASSIGN, **given)


@router.post("/demandas/{demand_id}/start")
def start(visit: Visiting, demand_id: str, version: Number, note: Text = "") -> Response:
    """Say that work has begun."""
    return _decided(visit, demand_id, version, note, Action.START)


@router.post("/demandas/{demand_id}/answer")
def answer(
    visit: Visiting, demand_id: str, version: Number, reply: Text = "", note: Text = ""
) -> Response:
    """Answer in public."""
    return _decided(visit, demand_id, version, note, Action.ANSWER, reply=reply)


@router.post("/demandas/{demand_id}/close")
def close(visit: Visiting, demand_id: str, version: Number, note: Text = "") -> Response:
    """Close an answered demand."""
    return _decided(visit, demand_id, version, note, Action.CLOSE)


@router.post("/demandas/{demand_id}/reject")
def reject(visit: Visiting, demand_id: str, version: Number, reason: Text = "") -> Response:
    """Turn a demand down."""
    return _decided(visit, demand_id, version, "", Action.REJECT, reason=reason)


@router.post("/demandas/{demand_id}/reopen")
def reopen(visit: Visiting, demand_id: str, version: Number, reason: Text = "") -> Response:
    """Let an ended demand wait for an answer again."""
    return _decided(visit, demand_id, version, "", Action.REOPEN, reason=reason)


@router.post("/demandas/{demand_id}/merge")
def merge(
    visit: Visiting, demand_id: str, version: Number, into: Text = "", note: Text = ""
) -> Response:
    """Move the texts into another demand."""
    return _decided(visit, demand_id, version, note, Action.MERGE, into=into.strip())


@router.post("/demandas/{demand_id}/split")
def split(
    visit: Visiting,
    demand_id: str,
    version: Number,
    texts: Annotated[list[str], Form(default_factory=list)],
    note: Text = "",
) -> Response:
    """Move some of the texts into a demand of their own."""
    return _decided(visit, demand_id, version, note, Action.SPLIT, texts=texts)
