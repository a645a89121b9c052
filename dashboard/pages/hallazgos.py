"""Hallazgos: what stands out, each with its statistic and the manifestations behind it."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.shell import Page, Visiting, kept
from dashboard.words import N_

PAGE = Page("hallazgos", "/hallazgos", N_("Hallazgos"))
router = APIRouter()


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show the findings of the run."""
    return visit.page("hallazgos.html.j2", page=PAGE)
