"""Lugares: of which zones neighbours speak, on a map where the zones have one."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from configs.outlines import SOURCE, outline_of
from dashboard.maps import NARROW, SHADES, WIDE, draw_map
from dashboard.shell import Page, Visit, Visiting, kept
from dashboard.slices import counted_in, parts_of
from dashboard.words import N_
from pipelines.report.view import PlaceLine

PAGE = Page("lugares", "/lugares", N_("Lugares"))
router = APIRouter()


def _maps(visit: Visit, places: Sequence[PlaceLine]) -> dict[str, Markup]:
    """Draw the map for a desk and for a telephone; none where no zone has a geometry."""
    if visit.town is None:
        return {}
    title, ground = visit.t("places.chart"), outline_of(visit.town.ubigeo)
    drawn = {
        name: draw_map(visit.town.zones, places, title, ground, width)
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    }
    return {name: one for name, one in drawn.items() if one is not None}


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show all zones, and of one what is said of it."""
    places = visit.shown.figures.places if visit.shown else ()
    zone = next((p.line for p in places if p.line.code == visit.filters.zone), None)
    return visit.page(
        "lugares.html.j2",
        page=PAGE,
        maps=_maps(visit, places),
        shades=SHADES,
        outlined=visit.town is not None and outline_of(visit.town.ubigeo) is not None,
        outline_source=SOURCE,
        approximate=visit.town is not None
        and any(zone.geometry and zone.geometry.type == "Point" for zone in visit.town.zones),
        zone=zone,
        categories=counted_in(visit, "category", "zone", zone) if zone else (),
        tone=parts_of(visit, "zone", zone.code, "sentiment") if zone else (),
    )
