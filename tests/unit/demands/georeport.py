"""A small client of Open311 GeoReport v2, written from the specification alone.

It knows nothing of the project: it asks over HTTP and believes only what the specification says
that an answer must be (http://wiki.open311.org/GeoReport_v2).
"""

import json
from datetime import datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

import pytest

SERVICE = {"service_code", "service_name", "description", "metadata", "type", "keywords", "group"}
REQUEST = {
    *("service_request_id", "status", "status_notes", "service_name", "service_code"),
    *("description", "agency_responsible", "service_notice", "requested_datetime"),
    *("updated_datetime", "expected_datetime", "address", "address_id", "zipcode", "lat", "long"),
    "media_url",
}


class GeoReport:
    def __init__(self, root: str) -> None:
        self.root = root

    def services(self, form: str) -> list[dict[str, Any]]:
        found = self._list(f"services.{form}", "services", "service")
        for one in found:
            assert set(one) == SERVICE
            assert one["type"] in ("realtime", "batch", "blackbox")
            assert one["metadata"] in (True, False, "true", "false")
        return found

    def requests(self, form: str, **asked: str) -> list[dict[str, Any]]:
        return self._checked(f"requests.{form}?{urlencode(asked)}")

    def request(self, id_: str, form: str) -> dict[str, Any]:
        (found,) = self._checked(f"requests/{id_}.{form}")
        return found

    def send(self, form: str, **fields: str) -> str:
        body = urlencode(fields).encode()
        (found,) = self._list(f"requests.{form}", "service_requests", "request", body)
        assert set(found) == {"service_request_id", "service_notice", "account_id"}
        return str(found["service_request_id"])

    def error(self, path: str, **fields: str) -> tuple[int, str]:
        with pytest.raises(HTTPError) as refused:
            self._open(path, urlencode(fields).encode() if fields else None)
        body, code = refused.value.read(), refused.value.code
        if path.endswith(".xml"):
            (found,) = ET.fromstring(body)
            assert int(found.findtext("code") or 0) == code
            return code, found.findtext("description") or ""
        (told,) = json.loads(body)
        assert told["code"] == code
        return code, told["description"]

    def _checked(self, path: str) -> list[dict[str, Any]]:
        found = self._list(path, "service_requests", "request")
        for one in found:
            assert set(one) == REQUEST
            assert one["status"] in ("open", "closed")
            for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
                assert not one[name] or datetime.fromisoformat(one[name]).tzinfo
            assert one["address"] or one["lat"]
        return found

    def _list(
        self, path: str, root: str, each: str, body: bytes | None = None
    ) -> list[dict[str, Any]]:
        kind, text = self._open(path, body)
        if ".xml" in path:
            assert kind == "text/xml; charset=utf-8"
            top = ET.fromstring(text)
            assert top.tag == root
            assert {item.tag for item in top} <= {each}
            return [{field.tag: field.text or None for field in item} for item in top]
        assert kind == "application/json; charset=utf-8"
        found = json.loads(text)
        assert isinstance(found, list)
        return found

    def _open(self, path: str, body: bytes | None) -> tuple[str, bytes]:
        with urlopen(Request(f"{self.root}/{path}", body), timeout=60) as answer:
            return answer.headers["content-type"], answer.read()
