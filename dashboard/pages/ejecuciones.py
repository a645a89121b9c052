"""Ejecuciones: what ran, what it read and refused, which sources rest, what changed since."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.shell import Page, Visit, Visiting, kept
from dashboard.words import N_
from pipelines.diff import Difference, biggest, diff
from pipelines.store.counted import ledger_of
from pipelines.store.crawled import source_health
from pipelines.store.read import latest_runs, rejection_counts

PAGE = Page("ejecuciones", "/ejecuciones", N_("Ejecuciones"))
router = APIRouter()

_MOST = 50
_CHANGES = 20


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show the latest runs and the sources that rest."""
    engine, town = visit.house.engine, visit.town
    health = source_health(engine, town.code) if town else {}
    return visit.page(
        "ejecuciones.html.j2",
        page=PAGE,
        runs=latest_runs(engine, town.code, _MOST) if town else (),
        resting={name: one for name, one in health.items() if one.state != "active"},
    )


@router.get("/ejecuciones/{run_id}")
@kept
def show_one(visit: Visiting, run_id: str, beside: str = "") -> HTMLResponse:
    """Show one run: its ledger, what it refused, and what differs from another."""
    engine = visit.house.engine
    run = visit.run(run_id)
    others = [one for one in latest_runs(engine, run.municipality, _MOST) if one.id != run_id]
    found = _difference(visit, beside, run_id) if beside else None
    return visit.page(
        "ejecucion.html.j2",
        page=PAGE,
        run=run,
        ledger=ledger_of(engine, run_id),
        rejections=rejection_counts(engine, run_id).to_dict("records"),
        others=others,
        beside=beside,
        found=found,
        changes=_changes(visit, found),
    )


def _difference(visit: Visit, earlier: str, later: str) -> Difference:
    return diff(visit.house.engine, visit.run(earlier).id, later)


def _changes(visit: Visit, found: Difference | None) -> list[dict[str, object]]:
    """Return the largest changes whose counts are of enough manifestations on both sides."""
    if found is None or visit.town is None:
        return []
    k = visit.town.suppress_below
    counts = found.changes[["count_a", "count_b"]].astype("float").fillna(0)
    shown = found.changes[((counts >= k) | (counts == 0)).all(axis=1)]
    rows = biggest(shown, _CHANGES).astype(object)
    return [
        {str(k): v for k, v in row.items()}
        for row in rows.where(rows.notna(), None).to_dict("records")
    ]
