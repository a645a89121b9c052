"""Metodología: how it was counted, by which model, with what limits, in which columns."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.shell import Page, Visiting, kept
from dashboard.words import N_
from models.errors import ModelError
from models.tables import INSIGHT_TABLES
from nlp.manifest import SHIPPED, Manifest, read_manifest
from pipelines.report import recount

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
        manifest=_manifest(run.model_version if run else None),
        tables=[table.__table__ for table in INSIGHT_TABLES],
    )


def _manifest(version: str | None) -> Manifest | None:
    """Return what the shipped model says of itself, if it is the one that counted."""
    try:
        manifest = read_manifest(SHIPPED)
    except ModelError:
        return None
    return manifest if version and version.startswith(manifest.name) else None
