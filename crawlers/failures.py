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
    sentence = f"{response.url} answered {response.status}"
    asked = response.headers.get("Retry-After")
    seconds = retry_after(asked.decode("latin-1"), datetime.now(UTC)) if asked else None
    return sentence if seconds is None else f"{sentence}, for {seconds:,.0f} seconds more"


def _in_words(error: BaseException, url: str, limits: Limits) -> str:
    host = urlsplit(url).hostname
    too_large = f"{url} is larger than the limit of {limits.max_bytes:,} bytes"
    sentences: tuple[tuple[type[BaseException], str], ...] = (
        (exceptions.CannotResolveHostError, f"{url} cannot be found: {host} has no address"),
        (exceptions.DownloadConnectionRefusedError, f"{url} cannot be read: connection refused"),
        (
            exceptions.DownloadTimeoutError,
            f"{url} did not answer within {limits.timeout:g} seconds",
        ),
        (exceptions.DownloadCancelledError, too_large),
        (exceptions.ResponseDataLossError, f"{url} broke off in the middle"),
        (exceptions.IgnoreRequest, _ignored(error, url, too_large)),
        (exceptions.DownloadFailedError, f"{url} cannot be read: {_first_line(error)}"),
        (OSError, f"{url} cannot be read: {_first_line(error)}"),
    )
    for kind, sentence in sentences:
        if isinstance(error, kind):
            return sentence
    return f"{url} cannot be read ({type(error).__name__})"


def _ignored(error: BaseException, url: str, too_large: str) -> str:
    said = str(error)
    if "max redirections" in said:
        return f"{url} redirects without end"
    return f"{too_large} once unpacked" if "decompress" in said else f"{url} was not read: {said}"


def _first_line(error: BaseException) -> str:
    said = str(error).strip()
    if "certificate verify failed" in said:
        return "its TLS certificate is not valid"
    return (said.splitlines() or [type(error).__name__])[0][:200]
