"""What every spider shares: the start, the reading of a page, its thread, and the end."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from traceback import extract_tb
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy import signals
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError

from configs.schema import Limits
from crawlers.extract.comments import Comment, Thread
from crawlers.extract.dates import first_moment
from crawlers.extract.page import read_page
from crawlers.failures import explain
from crawlers.listings import Listings
from crawlers.patience import TookTooLongError, patience
from crawlers.politeness import CONDITIONAL, KEPT, NotModified
from crawlers.recorder import Recorder
from crawlers.rules import Draft, identity
from models.reasons import Reason
from models.records import Failure, Kind, Opener, Outcome, Vanished

LONGEST_ADDRESS = 2_000

GONE = frozenset({404, 410})
"""The answers by which a server says that there is no such page, or no longer."""

MOST_LOOKED_FOR = 50
"""Openers that one crawl looks for at their own address, because a list lacks them."""

ENDS = {
    "closespider_timeout": Reason.MOST_SECONDS,
    "memusage_exceeded": Reason.MEMORY,
    "shutdown": Reason.STOPPED,
}


class SourceSpider(scrapy.Spider):
    """Reads one source. Records go straight to the recorder, never through Scrapy's logs.

    A spider whose first page shows whatever is new sets ``start_tells_all``: where that page has
    not changed (304), nothing has, and the crawl is over. Comments it cannot tell of.
    """

    name = "source"
    start_tells_all = False

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder
        self.source = recorder.job.source
        self._said: dict[str, set[str]] = {}
        self._open_threads: dict[str, str] = {}
        self._listings = Listings()

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> "SourceSpider":
        """Make the spider, and have it told of its own mistakes."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.unforeseen, signal=signals.spider_error)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """Begin with the source's own address."""
        request = self.request(self.recorder.job.url, self.read_start, self.start_failed)
        may_rest = self.start_tells_all and not self.source.comments
        yield conditional(request) if may_rest else request

    def read_start(self, response: Response) -> Iterator[Request]:
        """Read the source's first page."""
        raise NotImplementedError

    def request(self, url: str, callback: Any, errback: Any, **about: Any) -> Request:
        """Return a request; Scrapy's filter, which drops without a word, is not used."""
        return Request(
            url,
            callback=in_time(callback),
            errback=errback,
            cb_kwargs=about,
            meta=about,
            dont_filter=True,
        )

    def start_failed(self, failure: Any) -> None:
        """The source itself could not be read: say why, and that the crawl is not finished.

        One that has not changed is read to its end by that.
        """
        if isinstance(failure.value, NotModified):
            return
        outcome, sentence = explain(failure, self.source.limits)
        self.start_is(outcome, sentence)

    def start_is(self, outcome: Outcome, sentence: str) -> None:
        """Count the source's own address as not read."""
        self.recorder.reject(outcome, self.recorder.job.url, sentence)
        self.recorder.stop(sentence)

    def not_read(self, url: str, failure: Any) -> None:
        """Count a single page as not read, or as being what it was."""
        if isinstance(failure.value, NotModified):
            self.recorder.unchanged += 1
            return
        outcome, sentence = explain(failure, self.source.limits)
        self.recorder.reject(outcome, url, sentence)

    def is_settled(self, mark: str | None, newest: datetime | None, *, counted: bool) -> bool:
        """Say whether what is listed like this needs no second look.

        Where a list counts what lies behind, a young one would be listed differently; once it is
        old it is looked at a last time, because edits are not counted.
        """
        known = self.recorder.known
        if not self.source.comments:
            return known.has(mark)
        if known.is_settled(mark):
            return True
        return counted and known.is_young(mark, newest, self.source.revisit_days)

    def look_for(self, openers: Iterator[Opener]) -> Iterator[Request]:
        """Ask for the pages of openers that a list lacks: they may be gone, or have made room."""
        for opener in islice(openers, MOST_LOOKED_FOR):
            if fits(opener.url):
                about = {"external_id": opener.external_id}
                request = self.request(opener.url, self.still_there, self.not_there, **about)
                yield conditional(request)

    def still_there(self, response: Response, external_id: str) -> None:
        """Leave what still has its page as it is: only its list no longer shows it."""
        del response, external_id
        self.recorder.unchanged += 1

    def not_there(self, failure: Any) -> None:
        """Note that an opener is gone, if its server says so."""
        if not self.is_gone(failure, failure.request.cb_kwargs["external_id"]):
            self.not_read(failure.request.url, failure)

    def is_gone(self, failure: Any, external_id: str) -> bool:
        """Note that an opener and what answered it are gone, if its server says so."""
        error = failure.value
        if not isinstance(error, HttpError) or error.response.status not in GONE:
            return False
        moment = fetched_at(error.response)
        self.recorder.is_gone(Vanished(identity(external_id), moment, with_thread=True))
        detail = Reason.ANSWERED.said(url=failure.request.url, status=error.response.status)
        self.recorder.reject(Outcome.DELETED, failure.request.url, detail)
        return True

    def unforeseen(self, failure: Any, response: Response) -> None:
        """A callback failed: count the page, and go on with the others."""
        outcome, sentence = unforeseen_in_words(failure)
        self.recorder.reject(outcome, response.url, sentence)
        if response.url == self.recorder.job.url:
            self.recorder.stop(Reason.FAULT_AT.said(url=response.url, why=sentence))

    def put_comments(self, response: Response, thread: str, found: Thread) -> Iterator[Request]:
        """Keep the comments of a page and ask for the thread's other pages."""
        said = self._said.setdefault(thread, set())
        drafts = [self._comment(comment, response, thread) for comment in found.comments]
        for comment, draft in zip(found.comments, drafts, strict=True):
            if comment.id not in said:
                self.recorder.put(draft)
        said.update(comment.id for comment in found.comments)
        self._note_comments(response, thread, drafts)
        for url in found.pages:
            if url not in said and url != response.url and fits(url):
                said.add(url)
                self._open_threads[url] = thread
                self._listings.asked((thread,))
                yield self.request(
                    url, self.read_thread, self.thread_failed, thread=thread, asked=url
                )

    def _note_comments(self, response: Response, thread: str, drafts: list[Draft]) -> None:
        """Note which comments a page proves to be there; the first page counts as asked."""
        if "thread" not in response.meta:
            self._listings.asked((thread,))
        dates = (
            first_moment(draft.dates, self.recorder.zone, draft.fetched_at) for draft in drafts
        )
        self._listings.answered(
            (thread,),
            fetched_at(response),
            [identity(draft.external_id or "") for draft in drafts],
            [moment for moment in dates if isinstance(moment, datetime)],
            identity(thread),
            partial=True,
        )

    def read_thread(self, response: Response, thread: str, asked: str) -> Iterator[Request]:
        """Read a further page of a thread."""
        self._open_threads.pop(asked, None)
        page = read_page(response.body, response.url, content_type(response), article=False)
        yield from self.put_comments(response, thread, page.thread)

    def thread_failed(self, failure: Any) -> None:
        """A further page of a thread could not be read; what passes is tried in the next run."""
        self.not_read(failure.request.url, failure)
        self._listings.broken((failure.request.cb_kwargs["thread"],))
        if not is_lasting(failure, self.source.limits):
            self.recorder.unsettle(failure.request.cb_kwargs["thread"])
        self._open_threads.pop(failure.request.cb_kwargs["asked"], None)

    def _comment(self, comment: Comment, response: Response, thread: str) -> Draft:
        page = urlsplit(response.url)._replace(fragment="").geturl()
        parent = f"{thread}#comment-{comment.parent}" if comment.parent else thread
        return Draft(
            external_id=f"{thread}#comment-{comment.id}",
            kind=Kind.COMMENT,
            where=page,
            fetched_at=fetched_at(response),
            text=comment.text,
            dates=(comment.date,),
            author=comment.author,
            url=f"{page}#comment-{comment.id}",
            parent=parent,
            thread=thread,
            capture_id=response.meta["capture_id"],
        )

    def closed(self, reason: str) -> None:
        """Say how the crawl ended, if it was not by reading everything."""
        for thread in self._open_threads.values():
            self.recorder.unsettle(thread)
        for listing in self._listings.whole(self.recorder.job.since):
            self.recorder.list_whole(listing)
        if reason != "finished":
            end, most = ENDS.get(reason, Reason.CLOSED), self.source.limits.max_seconds
            self.recorder.stop(end.said(number=f"{most:g}", detail=reason))


def in_time(callback: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Return a callback that gives up when one of its steps takes too long."""

    def read(response: Response, **about: Any) -> Iterator[Any]:
        steps = iter(callback(response, **about))
        while True:
            with patience():
                step = next(steps, None)
            if step is None:
                return
            yield step

    return read


def unforeseen_in_words(failure: Any) -> tuple[Outcome, str]:
    """Say how a callback failed, and whose fault it is, without a word of what it was reading."""
    error = failure.value
    if isinstance(error, TookTooLongError):
        return Outcome.UNREADABLE, str(error)
    if isinstance(error, MemoryError | RecursionError):
        return Outcome.UNREADABLE, f"reading it failed ({type(error).__name__})"
    where = extract_tb(failure.getTracebackObject())
    place = f" at {Path(where[-1].filename).name}:{where[-1].lineno}" if where else ""
    return Outcome.FAULT, Reason.FAULT.said(detail=f"{type(error).__name__}{place}")


def conditional(request: Request, *, may_rest: bool = True) -> Request:
    """Keep the validator of an answer, and allow it to say that nothing has changed (304).

    Without ``may_rest`` the answer is wanted whatever was stored; a later crawl may ask so.
    """
    request.meta[KEPT] = True
    request.meta[CONDITIONAL] = may_rest
    return request


def is_lasting(failure: Any, limits: Limits) -> bool:
    """Say whether another try would meet the same failure, so that it needs none."""
    if isinstance(failure.value, NotModified):
        return True
    return explain(failure, limits)[0].failure is Failure.HARD


def content_type(response: Response) -> str:
    """Return the content type as the server declared it."""
    return (response.headers.get("Content-Type") or b"").decode("latin-1")


def fetched_at(response: Response) -> datetime:
    """Return when a response was archived."""
    moment: datetime = response.meta["fetched_at"]
    return moment


def is_page(response: Response) -> bool:
    """Say whether a response may be an HTML page, by what the server calls it."""
    kind = content_type(response).partition(";")[0].strip().lower()
    return not kind or kind.startswith("text/") or "html" in kind or "xml" in kind


def fits(url: str) -> bool:
    """Say whether an address is one to ask for: on the web, and not endless."""
    return len(url) <= LONGEST_ADDRESS and url.lower().startswith(("http://", "https://"))
