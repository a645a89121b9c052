"""Manifestaciones: the sentences behind every number, searched by words and labels."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from configs.schema import lenses_of
from dashboard.shell import Page, Visit, Visiting, kept
from dashboard.slices import names_of
from dashboard.words import N_
from models.errors import InputError
from models.records import Kind, Window
from nlp.lenses import identifier
from pipelines.store.search import (
    COUNTED_TO,
    Asked,
    Basis,
    conversation,
    copies_of,
    count_hits,
    search,
)

PAGE = Page("manifestaciones", "/manifestaciones", N_("Manifestaciones"))
router = APIRouter()

SIZE = 20
_THREAD = 60


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show what is asked for, a page at a time."""
    basis = basis_of(visit)
    if basis is None:
        return visit.page("manifestaciones.html.j2", page=PAGE, hits=0)
    asked, skip = _asked(visit), (visit.filters.page - 1) * SIZE
    engine = visit.house.engine
    found = search(engine, basis, asked, skip, SIZE)
    is_last = len(found) < SIZE and (found or not skip)
    return visit.page(
        "manifestaciones.html.j2",
        page=PAGE,
        hits=skip + len(found) if is_last else count_hits(engine, basis, asked),
        most=COUNTED_TO,
        found=found,
        size=SIZE,
        first=skip + 1,
        basis=basis,
        choices=_choices(visit),
    )


@router.get("/manifestaciones/{id_}")
@kept
def show_one(visit: Visiting, id_: str) -> HTMLResponse:
    """Show one in its conversation."""
    basis = basis_of(visit)
    thread = conversation(visit.house.engine, basis, id_, _THREAD) if basis else []
    if not thread:
        raise HTTPException(404)
    return visit.page(
        "manifestacion.html.j2",
        page=PAGE,
        thread=thread,
        chosen=next(one for one in thread if one.id == id_),
        copies=copies_of(visit.house.engine, id_),
        whole=len(thread) < _THREAD,
    )


def basis_of(visit: Visit) -> Basis | None:
    """Return by what the run counted; nothing where nothing was counted.

    Raises:
        InputError: the days asked for are none.
    """
    town, shown = visit.town, visit.shown
    if town is None or shown is None or shown.data.run.model_version is None:
        return None
    run, filters = shown.data.run, visit.filters
    start, end = filters.start or run.window_from, filters.end or run.window_to
    if end <= start:
        raise InputError(visit._("«Hasta» es el día siguiente al último, y viene después."))
    gazetteers = list(shown.data.place["gazetteer"]) if len(shown.data.place) else []
    return Basis(
        municipality=town.code,
        window=Window(start, end, town.zone),
        model_version=run.model_version or "",
        taxonomy_version=run.taxonomy_version,
        gazetteer=next((str(one) for one in gazetteers), None),
        lenses=identifier(lenses_of(town, visit.house.taxonomy)),
    )


def _asked(visit: Visit) -> Asked:
    filters = visit.filters
    return Asked(
        words=filters.words,
        category=filters.category,
        sentiment=filters.sentiment,
        intent=filters.intent,
        kind=filters.kind,
        source=filters.source,
        zone=filters.zone,
        lens=filters.lens,
    )


def _choices(visit: Visit) -> dict[str, dict[str, str]]:
    """Return what each filter can be, by code, with names."""
    town, shown = visit.town, visit.shown
    if town is None or shown is None:
        return {}
    named = {
        name: dict(names_of(visit, town, shown, name))
        for name in ("category", "sentiment", "intent", "source", "zone")
    }
    return named | {"kind": {str(kind): visit.t.name("kind", kind) for kind in Kind}}
