"""Feeds: one record per entry, on request with the entry's page and its comments."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from scrapy.http import Request, Response

from crawlers.extract.article import Article, read_article
from crawlers.extract.dates import first_moment
from crawlers.extract.feed import Entry, read_feed
from crawlers.known import fingerprint
from crawlers.politeness import NotModified
from crawlers.recorder import Recorder
from crawlers.rules import Draft
from crawlers.spiders.base import (
    SourceSpider,
    conditional,
    content_type,
    fetched_at,
    fits,
    is_lasting,
    is_page,
)
from models.records import Outcome


class FeedSpider(SourceSpider):
    """Reads RSS, Atom and JSON Feed.

    An entry that waits for its page is kept until the page was read, failed, or the crawl
    ends: it is written in every case, but one that is stored already as the feed still lists
    it. Such an entry's page is opened again only for its comments, and while it is young.
    """

    name = "feed"
    start_tells_all = True

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
        drafts = [self._draft(entry, response) for entry in feed.entries]
        if self.source.follow or self.source.comments:
            drafts = self._wait(drafts)
        for draft in drafts:
            self.recorder.put(draft)
        for link in list(self._waiting):
            request = self.request(link, self.read_page, self.page_failed, link=link)
            if self.source.comments:  # without them no page is ever opened again
                conditional(request, may_rest=self._may_rest(link))
            yield request

    def _wait(self, drafts: list[Draft]) -> list[Draft]:
        """Have drafts wait for their pages; return those without, and count the settled."""
        newest = self._newest(drafts)
        others = []
        for draft in drafts:
            if not draft.url or not fits(draft.url):
                others.append(draft)
            elif self._is_settled(draft, newest):
                self.recorder.unchanged += 1
            else:
                self._waiting.setdefault(draft.url, []).append(draft)
        return others

    def _is_settled(self, draft: Draft, newest: datetime | None) -> bool:
        known = self.recorder.known
        if not self.source.comments:
            return known.has(draft.fingerprint)
        return known.is_settled(draft.fingerprint, newest, self.source.revisit_days)

    def _newest(self, drafts: Iterable[Draft]) -> datetime | None:
        zone = self.recorder.zone
        moments = (first_moment(draft.dates, zone, draft.fetched_at) for draft in drafts)
        return max((m for m in moments if isinstance(m, datetime)), default=None)

    def _may_rest(self, link: str) -> bool:
        """Say whether a page that has not changed tells nothing new of what waits for it."""
        return all(self.recorder.known.has(draft.fingerprint) for draft in self._waiting[link])

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
            fingerprint=fingerprint(
                entry.id or entry.link,
                entry.link,
                entry.date,
                entry.updated,
                entry.title,
                entry.text,
            ),
        )

    def read_page(self, response: Response, link: str) -> Iterator[Request]:
        """Read an entry's page and complete the entries that wait for it."""
        if not is_page(response):
            kind = content_type(response)[:80]
            self.recorder.reject(Outcome.UNREADABLE, link, f"it is {kind}, not a page")
            self._release(link, for_good=True)
            return
        article = Article()
        if self.source.follow:
            article = read_article(response.body, response.url, content_type(response))
        drafts = [_completed(draft, article, response) for draft in self._waiting[link]]
        del self._waiting[link]
        for draft in drafts:
            self.recorder.put(draft)
        if self.source.comments:
            yield from self.put_comments(response, drafts[0].external_id or link)

    def page_failed(self, failure: Any) -> None:
        """An entry's page could not be read, or has not changed."""
        link = failure.request.cb_kwargs["link"]
        if isinstance(failure.value, NotModified):
            self.recorder.unchanged += len(self._waiting.pop(link, ()))
            return
        self.not_read(link, failure)
        self._release(link, for_good=is_lasting(failure, self.source.limits))

    def closed(self, reason: str) -> None:
        """Write the entries whose page was not reached."""
        super().closed(reason)
        for link in list(self._waiting):
            why = f"its page was not read: {self.recorder.reason or 'reading it failed'}"
            self.recorder.reject(Outcome.FETCH_FAILED, link, why)
            self._release(link, for_good=False)

    def _release(self, link: str, *, for_good: bool) -> None:
        """Write the entries of a page that gave nothing as the feed gave them.

        What an earlier run read of such a page is not given up for less, as long as another
        try may read it again.
        """
        known = self.recorder.known
        for draft in self._waiting.pop(link, ()):
            if known.has(draft.fingerprint) or (known.has_some(draft.fingerprint) and not for_good):
                self.recorder.unchanged += 1
            else:
                self.recorder.put(draft if for_good else replace(draft, fingerprint=None))


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
