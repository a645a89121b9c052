"""Why a platform refused an answer, in the words of who can change it.

Sentences quote codes, never what a server wrote: that may repeat a token or somebody's text.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from configs.schema import Source
from crawlers.protocols.base import Answer, Problem, Step, number
from models.reasons import Reason
from models.records import Outcome

LONGEST_WAIT = timedelta(days=31)
"""A later end of a limit is no such thing."""

RESETS = ("x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset")
"""When a limit ends: as Unix time (X), as an ISO date (Mastodon) or in seconds (Reddit)."""

_UNIX_TIME = 1_000_000_000
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,79}")


def refused(answer: Answer, source: Source) -> Step | None:
    """Return the step of an answer that says «not now» or «not you»; nothing if it doesn't."""
    if answer.status == 429 or (answer.status == 503 and wait_until(answer)):
        return temporary(answer, "it answers no more requests for now")
    if answer.status in (401, 403):
        return token_refused(answer, source)
    return None


def temporary(answer: Answer, why: str) -> Step:
    """Return the step of a limit that ends by itself."""
    until = wait_until(answer)
    limit = {"host": urlsplit(answer.url).netloc, "status": answer.status, "detail": why}
    if until:
        said = Reason.LIMITED.said(**limit, when=f"{until:%Y-%m-%d %H:%M}")
    else:
        said = Reason.LIMITED_FOR_NOW.said(**limit)
    return _stopped(answer, Outcome.FETCH_FAILED, said)


def token_refused(answer: Answer, source: Source, code: str = "") -> Step:
    """Return the step of an answer that lets nobody in, or not with this token."""
    why = {"url": answer.url, "status": answer.status, "code": f" ({code})" if code else ""}
    if source.token:
        return closed(answer, Reason.KEY_REFUSED.said(**why, variable=source.token))
    return closed(answer, Reason.KEY_WANTED.said(**why))


def closed(answer: Answer, said: str) -> Step:
    """Return the step of an answer that somebody has to look at, such as a token's owner."""
    return _stopped(answer, Outcome.WALLED, said)


def gone_wrong(answer: Answer, why: str = "") -> Step:
    """Return the step of any other failing answer: it is counted, and the crawl goes on."""
    said = {"url": answer.url, "status": answer.status}
    detail = Reason.ANSWERED_WITH.said(**said, detail=why) if why else Reason.ANSWERED.said(**said)
    return Step(problems=(Problem(_outcome(answer.status), answer.url, detail),))


def wait_until(answer: Answer) -> datetime | None:
    """Return when a limit ends, if the answer says so believably."""
    for value in (answer.headers.get(name, "") for name in ("retry-after", *RESETS)):
        until = _moment(value.strip(), answer.fetched_at)
        if until and answer.fetched_at <= until <= answer.fetched_at + LONGEST_WAIT:
            return until
    return None


def code_of(value: object) -> str:
    """Return an error's code as it may be shown; nothing if it is no code."""
    text = str(value) if isinstance(value, int) and abs(value) < 10**9 else value
    return text if isinstance(text, str) and _CODE.fullmatch(text) else ""


def _stopped(answer: Answer, outcome: Outcome, said: str) -> Step:
    return Step(problems=(Problem(outcome, answer.url, said),), stop=said)


def _outcome(status: int) -> Outcome:
    """Tell an answer that stays from one that passes, as `crawlers.failures` does."""
    if status in (404, 410):
        return Outcome.GONE
    if status in (401, 403, 407):
        return Outcome.WALLED
    passing = status in (408, 425, 429) or not 400 <= status < 500
    return Outcome.FETCH_FAILED if passing else Outcome.UNREADABLE


def _moment(value: str, now: datetime) -> datetime | None:
    seconds = number(value)
    try:
        if seconds is not None and seconds >= _UNIX_TIME:
            return datetime.fromtimestamp(seconds, UTC)
        if seconds is not None:
            return now + timedelta(seconds=seconds)
        return _date(value)
    except (ValueError, OverflowError, OSError):
        return None


def _date(value: str) -> datetime | None:
    if not value or len(value) > 60:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        try:
            found = parsedate_to_datetime(value)
        except (TypeError, IndexError) as error:
            raise ValueError(value) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
