"""Answers a crawl from the archive; nothing is fetched."""

from collections import deque
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import urldefrag

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Headers, Request, Response
from scrapy.responsetypes import responsetypes

from crawlers.archive import Exchange, digest, read_response
from crawlers.politeness import ROBOTS_TXT
from crawlers.recorder import Recorder
from crawlers.wire import read_lines
from models.reasons import Reason
from models.records import Capture


class NotArchived(IgnoreRequest):
    """The archive has no answer for an address."""


class Replayer:
    """Gives each request its archived responses, in the order in which they once came.

    It takes the place of `crawlers.middlewares.Archiver`: what a crawl learns from it, the
    moment of the fetch included, is what it learnt from the network.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._answers: dict[tuple[str, str], deque[Capture]] = {}
        for exchange in self._exchanges():
            key = exchange.capture.url, exchange.sent
            self._answers.setdefault(key, deque()).append(exchange.capture)

    def _exchanges(self) -> Iterable[Exchange]:
        path = self._recorder.job.replay
        return read_lines(path, Exchange) if path else ()

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the replayer of a crawl."""
        return cls(crawler.spider.recorder)

    def process_request(self, request: Request) -> Response | None:
        """Answer a request from the archive."""
        response = self._archived(request)
        if response is None:
            if not request.meta.get(ROBOTS_TXT):
                self._recorder.lacking += 1
            raise NotArchived(Reason.NOT_ARCHIVED.said(url=request.url))
        return response

    def _archived(self, request: Request) -> Response | None:
        url = urldefrag(request.url).url
        # an archive from before digests were written knows the address alone
        captures = self._answers.get((url, digest(request.body))) or self._answers.get((url, ""))
        if not captures:
            return None
        capture = captures.popleft() if len(captures) > 1 else captures[0]
        archived = read_response(capture, self._recorder.job.archive)
        request.meta["capture_id"] = capture.id
        request.meta["fetched_at"] = capture.fetched_at
        headers = Headers()
        for name, value in archived.headers:
            headers.appendlist(name, value)
        kind = responsetypes.from_args(headers=headers, url=capture.url, body=archived.body)
        return kind(url=capture.url, status=capture.status, headers=headers, body=archived.body)


class Fetched(Replayer):
    """Answers what another crawl has fetched a moment ago, and lets the network answer the rest."""

    def _exchanges(self) -> Iterable[Exchange]:
        path = self._recorder.job.fetched
        return map(Exchange, read_lines(path, Capture)) if path else ()

    def process_request(self, request: Request) -> Response | None:
        """Answer a request from the archive, if it is there."""
        return self._archived(request)
