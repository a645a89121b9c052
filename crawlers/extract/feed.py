"""The entries of a feed: RSS and Atom through feedparser, JSON Feed 1.1 through json."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from crawlers.extract.text import PARSER_ERRORS, clean, decode, line, paragraphs, plain
from crawlers.extract.unwrap import unwrap

_HTML = re.compile(r"<!doctype\s+html|<html[\s>]|<body[\s>]", re.IGNORECASE)
_FEED = re.compile(r"<(\w+:)?(rss|feed|rdf)[\s>]", re.IGNORECASE)
_NUMBERED = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,9}));")

DEEPEST = 256
"""Levels of elements; no feed has ten."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed; what the feed does not say is empty. Dates are as it wrote them.

    ``date`` is when it was said; ``updated``, if given, when it last changed. ``answers``, if
    given, is how many comments its page has. A headline that an aggregator took from another
    medium has that medium for its author.
    """

    id: str | None = None
    link: str | None = None
    title: str | None = None
    text: str = ""
    author: str | None = None
    date: str | None = None
    updated: str | None = None
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed and its entries.

    ``problem`` is empty, or says in plain words why this is no feed; ``damage`` says where a
    feed that could be read in part is broken. ``version`` is feedparser's word for its form, such
    as ``rss20``. One that ``is_headlines`` collects those of other media, as Google News does.
    ``fields`` are the names that its entries have.
    """

    entries: tuple[Entry, ...] = ()
    title: str = ""
    version: str = ""
    is_headlines: bool = False
    problem: str = ""
    damage: str = ""
    fields: frozenset[str] = frozenset()


def read_feed(body: bytes, url: str, content_type: str = "") -> Feed:
    """Read a feed of any of the three kinds from the bytes of a response."""
    text = decode(body, content_type)
    start = text.lstrip()[:2000]
    if not start:
        return Feed(problem="is empty")
    if start[0] in "{[":
        return _read_json(text, url)
    if _HTML.search(start) and not _FEED.search(start):
        return Feed(
            problem="is an HTML page, not a feed; if it is a page of links use protocol: pages"
        )
    return _read_xml(text, url)


def _read_xml(text: str, url: str) -> Feed:
    import feedparser

    if _is_deep(text):
        return Feed(problem="is nested too deeply")
    text = _NUMBERED.sub(_possible, text)
    try:
        # a stream, because feedparser opens a string that looks like an address or a file
        found = feedparser.parse(
            BytesIO(text.encode("utf-8", errors="replace")),
            # and no base address, because it would resolve a guid as if it were a link
            response_headers={"content-type": "application/xml; charset=utf-8"},
        )
        entries = tuple(_xml_entry(item, url) for item in found.entries)
    except (*PARSER_ERRORS,):
        return Feed(problem="is no feed that can be read")
    version = found.get("version") or ""  # absent where feedparser gave up at the start
    if not version and not entries:
        return Feed(problem="is not a feed (RSS, Atom or JSON Feed)")
    damage = found.get("bozo_exception") if found.bozo else None
    sources = sum("source" in item and "title" in item.source for item in found.entries)
    return Feed(
        entries=entries,
        title=line(found.get("feed", {}).get("title")) or "",
        version=version,
        is_headlines=bool(entries) and sources == len(entries),
        damage=_damage(damage),
        fields=frozenset(str(name) for item in found.entries for name in item),
    )


def _possible(reference: re.Match[str]) -> str:
    """Leave out the number of a character that no document may hold, which breaks feedparser."""
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return reference[0] if number <= sys.maxunicode and clean(chr(number)) else ""


def _is_deep(text: str) -> bool:
    """Say whether elements are nested so deeply that feedparser would take minutes."""
    from xml.parsers import expat

    parser, depth = expat.ParserCreate("utf-8"), 0

    def down(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise RecursionError

    def up(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = down, up
    try:
        parser.Parse(text.encode("utf-8", errors="replace"), True)
    except RecursionError:
        return True
    except expat.ExpatError:
        return False  # what is broken is told by feedparser
    return False


def _damage(error: Exception | None) -> str:
    """Say what is broken, without a word of what the feed says."""
    import xml.sax

    if error is None or type(error).__name__ == "CharacterEncodingOverride":
        return ""
    if isinstance(error, xml.sax.SAXParseException):
        return f"its XML is broken at line {error.getLineNumber()}: {error.getMessage()}"[:200]
    return f"it is damaged ({type(error).__name__})"


def _xml_entry(item: Any, url: str) -> Entry:
    content = max(map(_detail, item.get("content", ())), key=len, default="")
    summary = _detail(item.get("summary_detail") or {})
    dates = (item.get(name) for name in ("published", "updated", "created") if name in item)
    return Entry(
        id=line(item.get("id")),
        link=_link(item.get("link"), url),
        title=line(_detail(item.get("title_detail") or {})),
        text=_whole(content, summary),
        author=line(item.get("author")) or _medium(item),
        date=next((text for date in dates if (text := line(date))), None),
        updated=line(item.get("updated")) if "updated" in item else None,
        answers=_answers(item),
    )


def _answers(item: Any) -> str | None:
    """Return the count of the «slash» module of RSS or of Atom's threading (RFC 4685)."""
    links = [link.get("thr:count") for link in item.get("links", ()) if isinstance(link, Mapping)]
    counts = (item.get("slash_comments"), item.get("thr_total"), *links)
    return next((count for count in counts if isinstance(count, str) and count.isdecimal()), None)


def _medium(item: Any) -> str | None:
    """Return the medium that an aggregator names for an entry, where no person is named."""
    source = item.get("source")
    return line(source.get("title")) if isinstance(source, Mapping) else None


def _whole(content: str, summary: str) -> str:
    """Return the text of an entry that gives it twice.

    A summary ends in «[…]» where it was cut, so a short text's can be the longer of the two and
    still be the worse; only one that is longer by far says more than the content.
    """
    return summary if len(summary) > 2 * len(content) else content


def _detail(content: Mapping[str, Any]) -> str:
    value = content.get("value")
    if not isinstance(value, str):
        return ""
    return paragraphs(value) if content.get("type") == "text/plain" else plain(value)


def _link(value: object, url: str) -> str | None:
    address = line(value) if isinstance(value, str) else None
    try:
        return unwrap(urljoin(url, address)) if address else None
    except ValueError:
        return address


def _read_json(text: str, url: str) -> Feed:
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return Feed(problem="is no JSON that can be read")
    items = found.get("items") if isinstance(found, dict) else None
    version = str(found.get("version", "")) if isinstance(found, dict) else ""
    if "jsonfeed.org/version/1" not in version or not isinstance(items, list):
        return Feed(problem="is JSON, but not a JSON Feed")
    entries = tuple(_json_entry(item, url) for item in items if isinstance(item, dict))
    others = len(items) - len(entries)
    return Feed(
        entries=entries,
        title=line(_text(found, "title")) or "",
        version="json",
        damage=f"{others} of its items are no objects" if others else "",
        fields=frozenset(name for item in items if isinstance(item, dict) for name in item),
    )


def _json_entry(item: dict[str, Any], url: str) -> Entry:
    written = _text(item, "content_html")
    texts = (plain(written), paragraphs(_text(item, "content_text")), plain(_text(item, "summary")))
    return Entry(
        id=line(_text(item, "id")),
        link=_link(_text(item, "url") or _text(item, "external_url"), url),
        title=line(_text(item, "title")),
        text=next((text for text in texts if text), ""),
        author=_json_author(item),
        date=line(_text(item, "date_published") or _text(item, "date_modified")),
        updated=line(_text(item, "date_modified")),
    )


def _text(item: Mapping[str, Any], name: str) -> str:
    """Return a string or a number as text; anything else is nothing."""
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return clean(str(value)) if isinstance(value, str | float) or abs(value) < 10**30 else ""


def _json_author(item: Mapping[str, Any]) -> str | None:
    several = item.get("authors")
    authors = several if isinstance(several, list) else [item.get("author")]
    names = [line(_text(author, "name")) for author in authors if isinstance(author, dict)]
    return "; ".join(name for name in names if name) or None
