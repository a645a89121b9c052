"""Open311 GeoReport v2: other systems read the confirmed demands, and send requests with a key.

http://wiki.open311.org/GeoReport_v2. ``jurisdiction_id`` is the code of a municipality; without
it the first one is meant. Reading needs no key: there is nothing in it that is not public.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response

from configs.schema import Municipality
from dashboard.shell import House
from models.demands import PUBLIC, Status
from models.errors import InputError
from pipelines.demands import open311
from pipelines.demands.receive import Request as Sent
from pipelines.demands.receive import receive
from pipelines.privacy import Pseudonymiser
from pipelines.store.counted import counted_municipalities
from pipelines.store.demands import Wanted, demands
from pipelines.store.write import Store

router = APIRouter(prefix="/open311/v2")

LONGEST_SPAN = timedelta(days=90)
"""The protocol answers for no longer span at once, and for the last one if none is named."""

MOST = 1_000
USUAL = 50

_ENDED = (Status.CLOSED, Status.REJECTED)


@dataclass(frozen=True, slots=True)
class Receiving:
    """What it takes to let other systems send requests: their key, and how senders are hidden."""

    key: str
    pseudonymiser: Callable[[Municipality], Pseudonymiser]


class Form311(StrEnum):
    """The forms of an answer."""

    JSON = "json"
    XML = "xml"


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, not a fault
    """A request that is answered with an error of the protocol; `refused` writes it."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status


def _answer(
    form: Form311, rows: Sequence[Mapping[str, Any]], root: str, each: str, status: int = 200
) -> Response:
    if form is Form311.JSON:
        return Response(open311.as_json(rows), status, media_type="application/json; charset=utf-8")
    return Response(open311.as_xml(rows, root, each), status, media_type="text/xml; charset=utf-8")


def refused(request: Request, error: Exception) -> Response:
    """Answer a request that is refused, in the form that it asked for."""
    status = error.status if isinstance(error, Refusal) else 500
    form = Form311.XML if request.url.path.endswith(".xml") else Form311.JSON
    row = {"code": status, "description": str(error)}
    return _answer(form, [row], "errors", "error", status)


def _town(request: Request, jurisdiction: str) -> tuple[House, Municipality]:
    house: House = request.app.state.house
    codes = counted_municipalities(house.engine)
    code = jurisdiction or next(iter(codes), "")
    if code not in codes:
        raise Refusal(404, "jurisdiction_id was not found")
    return house, house.municipality(code)


Jurisdiction = Annotated[str, Query(alias="jurisdiction_id")]


@router.get("/services.{form}")
def services(request: Request, form: Form311, jurisdiction: Jurisdiction = "") -> Response:
    """List what can be asked for."""
    house, town = _town(request, jurisdiction)
    return _answer(form, open311.services(house.taxonomy, town), "services", "service")


@router.get("/services/{code}.{form}")
def service(
    request: Request, code: str, form: Form311, jurisdiction: Jurisdiction = ""
) -> Response:
    """Define one service; none asks for more than a description."""
    house, town = _town(request, jurisdiction)
    known = {one["service_code"] for one in open311.services(house.taxonomy, town)}
    if code not in known:
        raise Refusal(404, "service_code was not found")
    definition: dict[str, Any] = {
        "service_code": code,
        "attributes": [] if form is Form311.JSON else None,
    }
    body = (
        open311.as_json(definition)
        if form is Form311.JSON
        else open311.element_as_xml(definition, "service_definition")
    )
    kind = "application/json" if form is Form311.JSON else "text/xml"
    return Response(body, media_type=f"{kind}; charset=utf-8")


@router.get("/requests.{form}")
def requests(  # noqa: PLR0913, PLR0917 - the parameters of the protocol
    request: Request,
    form: Form311,
    jurisdiction: Jurisdiction = "",
    ids: Annotated[str, Query(alias="service_request_id")] = "",
    code: Annotated[str, Query(alias="service_code")] = "",
    status: str = "",
    start: Annotated[str, Query(alias="start_date")] = "",
    end: Annotated[str, Query(alias="end_date")] = "",
    page: Annotated[str, Query()] = "1",
    page_size: Annotated[str, Query()] = str(USUAL),
) -> Response:
    """List confirmed demands: those asked for by id, else of a span of 90 days at most."""
    house, town = _town(request, jurisdiction)
    wanted = _wanted(_split(ids), _statuses(status), start, end)
    size, number = _number(page_size, MOST), _number(page, 10**6)
    store, codes = Store(house.engine), set(_split(code))
    found = demands(house.engine, town.code, wanted)
    kept = [one for one in found if not codes or one.category in codes]
    kept.sort(key=lambda one: (one.confirmed_at or one.proposed_at, one.id), reverse=True)
    some = kept[(number - 1) * size : number * size]
    rows = open311.requests(store, some, house.taxonomy, town)
    return _answer(form, rows, "service_requests", "request")


@router.get("/requests/{id_}.{form}")
def one_request(
    request: Request, id_: str, form: Form311, jurisdiction: Jurisdiction = ""
) -> Response:
    """Show one confirmed demand."""
    house, town = _town(request, jurisdiction)
    found = demands(house.engine, town.code, Wanted(PUBLIC, ids=(id_,)))
    if not found:
        raise Refusal(404, "service_request_id was not found")
    rows = open311.requests(Store(house.engine), found, house.taxonomy, town)
    return _answer(form, rows, "service_requests", "request")


Field = Annotated[str, Form()]


@router.post("/requests.{form}")
def send(  # noqa: PLR0913, PLR0917 - the fields of the protocol
    request: Request,
    form: Form311,
    api_key: Field = "",
    service_code: Field = "",
    description: Field = "",
    address_string: Field = "",
    email: Field = "",
    account_id: Field = "",
    jurisdiction_id: Field = "",
) -> Response:
    """Take a request in. Names, phones and devices of senders are not read at all."""
    receiving: Receiving | None = request.app.state.receiving
    if receiving is None:
        raise Refusal(403, "this server takes no requests: MANIFIESTA_OPEN311_KEY is not set")
    if not hmac.compare_digest(api_key.encode(), receiving.key.encode()):
        raise Refusal(403, "api_key is missing or wrong")
    house, town = _town(request, jurisdiction_id)
    sent = Sent(service_code, description, address_string, email or account_id or None)
    try:
        id_ = receive(Store(house.engine), town, receiving.pseudonymiser(town), sent)
    except InputError as error:
        raise Refusal(400, str(error)) from error
    house.forget()
    row = {"service_request_id": id_, "service_notice": None, "account_id": None}
    return _answer(form, [row], "service_requests", "request", 201)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())[:MOST]


def _statuses(text: str) -> tuple[Status, ...]:
    asked = set(_split(text))
    if not asked <= {"open", "closed"}:
        raise Refusal(400, "status is open, closed, or both with a comma between")
    if not asked or len(asked) == 2:
        return PUBLIC
    return tuple(one for one in PUBLIC if (one in _ENDED) == ("closed" in asked))


def _wanted(ids: tuple[str, ...], statuses: tuple[Status, ...], start: str, end: str) -> Wanted:
    if ids:  # the other criteria do not count then
        return Wanted(PUBLIC, ids=ids)
    until = _moment(end, "end_date")
    since = _moment(start, "start_date")
    if until is None:
        until = min(since + LONGEST_SPAN, datetime.now(UTC)) if since else datetime.now(UTC)
    if since is None:
        since = until - LONGEST_SPAN
    if until - since > LONGEST_SPAN:
        raise Refusal(400, "start_date and end_date are 90 days apart at most")
    return Wanted(statuses, since=since, until=until)


def _moment(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, f"{name} is no moment like 2026-01-31T00:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _number(text: str, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= most:
        raise Refusal(400, f"page and page_size are whole numbers from 1 to {most}")
    return int(text)
