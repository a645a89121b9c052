"""The interface of an adapter: what to ask of a platform, and what its answers hold.

An adapter is pure: it is given the bytes of an answer and says what they mean, so a saved
answer is all that a test or a replay needs. What it wants to remember from one answer to the
next travels in `Ask.about` and comes back in `Answer.about`. `read` never raises: an answer of
any shape ends as drafts, as problems, or as a reason to stop.
"""

import json
import math
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from configs.schema import Source
from crawlers.extract.text import decode, line, paragraphs, plain
from crawlers.known import fingerprint
from crawlers.rules import LONGEST_TEXT, Draft
from models.reasons import Reason
from models.records import Kind, Opener, Outcome

DEEPEST = 600
"""Levels of nesting in an answer; no platform needs a third of it."""

LONGEST_WORD = 1_000
"""Characters of an id, a name, an address or a date; what is longer is none of these."""

LONGEST_MARKUP = 4 * LONGEST_TEXT
"""Characters of HTML around one text; what is longer is counted as too long, not parsed."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request that an adapter wants sent.

    ``about`` comes back with the answer. ``errors`` are the statuses of 400 and above that the
    adapter reads itself; the others are explained by who sends the request. A request that is
    ``needed`` leaves the source not read to its end if it fails, such as a further page of a
    list; without it only one thing is missing. A token goes into ``headers`` and nowhere else.

    What is stored already is not asked for again: a page that is ``older`` than this one, in a
    list from the newest to the oldest, once everything on this one is stored; what lies
    behind a record, ``of`` its external id, once that is stored and no longer new; and a page
    whose ``mark``, a fingerprint of how it is listed, is stored, where that is ``counted`` or the
    page is no longer new. ``at`` is when something last came to such a page, if its list says so:
    what is older than the window is not asked for. ``conditional`` says that an answer «not
    modified» tells that the page and all behind it is as it was.

    ``lists`` names the lists that the answer is a part of, by the external id of what they
    answer, `OPENERS`, `ANSWERS` or `LOOKED_FOR`; ``own`` is the external id of what has this
    address to itself, so that it is gone when the address is.

    A platform that takes its token in the address alone names the parameter in ``token_as``. It
    is added when the request is sent: no address that is written down ever holds it.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""
    about: Mapping[str, typing.Any] = field(default_factory=dict)
    errors: frozenset[int] = frozenset()
    needed: bool = False
    older: bool = False
    of: str = ""
    mark: str = ""
    counted: bool = False
    at: datetime | None = None
    conditional: bool = False
    lists: tuple[str, ...] = ()
    own: str = ""
    token_as: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for an `Ask`: the names of ``headers`` are in small letters."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    about: Mapping[str, typing.Any]
    fetched_at: datetime
    capture_id: str | None = None

    @property
    def content_type(self) -> str:
        """What the server calls the body."""
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read, and why; ``detail`` never quotes its text."""

    outcome: Outcome
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Step:
    """What an answer holds, and what to ask next.

    ``stop`` is a sentence that says why the crawl ends here; what was read is kept. ``gone`` are
    the external ids of what the platform says was taken back, ``present`` those of what is there
    beside the drafts. ``empty`` are those behind which there is nothing, so nothing is asked;
    ``whole`` are those all of whose thread the answer holds, but for what its asks of their lists
    bring; ``thread`` is that of the thread, where no list had told it. A ``partial`` list is one of
    a page, which may show the latest of a thread and not say that there are others.
    """

    drafts: tuple[Draft, ...] = ()
    asks: tuple[Ask, ...] = ()
    problems: tuple[Problem, ...] = ()
    stop: str = ""
    gone: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    thread: str = ""
    partial: bool = False


class Adapter(typing.Protocol):
    """Reads one protocol. ``url`` is the source's absolute address."""

    def __init__(self, source: Source, url: str, token: str | None) -> None: ...

    def start(self) -> Ask:
        """Return the first request."""
        ...

    def read(self, answer: Answer) -> Step:
        """Say what an answer holds; it never raises, whatever the answer is."""
        ...


@typing.runtime_checkable
class Holding(typing.Protocol):
    """An adapter that holds records back, such as replies whose parent is read later."""

    def rest(self) -> tuple[Draft, ...]:
        """Return what is still held when the crawl ends, for whatever reason."""
        ...


@typing.runtime_checkable
class Windowed(typing.Protocol):
    """An adapter that asks for the days of the window alone."""

    def within(self, since: datetime, until: datetime) -> None:
        """Take the window, before the first request is asked for."""
        ...


@typing.runtime_checkable
class Looking(typing.Protocol):
    """An adapter that can look for what a list lacks at its own address."""

    def look_for(self, opener: Opener, listed: frozenset[str]) -> Ask | None:
        """Return the request for an opener; nothing if the list of these ids holds it."""
        ...


def parse_json(body: bytes, content_type: str = "") -> object:
    """Parse a body; `Broken` says why if it is no JSON or nested too deeply."""
    try:
        value: object = json.loads(decode(body, content_type), parse_constant=lambda _: None)
    except RecursionError:
        return Broken("is nested too deeply")
    except ValueError:
        start = body[:200].lstrip().lower()
        return Broken("is a page, not JSON" if start.startswith(b"<") else "is no JSON")
    return Broken("is nested too deeply") if _too_deep(value) else value


@dataclass(frozen=True, slots=True)
class Broken:
    """A body that cannot be read; ``why`` continues a sentence that begins with its address."""

    why: str


def _too_deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    yield from (inner for inner in value if isinstance(inner, dict | list))


def look(value: object, *path: str | int) -> object:
    """Return what lies at a path of keys and positions; nothing if the shape is another."""
    for key in path:
        if isinstance(key, int):
            if not isinstance(value, list) or not -len(value) <= key < len(value):
                return None
            value = value[key]
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


def rows(value: object, *path: str | int) -> list[dict[str, object]]:
    """Return the objects of the list at a path; what is no object is left out."""
    found = look(value, *path)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def word(value: object, *path: str | int) -> str:
    """Return the id, name, address or date at a path, on one line; empty if it is none."""
    found = look(value, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if abs(found) < 10**30 else ""
    if not isinstance(found, str) or len(found) > LONGEST_WORD:
        return ""
    return line(found) or ""


def number(value: object, *path: str | int) -> float | None:
    """Return the finite number at a path, also if it is written as a text."""
    found = look(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    if isinstance(found, str) and len(found) > 40:
        return None
    try:
        result = float(found)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def title(value: object, *path: str | int) -> str | None:
    """Return the title at a path on one line, however long it is: the rules judge that."""
    found = look(value, *path)
    return line(found) if isinstance(found, str) else None


def prose(value: object, *path: str | int) -> str:
    """Return the plain text at a path with its line breaks."""
    found = look(value, *path)
    return paragraphs(found) if isinstance(found, str) else ""


def markup(value: object, *path: str | int) -> str:
    """Return the HTML at a path as plain text; one that is too long is returned as it is."""
    found = look(value, *path)
    if not isinstance(found, str):
        return ""
    return plain(found) if len(found) <= LONGEST_MARKUP else paragraphs(found)


def iso(value: object, *path: str | int) -> str | None:
    """Return the Unix time in seconds at a path as an ISO date."""
    seconds = number(value, *path)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def draft(
    answer: Answer, external_id: str, kind: Kind, count: object = None, **about: typing.Any
) -> Draft:
    """Return a draft of something that an answer holds; ``about`` are its other fields.

    A ``count`` of what lies behind it, such as comments, makes it new again when it changes.
    """
    named = (about.get("title"), about.get("text"), *about.get("dates", ()))
    about.setdefault("fingerprint", fingerprint(external_id, *named, str(count)))
    about.setdefault("counted", count is not None)
    return Draft(
        external_id=external_id or None,
        kind=kind,
        where=answer.url,
        fetched_at=answer.fetched_at,
        capture_id=answer.capture_id,
        **about,
    )


def kind_of(source: Source) -> Kind:
    """Return what a platform's own items are: posts, unless the source says otherwise."""
    return source.kind if "kind" in source.model_fields_set else Kind.POST


def joined(url: str, path: str, **query: str) -> str:
    """Return an interface's address: a path below the source's, and the query that is not empty."""
    parts = urlsplit(url)
    kept = urlencode({name: value for name, value in query.items() if value})
    return parts._replace(
        path=f"{parts.path.rstrip('/')}/{path.lstrip('/')}", query=kept, fragment=""
    ).geturl()


def with_query(url: str, **query: str) -> str:
    """Return an address with some parameters of its query set."""
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in query]
    return parts._replace(query=urlencode([*kept, *query.items()])).geturl()


def unreadable(answer: Answer, why: str) -> Problem:
    """Return the problem of an answer that cannot be read at all."""
    said = Reason.UNEXPECTED.said(url=answer.url, detail=why)
    return Problem(Outcome.UNREADABLE, answer.url, said)


def copied(where: str) -> Problem:
    """Return the problem of an item that only repeats another."""
    return Problem(Outcome.DUPLICATE, where, "it repeats what somebody else said")


def no_identity(answer: Answer, what: str) -> Problem:
    """Return the problem of an item without its id."""
    return Problem(Outcome.NO_IDENTITY, answer.url, f"{what} without an id")


def failed(answer: Answer, why: str) -> Step:
    """Return the step of an answer without which the source cannot be read."""
    problem = unreadable(answer, why)
    return Step(problems=(problem,), stop=problem.detail)
