"""What went wrong with a request, as an outcome and in plain words."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy import exceptions
from scrapy.spidermiddlewares.httperror import HttpError

from configs.schema import Limits
from crawlers.middlewares import LimitReached, NotAllowed, RobotsDenied, RobotsUnreadable
from crawlers.politeness import Walled, retry_after
from crawlers.replaying import NotArchived
from models.reasons import Reason
from models.records import Outcome

_OWN = {
    NotAllowed: Outcome.NOT_ALLOWED,
    RobotsDenied: Outcome.ROBOTS_DENIED,
    RobotsUnreadable: Outcome.FETCH_FAILED,
    Walled: Outcome.WALLED,
    NotArchived: Outcome.FETCH_FAILED,
    LimitReached: Outcome.FETCH_FAILED,
}
_GONE = frozenset({404, 410})
_CLOSED = frozenset({401, 403, 407})
_PASSING = frozenset({408, 425, 429})


def explain(failure: Any, limits: Limits) -> tuple[Outcome, str]:
    """Return the outcome of a failed request and the sentence that a person reads."""
    error = failure.value
    url = failure.request.url
    if type(error) in _OWN:
        return _OWN[type(error)], str(error)
    if isinstance(error, HttpError):
        return _of_status(error.response.status), _answered(error.response)
    return _of_error(error), _in_words(error, url, limits)


def _of_error(error: BaseException) -> Outcome:
    """Tell a failure that would be met again, a body without end for one, from one that passes."""
    lasting = isinstance(error, exceptions.DownloadCancelledError | exceptions.IgnoreRequest)
    return Outcome.UNREADABLE if lasting else Outcome.FETCH_FAILED


def _of_status(status: int) -> Outcome:
    """Tell an answer that stays from one that passes."""
    if status in _GONE:
        return Outcome.GONE
    if status in _CLOSED:
        return Outcome.WALLED
    passing = status in _PASSING or not 400 <= status < 500
    return Outcome.FETCH_FAILED if passing else Outcome.UNREADABLE


def _answered(response: Any) -> str:
    said = {"url": response.url, "status": response.status}
    asked = response.headers.get("Retry-After")
    seconds = retry_after(asked.decode("latin-1"), datetime.now(UTC)) if asked else None
    if seconds is None:
        return Reason.ANSWERED.said(**said)
    return Reason.BUSY.said(**said, number=f"{seconds:,.0f}")


def _in_words(error: BaseException, url: str, limits: Limits) -> str:
    host = urlsplit(url).hostname
    most = f"{limits.max_bytes:,}"
    sentences: tuple[tuple[type[BaseException], str], ...] = (
        (exceptions.CannotResolveHostError, Reason.NO_ADDRESS.said(url=url, host=host)),
        (exceptions.DownloadConnectionRefusedError, Reason.REFUSED.said(url=url)),
        (
            exceptions.DownloadTimeoutError,
            Reason.NO_ANSWER.said(url=url, number=f"{limits.timeout:g}"),
        ),
        (exceptions.DownloadCancelledError, Reason.TOO_LARGE.said(url=url, number=most)),
        (exceptions.ResponseDataLossError, Reason.BROKE_OFF.said(url=url)),
        (exceptions.IgnoreRequest, _ignored(error, url, most)),
        (exceptions.DownloadFailedError, _unread(error, url)),
        (OSError, _unread(error, url)),
    )
    for kind, sentence in sentences:
        if isinstance(error, kind):
            return sentence
    return Reason.FAILED.said(url=url, detail=type(error).__name__)


def _ignored(error: BaseException, url: str, most: str) -> str:
    said = str(error)
    if "max redirections" in said:
        return Reason.ENDLESS.said(url=url)
    if "decompress" in said:
        return Reason.TOO_LARGE_UNPACKED.said(url=url, number=most)
    return Reason.NOT_READ.said(url=url, why=said)


def _unread(error: BaseException, url: str) -> str:
    said = str(error).strip()
    if "certificate verify failed" in said:
        return Reason.CERTIFICATE.said(url=url)
    first = (said.splitlines() or [type(error).__name__])[0]
    return Reason.NETWORK.said(url=url, detail=first[:200])
