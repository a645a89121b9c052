"""Sites without a feed: a page of links, the pages after it, and every article they lead to."""

from collections.abc import Iterator
from typing import Any

from scrapy.http import Request, Response

from crawlers.extract.article import read_article
from crawlers.extract.links import read_links
from crawlers.known import fingerprint
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
from models.records import Outcome


class PagesSpider(SourceSpider):
    """Reads the articles that a page links to, on its own host.

    An article that is stored is read again only while it is young beside the source's newest.
    Where the latest crawl read everything, the first page of links with nothing new is the last.
    """

    name = "pages"
    start_tells_all = True

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._asked: set[str] = set()

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
        for url in links.pages:
            if not self._is_new(url):
                continue
            if known.is_settled(fingerprint(url), known.newest, self.source.revisit_days):
                self.recorder.unchanged += 1
            else:
                page = self.request(url, self.read_page, self.page_failed, asked=url)
                yield conditional(page, may_rest=known.has(fingerprint(url)))
        if known.complete and all(known.has(fingerprint(url)) for url in links.pages):
            return
        if links.after and self._is_new(links.after):
            yield self.request(links.after, self.read_list, self.page_failed)

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
            return
        article = read_article(response.body, response.url, content_type(response))
        identity = article.canonical or response.url
        self.recorder.put(
            Draft(
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
        )
        if self.source.comments:
            yield from self.put_comments(response, identity)

    def page_failed(self, failure: Any) -> None:
        """A page could not be read."""
        self.not_read(failure.request.url, failure)
