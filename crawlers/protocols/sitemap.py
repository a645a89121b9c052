"""Sitemaps: indexes, lists of addresses, news sitemaps, and the pages that they lead to."""

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from configs.schema import Source
from crawlers.extract.comments import Comment, Thread
from crawlers.extract.page import read_page
from crawlers.extract.text import decode, line
from crawlers.known import fingerprint
from crawlers.listings import LOOKED_FOR
from crawlers.protocols.base import Answer, Ask, Problem, Step, draft, failed, unreadable
from crawlers.protocols.lists import CLOSED, missing
from crawlers.protocols.safe_xml import Xml, read_xml
from crawlers.rules import Draft
from models.records import Kind, Opener, Outcome

NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"

MOST_ENTRIES = 50_000
"""The protocol allows no more in one sitemap."""

MOST_SITEMAPS = 200
"""Sitemaps that are read from one index, the newest first."""

DEEPEST = 2
"""An index may not lead to indexes; one such step is forgiven."""

_GZIP = b"\x1f\x8b"
_LONGEST_ADDRESS = 2_000
_ROOTS = {"sitemapindex": "sitemap", "urlset": "url"}
_OLD = datetime(1, 1, 1, tzinfo=UTC)


class Sitemap:
    """Reads the pages that a site's sitemap lists and the source's ``match`` chooses.

    ``lastmod`` says what to read first, never when something was said.
    """

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        del token
        self._source = source
        self._url = url

    def start(self) -> Ask:
        """Ask for the sitemap."""
        about = {"is": "sitemap", "depth": 0}
        return Ask(self._url, about=about, errors=CLOSED, lists=(LOOKED_FOR,))

    def look_for(self, opener: Opener, listed: frozenset[str]) -> Ask | None:
        """Ask for a page that no sitemap lists any more."""
        return None if opener.url in listed else _page_ask(opener.url, {})

    def read(self, answer: Answer) -> Step:
        """Read a sitemap, a page that it lists, or a further page of a comment thread."""
        if answer.status in CLOSED:
            return missing(answer)
        kind = answer.about.get("is")
        if kind == "page":
            return self._page(answer)
        if kind == "thread":
            return _thread(answer)
        return self._sitemap(answer)

    def _sitemap(self, answer: Answer) -> Step:
        depth = answer.about.get("depth", 0)
        found = _read(answer, self._source.limits.max_bytes)
        if found.problem:
            return _lost(answer, found.problem)
        kinds = {name for name, _ in found.items}
        if found.root not in _ROOTS and not kinds:
            return _lost(answer, "is no sitemap")
        damage = (unreadable(answer, found.damage),) if found.damage else ()
        cut = (_cut(answer, f"lists more than {MOST_ENTRIES:,} addresses"),) if found.cut else ()
        entries = [texts for name, texts in found.items if name == "url"]
        indexes = [texts for name, texts in found.items if name == "sitemap"]
        pages = self._pages(answer, entries)
        inner = _inner(answer, indexes, depth)
        return Step(
            asks=inner.asks + pages.asks,
            problems=damage + cut + inner.problems + pages.problems,
            stop=pages.stop,
            present=pages.present,
        )

    def _pages(self, answer: Answer, entries: list[dict[str, str]]) -> Step:
        """Ask for the listed pages that the source wants, the newest first."""
        try:
            wanted = re.compile(self._source.match or "")
        except re.error:
            said = f"cannot be read with «{self._source.match}», which is no regular expression"
            return failed(answer, said)
        addresses, problems = _addresses(answer, entries)
        chosen = {url: texts for url, texts in addresses.items() if wanted.search(url)}
        if addresses and not chosen and answer.about.get("depth", 0) == 0:
            said = f"lists no address that fits «{self._source.match}»"
            problems += (unreadable(answer, said),)
        most = self._source.limits.max_requests
        if len(chosen) > most:
            problems += (_cut(answer, f"lists more than the limit of {most:,} requests"),)
        asks = [_page_ask(url, texts) for url, texts in list(chosen.items())[:most]]
        return Step(asks=tuple(asks), problems=problems, present=tuple(addresses))

    def _page(self, answer: Answer) -> Step:
        kind = answer.content_type.partition(";")[0].strip().lower()
        if kind and not kind.startswith("text/") and "html" not in kind and "xml" not in kind:
            return Step(problems=(unreadable(answer, f"is {kind[:80]}, not a page"),))
        comments = self._source.comments
        page = read_page(answer.body, answer.url, answer.content_type, comments=comments)
        found = page.article
        identity = found.canonical or _whole(answer.url)
        opener = draft(
            answer,
            identity,
            self._source.kind,
            text=found.text,
            title=answer.about.get("title") or found.title,
            author=found.author,
            dates=(answer.about.get("date"), found.date),
            url=identity,
            fingerprint=answer.about.get("mark") or fingerprint(answer.url),
        )
        if not comments:
            return Step(drafts=(opener,), partial=True)
        thread = _comments(answer, identity, page.thread, known=(answer.url,))
        return replace(thread, drafts=(opener, *thread.drafts))


def _read(answer: Answer, most: int) -> Xml:
    body = answer.body
    if body.startswith(_GZIP):
        unpacked = _unpack(body, most)
        if isinstance(unpacked, str):
            return Xml(problem=unpacked)
        body = unpacked
    listed = _as_text(body, answer.content_type)
    if listed:
        return listed
    found = read_xml(body, answer.content_type, {"url", "sitemap"}, MOST_ENTRIES)
    if found.root in {"rss", "feed", "RDF"}:
        return Xml(problem="is a feed, not a sitemap; use protocol: feed")
    if found.problem == "is an HTML page":
        return Xml(problem="is an HTML page, not a sitemap; for a page of links: protocol: pages")
    return found


def _unpack(body: bytes, most: int) -> bytes | str:
    """Unpack gzip up to a size, or say why it cannot be."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(body, most + 1)
    except zlib.error:
        return "is gzip that cannot be unpacked"
    if len(data) > most:
        return f"unpacks to more than the limit of {most:,} bytes"
    return data


def _as_text(body: bytes, content_type: str) -> Xml | None:
    """Read a sitemap that is a plain list of addresses, one a line."""
    if not body[:8].lower().startswith((b"http://", b"https://")):
        return None
    lines = decode(body, content_type).split()
    items = tuple(("url", {"loc": address}) for address in lines[:MOST_ENTRIES])
    return Xml("urlset", items, cut=len(lines) > MOST_ENTRIES)


def _lost(answer: Answer, why: str) -> Step:
    """A sitemap cannot be read: without the first there is nothing, without another a gap."""
    if answer.about.get("depth", 0) == 0:
        return failed(answer, why)
    return Step(problems=(unreadable(answer, why),))


def _cut(answer: Answer, why: str) -> Problem:
    return Problem(Outcome.FETCH_FAILED, answer.url, f"{answer.url} {why}; the rest is left out")


def _inner(answer: Answer, entries: list[dict[str, str]], depth: int) -> Step:
    """Ask for the sitemaps of an index, the newest first."""
    addresses, problems = _addresses(answer, entries)
    addresses.pop(_whole(answer.url), None)
    if addresses and depth >= DEEPEST:
        said = f"is an index {DEEPEST} steps inside an index; its sitemaps are not read"
        return Step(problems=(*problems, unreadable(answer, said)))
    if len(addresses) > MOST_SITEMAPS:
        problems += (_cut(answer, f"lists more than {MOST_SITEMAPS} sitemaps"),)
    about = {"is": "sitemap", "depth": depth + 1}
    asks = (
        Ask(
            url,
            about=about,
            errors=CLOSED,
            needed=True,
            at=_changed(texts),
            lists=(LOOKED_FOR,),
        )
        for url, texts in list(addresses.items())[:MOST_SITEMAPS]
    )
    return Step(asks=tuple(asks), problems=problems)


def _addresses(
    answer: Answer, entries: list[dict[str, str]]
) -> tuple[dict[str, dict[str, str]], tuple[Problem, ...]]:
    """Return the entries of the sitemap's own site by address, and the problem of the others."""
    newest = sorted(entries, key=lambda texts: _when(texts.get("lastmod")), reverse=True)
    found: dict[str, dict[str, str]] = {}
    elsewhere = nowhere = 0
    for texts in newest:
        url = _resolve(texts.get("loc", ""), answer.url)
        if not url:
            nowhere += 1
        elif not _same_host(url, answer.url):
            elsewhere += 1
        else:
            found.setdefault(url, texts)
    problems = []
    if nowhere:
        problems.append(unreadable(answer, f"lists {nowhere} entries without a web address"))
    if elsewhere:
        said = f"{answer.url} lists {elsewhere} addresses of other hosts; they are not read"
        problems.append(Problem(Outcome.NOT_ALLOWED, answer.url, said))
    return found, tuple(problems)


def _when(text: str | None) -> datetime:
    try:
        found = datetime.fromisoformat((text or "").strip()[:40])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return _OLD


def _changed(texts: Mapping[str, str]) -> datetime | None:
    """Return when something last changed, by its ``lastmod``."""
    found = _when(texts.get("lastmod"))
    return found if found > _OLD else None


def _resolve(address: str, base: str) -> str:
    if not address or len(address) > _LONGEST_ADDRESS:
        return ""
    try:
        url = _whole(urljoin(base, line(address) or ""))
    except ValueError:
        return ""
    return url if url.lower().startswith(("http://", "https://")) else ""


def _whole(url: str) -> str:
    return url.partition("#")[0]


def _same_host(url: str, other: str) -> bool:
    try:
        one, two = urlsplit(url).netloc.lower(), urlsplit(other).netloc.lower()
    except ValueError:
        return False
    return one.removeprefix("www.") == two.removeprefix("www.")


def _page_ask(url: str, texts: Mapping[str, str]) -> Ask:
    mark = fingerprint(url, texts.get("lastmod"))
    about: dict[str, Any] = {"is": "page", "mark": mark, "page": url}
    if title := line(texts.get(f"{NEWS}title")):
        about["title"] = title
    if date := line(texts.get(f"{NEWS}publication_date")):
        about["date"] = date
    return Ask(
        url,
        about=about,
        errors=CLOSED,
        mark=mark,
        at=_changed(texts),
        conditional=True,
        lists=(url,),
    )


def _thread(answer: Answer) -> Step:
    page = read_page(answer.body, answer.url, answer.content_type, article=False)
    about = answer.about
    return _comments(answer, about.get("thread", ""), page.thread, about.get("known", ()))


def _comments(answer: Answer, thread: str, found: Thread, known: tuple[str, ...]) -> Step:
    """Keep the comments of a page and ask for the thread's other pages."""
    drafts = tuple(_comment(comment, answer, thread) for comment in found.comments)
    others = tuple(url for url in found.pages if url not in known and url != answer.url)
    first = answer.about.get("page", "")
    about = {"is": "thread", "thread": thread, "known": (*known, *others), "page": first}
    asks = tuple(
        Ask(url, about=about, errors=CLOSED, of=thread, lists=(first,)) for url in _asked(others)
    )
    return Step(drafts=drafts, asks=asks, thread=thread, partial=True)


def _asked(urls: tuple[str, ...]) -> Iterator[str]:
    return (url for url in urls if len(url) <= _LONGEST_ADDRESS)


def _comment(comment: Comment, answer: Answer, thread: str) -> Draft:
    parent = f"{thread}#comment-{comment.parent}" if comment.parent else thread
    return draft(
        answer,
        f"{thread}#comment-{comment.id}",
        Kind.COMMENT,
        text=comment.text,
        dates=(comment.date,),
        author=comment.author,
        url=f"{_whole(answer.url)}#comment-{comment.id}",
        parent=parent,
        thread=thread,
    )
