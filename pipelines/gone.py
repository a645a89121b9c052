"""What a crawl proves to be gone: what was taken back, and what a whole list no longer holds.

Only proof counts. A list that lacks an answer, a page that failed, a feed that has made room:
none of them says anything (`crawlers.listings`). And where a great part of a source would vanish
at once, a fault is likelier than that many second thoughts, so nothing is marked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from crawlers.job import CrawlResult
from models.records import ANSWERS, OPENERS, Listing, manifestation_id
from pipelines.store.crawled import Member, members, members_of

FEWEST, SHARE = 10, 0.5
"""So many at least, and so great a part of what a list should hold, are not gone at once."""


@dataclass(frozen=True, slots=True)
class Gone:
    """When each manifestation was seen gone, by id, and what was not believed."""

    moments: Mapping[str, datetime]
    warnings: tuple[str, ...] = ()


def find_gone(engine: Engine, municipality: str, source: str, result: CrawlResult) -> Gone:
    """Return which of a source's stored manifestations a crawl proves to be gone."""
    if not (result.vanished or result.listings):
        return Gone({})
    there = {record.external_id for record in result.extracted}
    there |= {external_id for listing in result.listings for external_id in listing.ids}
    moments: dict[str, datetime] = {}
    warnings = []
    openers = {}
    for vanished in result.vanished:
        own = manifestation_id(municipality, source, vanished.external_id)
        moments[own] = vanished.seen_at
        if vanished.with_thread:
            openers[own] = vanished.seen_at
    if _too_many(len(openers), len(openers) + len(there)):
        warnings.append(_unbelieved(len(openers), "pages"))
        moments = {own: when for own, when in moments.items() if own not in openers}
        openers = {}
    for listing in result.listings:
        listed = members(engine, municipality, source, listing)
        missing = _missing(listing, listed, there)
        if _too_many(len(missing), len(listed)):
            warnings.append(_unbelieved(len(missing), "manifestations"))
            continue
        moments |= {member.id: listing.began_at for member in missing}
        if listing.of == OPENERS:
            openers |= {member.id: listing.began_at for member in missing}
    for member in members_of(engine, openers):
        if member.external_id not in there and member.thread_id is not None:
            moments.setdefault(member.id, openers[member.thread_id])
    return Gone(moments, tuple(dict.fromkeys(warnings)))


def _missing(listing: Listing, listed: Iterable[Member], there: set[str]) -> list[Member]:
    """Return who is missing from a list; a source's own list that is empty proves nothing."""
    if listing.of in (OPENERS, ANSWERS) and not listing.ids:
        return []
    return [member for member in listed if member.external_id not in there]


def _too_many(missing: int, of: int) -> bool:
    return missing >= FEWEST and missing > SHARE * of


def _unbelieved(count: int, what: str) -> str:
    return (
        f"{count:,} {what} are no longer there, more than half: none was marked as gone; look at "
        "the source"
    )
