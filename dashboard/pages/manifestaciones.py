"""Manifestaciones: the sentences behind every number, searched by words and labels."""

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from dashboard.shell import Page, Visit, Visiting, kept
from dashboard.slices import names_of
from dashboard.words import N_
from models.errors import InputError
from models.labels import CERTAINTIES
from models.records import Kind, Window
from pipelines.searching import basis_of
from pipelines.store.facets import Basis
from pipelines.store.search import Asked, conversation, copies_of, search

PAGE = Page("manifestaciones", "/manifestaciones", N_("Manifestaciones"))
router = APIRouter()

SIZE = 20
_THREAD = 60


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show what is asked for, a page at a time."""
    basis = _basis(visit)
    if basis is None:
        return visit.page("manifestaciones.html.j2", page=PAGE, hits=None)
    skip = (visit.filters.page - 1) * SIZE
    hits = search(visit.house.engine, basis, _asked(visit), skip, SIZE)
    after = skip + len(hits.found)
    return visit.page(
        "manifestaciones.html.j2",
        page=PAGE,
        hits=hits,
        more=after < hits.count or (not hits.exact and len(hits.found) == SIZE),
        first=skip + 1,
        basis=basis,
        choices=_choices(visit),
    )


@router.get("/manifestaciones/{id_}")
@kept
def show_one(visit: Visiting, id_: str) -> HTMLResponse:
    """Show one in its conversation."""
    basis = _basis(visit)
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


def _basis(visit: Visit) -> Basis | None:
    """Return by what the run counted; nothing where nothing was counted.

    Raises:
        InputError: the days asked for are none.
    """
    town, shown = visit.town, visit.shown
    if town is None or shown is None or shown.data.run.model_version is None:
        return None
    house, filters = visit.house, visit.filters
    basis = basis_of(house.engine, shown.data.run, town, house.taxonomy)
    start, end = filters.start or basis.window.start, filters.end or basis.window.end
    if end <= start:
        raise InputError(visit._("«Hasta» es el día siguiente al último, y viene después."))
    return replace(basis, window=Window(start, end, town.zone))


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
        certainty=filters.certainty,
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
    codes = {"kind": tuple(Kind), "certainty": CERTAINTIES}
    return named | {
        name: {str(code): visit.t.name(name, code) for code in those}
        for name, those in codes.items()
    }
