"""Metodología: how it was counted, by which model, with what limits, in which columns."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.shell import Page, Visiting, kept
from dashboard.words import N_
from models.insight_tables import INSIGHT_TABLES
from pipelines.report import recount
from pipelines.report.card import card_of

PAGE = Page("metodologia", "/metodologia", N_("Metodología"))
router = APIRouter()


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show the method, the model that counted, and the dictionary of the tables."""
    data = visit.shown.data if visit.shown else None
    run = data.run if data else None
    return visit.page(
        "metodologia.html.j2",
        page=PAGE,
        run=run,
        town=visit.town,
        queries=recount,
        card=card_of(data.run.model_version, data.municipality, data.manifest) if data else None,
        tables=[table.__table__ for table in INSIGHT_TABLES],
    )
