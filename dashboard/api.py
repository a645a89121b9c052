"""The insight tables for programs: JSON, in pages, with an entity tag. OpenAPI describes it."""

import json
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from dashboard.shell import Visit
from dashboard.tables import rows
from models.insight_tables import INSIGHT_TABLES
from pipelines.store.read import insight_table, latest_runs

router = APIRouter(prefix="/api/v1", tags=["insights"])

MOST = 1_000
_CODE = r"^[\w().:-]{1,80}$"
Code = Annotated[str, Query(pattern=_CODE, max_length=80)]
Municipality = Annotated[
    str,
    Query(
        alias="m", description="Code of the municipality; the first if not given.", pattern=_CODE
    ),
]
_NAMES = [table.__tablename__ for table in INSIGHT_TABLES]


class Column(BaseModel):
    """A column of an insight table."""

    name: str
    meaning: str | None


class Table(BaseModel):
    """An insight table."""

    name: str
    meaning: str | None
    columns: list[Column]


class Rows(BaseModel):
    """A page of rows of one run; ``next`` is the offset of the page after, if there is one."""

    table: str
    municipality: str
    run_id: str
    lens: str
    total: int
    offset: int
    next: int | None
    rows: list[dict[str, Any]]


class Run(BaseModel):
    """A run of the ledger."""

    id: str
    command: str
    window_from: str
    window_to: str
    state: str
    model_version: str | None


class Problem(BaseModel):
    """Why there is no answer."""

    detail: str


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No key, or one that opens nothing."},
    404: {"model": Problem, "description": "There is no such table, run or municipality."},
}


@router.get("/tables", responses={401: _PROBLEMS[401]})
def tables() -> list[Table]:
    """List the insight tables with the meanings of their columns."""
    return [
        Table(
            name=table.__tablename__,
            meaning=table.__table__.comment,  # type: ignore[attr-defined]
            columns=[Column(name=c.name, meaning=c.comment) for c in table.__table__.columns],
        )
        for table in INSIGHT_TABLES
    ]


@router.get("/runs", responses=_PROBLEMS)
def runs(
    request: Request, m: Municipality = "", limit: Annotated[int, Query(ge=1, le=MOST)] = 100
) -> list[Run]:
    """List the latest runs of a municipality, the newest first."""
    visit = Visit(request)
    code = visit.town.code if visit.town else m
    return [
        Run(
            id=run.id,
            command=run.command,
            window_from=run.window_from.isoformat(),
            window_to=run.window_to.isoformat(),
            state=run.state,
            model_version=run.model_version,
        )
        for run in latest_runs(visit.house.engine, code, limit)
    ]


@router.get(
    "/tables/{name}",
    response_model=Rows,
    responses={
        **_PROBLEMS,
        304: {"description": "Nothing has changed since the entity tag that was sent."},
    },
)
def table_rows(
    request: Request,
    name: Annotated[str, Path(description=f"One of {', '.join(_NAMES)}.", max_length=60)],
    m: Municipality = "",
    run: Annotated[str, Query(description="A run; the newest if not given.", pattern=_CODE)] = "",
    lens: Annotated[str, Query(description="A lens; everything if not given.", pattern=_CODE)] = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Give a page of a run's rows; figures of too few people are empty, ``suppressed`` says why."""
    if name not in _NAMES:
        raise HTTPException(404, f"There is no insight table {name!r}.")
    visit = Visit(request)
    frame = rows(visit, insight_table(name))
    page = frame.iloc[offset : offset + limit]
    more = offset + limit < len(frame)
    body = {
        "table": name,
        "municipality": visit.town.code if visit.town else m,
        "run_id": visit.window.run_id if visit.window else run,
        "lens": lens,
        "total": len(frame),
        "offset": offset,
        "next": offset + limit if more else None,
        "rows": json.loads(page.to_json(orient="records", date_format="iso")),
    }
    tag = f'"{sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    asked = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    if tag in asked:
        return Response(status_code=304, headers=headers)
    return JSONResponse(body, headers=headers)
