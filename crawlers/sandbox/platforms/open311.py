"""Open311 GeoReport v2: services and service requests, in JSON and in XML."""

import re
from typing import Any
from xml.sax.saxutils import escape

from crawlers.sandbox.answers import XML, Call, Page, as_json
from crawlers.sandbox.items import Item
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import NOTICE, SERVICES

_ROUTE = re.compile(r"(?:open311/v2/)?(services|requests|discovery)(?:/([\w-]+))?\.(json|xml)")
_MOST = 1000
_DEFAULT = 50


class Open311(Base):
    """The requests of one city."""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer the methods that need no key."""
        found = _ROUTE.fullmatch(rest)
        if found is None:
            return None
        what, own, form = found.groups()
        if what == "discovery":
            return as_json({"contact": NOTICE, "changeset": "2021-09-01T00:00:00-05:00"})
        if what == "services":
            return _written(form, "services", "service", _services())
        if own is None:
            return _written(form, "service_requests", "request", self._requests(call))
        if own not in self.by_key:
            error = {"code": 404, "description": "service_request_id was not found"}
            return as_json([error], 404)
        return _written(form, "service_requests", "request", [_request(self.by_key[own])])

    def _requests(self, call: Call) -> list[dict[str, Any]]:
        after, before = call.moment("start_date"), call.moment("end_date")
        codes = {code for code in call.first("service_code").split(",") if code}
        own = {name for name in call.first("service_request_id").split(",") if name}
        status = {name for name in call.first("status").split(",") if name}
        kept = [
            shown
            for item in self.items
            if (after is None or item.said_at >= after)
            and (before is None or item.said_at < before)
            and (not own or item.key in own)
            and (not codes or SERVICES[item.text.category][0] in codes)
            and (shown := _request(item))
            and (not status or shown["status"] in status)
        ]
        size = call.number("page_size", _DEFAULT, 1, _MOST)
        number = call.number("page", 1, 1, 10**9)
        return kept[(number - 1) * size : number * size]


def _request(item: Item) -> dict[str, Any]:
    code, name = SERVICES[item.text.category]
    return {
        "service_request_id": item.key,
        "status": "closed" if item.number % 3 == 0 else "open",
        "status_notes": None,
        "service_name": name,
        "service_code": code,
        "description": "\n\n".join(item.paragraphs),
        "agency_responsible": "Municipalidad de Ate Simulada",
        "service_notice": NOTICE,
        "requested_datetime": item.said_at.isoformat(),
        "updated_datetime": item.said_at.isoformat(),
        "expected_datetime": None,
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }


def _services() -> list[dict[str, Any]]:
    return [
        {
            "service_code": code,
            "service_name": name,
            "description": f"{name}. {NOTICE}",
            "metadata": False,
            "type": "realtime",
            "keywords": "",
            "group": "Municipalidad",
        }
        for code, name in SERVICES.values()
    ]


def _written(form: str, root: str, each: str, rows: list[dict[str, Any]]) -> Page:
    if form == "json":
        return as_json(rows)
    parts = [
        "".join(f"<{name}>{escape(str(value or ''))}</{name}>" for name, value in row.items())
        for row in rows
    ]
    inner = "".join(f"<{each}>{part}</{each}>" for part in parts)
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>{inner}</{root}>\n'
    return Page(text.encode(), XML)
