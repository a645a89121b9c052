"""Feeds: one record per entry, on request with the entry's page and its comments."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from scrapy.http import Request, Response

from crawlers.extract.article import Article
from crawlers.extract.dates import first_moment
from crawlers.extract.feed import Entry, read_feed
from crawlers.extract.page import read_page
from crawlers.known import fingerprint
from crawlers.politeness import NotModified
from crawlers.recorder import Recorder
from crawlers.rules import Draft, identity
from crawlers.spiders.base import (
    SourceSpider,
    conditional,
    content_type,
    fetched_at,
    fits,
    is_lasting,
    is_page,
)
from models.reasons import Reason
from models.records import Opener, Outcome


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
        self._newest: datetime | None = None

    def read_start(self, response: Response) -> Iterator[Request]:
        """Read the feed; entries without a page to open are written at once."""
        feed = read_feed(response.body, response.url, content_type(response))
        if feed.problem:
            self.start_is(Outcome.UNREADABLE, f"{response.url} {feed.problem}")
            return
        if feed.damage:
            said = f"{feed.damage}; {len(feed.entries)} entries were read"
            self.recorder.reject(Outcome.UNREADABLE, response.url, said)
        self.recorder.note_fields(feed.fields)
        drafts = [self._draft(entry, response) for entry in feed.entries]
        moments = self._moments(drafts)
        self._newest = max(moments, default=None)
        self.recorder.met(moments)
        lacking = list(self._lacking(drafts, damaged=bool(feed.damage)))
        if self.source.follow or self.source.comments:
            drafts = self._wait(drafts)
        for draft in drafts:
            self.recorder.put(draft)
        for link in list(self._waiting):
            request = self.request(link, self.read_page, self.page_failed, link=link)
            if self.source.comments:  # without them no page is ever opened again
                conditional(request, may_rest=self._may_rest(link))
            yield request
        yield from self.look_for(opener for opener in lacking if opener.url not in self._waiting)

    def _lacking(self, drafts: list[Draft], *, damaged: bool) -> Iterator[Opener]:
        """Return what is stored and the feed still reaches back to, but no longer lists."""
        said = self._moments(drafts)
        if damaged or not said:
            return
        listed = {identity(draft.external_id) for draft in drafts if draft.external_id}
        for opener in self.recorder.known.openers:
            if opener.said_at > min(said) and opener.external_id not in listed:
                yield opener

    def _wait(self, drafts: list[Draft]) -> list[Draft]:
        """Have drafts wait for their pages; return those without, and count the settled."""
        others = []
        for draft in drafts:
            if not draft.url or not fits(draft.url):
                others.append(draft)
            elif self._is_settled(draft):
                self.recorder.unchanged += 1
            else:
                self._waiting.setdefault(draft.url, []).append(draft)
        return others

    def _is_settled(self, draft: Draft) -> bool:
        """Say whether an entry's page needs no second look; counts say nothing of its own text."""
        counted = draft.counted and not self.source.follow
        return self.is_settled(draft.fingerprint, self._newest, counted=counted)

    def _moments(self, drafts: Iterable[Draft]) -> list[datetime]:
        zone = self.recorder.zone
        moments = (first_moment(draft.dates, zone, draft.fetched_at) for draft in drafts)
        return [moment for moment in moments if isinstance(moment, datetime)]

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
                *([entry.answers] if entry.answers else []),
            ),
            counted=entry.answers is not None,
        )

    def read_page(self, response: Response, link: str) -> Iterator[Request]:
        """Read an entry's page and complete the entries that wait for it."""
        if not is_page(response):
            kind = content_type(response)[:80]
            self.recorder.reject(Outcome.UNREADABLE, link, f"it is {kind}, not a page")
            self._release(link, for_good=True)
            return
        page = read_page(
            response.body,
            response.url,
            content_type(response),
            article=self.source.follow,
            comments=self.source.comments,
        )
        drafts = [_completed(draft, page.article, response) for draft in self._waiting[link]]
        del self._waiting[link]
        for draft in drafts:
            self.recorder.put(draft)
        if self.source.comments:
            yield from self.put_comments(response, drafts[0].external_id or link, page.thread)

    def page_failed(self, failure: Any) -> None:
        """An entry's page could not be read, has not changed, or is gone though it is listed."""
        link, known = failure.request.cb_kwargs["link"], self.recorder.known
        if isinstance(failure.value, NotModified):
            for draft in self._waiting.pop(link, ()):
                self.recorder.rested(draft.fingerprint)
            return
        of_stored = [d for d in self._waiting.get(link, ()) if known.has_some(d.fingerprint)]
        found = [self.is_gone(failure, draft.external_id or "") for draft in of_stored]
        if not any(found):
            self.not_read(link, failure)
        waiting = self._waiting.get(link, [])
        waiting[:] = [d for d in waiting if not known.was_gone(d.fingerprint)]
        self._release(link, for_good=is_lasting(failure, self.source.limits))

    def closed(self, reason: str) -> None:
        """Write the entries whose page was not reached."""
        super().closed(reason)
        for link in list(self._waiting):
            why = Reason.PAGE_NOT_READ.said(why=self.recorder.reason or "reading it failed")
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
