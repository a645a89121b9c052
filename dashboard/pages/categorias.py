"""Categorías: the ranking; of one of them its weeks, tone, words, zones and sources."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.shell import Page, Visit, Visiting, kept
from dashboard.slices import bars, parts_of, weeks_of
from dashboard.words import N_
from models.insight_tables import InsightTerm
from pipelines.report.view import rows_of
from pipelines.store.counted import lens_frame

PAGE = Page("categorias", "/categorias", N_("Categorías"))
router = APIRouter()

_MOST_TERMS = 15


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show all categories, or the one that is asked for."""
    if not visit.filters.category or visit.shown is None:
        return visit.page("categorias.html.j2", page=PAGE)
    category = visit.filters.category
    weeks = weeks_of(visit, "category", category)
    tone = parts_of(visit, "category", category, "sentiment")
    return visit.page(
        "categoria.html.j2",
        page=PAGE,
        name=visit.names("category")[category],
        line=next((one for one in visit.shown.figures.categories if one.code == category), None),
        rank=1 + [one.code for one in visit.shown.figures.categories].index(category)
        if any(one.code == category for one in visit.shown.figures.categories)
        else None,
        weeks=weeks,
        weeks_chart=bars(visit, "semanas", visit._("Proporción por semana"), weeks.lines),
        tone=tone,
        tone_chart=bars(visit, "tono", visit._("Tono de la categoría"), tone),
        intents=parts_of(visit, "category", category, "intent"),
        zones=parts_of(visit, "category", category, "zone"),
        sources=parts_of(visit, "category", category, "source"),
        terms=_terms(visit, category),
    )


def _terms(visit: Visit, category: str) -> list[dict[str, Any]]:
    """Return the words that set a category apart, without those of too few people."""
    if visit.window is None or visit.town is None:
        return []
    asked = (InsightTerm, visit.window.run_id, visit.filters.lens)
    frame = visit.house.tables.get(asked, lambda: lens_frame(visit.house.engine, *asked))
    mine = frame[(frame["category"] == category) & (frame["voices"] >= visit.town.suppress_below)]
    best = mine.sort_values("z", ascending=False).head(_MOST_TERMS)
    return [dict(row) for row in rows_of(best)]
