"""The calls, their applications and the pilots as files, with no more than their pages show."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pandas as pd
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from dashboard.pages.emparejamiento import figures_of, is_blind, names_of_records
from dashboard.shell import Visit, Visiting
from dashboard.tables import attached, written
from models.errors import InputError
from pipelines.export import Sheet, write_sheet
from pipelines.match.needs import Share
from pipelines.match.read import Row, call_page, calls, pilots
from pipelines.store.audit import Event, record
from pipelines.suppress import SUPPRESSED

Form = Literal["csv", "xlsx", "parquet"]
router = APIRouter(prefix="/emparejamiento")

CALLS = Sheet(
    "calls",
    {
        "code": "The call's code.",
        "title": "Its title.",
        "state": "draft, open, assessing, selected, revealed, void or interrupted.",
        "entity": "Who calls.",
        "work_category": "Number of the work category that a solution must belong to.",
        "opens_on": "First day of applications.",
        "closes_on": "Last day of applications.",
        "places": "How many can be chosen at most.",
        "applications": "Applications that stand.",
        "run_id": "The run that counted the need; empty if the call was not drafted from one.",
        "baseline_from": "First day of the baseline window.",
        "baseline_to": "Day after the last one of the baseline window.",
        "count": "Manifestations that speak of the need.",
        "n": "Manifestations of the window.",
        "share": "count / n.",
        "share_low": "Lower end of the 95 % Wilson interval.",
        "share_high": "Upper end of the 95 % Wilson interval.",
        "negative_count": "Of those that speak of the need, the negative ones.",
        "negative_n": "Manifestations that speak of the need.",
        "negative_share": "negative_count / negative_n.",
        "negative_low": "Lower end of the 95 % Wilson interval.",
        "negative_high": "Upper end of the 95 % Wilson interval.",
    },
)
PILOTS = Sheet(
    "pilots",
    {
        "code": "The pilot's code.",
        "title": "Its title; empty until its call is revealed.",
        "state": "planned, running, finished or interrupted.",
        "entity": "Where it runs.",
        "work_categories": "Numbers of its work categories.",
        "call": "Code of the call that it came from.",
        "year": "Year, where the days are not known.",
        "starts_on": "First day.",
        "ends_on": "Last day.",
    },
)
APPLICATIONS = Sheet(
    "applications",
    {
        "call": "Code of the call.",
        "code": "Code under which it is assessed.",
        "withdrawn": "Whether it was taken back.",
        "place": "Its place; empty, as are the scores, until the selection is closed.",
        "novelty": "Mean score of novelty.",
        "need": "Mean score of fit with the need.",
        "experience": "Mean score of experience.",
        "total": "Mean of the three.",
        "chosen": "Whether it was chosen.",
        "applicant": "Who applied; empty until the reveal.",
    },
)


@router.get("/convocatorias.{form}")
def download_calls(visit: Visiting, form: Form) -> Response:
    """Answer with all calls and the figures of their needs."""
    return _file(visit, CALLS, (_call(visit, one) for one in calls(visit.house.engine)), form)


@router.get("/pilotos.{form}")
def download_pilots(visit: Visiting, form: Form) -> Response:
    """Answer with all pilots."""
    return _file(visit, PILOTS, (_pilot(visit, one) for one in pilots(visit.house.engine)), form)


@router.get("/convocatorias/{code}/postulaciones.{form}")
def download_applications(visit: Visiting, code: str, form: Form) -> Response:
    """Answer with the applications of a call, under codes until the reveal."""
    try:
        page = call_page(visit.house.engine, code)
    except InputError as error:
        raise HTTPException(404) from error
    names = names_of_records(visit, "startup" if page.call["kind"] == "call" else "entity")
    ranked = {row["application"]: row for row in page.ranking}
    applicants = {one: names.get(who, who) for one, who in page.identities.items()}
    rows = (
        {
            **ranked.get(one["code"], {}),
            "call": code,
            "code": one["code"],
            "withdrawn": one["withdrawn_at"] is not None,
            "applicant": applicants.get(one["code"]),
        }
        for one in page.applications
    )
    return _file(visit, APPLICATIONS, rows, form)


def _file(visit: Visit, sheet: Sheet, rows: Iterable[Mapping[str, Any]], form: Form) -> Response:
    columns = [*sheet.meanings, *([SUPPRESSED] if sheet is CALLS else [])]
    frame = pd.DataFrame(list(rows), columns=columns).convert_dtypes()
    body = written(lambda path: write_sheet(frame, sheet, path, form))
    done = {"table": sheet.name, "format": form}
    record(visit.house.engine, Event("export", "", done), visit.person.name)
    return attached(body, sheet.name, form)


def _call(visit: Visit, call: Row) -> dict[str, Any]:
    names = names_of_records(visit, "entity")
    row = {name: call.get(name) for name in CALLS.meanings} | {"entity": names[call["entity"]]}
    found = figures_of(visit, call)
    if found is None:
        return row | {SUPPRESSED: ""}
    row |= {"baseline_from": found.need.window_from, "baseline_to": found.need.window_to}
    if not found.few:
        row |= _share(found.need.volume, "", "share")
    if not found.few_negative:
        row |= _share(found.need.negative, "negative_", "negative")
    why = "small" if found.few else "sentiments" if found.few_negative else ""
    return row | {SUPPRESSED: why}


def _share(share: Share, before: str, ends: str) -> dict[str, Any]:
    return {
        f"{before}count": share.count,
        f"{before}n": share.n,
        f"{before}share": share.value,
        f"{ends}_low": share.low,
        f"{ends}_high": share.high,
    }


def _pilot(visit: Visit, pilot: Row) -> dict[str, Any]:
    names = names_of_records(visit, "entity")
    return {
        **{name: pilot.get(name) for name in PILOTS.meanings},
        "title": None if is_blind(visit, pilot) else pilot["title"],
        "entity": names[pilot["entity"]],
        "work_categories": ", ".join(map(str, pilot["work_categories"])),
    }
