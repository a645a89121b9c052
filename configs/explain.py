"""What a schema refuses in a document, in plain words, with what to write instead."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from configs.document import Document, Route

_EXAMPLES: Final = {
    "about": "about: [alert, failure]",
    "aliases": "aliases: [Vitarte Central]",
    "answer_days": "answer_days: 30",
    "archive_days": "archive_days: 365",
    "areas": "areas: followed by lines «- name: Gerencia de Tránsito»",
    "base_url": "base_url: https://example.pe",
    "categories": "categories: [transport, security]",
    "code": "code: san-juan",
    "collection": "collection: {quarantine_after: 5, archive_days: 365}",
    "columns": "columns: {text: comentario, date: fecha}",
    "contact": "contact: {name: Municipalidad de Ate, email: datos@example.org}",
    "country": "country: PE",
    "cron": 'cron: "30 5 * * *"',
    "date": "date: fecha",
    "days": "days: 30",
    "delay": "delay: 2.0",
    "email": "email: datos@example.org",
    "en": "en: Health",
    "es": "es: Salud",
    "every_hours": "every_hours: 24",
    "expect": "expect: {min_per_day: 1, max_per_day: 200, fields: [author, url]}",
    "fields": "fields: [author, url]",
    "format": "format: 4cat",
    "from_km": "from_km: 15",
    "hypothesis": "hypothesis: Este texto trata de {}.",
    "idle_hours": "idle_hours: 72",
    "intents": "intents: followed by lines «complaint: {es: Queja, en: Complaint}»",
    "kind": "kind: article",
    "labels": "labels: {POS: positive, NEG: negative, NEU: neutral}",
    "landmarks": "landmarks: followed by lines «- name: Mercado Ceres»",
    "lenses": "lenses: followed by lines «- code: covid»",
    "limits": "limits: {delay: 5, max_requests: 200}",
    "lookback_days": "lookback_days: 3",
    "links": 'links: "article h2 a"',
    "match": "match: /noticias/",
    "mask_plates": "mask_plates: true",
    "max_bytes": "max_bytes: 5000000",
    "max_per_day": "max_per_day: 200",
    "max_requests": "max_requests: 200",
    "max_seconds": "max_seconds: 600",
    "max_wait": "max_wait: 60",
    "min_per_day": "min_per_day: 1",
    "model": "model: {path: weights/ate}",
    "notify": "notify: followed by lines «- {name: guardia, urls_from: MANIFIESTA_NOTIFY_ATE}»",
    "parent": "parent: en_respuesta_a",
    "poll": "poll: adaptive",
    "privacy": "privacy: {mask_plates: true}",
    "protocol": "protocol: feed",
    "query": "query: ate",
    "quarantine_after": "quarantine_after: 5",
    "quarantine_days": "quarantine_days: 14",
    "quarantine_hours": "quarantine_hours: 24",
    "repeat_hours": "repeat_hours: 72",
    "render": "render: browser",
    "revisit_days": "revisit_days: 3",
    "schedule": 'schedule: {cron: "30 5 * * *"}',
    "sentiments": "sentiments: followed by lines «negative: {es: Negativo, en: Negative}»",
    "sources": "sources: followed by lines «- name: rpp»",
    "start": "start: 2026-03-01",
    "geometry": "geometry: {type: Point, coordinates: [-76.9, -12.0]}",
    "stretches": "stretches: [{zone: huaycan, from_km: 15, to_km: 17.5}]",
    "suppress_below": "suppress_below: 5",
    "text": "text: comentario",
    "thread": "thread: hilo",
    "time_zone": "time_zone: America/Lima",
    "timeout": "timeout: 30",
    "title": "title: RPP Noticias",
    "to_km": "to_km: 17.5",
    "token": "token: YOUTUBE_API_KEY",
    "urls_from": "urls_from: MANIFIESTA_NOTIFY_ATE",
    "ubigeo": 'ubigeo: "150103"',
    "url": "url: https://example.pe/feed",
    "version": 'version: "2026.1"',
    "windows": "windows: {days: 30}",
    "working_days": "working_days: true",
    "words": "words: [comedor, olla común, emprended*]",
    "work_categories": "work_categories: followed by lines «1: {es: Servicios, en: Services}»",
    "work_category": "work_category: 7",
    "zone": "zone: huaycan",
    "zones": "zones: followed by lines «- code: vitarte»",
}
_MEANT: Final = {
    "atom": "feed",
    "csv": "upload",
    "excel": "upload",
    "html": "pages",
    "page": "pages",
    "rss": "feed",
    "web": "pages",
    "xlsx": "upload",
}
_BOUNDS: Final = {
    "greater_than_equal": ("ge", "must be at least"),
    "greater_than": ("gt", "must be more than"),
    "less_than_equal": ("le", "must be at most"),
    "less_than": ("lt", "must be less than"),
}
_LISTS: Final = {"tuple_type", "list_type"}
_MAPPINGS: Final = {"model_type", "model_attributes_type", "dict_type"}
_FORMS: Final = {
    "country": ("a country is two capital letters", "write country: PE"),
    "ubigeo": ("a ubigeo is six digits", 'write ubigeo: "150103"'),
    "email": ("this is no e-mail address", "write email: datos@example.org"),
    "token": (
        "this is no name of an environment variable",
        "write its name in capital letters, token: YOUTUBE_API_KEY, and never the token itself",
    ),
    "words": (
        "no word or phrase",
        "write letters and spaces, with * at the end of a word at most: olla común, emprended*",
    ),
    "hypothesis": (
        "a hypothesis has {} once, where the phrases of «labels» stand",
        "write hypothesis: Este texto trata de {}.",
    ),
    "version": ("a version is a year and a number", 'write version: "2026.1"'),
}
_WANTED: Final = (
    ("bool", "yes or no is wanted here", "write true or false"),
    ("int", "a number is wanted here", ""),
    ("float", "a number is wanted here", ""),
    ("date", "a date is wanted here", "write year-month-day: 2026-03-01"),
    ("string_too_long", "the text is too long", "shorten it"),
    ("string_too_short", "the text is empty", ""),
    ("too_short", "the list is empty", ""),
)
"""Beginnings of pydantic's error types, what to say, and what to write if no example will do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong at a key or value."""

    route: Route
    message: str
    advice: str
    warning: bool = False


def explain(
    document: Document, schema: type[BaseModel], errors: list[ErrorDetails]
) -> Iterator[Finding]:
    """Turn a schema's errors into findings: one for each, a misspelt key only once."""
    misspelt: set[Route] = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            finding, meant = _unknown_key(schema, _route(document, error["loc"]))
            misspelt.add(meant)
            yield finding
    for error in errors:
        route = _route(document, error["loc"])
        if error["type"] == "missing":
            if route not in misspelt:
                yield Finding(route, "this key is missing", f"write {example(route)}")
        elif error["type"] != "extra_forbidden" and not _said_elsewhere(error, document.at(route)):
            yield Finding(route, *_sentence(error, route, document, schema))


def _said_elsewhere(error: ErrorDetails, value: Any) -> bool:
    """Say whether an error is told better by another.

    The schema names only the first wrong category, where `configs.check` has a rule that names
    all; and it calls a list empty whose every item is wrong.
    """
    if error["type"] == "value_error":
        return error["loc"][-1:] == ("categories",)
    return error["type"] == "too_short" and bool(value)


def one_of(value: str, allowed: Iterable[str]) -> tuple[str, str]:
    """Say that a value is none of those allowed, which they are, and which was meant."""
    allowed = tuple(allowed)
    near = get_close_matches(value.lower(), allowed, n=1)
    meant = near[0] if near else _MEANT.get(value.lower())
    hint = f"did you mean «{meant}»? " if meant in allowed else ""
    return f"«{short(value)}» is not allowed", f"{hint}write one of {', '.join(allowed)}"


def example(route: Route) -> str:
    """Return how the value at a route may be written."""
    key = next((part for part in reversed(route) if isinstance(part, str)), "")
    if key == "name":
        return "name: rpp-noticias" if route[0] == "sources" else "name: Salamanca"
    return _EXAMPLES.get(key, f"{short(key)}: …")


def short(text: str) -> str:
    """Shorten what a message quotes."""
    return text if len(text) <= 60 else f"{text[:59]}…"


def _route(document: Document, loc: tuple[int | str, ...]) -> Route:
    """Turn an error's location into a route of the document, whose keys are texts."""
    route: Route = ()
    for part in loc:
        if part != "[key]":
            inside = document.at(route)
            route = (*route, str(part) if isinstance(inside, dict) else part)
    return route


def _unknown_key(schema: type[BaseModel], route: Route) -> tuple[Finding, Route]:
    """Return what to say of a key that the schema lacks, and where the one meant would stand."""
    known = _fields(schema, route[:-1])
    near = get_close_matches(str(route[-1]).lower(), known, n=1)
    advice = f"did you mean «{near[0]}»?" if near else f"the keys here are {', '.join(known)}"
    return Finding(route, "no such key", advice), (*route[:-1], *near)


def _fields(schema: type[BaseModel], route: Route) -> list[str]:
    """Return the keys of the model that the schema has at a route."""
    model, is_entry = schema, False
    for part in route:
        if is_entry or not isinstance(part, str) or part not in model.model_fields:
            is_entry = False
            continue
        annotation = model.model_fields[part].annotation
        inner = _model_in(annotation)
        if inner is not None:
            model, is_entry = inner, get_origin(annotation) is dict
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := _model_in(a))), None)


def _sentence(
    error: ErrorDetails, route: Route, document: Document, schema: type[BaseModel]
) -> tuple[str, str]:
    """Say what is wrong with a value, and what to write instead."""
    kind = error["type"]
    value = document.at(route)
    if value is None and kind.endswith(("_type", "_parsing")):
        return "nothing is written here", f"write {example(route)}, or remove the line"
    if kind in _MAPPINGS:
        known = ", ".join(_fields(schema, route))
        return f"keys are wanted here, not {_kind(value)}", f"the keys are {known}"
    if kind in _LISTS:
        return f"a list is wanted here, not {_kind(value)}", f"write {example(route)}"
    if kind == "string_type":
        return _not_a_text(value, route, document)
    if kind == "string_pattern_mismatch":
        return _wrong_form(str(value), route)
    return _not_the_right_one(error, value, route)


def _not_the_right_one(error: ErrorDetails, value: Any, route: Route) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("enum", "literal_error"):
        given = route[-1] if error["loc"][-1] == "[key]" else value
        return one_of(str(given), re.findall(r"'([^']*)'", str(context.get("expected", ""))))
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"{words} {context[name]}", f"write {example(route)}"
    if kind == "value_error":
        said, _, advice = str(context.get("error", error["msg"])).partition("; ")
        return said, advice or f"write {example(route)}"
    for beginning, message, advice in _WANTED:
        if kind.startswith(beginning):
            return message, advice or f"write {example(route)}"
    return error["msg"][:1].lower() + error["msg"][1:], f"write {example(route)}"


def _not_a_text(value: Any, route: Route, document: Document) -> tuple[str, str]:
    typed = document.typed.get(route)
    if typed is None:
        return f"a text is wanted here, not {_kind(value)}", f"write {example(route)}"
    key = f"{route[-1]}: " if isinstance(route[-1], str) else "- "
    quoted = f'{key}"{short(typed)}"'
    return f"YAML reads this as {_kind(value)}, not as a text", f"put it in quotes: {quoted}"


def _wrong_form(value: str, route: Route) -> tuple[str, str]:
    key = str(route[-1])
    if key in _FORMS:
        return _FORMS[key]
    plain = unicodedata.normalize("NFKD", value.lower()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-")
    return (
        "only small letters, digits and single hyphens are allowed",
        f"write {key}: {slug or 'san-juan'}",
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float):
        return "a number"
    names = {type(None): "nothing", str: "a text", list: "a list", dict: "keys"}
    return names.get(type(value), "a date")
