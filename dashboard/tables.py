"""Insight tables as whoever visits may have them: one run, one lens, small cells hidden."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from fastapi import APIRouter
from fastapi.responses import Response

from dashboard.shell import Visit, Visiting
from models.errors import InputError
from models.insight_tables import InsightPlace
from models.tables import Base
from pipelines.export import write_frame
from pipelines.geo import feature_collection
from pipelines.store.audit import Event, record
from pipelines.store.counted import lens_frame
from pipelines.store.read import insight_table
from pipelines.suppress import suppress

Form = Literal["csv", "xlsx", "parquet", "jsonl", "geojson"]
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/x-ndjson",
    "geojson": "application/geo+json",
}
router = APIRouter()


def rows(visit: Visit, table: type[Base]) -> pd.DataFrame:
    """Return the rows that a visit looks at, with the column that says what is hidden.

    Raises:
        InputError: nothing has been counted yet.
    """
    if visit.town is None or visit.window is None:
        raise InputError(visit._("Todavía no hay nada contado."))
    run_id, lens, k = visit.window.run_id, visit.filters.lens, visit.town.suppress_below

    def read() -> pd.DataFrame:
        return suppress(lens_frame(visit.house.engine, table, run_id, lens), table, k)

    return visit.house.tables.get((table.__tablename__, run_id, lens, k), read)


@router.get("/tablas/{name}.{form}", response_class=Response, include_in_schema=False)
def download(visit: Visiting, name: str, form: Form) -> Response:
    """Answer with a table as a file."""
    table = insight_table(name)
    frame = rows(visit, table)
    body = (
        _geojson(visit, table, frame)
        if form == "geojson"
        else written(lambda path: write_frame(frame, table, path, form))
    )
    run = visit.window.run_id if visit.window else ""
    if visit.town is not None:
        done = {"table": name, "run": run, "format": form, "lens": visit.filters.lens}
        record(visit.house.engine, Event("export", visit.town.code, done), visit.person.name)
    lens = f"-{visit.filters.lens}" if visit.filters.lens else ""
    return attached(body, f"{name}-{run}{lens}", form)


def attached(body: bytes, name: str, form: Form) -> Response:
    """Answer with a file that the browser keeps under a name."""
    disposition = f'attachment; filename="{name}.{form}"'
    return Response(body, media_type=_TYPES[form], headers={"content-disposition": disposition})


def written(write: Callable[[Path], None]) -> bytes:
    """Return what is written to a file."""
    with tempfile.TemporaryDirectory(prefix="manifiesta-") as folder:
        path = Path(folder) / "table"
        write(path)
        return path.read_bytes()


def _geojson(visit: Visit, table: type[Base], frame: pd.DataFrame) -> bytes:
    if table is not InsightPlace or visit.town is None:
        raise InputError(visit._("Solo insight_place puede darse como GeoJSON."))
    found: Any = feature_collection(frame, visit.town)
    return json.dumps(found, ensure_ascii=False).encode()
