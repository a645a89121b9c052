"""Metodología: how it was counted, by which model, with what limits, in which columns."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.shell import Page, Visiting, kept
from dashboard.words import N_
from models.tables import INSIGHT_TABLES
from pipelines.report import recount
from pipelines.report.card import card_of

PAGE = Page("metodologia", "/metodologia", N_("Metodología"))
router = APIRouter()


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show the method, the model that counted, and the dictionary of the tables."""
    run = visit.shown.data.run if visit.shown else None
    return visit.page(
        "metodologia.html.j2",
        page=PAGE,
        run=run,
        town=visit.town,
        queries=recount,
        card=card_of(run.model_version, visit.town) if run and visit.town else None,
        tables=[table.__table__ for table in INSIGHT_TABLES],
    )
