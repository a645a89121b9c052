"""What a crawl does because a site asks for it: waiting, and not fetching what has not changed."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, Self

from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response

from crawlers.extract.walls import wall
from crawlers.recorder import Recorder
from models.records import Validator

KEPT, CONDITIONAL = "keep_validator", "conditional"
"""Keys of a request's ``meta``: whether the answer's validator is worth keeping, and whether
the answer «not modified» is allowed."""

ROBOTS_TXT = "dont_obey_robotstxt"
"""The key of a request's ``meta`` that only requests for robots.txt have."""

UNDER_TERMS = "under_terms"
"""The key of a request's ``meta`` that says whether its platform has granted it by a token."""

_BUSY = frozenset({429, 503})
_HEADERS = ("If-None-Match", "If-Modified-Since")
_LONGEST_HEADER = 500
_LONGEST_ADDRESS = 2_000
_FEWEST_SECONDS = 0.001


def recorder_of(crawler: Any) -> Recorder:
    """Return the recorder of a crawl."""
    recorder: Recorder = crawler.spider.recorder
    return recorder


class NotModified(IgnoreRequest):
    """What an address gives is as it was stored."""


class Walled(IgnoreRequest):
    """A page asks for a log-in or a captcha instead of showing anything."""


def retry_after(header: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks to wait, if it can be read."""
    header = header.strip()
    if header.isascii() and header.isdigit():
        return float(header[:12])
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def slow_down(downloader: Any, request: Request, delay: float) -> None:
    """Let no two requests to a host follow each other faster, in this crawl."""
    key = downloader.get_slot_key(request)
    downloader.per_slot_settings[key] = {"delay": delay}
    if slot := downloader.slots.get(key):
        slot.delay = max(slot.delay, delay)
    request.meta["autothrottle_dont_adjust_delay"] = True


def hold(downloader: Any, request: Request, seconds: float) -> None:
    """Send nothing to a host for some seconds."""
    if slot := downloader.slots.get(downloader.get_slot_key(request)):
        slot.delay = max(slot.delay, _FEWEST_SECONDS)  # without a delay the next line is not read
        slot.lastseen = monotonic() + seconds


class Retry(RetryMiddleware):
    """Scrapy's retries, and the wait that a busy site asks for: once, and within the limit."""

    def process_response(
        self, request: Request, response: Response, spider: Any = None
    ) -> Request | Response:
        """Ask a busy site again when it said, or not at all if that is too late."""
        del spider  # Scrapy's own signature
        asked = response.headers.get("Retry-After")
        if response.status not in _BUSY & self.retry_http_codes or asked is None:
            found: Request | Response = super().process_response(request, response)
            return found
        seconds = retry_after(asked.decode("latin-1"), datetime.now(UTC))
        longest = recorder_of(self.crawler).job.source.limits.max_wait
        if seconds is None or seconds > longest or request.meta.get("waited"):
            return response
        hold(self.crawler.engine.downloader, request, seconds)
        again: Request = request.copy()
        again.meta["waited"] = True
        again.dont_filter = True
        return again


class Conditional:
    """Asks only for what has changed, where a request allows it, and keeps validators."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._validators = {} if recorder.job.replay else recorder.known.validators

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        return cls(recorder_of(crawler))

    def process_request(self, request: Request) -> None:
        """Send what the server said of its last answer; nothing that an earlier hop sent."""
        for name in _HEADERS:
            request.headers.pop(name, None)
        known = self._validators.get(request.url)
        if known is None or not request.meta.get(CONDITIONAL):
            return
        for name, value in zip(_HEADERS, (known.etag, known.last_modified), strict=True):
            if value:
                request.headers[name] = value

    def process_response(self, request: Request, response: Response) -> Response:
        """Say that an answer has not changed, or keep what the next crawl is to send."""
        if response.status == 304 and request.meta.get(CONDITIONAL):
            self._recorder.not_modified += 1
            raise NotModified(f"{request.url} has not changed")
        if response.status == 200 and request.meta.get(KEPT):
            etag, modified = (_header(response, name) for name in ("ETag", "Last-Modified"))
            if (etag or modified) and len(request.url) <= _LONGEST_ADDRESS:
                self._recorder.keep_validator(Validator(request.url, etag, modified))
        return response


class WallGuard:
    """Refuses pages that only ask for a log-in or a captcha, so that none becomes a text."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Look at what came in place of a page."""
        kind = _header(response, "Content-Type")
        markup = not kind or "html" in kind.lower()
        if request.meta.get(ROBOTS_TXT) or not markup or not response.body:
            return response
        if why := wall(response.body, response.url, kind):
            raise Walled(f"{response.url} {why}")
        return response


def _header(response: Response, name: str) -> str:
    value = (response.headers.get(name) or b"").decode("latin-1").strip()
    return value if len(value) <= _LONGEST_HEADER else ""
