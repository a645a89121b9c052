"""Sites without a feed: a page of links, the pages after it, and every article they lead to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scrapy.http import Request, Response

from crawlers.extract.dates import first_moment
from crawlers.extract.links import read_links
from crawlers.extract.page import read_page
from crawlers.known import fingerprint, is_old
from crawlers.politeness import NotModified
from crawlers.recorder import Recorder
from crawlers.rules import Draft
from crawlers.spiders.base import (
    SourceSpider,
    conditional,
    content_type,
    fetched_at,
    fits,
    is_page,
)
from models.records import Opener, Outcome


@dataclass
class _Sheet:
    """A page of links: how many of its articles are still awaited, and how young they are."""

    after: str
    awaited: int = 0
    newest: datetime | None = None
    is_read: bool = False


class PagesSpider(SourceSpider):
    """Reads the articles that a page links to, on its own host.

    An article that is stored is read again only while it is young beside the source's newest.
    Where the latest crawl read everything, the first page of links with nothing new is the last;
    a page all of whose articles are older than the window is the last in any case.
    """

    name = "pages"
    start_tells_all = True

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._asked: set[str] = set()
        self._sheets: dict[str, _Sheet] = {}

    def read_start(self, response: Response) -> Iterator[Request]:
        """Read the first page of links; none at all means that the source has changed."""
        links = read_links(response.body, response.url, self.source.links, content_type(response))
        if links.problem:
            self.start_is(Outcome.UNREADABLE, f"{response.url} {links.problem}")
            return
        yield from self.read_list(response)

    def read_list(self, response: Response) -> Iterator[Request]:
        """Ask for the articles of a page of links, and for the page after it."""
        links = read_links(response.body, response.url, self.source.links, content_type(response))
        self._asked.add(response.url)
        known = self.recorder.known
        is_over = known.complete and all(known.has(fingerprint(url)) for url in links.pages)
        goes_on = links.after and not is_over and links.after not in self._asked
        sheet = _Sheet(links.after or "" if goes_on else "")
        for url in links.pages:
            if not self._is_new(url):
                continue
            if self._is_settled(fingerprint(url)):
                self.recorder.unchanged += 1
                self._date(sheet, known.said_at(fingerprint(url)))
            else:
                sheet.awaited += 1
                self._sheets[url] = sheet
                page = self.request(url, self.read_page, self.page_failed, asked=url)
                yield conditional(page, may_rest=known.has(fingerprint(url)))
        sheet.is_read = True
        yield from self._turned(sheet)

    def _is_settled(self, mark: str) -> bool:
        """Say whether an article needs no second look; an edit is noticed while it is young."""
        known, days = self.recorder.known, self.source.revisit_days
        if self.source.comments:
            return known.is_settled(mark)
        return known.has(mark) and not known.is_young(mark, known.newest, days)

    def _date(self, sheet: _Sheet, moment: datetime | None) -> None:
        if moment is not None:
            sheet.newest = max(moment, sheet.newest or moment)

    def _done(self, url: str, moment: datetime | None = None) -> Iterator[Request]:
        """Take an article from those that its page of links waits for."""
        sheet = self._sheets.pop(url, None)
        if sheet is not None:
            sheet.awaited -= 1
            self._date(sheet, moment)
            yield from self._turned(sheet)

    def _turned(self, sheet: _Sheet) -> Iterator[Request]:
        """Ask for the page of links after one whose articles were read, or end with it."""
        if sheet.awaited or not sheet.is_read:
            return
        since = self.recorder.job.since
        if sheet.after and since and sheet.newest and sheet.newest < since:
            self.recorder.bounded = True
        elif sheet.after and self._is_new(sheet.after):
            yield self.request(sheet.after, self.read_list, self.page_failed)
            return
        yield from self.look_for(self._lacking())

    def _lacking(self) -> Iterator[Opener]:
        """Return what is stored and young, and to which no page of links led."""
        known, days = self.recorder.known, self.source.revisit_days
        for opener in known.openers:
            if not is_old(opener.said_at, known.newest, days) and self._is_new(opener.url):
                yield opener

    def _is_new(self, url: str) -> bool:
        if url in self._asked or not fits(url):
            return False
        self._asked.add(url)
        return True

    def read_page(self, response: Response, asked: str) -> Iterator[Request]:
        """Read one article and, on request, its comments."""
        if not is_page(response):
            kind = content_type(response)[:80]
            self.recorder.reject(Outcome.UNREADABLE, response.url, f"it is {kind}, not a page")
            yield from self._done(asked)
            return
        comments = self.source.comments
        page = read_page(response.body, response.url, content_type(response), comments=comments)
        article = page.article
        identity = article.canonical or response.url
        draft = Draft(
            external_id=identity,
            kind=self.source.kind,
            where=response.url,
            fetched_at=fetched_at(response),
            text=article.text,
            dates=(article.date,),
            title=article.title,
            author=article.author,
            url=identity,
            capture_id=response.meta["capture_id"],
            fingerprint=fingerprint(asked),
        )
        said = first_moment(draft.dates, self.recorder.zone, draft.fetched_at)
        moment = said if isinstance(said, datetime) else None
        self.recorder.met([moment] if moment else [])
        self.recorder.put(draft)
        if comments:
            yield from self.put_comments(response, identity, page.thread)
        yield from self._done(asked, moment)

    def page_failed(self, failure: Any) -> Iterator[Request]:
        """A page could not be read, or is gone."""
        url = failure.request.url
        owner = self.recorder.known.by_page.get(url)
        asked = failure.request.cb_kwargs.get("asked", "")
        if isinstance(failure.value, NotModified):
            self.recorder.rested(fingerprint(asked))
        elif owner is None or not self.is_gone(failure, owner):
            self.not_read(url, failure)
        yield from self._done(asked, self.recorder.known.said_at(fingerprint(asked)))
