"""Temas: what is talked about that nobody named beforehand, and what is growing."""

import json
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from dashboard.shell import Page, Visit, Visiting, kept
from dashboard.words import N_
from models.insight_tables import InsightTopic
from pipelines.proportions import wilson
from pipelines.report.safe import shorten
from pipelines.report.view import SURE, Share, rows_of
from pipelines.store.counted import lens_frame
from pipelines.store.said import quotable

PAGE = Page("temas", "/temas", N_("Temas"))
router = APIRouter()

_LONGEST = 280


@router.get(PAGE.path)
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show the topics of the run, the loudest first."""
    return visit.page("temas.html.j2", page=PAGE, topics=_topics(visit), sure=SURE)


def _topics(visit: Visit) -> list[dict[str, Any]]:
    """Return the topics of enough people, each with its share, its tone and some of its texts."""
    if visit.town is None or visit.window is None:
        return []
    engine, k = visit.house.engine, visit.town.suppress_below
    frame = lens_frame(engine, InsightTopic, visit.window.run_id, visit.filters.lens)
    kept = rows_of(frame[frame["voices"] >= k].sort_values("voices", ascending=False))
    quoted = quotable(engine, visit.town.code, [id_ for row in kept for id_ in _ids(row)])
    titles = visit.shown.data.source_titles if visit.shown else {}
    names = visit.names("category")
    topics = []
    for row in kept:
        count, n, negative = (int(str(row[name])) for name in ("count", "n", "negative"))
        few = 0 < negative < k
        topics.append(
            dict(row)
            | {
                "category_name": names.get(str(row["category"]), ""),
                "share": Share(count, n, *wilson(count, n)),
                "negative_share": Share(negative, count, *wilson(negative, count), hidden=few),
                "quotes": [
                    (said, shorten(said.text, _LONGEST), titles.get(said.source, said.source))
                    for said in (quoted[id_] for id_ in _ids(row) if id_ in quoted)
                ],
            }
        )
    return topics


def _ids(row: Any) -> list[str]:
    found = row["examples"]
    return list(json.loads(found)) if isinstance(found, str) else list(found)
