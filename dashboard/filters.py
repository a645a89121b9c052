"""What a visitor asks for, read from the address and written back into addresses.

Every filter is in the URL, so a page can be cited, bookmarked and sent. `Filters` is the only
place that knows the parameters' names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlencode

from models.errors import InputError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Kind

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "language": "lang",
        "municipality": "m",
        "run": "run",
        "lens": "lens",
        "words": "q",
        "category": "category",
        "sentiment": "sentiment",
        "intent": "intent",
        "kind": "kind",
        "source": "source",
        "zone": "zone",
        "topic": "topic",
        "status": "status",
        "area": "area",
        "start": "from",
        "end": "to",
        "page": "page",
    }
)
"""The parameter of each field, in the order in which addresses name them."""

LASTING = ("language", "municipality", "run", "lens")
"""What a link to another page keeps."""

LANGUAGES = ("es", "en")
MOST_WORDS = 200
_LAST_PAGE = 10_000
_CLOSED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "language": LANGUAGES,
        "category": CATEGORIES,
        "sentiment": SENTIMENTS,
        "intent": INTENTS,
        "kind": tuple(Kind),
    }
)
_CODE = re.compile(r"^[\w().:-]{1,80}$")


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of one request; an empty text or None filters nothing.

    ``start`` and ``end`` are local days, ``end`` the day after the last one.
    """

    language: str = "es"
    municipality: str = ""
    run: str = ""
    lens: str = ""
    words: str = ""
    category: str = ""
    sentiment: str = ""
    intent: str = ""
    kind: str = ""
    source: str = ""
    zone: str = ""
    topic: str = ""
    status: str = ""
    area: str = ""
    start: date | None = None
    end: date | None = None
    page: int = 1

    @classmethod
    def parse(cls, parameters: Mapping[str, str]) -> Self:
        """Read the filters from a query; parameters that are no filter are left alone.

        Raises:
            InputError: a value cannot be one of its filter.
        """
        given = {
            field: parameters[name].strip()
            for field, name in NAMES.items()
            if parameters.get(name, "").strip()
        }
        return cls(**{field: _read(field, value) for field, value in given.items()})

    def query(self, **changes: Any) -> str:
        """Return the filters as a query, ``?…`` or nothing, with some of them changed."""
        wanted = replace(self, **changes)
        default = Filters()
        pairs = [
            (NAMES[field.name], str(getattr(wanted, field.name)))
            for field in sorted(fields(self), key=lambda one: list(NAMES).index(one.name))
            if getattr(wanted, field.name) not in (getattr(default, field.name), None)
        ]
        return f"?{urlencode(pairs)}" if pairs else ""

    def lasting(self) -> "Filters":
        """Return what a link to another page keeps."""
        return Filters(**{name: getattr(self, name) for name in LASTING})


def _read(field: str, value: str) -> Any:
    if field in ("start", "end"):
        return _day(field, value)
    if field == "page":
        if not value.isascii() or not value.isdecimal() or not 1 <= int(value[:9]) <= _LAST_PAGE:
            raise InputError(f"«page» va de 1 a {_LAST_PAGE}.")
        return int(value)
    if field in ("words", "area"):
        return value[:MOST_WORDS]
    allowed = _CLOSED.get(field)
    if (allowed and value not in allowed) or (not allowed and not _CODE.match(value)):
        known = f" Puede ser: {', '.join(allowed)}." if allowed else ""
        raise InputError(f"El filtro «{NAMES[field]}» no tiene un valor válido.{known}")
    return value


def _day(field: str, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputError(f"«{NAMES[field]}» es un día como 2026-03-31.") from None
