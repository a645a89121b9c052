"""Feeds: one record per entry, on request with the entry's page and its comments."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from scrapy.http import Request, Response

from crawlers.extract.article import Article, read_article
from crawlers.extract.feed import Entry, read_feed
from crawlers.recorder import Recorder
from crawlers.rules import Draft
from crawlers.spiders.base import SourceSpider, content_type, fetched_at, fits, is_page
from models.records import Outcome


class FeedSpider(SourceSpider):
    """Reads RSS, Atom and JSON Feed.

    An entry that waits for its page is kept until the page was read, failed, or the crawl
    ends: it is written in every case.
    """

    name = "feed"

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._waiting: dict[str, list[Draft]] = {}

    def read_start(self, response: Response) -> Iterator[Request]:
        """Read the feed; entries without a page to open are written at once."""
        feed = read_feed(response.body, response.url, content_type(response))
        if feed.problem:
            self.start_is(Outcome.UNREADABLE, f"{response.url} {feed.problem}")
            return
        if feed.damage:
            said = f"{feed.damage}; {len(feed.entries)} entries were read"
            self.recorder.reject(Outcome.UNREADABLE, response.url, said)
        opens = self.source.follow or self.source.comments
        for entry in feed.entries:
            draft = self._draft(entry, response)
            if opens and entry.link and fits(entry.link):
                self._waiting.setdefault(entry.link, []).append(draft)
            else:
                self.recorder.put(draft)
        for link in list(self._waiting):
            yield self.request(link, self.read_page, self.page_failed, link=link)

    def _draft(self, entry: Entry, response: Response) -> Draft:
        return Draft(
            external_id=entry.id or entry.link,
            kind=self.source.kind,
            where=response.url,
            fetched_at=fetched_at(response),
            text=entry.text,
            dates=(entry.date,),
            title=entry.title,
            author=entry.author,
            url=entry.link,
            capture_id=response.meta["capture_id"],
        )

    def read_page(self, response: Response, link: str) -> Iterator[Request]:
        """Read an entry's page and complete the entries that wait for it."""
        if not is_page(response):
            kind = content_type(response)[:80]
            self.recorder.reject(Outcome.UNREADABLE, link, f"it is {kind}, not a page")
            self._release(link)
            return
        article = Article()
        if self.source.follow:
            article = read_article(response.body, response.url, content_type(response))
        drafts = self._waiting[link]
        self._waiting[link] = [_completed(draft, article, response) for draft in drafts]
        self._release(link)
        if self.source.comments:
            yield from self.put_comments(response, drafts[0].external_id or link)

    def page_failed(self, failure: Any) -> None:
        """An entry's page could not be read: the entry is kept as the feed gave it."""
        link = failure.request.cb_kwargs["link"]
        self.not_read(link, failure)
        self._release(link)

    def closed(self, reason: str) -> None:
        """Write the entries whose page was not reached."""
        super().closed(reason)
        for link in list(self._waiting):
            why = f"its page was not read: {self.recorder.reason or 'reading it failed'}"
            self.recorder.reject(Outcome.FETCH_FAILED, link, why)
            self._release(link)

    def _release(self, link: str) -> None:
        for draft in self._waiting.pop(link, ()):
            self.recorder.put(draft)


def _completed(draft: Draft, article: Article, response: Response) -> Draft:
    """Complete an entry with its page: the feed's id, date and title stay, the text grows."""
    draft = replace(
        draft,
        title=draft.title or article.title,
        author=draft.author or article.author,
        dates=(*draft.dates, article.date),
    )
    if len(article.text) <= len(draft.text):
        return draft
    return replace(
        draft,
        text=article.text,
        fetched_at=fetched_at(response),
        capture_id=response.meta["capture_id"],
    )
