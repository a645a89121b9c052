"""Emparejamiento: calls, their blind selection under codes, and the pilots that follow.

Read only. `pipelines.match.read` keeps identities and scores until their time. Free text that could
name an applicant (a conflict, a withdrawal, a fitting solution) is not shown before the reveal.
"""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from dashboard.filters import none_of
from dashboard.shell import Page, Visit, Visiting
from dashboard.words import N_
from models.errors import ConfigError, InputError
from models.insight_tables import InsightCategory
from models.labels import EVERYTHING
from pipelines.match.needs import Share, ZoneShare
from pipelines.match.noted import message_of
from pipelines.match.power import Indicator
from pipelines.match.read import Row, call_page, calls, of_pilot, pilot_of, pilots
from pipelines.store.calls import interruptions_of
from pipelines.store.read import insight_frame
from pipelines.store.records import stored
from pipelines.suppress import SENTIMENT, SUPPRESSED, suppress

PAGE = Page("emparejamiento", "/emparejamiento", N_("Emparejamiento"))
router = APIRouter()

STATES = {
    "draft": N_("Borrador"),
    "open": N_("Recibe postulaciones"),
    "assessing": N_("En evaluación"),
    "selected": N_("Selección cerrada"),
    "revealed": N_("Revelada"),
    "void": N_("Desierta"),
    "interrupted": N_("Interrumpida"),
}
PILOT_STATES = {
    "planned": N_("Previsto"),
    "running": N_("En marcha"),
    "finished": N_("Terminado"),
    "interrupted": N_("Interrumpido"),
}
STRICTEST = 1_000
"""The fewest voices to show where the municipality's own limit is not known here."""


class Quote(BaseModel):
    """What one citizen said, masked when the call was drafted."""

    text: str
    source: str
    said_on: str
    url: str | None = None


class Need(BaseModel):
    """What a call rests on, as its draft kept it."""

    municipality: str
    window_from: str
    window_to: str
    categories: tuple[str, ...]
    volume: Share
    negative: Share
    voices: int
    indicator: Indicator | None = None
    zones: tuple[ZoneShare, ...] = ()
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """A call's need, and which of its figures are of too few people to be shown."""

    need: Need
    few: bool
    few_negative: bool
    least: int

    def hides(self, zone: ZoneShare) -> bool:
        """Say whether a zone's count is hidden."""
        return self.few or zone.count < self.least

    def problem(self, text: str, hidden: str) -> str | None:
        """Return the problem statement without small cells; None where it is made of them."""
        if self.few or self.few_negative:
            return None
        for zone in filter(self.hides, self.need.zones):
            text = text.replace(f"{zone.name} ({zone.count})", f"{zone.name} ({hidden})")
        return text


@router.get(PAGE.path)
def show(visit: Visiting) -> HTMLResponse:
    """List the calls in the state asked for, and the pilots."""
    state = visit.filters.status
    if state not in ("", *STATES):
        raise none_of("status", STATES, visit._)
    engine = visit.house.engine
    every = calls(engine)
    return visit.page(
        "emparejamiento.html.j2",
        page=PAGE,
        states=STATES,
        pilot_states=PILOT_STATES,
        total=len(every),
        counts={code: sum(one["state"] == code for one in every) for code in STATES},
        calls=[(one, figures_of(visit, one)) for one in every if state in ("", one["state"])],
        pilots=[(one, is_blind(visit, one)) for one in pilots(engine)],
        works=_works(visit),
        entities=names_of_records(visit, "entity"),
        least=visit.town.suppress_below if visit.town else STRICTEST,
    )


@router.get("/emparejamiento/convocatorias/{code}")
def show_call(visit: Visiting, code: str) -> HTMLResponse:
    """Show one call: the need, the applications under codes, where the blind process stands."""
    try:
        found = call_page(visit.house.engine, code)
    except InputError as error:
        raise HTTPException(404) from error
    kind = "startup" if found.call["kind"] == "call" else "entity"
    return visit.page(
        "convocatoria.html.j2",
        page=PAGE,
        one=found,
        call=found.call,
        noted=message_of,
        needed=figures_of(visit, found.call),
        fit=[one for one in found.assessors if one.knows_none],
        states=STATES,
        works=_works(visit),
        categories=visit.names("category"),
        entities=names_of_records(visit, "entity"),
        applicants=names_of_records(visit, kind) if found.identities else {},
    )


@router.get("/emparejamiento/pilotos/{code}")
def show_pilot(visit: Visiting, code: str) -> HTMLResponse:
    """Show one pilot: its phases, its dates, what came of it."""
    engine = visit.house.engine
    try:
        pilot = pilot_of(engine, code)
    except InputError as error:
        raise HTTPException(404) from error
    return visit.page(
        "piloto.html.j2",
        page=PAGE,
        pilot=pilot,
        blind=is_blind(visit, pilot),
        phases=of_pilot(engine, "pilot_phase", code),
        activities=of_pilot(engine, "activity", code),
        interruptions=interruptions_of(engine, code),
        states=PILOT_STATES,
        works=_works(visit),
        categories=visit.names("category"),
        entities=names_of_records(visit, "entity"),
        startups=names_of_records(visit, "startup"),
    )


def figures_of(visit: Visit, call: Row) -> Figures | None:
    """Return the figures of a call's need; None where it has none that can be read."""
    try:
        need = Need.model_validate(call["need"])
    except ValidationError:
        return None
    k = _least(visit, need.municipality)
    few = min(need.volume.count, need.voices) < k
    few_negative = 0 < need.negative.count < k
    if call["run_id"]:
        frame = insight_frame(visit.house.engine, InsightCategory, call["run_id"])
        cells = suppress(frame[frame["lens"] == EVERYTHING], InsightCategory, k)
        why = set(cells.loc[cells["category"].isin(need.categories), SUPPRESSED])
        few = few or bool(why - {"", SENTIMENT})
        few_negative = few_negative or SENTIMENT in why
    return Figures(need, few, few or few_negative, k)


def _least(visit: Visit, municipality: str) -> int:
    """Return the fewest people that a cell of a municipality may be shown with."""
    try:
        return visit.house.municipality(municipality).suppress_below
    except (ConfigError, InputError):
        return STRICTEST


def is_blind(visit: Visit, pilot: Row) -> bool:
    """Say whether who runs a pilot is still hidden by its call."""
    return bool(pilot["call"]) and not call_page(visit.house.engine, pilot["call"]).identities


def _works(visit: Visit) -> dict[int, str]:
    spanish = visit.language == "es"
    every = visit.house.taxonomy.work_categories
    return {number: name.es if spanish else name.en for number, name in every.items()}


def names_of_records(visit: Visit, kind: str) -> dict[str, str]:
    """Return the names of the entities or startups, by code."""
    return {row["code"]: row["name"] for row in stored(visit.house.engine, kind)}
