"""Demands as Open311 GeoReport v2: written for other systems, and their answers read.

http://wiki.open311.org/GeoReport_v2 – services are the urban categories, requests are the demands
that a person has confirmed. JSON and XML say the same.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final

from lxml import etree

from configs.schema import Geometry, Municipality, Taxonomy, Zone
from crawlers.extract.dates import moment
from crawlers.protocols.safe_xml import read_xml
from models.demands import Action, Origin, Status
from models.errors import ConflictError, InputError
from pipelines.demands.workflow import LONGEST_REPLY, differences
from pipelines.people import kept_text
from pipelines.report.safe import shorten
from pipelines.store.demands import Change, Demand, Event, change_demand, find_demand, first_texts
from pipelines.store.write import Store

ACTOR = "open311"
MOST_REQUESTS = 100_000

_ENDED: Final = (Status.CLOSED, Status.REJECTED, Status.MERGED)
_SERVICE = ("service_code", "service_name", "description", "metadata", "type", "keywords", "group")
_UNDER_WAY: Final = (Status.NEW, Status.ASSIGNED, Status.IN_PROGRESS)


def services(taxonomy: Taxonomy, municipality: Municipality) -> list[dict[str, Any]]:
    """Return the services of GeoReport v2: a category each that an area answers for."""
    found = []
    for category in taxonomy.categories:
        area = municipality.area_for(category.code)
        if area is None:
            continue
        values = (category.code, category.es, f"{category.es}: {area.name}", False, "realtime")
        found.append(dict(zip(_SERVICE, (*values, category.en, area.name), strict=True)))
    return found


def requests(
    store: Store, found: Sequence[Demand], taxonomy: Taxonomy, municipality: Municipality
) -> list[dict[str, Any]]:
    """Return demands as service requests of GeoReport v2.

    What is asked is said in the summary that a person gave; else in the sender's own words where
    it came in through Open311, and else only counted: what neighbours wrote elsewhere is not
    published again.
    """
    received = [one.id for one in found if one.origin is Origin.OPEN311 and not one.summary]
    own = {id_: text for id_, (_, text) in first_texts(store.engine, received).items()}
    return [_request(one, own.get(one.id), taxonomy, municipality) for one in found]


def _request(
    one: Demand, text: str | None, taxonomy: Taxonomy, municipality: Municipality
) -> dict[str, Any]:
    zone = next((zone for zone in municipality.zones if zone.code == one.zone), None)
    place = _centre(zone.geometry) if zone and zone.geometry else (None, None)
    name = taxonomy.category(one.category).es
    asked = one.confirmed_at or one.proposed_at
    return {
        "service_request_id": one.id,
        "status": "closed" if one.status in _ENDED else "open",
        "status_notes": one.reply or one.reason,
        "service_name": name,
        "service_code": one.category,
        "description": one.summary or text or _counted(one, name, zone),
        "agency_responsible": one.area,
        "service_notice": None,
        "requested_datetime": _w3(asked, municipality),
        "updated_datetime": _w3(one.updated_at, municipality),
        "expected_datetime": _end_of(one.due_on, municipality),
        "address": f"{zone.name}, {municipality.name}" if zone else municipality.name,
        "address_id": None,
        "zipcode": None,
        "lat": place[0],
        "long": place[1],
        "media_url": None,
    }


def _counted(one: Demand, name: str, zone: Zone | None) -> str:
    where = f" en {zone.name}" if zone else ""
    texts = "1 manifestación" if one.texts == 1 else f"{one.texts} manifestaciones"
    return f"{name}{where}: {texts} de vecinos."


def _centre(geometry: Geometry) -> tuple[float, float]:
    """Return latitude and longitude of the middle of a geometry's positions."""
    positions = list(_positions(geometry.coordinates))
    longitudes, latitudes = zip(*positions, strict=True)
    middle = [(min(axis) + max(axis)) / 2 for axis in (latitudes, longitudes)]
    return round(middle[0], 6), round(middle[1], 6)


def _positions(value: list[Any]) -> Iterable[tuple[float, float]]:
    if isinstance(value[0], int | float):
        yield float(value[0]), float(value[1])
        return
    for inner in value:
        yield from _positions(inner)


def _w3(when: datetime, municipality: Municipality) -> str:
    return when.astimezone(municipality.zone).isoformat(timespec="seconds")


def _end_of(day: date | None, municipality: Municipality) -> str | None:
    if day is None:
        return None
    return datetime.combine(day, time(23, 59, 59), municipality.zone).isoformat()


# --- writing ---------------------------------------------------------------------------------


def as_json(rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> bytes:
    """Write services, requests or one of them as JSON."""
    return json.dumps(rows, ensure_ascii=False).encode()


def as_xml(rows: Sequence[Mapping[str, Any]], root: str, each: str) -> bytes:
    """Write services, requests or errors as XML; what XML can't hold is left out."""
    top = etree.Element(root)
    for row in rows:
        _fill(etree.SubElement(top, each), row)
    return _xml_document(top)


def element_as_xml(row: Mapping[str, Any], name: str) -> bytes:
    """Write one thing as XML."""
    top = etree.Element(name)
    _fill(top, row)
    return _xml_document(top)


def _fill(item: etree._Element, row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        etree.SubElement(item, name).text = _xml_text(value)


def _xml_document(top: etree._Element) -> bytes:
    written: bytes = etree.tostring(top, xml_declaration=True, encoding="utf-8")
    return written


def _xml_text(value: Any) -> str | None:
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))


# --- reading ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """What another system says of a service request."""

    id: str
    status: str
    notes: str | None = None
    agency: str | None = None
    expected: datetime | None = None


@dataclass(slots=True)
class Imported:
    """What became of the service requests of an import, by id."""

    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def read_requests(body: bytes, municipality: Municipality) -> list[Told]:
    """Read service requests of GeoReport v2, in JSON or in XML.

    Raises:
        InputError: they are neither, or one has no id or no status.
    """
    rows = _xml_rows(body) if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else _json_rows(body)
    return [_told(row, number, municipality) for number, row in enumerate(rows, 1)]


def _xml_rows(body: bytes) -> list[Mapping[str, Any]]:
    found = read_xml(body, "application/xml", {"request"}, MOST_REQUESTS)
    problem = found.problem or found.damage
    if not problem and found.root != "service_requests":
        problem = "is no list of service requests: its root is not service_requests"
    if problem:
        raise InputError(f"The XML {problem}.")
    return [row for _, row in found.items]


def _json_rows(body: bytes) -> list[Mapping[str, Any]]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"This is neither JSON nor XML: {error}.") from None
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InputError("The JSON is no list of service requests.")
    return value[:MOST_REQUESTS]


def _told(row: Mapping[str, Any], number: int, municipality: Municipality) -> Told:
    id_, status = (str(row.get(name) or "").strip() for name in ("service_request_id", "status"))
    if not id_ or status.lower() not in ("open", "closed"):
        raise InputError(
            f"Request {number} has no service_request_id, or a status that is not open or closed."
        )
    expected = str(row.get("expected_datetime") or "").strip()
    when = moment(expected, municipality.zone, datetime.now(UTC)) if expected else None
    agency = str(row.get("agency_responsible") or "").strip()
    notes = kept_text(str(row.get("status_notes") or "")[:LONGEST_REPLY], LONGEST_REPLY, "A note")
    return Told(id_, status.lower(), notes, shorten(agency, 300) or None, when)


def import_requests(store: Store, municipality: Municipality, told: Sequence[Told]) -> Imported:
    """Bring demands up to date with what a city's Open311 says of them; again changes nothing.

    A note is the reply; «closed» closes. An expected date becomes the due date, an agency that the
    municipality has configured the area. A demand that nobody has confirmed, or that was turned
    down here, is left as it is, and so is one that was answered here in other words.
    """
    result = Imported()
    for one in told:
        try:
            demand = find_demand(store.engine, municipality.code, one.id)
        except InputError:
            result.unknown.append(one.id)
            continue
        if one.id not in (demand.id, demand.external_id):
            result.unknown.append(one.id)  # the beginning of an id is not enough here
            continue
        if refusal := _refusal(demand, one):
            result.refused[one.id] = refusal
            continue
        change = _change(demand, one, municipality)
        if change is None:
            result.same.append(one.id)
            continue
        try:
            change_demand(store.engine, change)
        except ConflictError as error:
            result.refused[one.id] = str(error)
            continue
        result.changed.append(one.id)
    return result


def _refusal(demand: Demand, told: Told) -> str | None:
    if demand.status in (Status.PROPOSED, Status.MERGED):
        return f"the demand is {demand.status} here"
    if demand.status in (Status.REJECTED, Status.CLOSED) and told.status == "open":
        return f"the demand is {demand.status} here, and open there"
    if demand.reply and told.notes and demand.reply != told.notes:
        return "it was answered here in other words"
    if demand.status in _UNDER_WAY and told.status == "closed" and not told.notes:
        return "it is closed there without a word (status_notes): answer it here"
    return None


def _change(demand: Demand, told: Told, municipality: Municipality) -> Change | None:
    """Return what a city's answer changes of a demand, if anything."""
    if demand.status in _ENDED:
        return None
    now = datetime.now(UTC)
    values: dict[str, Any] = {}
    if told.notes and not demand.reply:
        values |= {"reply": told.notes, "answered_at": now}
    due = told.expected.astimezone(municipality.zone).date() if told.expected else None
    if due and due != demand.due_on:
        values["due_on"] = due
    if told.agency != demand.area and any(area.name == told.agency for area in municipality.areas):
        values["area"] = told.agency
    status: Status = demand.status
    if told.notes or demand.reply:
        status = Status.CLOSED if told.status == "closed" else Status.ANSWERED
    if status is Status.CLOSED:
        values["ended_at"] = now
    if not values and status is demand.status:
        return None
    told_of = {name: value for name, value in values.items() if not name.endswith("_at")}
    detail = differences(demand, told_of)
    event = Event(now, ACTOR, Action.UPDATE, demand.status, status, None, detail)
    return Change(demand.id, demand.version, event, values)
