"""Which extracted records are kept, and under which outcome the others are counted."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from crawlers.extract.dates import first_moment, moment
from models.records import Extracted, Kind, Outcome, Rejection

LONGEST_TEXT = 200_000
"""Characters; a longer text is not something that a neighbour or a newsroom wrote."""

LONGEST_TITLE = 2_000

LONGEST_ID = 500
"""Bytes; a database's index refuses very long ones."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as a page or a feed gave it, before anything about it is believed.

    ``dates`` are tried in order; ``where`` is what to look at if the record is rejected;
    ``fingerprint`` is that of `Extracted`; where it is ``counted`` it changes as soon as anything
    comes behind it.
    """

    external_id: str | None
    kind: Kind
    where: str
    fetched_at: datetime
    text: str = ""
    dates: tuple[str | None, ...] = ()
    title: str | None = None
    author: str | None = None
    url: str | None = None
    parent: str | None = None
    thread: str | None = None
    capture_id: str | None = None
    fingerprint: str | None = None
    counted: bool = False


def settle(draft: Draft, source: str, zone: ZoneInfo) -> Extracted | Rejection:
    """Turn a draft into a record, or say why it is none; a title alone is a text."""
    text = draft.text or draft.title or ""
    if not draft.external_id:
        return _reject(draft, source, Outcome.NO_IDENTITY, "it has neither an id nor a link")
    if not text:
        return _reject(draft, source, Outcome.NO_TEXT, "it has neither text nor title")
    if len(text) > LONGEST_TEXT or len(draft.title or "") > LONGEST_TITLE:
        return _reject(draft, source, Outcome.TOO_LONG, _sizes(draft, text))
    said_at = first_moment(draft.dates, zone, draft.fetched_at)
    if said_at is Outcome.NO_DATE:
        return _reject(draft, source, Outcome.NO_DATE, "it says nowhere when it was said")
    if not isinstance(said_at, datetime):
        return _reject(draft, source, Outcome.BAD_DATE, _bad_date(draft, zone))
    return Extracted(
        source=source,
        external_id=identity(draft.external_id),
        kind=draft.kind,
        text=text,
        said_at=said_at,
        fetched_at=draft.fetched_at,
        title=draft.title,
        author=draft.author,
        url=draft.url,
        parent_external_id=identity(draft.parent) if draft.parent else None,
        thread_external_id=identity(draft.thread) if draft.thread else None,
        capture_id=draft.capture_id,
        fingerprint=draft.fingerprint,
    )


def identity(raw: str) -> str:
    """Return an id that any database keeps: without what it refuses, and never endless."""
    kept = _UNSTORABLE.sub("", raw)
    if len(kept.encode()) <= LONGEST_ID:
        return kept
    return f"sha256:{sha256(kept.encode()).hexdigest()}"


def _reject(draft: Draft, source: str, outcome: Outcome, detail: str) -> Rejection:
    return Rejection(source, outcome, draft.external_id or draft.where, detail)


def _sizes(draft: Draft, text: str) -> str:
    return f"its text has {len(text):,} characters and its title {len(draft.title or ''):,}"


def _bad_date(draft: Draft, zone: ZoneInfo) -> str:
    """Name the moment, never the words: a line with a date may hold a name as well."""
    found = (moment(date, zone, draft.fetched_at) for date in draft.dates if date)
    first = next((value for value in found if value is not None), None)
    return f"{first.isoformat()} is not believable" if first else "its date cannot be read"
