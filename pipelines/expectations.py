"""Whether a source still gives what its configuration says a healthy one gives."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from configs.schema import Expect, Municipality, Source
from models.reasons import Reason
from models.records import Extracted, Window
from pipelines.store.crawled import earliest_day
from pipelines.store.read import manifestations_per_day

WARNED_FOR = timedelta(days=30)
"""How long a list of sources tells of a field that is new."""

_FIELDS = {
    "author": "author",
    "title": "title",
    "url": "url",
    "thread": "thread_external_id",
}


def unmet(
    engine: Engine,
    municipality: Municipality,
    source: Source,
    window: Window,
    records: Sequence[Extracted],
    now: datetime,
) -> str:
    """Say what a source no longer gives, once its crawl is stored; nothing if all is well.

    Args:
        engine: the database.
        municipality: whose source it is.
        source: the source, with its expectations.
        window: the days that are looked at, as far as they are over.
        records: what the crawl gave; a field is missed if they all lack it.
        now: the moment of the crawl.
    """
    if source.expect is None:
        return ""
    missed = [Reason.FIELD_LOST.said(name=name) for name in _lost(source, records)]
    found = _per_day(engine, municipality, source, window, now)
    amount = "" if found is None else _out_of_bounds(source.expect, found)
    said = [*missed, amount] if amount else missed
    return Reason.CHANGED.said(detail="; ".join(said)) if said else ""


def new_fields(known: Mapping[str, object] | None, found: Iterable[str]) -> dict[str, bool]:
    """Return the fields that are not known yet, and whether they come later than the others.

    The first reading of a source teaches what its answers hold; what a later one adds is worth
    a look, and is told once, because it is known from then on.
    """
    before = known or {}
    return {name: bool(before) for name in found if name not in before}


def recent_fields(known: Mapping[str, datetime | None], now: datetime) -> str:
    """Say in one sentence which fields of a source are new, for a month; nothing if none is."""
    later = sorted(name for name, seen in known.items() if seen and seen > now - WARNED_FOR)
    return f"new in its answers: {', '.join(later)}" if later else ""


def _lost(source: Source, records: Sequence[Extracted]) -> list[str]:
    """Name the fields that all records lack; those of the source's own kind, if there are any."""
    if source.expect is None or not records:
        return []
    has_own = any(record.kind is source.kind for record in records)
    lost: list[str] = []
    for name in source.expect.fields:
        asked = (one for one in records if not has_own or one.kind is source.kind)
        if not any(getattr(one, _FIELDS[name]) for one in asked):
            lost.append(name)
    return lost


def _per_day(
    engine: Engine, municipality: Municipality, source: Source, window: Window, now: datetime
) -> float | None:
    """Return how many are stored a day, over the days that are over and that it reaches back to."""
    earliest = earliest_day(engine, municipality.code, source.name)
    first = max(window.start, earliest) if earliest else window.start
    end = min(window.end, window.day_of(now))
    days = (end - first) // timedelta(days=1)
    if days <= 0:
        return None
    counts = manifestations_per_day(engine, municipality.code, window)
    total = sum(
        count for (name, day), count in counts.items() if name == source.name and first <= day < end
    )
    return total / days


def _out_of_bounds(expect: Expect, found: float) -> str:
    if expect.min_per_day is not None and found < expect.min_per_day:
        return Reason.TOO_FEW.said(number=f"{found:.2f}", bound=f"{expect.min_per_day:g}")
    if expect.max_per_day is not None and found > expect.max_per_day:
        return Reason.TOO_MANY.said(number=f"{found:.2f}", bound=f"{expect.max_per_day:g}")
    return ""
