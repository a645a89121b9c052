"""What a visitor asks the town, and what the town answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json; charset=utf-8"
XML: Final = "application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``path`` is decoded, the names of ``headers`` are in small letters."""

    path: str
    base_url: str
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter."""
        values = self.query.get(name, ())
        return values[0] if values else default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a parameter as a number inside its bounds."""
        value = self.first(name)
        if not value.removeprefix("-").isdecimal() or len(value) > 20:
            return default
        return min(most, max(least, int(value)))

    def moment(self, *names: str) -> datetime | None:
        """Return the first parameter that is a date, as an aware moment."""
        for name in names:
            if value := self.first(name):
                return read_moment(value)
        return None

    def address(self, path: str, **changes: str | int | None) -> str:
        """Return an address of the town with this call's parameters and some changes."""
        query = {name: values[0] for name, values in self.query.items()}
        for name, value in changes.items():
            if value is None:
                query.pop(name, None)
            else:
                query[name] = str(value)
        tail = urlencode(query)
        return f"{self.base_url}{path}?{tail}" if tail else f"{self.base_url}{path}"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the town, before it is sent; without ``changed_at`` it has no date."""

    body: bytes
    content_type: str
    changed_at: datetime | None = None
    status: int = 200
    location: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


def read_query(text: str) -> dict[str, tuple[str, ...]]:
    """Return the parameters behind a question mark."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        found[name] = (*found.get(name, ()), value)
    return found


def read_moment(value: str) -> datetime | None:
    """Return an ISO date or Unix time as an aware moment; nothing if it is neither."""
    try:
        if value.isdecimal() and len(value) in range(9, 13):
            return datetime.fromtimestamp(int(value), UTC)
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def zulu(moment: datetime, *, fraction: bool = False) -> str:
    """Return a moment in UTC with a final Z."""
    form = "%Y-%m-%dT%H:%M:%S.000Z" if fraction else "%Y-%m-%dT%H:%M:%SZ"
    return moment.astimezone(UTC).strftime(form)


def as_json(value: Any, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Page:
    """Return an answer in JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Page(body, JSON, status=status, headers=tuple(headers))


def bearer(call: Call) -> str:
    """Return the token of a call; the town takes any that is not empty."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
