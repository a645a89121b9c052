"""Open311: the service requests of a city through GeoReport v2, in JSON or in XML."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from configs.schema import Source
from crawlers.extract.dates import moment
from crawlers.protocols.base import (
    Answer,
    Ask,
    Broken,
    Problem,
    Step,
    draft,
    failed,
    kind_of,
    look,
    parse_json,
    prose,
    title,
    unreadable,
    word,
)
from crawlers.protocols.lists import mistyped, no_identity, objects, sorted_out
from crawlers.protocols.refusals import code_of
from crawlers.protocols.safe_xml import read_xml
from crawlers.rules import Draft
from models.records import OPENERS

LONGEST_SPAN = timedelta(days=90)
"""The protocol answers for no longer span at once, and for the last one if none is named."""

MOST_SPANS = 5

MOST_REQUESTS = 100_000

NOT_THIS_WAY = frozenset({400, 404, 405, 406, 410, 415, 422})

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the reading of requests stands; it goes from the newest span back.

    A server that knows ``page`` is paged; one that repeats itself instead is asked for what
    is older than the oldest request that it gave.
    """

    format: str = "json"
    start: datetime | None = None
    end: datetime | None = None
    page: int = 1
    spans: int = 1
    pages: bool = True
    found: int = 0
    oldest: datetime | None = None
    seen: frozenset[str] = frozenset()


class Open311:
    """Reads service requests; the ``query`` is the jurisdiction, for a server of several.

    Told of a window, it asks for its days alone, in spans that the protocol allows.
    """

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        del token
        self._source = source
        parts = urlsplit(url)
        path = parts.path.rstrip("/").removesuffix("/requests.json").removesuffix("/requests.xml")
        self._root = parts._replace(path=path, query="", fragment="").geturl()
        self._query = dict(parse_qsl(parts.query))
        if source.query:
            self._query["jurisdiction_id"] = source.query
        self._since: datetime | None = None
        self._first = Cursor()

    def within(self, since: datetime, until: datetime) -> None:
        """Begin with the window's last span, and end with its first."""
        self._since = since
        self._first = Cursor(start=max(since, until - LONGEST_SPAN), end=until)

    def start(self) -> Ask:
        """Ask for the window's last 90 days; without one, for what a server gives by itself."""
        return self._ask(self._first)

    def _ask(self, cursor: Cursor, *, older: bool = False) -> Ask:
        query: dict[str, str] = dict(self._query)
        if cursor.start and cursor.end:
            query["start_date"], query["end_date"] = _w3(cursor.start), _w3(cursor.end)
        if cursor.page > 1:
            query["page"] = str(cursor.page)
        address = f"{self._root}/requests.{cursor.format}"
        return Ask(
            f"{address}?{urlencode(query)}" if query else address,
            headers={"Accept": f"application/{cursor.format}"},
            about={"cursor": cursor},
            errors=NOT_THIS_WAY,
            needed=True,
            older=older,
            lists=(OPENERS,),
        )

    def read(self, answer: Answer) -> Step:
        """Read a page of requests and ask for the next, or for an older span."""
        cursor = answer.about.get("cursor", Cursor())
        is_first = cursor == replace(self._first, format=cursor.format)
        if answer.status in NOT_THIS_WAY:
            return self._refused(answer, cursor, is_first=is_first)
        items, problems, why = _items(answer)
        if why:
            if is_first and cursor.format == "json" and not answer.body.strip():
                return Step(asks=(self._ask(replace(cursor, format="xml")),))
            return failed(answer, why) if is_first else Step(problems=(unreadable(answer, why),))
        step = sorted_out(self._request(answer, item) for item in items)
        return Step(step.drafts, self._next(answer, cursor, items), problems + step.problems)

    def _request(self, answer: Answer, item: Mapping[str, object]) -> Draft | Problem:
        identity = word(item, "service_request_id")
        if not identity:
            return no_identity(answer, "a request")
        named, said = title(item, "service_name"), prose(item, "description")
        if not named and not said:
            return mistyped(identity, "service_name and its description")
        return draft(
            answer,
            identity,
            kind_of(self._source),
            text="\n".join(part for part in (named, said) if part),
            dates=(word(item, "requested_datetime") or None,),
            url=f"{self._root}/requests/{identity}.{_format(answer)}"
            if _is_plain(identity)
            else None,
        )

    def _next(self, answer: Answer, cursor: Cursor, items: list[dict[str, Any]]) -> tuple[Ask, ...]:
        ids = frozenset(filter(None, (word(item, "service_request_id") for item in items)))
        fresh = ids - cursor.seen
        if len(cursor.seen) >= MOST_REQUESTS:
            return ()
        moments = [when for item in items if (when := _when(item, answer))]
        oldest, older = min(moments, default=None), _falls(moments)
        known = [x for x in (oldest, cursor.oldest) if x is not None]
        cursor = replace(
            cursor,
            seen=cursor.seen | ids,
            found=cursor.found + len(fresh),
            oldest=min(known, default=None),
        )
        if fresh and cursor.pages:
            return (self._ask(replace(cursor, page=cursor.page + 1), older=older),)
        if fresh or (items and cursor.page > 1):
            return self._by_date(answer, cursor)
        return self._older(answer, cursor)

    def _by_date(self, answer: Answer, cursor: Cursor) -> tuple[Ask, ...]:
        """Ask for what is older than all that was given, in the same span."""
        start = cursor.start or answer.fetched_at - LONGEST_SPAN
        end, oldest = cursor.end or answer.fetched_at, cursor.oldest
        if oldest is None or not start < oldest < end:
            return self._older(answer, cursor)
        return (self._ask(replace(cursor, start=start, end=oldest, page=1, pages=False)),)

    def _older(self, answer: Answer, cursor: Cursor) -> tuple[Ask, ...]:
        """Ask for the span before this one: to the window's first day, or till one is empty."""
        end = cursor.start or answer.fetched_at - LONGEST_SPAN
        is_last = not cursor.found or cursor.spans >= MOST_SPANS
        if is_last if self._since is None else end <= self._since:
            return ()
        following = replace(
            cursor,
            start=max(end - LONGEST_SPAN, self._since or end - LONGEST_SPAN),
            end=end,
            page=1,
            spans=cursor.spans + 1,
            found=0,
            oldest=None,
        )
        return (self._ask(following),)

    def _refused(self, answer: Answer, cursor: Cursor, *, is_first: bool) -> Step:
        if cursor.page > 1:  # it knows no pages, or there is none after the last
            return Step(asks=self._by_date(answer, cursor))
        value = parse_json(answer.body, answer.content_type)
        code = code_of(look(value, 0, "code") or look(value, "errors", 0, "code"))
        if is_first and not code and cursor.format == "json":
            return Step(asks=(self._ask(replace(cursor, format="xml")),))
        said = f"answered {answer.status}{f' (code {code})' if code else ''}"
        if not is_first:
            return Step(problems=(unreadable(answer, said),))
        if "jurisdiction_id" in self._query:
            return failed(answer, f"{said}: check the jurisdiction in «query», and the address")
        return failed(answer, f"{said}: name the jurisdiction in «query», or check the address")


def _items(answer: Answer) -> tuple[list[dict[str, Any]], tuple[Problem, ...], str]:
    """Return the requests of an answer, what of it is broken, and why it is none at all."""
    if answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        found = read_xml(answer.body, answer.content_type, {"request"}, MOST_REQUESTS)
        if found.problem or found.root != "service_requests":
            return [], (), found.problem or "is no list of service requests"
        damage = (unreadable(answer, found.damage),) if found.damage else ()
        return [texts for _, texts in found.items], damage, ""
    value = parse_json(answer.body, answer.content_type)
    if isinstance(value, Broken):
        return [], (), value.why
    for path in ((), ("service_requests",), ("requests",)):
        if isinstance(look(value, *path), list):
            items, problems = objects(answer, value, *path)
            return items, problems, ""
    return [], (), "is no list of service requests"


def _format(answer: Answer) -> str:
    return "xml" if "/requests.xml" in answer.url else "json"


def _is_plain(identity: str) -> bool:
    return identity.replace("-", "").replace("_", "").isalnum() and identity.isascii()


def _when(item: Mapping[str, object], answer: Answer) -> datetime | None:
    written = word(item, "requested_datetime")
    return moment(written, _UTC, answer.fetched_at) if written else None


def _falls(moments: list[datetime]) -> bool:
    """Say whether a server lists from the newest to the oldest, which the protocol leaves open."""
    return len(moments) > 1 and all(one >= two for one, two in pairwise(moments))


def _w3(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
