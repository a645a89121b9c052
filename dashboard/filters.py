"""What a visitor asks for, read from the address and written back into addresses.

Every filter is in the URL, so a page can be cited, bookmarked and sent. `Filters` is the only
place that knows the parameters' names.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlencode

from dashboard.words import N_, translator
from models.errors import InputError
from models.labels import CATEGORIES, CERTAINTIES, INTENTS, SENTIMENTS
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
        "certainty": "certainty",
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
        "certainty": CERTAINTIES,
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
    certainty: str = ""
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
        _ = translator("en" if given.get("language") == "en" else "es")
        return cls(**{field: _read(field, value, _) for field, value in given.items()})

    def query(self, **changes: Any) -> str:
        """Return the filters as a query, ``?…`` or nothing, with some of them changed."""
        wanted = replace(self, **changes) if changes else self
        pairs = [
            (name, str(value))
            for field, name in NAMES.items()
            if (value := getattr(wanted, field)) not in (getattr(_DEFAULT, field), None)
        ]
        return f"?{urlencode(pairs)}" if pairs else ""

    def lasting(self) -> "Filters":
        """Return what a link to another page keeps."""
        return Filters(**{name: getattr(self, name) for name in LASTING})


_DEFAULT = Filters()


def none_of(name: str, known: Iterable[str], _: Callable[..., str]) -> InputError:
    """Return what to raise where a parameter is none of the values that there are."""
    text = _(_NONE_OF, name=name, known=", ".join(known))
    return InputError(text)


_NONE_OF = N_("El filtro «{name}» no tiene un valor válido. Puede ser: {known}.")


def _read(field: str, value: str, _: Callable[..., str]) -> Any:
    name = NAMES[field]
    if field in ("start", "end"):
        return _day(name, value, _)
    if field == "page":
        if not value.isascii() or not value.isdecimal() or not 1 <= int(value[:9]) <= _LAST_PAGE:
            raise InputError(_("«page» va de 1 a {last}.", last=_LAST_PAGE))
        return int(value)
    if field in ("words", "area"):
        return value[:MOST_WORDS]
    allowed = _CLOSED.get(field)
    if allowed and value not in allowed:
        raise none_of(name, allowed, _)
    if not allowed and not _CODE.match(value):
        raise InputError(_("El filtro «{name}» no tiene un valor válido.", name=name))
    return value


def _day(name: str, value: str, _: Callable[..., str]) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputError(_("«{name}» es un día como 2026-03-31.", name=name)) from None
