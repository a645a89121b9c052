"""What a source says about when something was said, as a moment in UTC."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from models.records import Outcome

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Older dates are a clock that was never set."""

LEAD = timedelta(days=1)
"""How far a source's clock may run ahead of ours."""

LONGEST = 120
"""No date is longer than this; what is, is a text."""

_HALF_OF_DAY = re.compile(r"\b([ap])\s?\.\s?m\b\.?", re.IGNORECASE)


def moment(text: str, zone: ZoneInfo, reference: datetime) -> datetime | None:
    """Read a date in ISO 8601, RFC 822 or Spanish or English words.

    Args:
        text: the date as the source wrote it.
        zone: where the source is, for dates that name no zone.
        reference: the moment from which «hace 2 horas» counts back: when it was read.

    Returns:
        An aware moment in UTC, or nothing if the text is no date.
    """
    text = _HALF_OF_DAY.sub(r"\1m", " ".join(text.split()))
    if not text or len(text) > LONGEST:
        return None
    found = _iso(text) or _rfc822(text) or _words(text, zone, reference)
    if found is None:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    try:
        return found.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def first_moment(
    texts: Iterable[str | None], zone: ZoneInfo, reference: datetime
) -> datetime | Outcome:
    """Return the first believable moment among dates, or why there is none.

    A date before `EARLIEST` or more than `LEAD` after ``reference`` is not believed, and none
    is ever made up.
    """
    outcome = Outcome.NO_DATE
    for text in texts:
        if not text or not text.strip():
            continue
        found = moment(text, zone, reference)
        if found is not None and EARLIEST <= found <= reference + LEAD:
            return found
        outcome = Outcome.BAD_DATE
    return outcome


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _rfc822(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else None


def _words(text: str, zone: ZoneInfo, reference: datetime) -> datetime | None:
    import dateparser

    try:
        found = dateparser.parse(
            text,
            languages=["es", "en"],
            settings={
                "DATE_ORDER": "DMY",
                "PREFER_LOCALE_DATE_ORDER": False,
                "PREFER_DATES_FROM": "past",
                "RELATIVE_BASE": reference.astimezone(zone).replace(tzinfo=None),
                "REQUIRE_PARTS": ["day", "month", "year"],
                "TIMEZONE": zone.key,
                "RETURN_AS_TIMEZONE_AWARE": True,
            },
        )
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError):
        return None
    return found if isinstance(found, datetime) else None
