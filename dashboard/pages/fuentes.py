"""Fuentes: what each source gave, how loud it is, and what went wrong with it."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.shell import Page, Visiting, kept
from dashboard.words import N_
from pipelines.store.crawled import source_health

PAGE = Page("fuentes", "/fuentes", N_("Fuentes"))
router = APIRouter()


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show the sources of the run, and how they are now."""
    health = source_health(visit.house.engine, visit.town.code) if visit.town else {}
    return visit.page("fuentes.html.j2", page=PAGE, health=health)
