"""Resumen: what neighbours talk about, and how sure that is, on one screen."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.shell import Page, Visiting, kept
from dashboard.words import N_

PAGE = Page("resumen", "/", N_("Resumen"))
router = APIRouter()


@router.get("/")
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show the whole window."""
    return visit.page("resumen.html.j2", page=PAGE)
