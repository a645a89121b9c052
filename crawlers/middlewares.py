"""What stands between a spider and the network: guards, robots.txt, the archive, the limit."""

from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response
from scrapy.robotstxt import RobotParser

from crawlers.addresses import Door, door_of, literal, refusal
from crawlers.archive import Response as Wire
from crawlers.archive import digest
from crawlers.politeness import UNDER_TERMS, recorder_of, slow_down
from crawlers.recorder import Recorder
from crawlers.resolver import refused
from crawlers.settings import PRIVATE_DOORS
from models.reasons import Reason
from models.records import Failure

WEB = frozenset({"http", "https"})


class NotAllowed(IgnoreRequest):
    """An address or a scheme that a crawl may not use."""


class RobotsDenied(IgnoreRequest):
    """The site's robots.txt does not allow the address."""


class RobotsUnreadable(RobotsDenied):
    """The site's robots.txt cannot be had for now, which allows nothing."""


class LimitReached(IgnoreRequest):
    """The crawl may send no further request."""


class AddressGuard:
    """Refuses schemes other than http and https, and forbidden addresses, at every hop.

    Names are refused when they have been resolved, by `crawlers.resolver`; this says so.
    """

    def __init__(self, own: frozenset[Door]) -> None:
        self._own = own

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the guard of a crawl."""
        return cls(crawler.settings[PRIVATE_DOORS])

    def process_request(self, request: Request) -> None:
        """Look at an address before anything is sent."""
        door = door_of(request.url)
        if door is None or urlsplit(request.url).scheme not in WEB:
            raise NotAllowed(f"{request.url} is no http or https address")
        if door in self._own:
            return
        number = literal(door[0])
        if number is not None and (why := refusal(number)):
            raise NotAllowed(Reason.NOT_ALLOWED.said(url=request.url, detail=why))
        _check_resolved(request)


class RedirectGuard:
    """Stops redirects to what is no web address, and names refused before they are retried."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Look at where a redirect leads."""
        location = response.headers.get("Location")
        if location and 300 <= response.status < 400:
            target = urljoin(request.url, location.decode("latin-1").strip())
            if urlsplit(target).scheme not in WEB:
                raise NotAllowed(f"{request.url} redirects to what is no http or https address")
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Tell a refused name from one that does not resolve, before it is retried."""
        del exception
        _check_resolved(request)


def _check_resolved(request: Request) -> None:
    door = door_of(request.url)
    if door is not None and (why := refused.get(door)):
        raise NotAllowed(Reason.NOT_ALLOWED.said(url=request.url, detail=why))


class Robots(RobotsTxtMiddleware):
    """Scrapy's robots.txt, read as RFC 9309 says: absent allows, a server's failure does not.

    A Crawl-delay is kept too, where it is longer than our own and no longer than the limit. What
    a platform has granted by a token is not refused by it (`crawlers.protocols.registry`).
    """

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._failed: dict[str, int] = {}

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        """Say which site refused, and how."""
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest:
            if not request.meta.get(UNDER_TERMS):
                raise self._denied(request) from None
        self._keep_crawl_delay(rp, request)

    def _denied(self, request: Request) -> RobotsDenied:
        parts = urlsplit(request.url)
        site = f"{parts.scheme}://{parts.netloc}"
        status = self._failed.get(parts.netloc)
        if status is None:
            return RobotsDenied(Reason.ROBOTS.said(site=site, url=request.url))
        return RobotsUnreadable(Reason.ROBOTS_UNREADABLE.said(site=site, status=status))

    def _keep_crawl_delay(self, rp: RobotParser | None, request: Request) -> None:
        agent = request.headers.get(b"User-Agent") or self._default_useragent
        asked = rp.crawl_delay(agent) if rp is not None else None
        limits = recorder_of(self.crawler).job.source.limits
        if asked and asked > limits.delay:
            longest = max(limits.max_wait, limits.delay)
            slow_down(self.crawler.engine.downloader, request, min(asked, longest))

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500:
            self._failed[netloc] = response.status
            response = response.replace(body=b"User-agent: *\nDisallow: /")
        elif response.status != 200:
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)


class Archiver:
    """Archives every response as it came, redirects, errors and robots.txt included."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the archiver of a crawl."""
        return cls(crawler.spider.recorder)

    def process_response(self, request: Request, response: Response) -> Response:
        """Archive a response and tell the spider where it lies."""
        fetched_at = datetime.now(UTC)
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in response.headers.items()
            for value in values
        ]
        rendered = "playwright" in response.flags
        wire = Wire(
            response.url,
            response.status,
            headers,
            response.body,
            fetched_at,
            rendered,
            digest(request.body),
        )
        request.meta["capture_id"] = self._recorder.capture(wire).id
        request.meta["fetched_at"] = fetched_at
        return response


class RequestLimit:
    """Counts what is really sent, retries and redirects included, and stops at the limit."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._limit = recorder.job.source.limits.max_requests

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the counter of a crawl."""
        return cls(crawler.spider.recorder)

    def process_request(self, request: Request) -> None:
        """Let a request pass while the limit allows it and nothing has stopped the crawl."""
        if self._recorder.reason:
            raise LimitReached(Reason.NOT_READ.said(url=request.url, why=self._recorder.reason))
        if self._recorder.requests >= self._limit:
            most = Reason.MOST_REQUESTS.said(number=f"{self._limit:,}")
            self._recorder.stop(most, Failure.SOFT)
            raise LimitReached(Reason.NOT_READ.said(url=request.url, why=self._recorder.reason))
        self._recorder.requests += 1
