"""Lugares: of which zones neighbours speak, on a map where the zones have one."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.maps import SHADES, draw_map
from dashboard.shell import Page, Visiting
from dashboard.slices import counted_in, parts_of
from dashboard.words import N_

PAGE = Page("lugares", "/lugares", N_("Lugares"))
router = APIRouter()


@router.get(PAGE.path)
def show(visit: Visiting) -> HTMLResponse:
    """Show all zones, and of one what is said of it."""
    places = visit.shown.figures.places if visit.shown else ()
    zone = next((p.line for p in places if p.line.code == visit.filters.zone), None)
    return visit.page(
        "lugares.html.j2",
        page=PAGE,
        drawn=draw_map(visit.town.zones, places, visit.t("places.chart")) if visit.town else None,
        shades=SHADES,
        zone=zone,
        categories=counted_in(visit, "category", "zone", zone) if zone else (),
        tone=parts_of(visit, "zone", zone.code, "sentiment") if zone else (),
    )
