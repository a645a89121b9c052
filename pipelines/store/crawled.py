"""What crawls left of a source: how it fares, what was asked for and seen, what is gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Engine, and_, func, select
from sqlalchemy.orm import Session

from configs.schema import Source
from models.errors import InputError
from models.records import (
    ANSWERS,
    OPENERS,
    Condition,
    Health,
    Listing,
    Opener,
    Validator,
    manifestation_id,
)
from models.tables import (
    ManifestationRow,
    SeenRow,
    SourceFieldRow,
    SourceRow,
    SourceStateRow,
    TombstoneRow,
    ValidatorRow,
)
from pipelines.store.chunks import chunks
from pipelines.store.engine import explained


@dataclass(frozen=True, slots=True)
class Member:
    """A stored manifestation that a list of its source should hold."""

    id: str
    external_id: str
    thread_id: str | None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Why and when something was purged that is not to be collected again."""

    reason: str
    purged_at: datetime


def remembered_source(engine: Engine, municipality: str, name: str) -> Source | None:
    """Return a source's configuration as it was last used, if it was ever used.

    Raises:
        InputError: another version remembered it in a way that this one does not understand.
    """
    with explained(engine), Session(engine) as session:
        row = session.get(SourceRow, (municipality, name))
    if row is None:
        return None
    try:
        return Source.model_validate(row.config)
    except ValidationError as error:
        keys = {".".join(map(str, problem["loc"])) or "all of it" for problem in error.errors()}
        raise InputError(
            f"What was remembered of source {name} cannot be read by this version of Manifiesta "
            f"({', '.join(sorted(keys))}). Name its columns again with --text and --date."
        ) from None


def source_health(engine: Engine, municipality: str) -> dict[str, Health]:
    """Return what runs have made of each source of a municipality that was ever read."""
    query = select(SourceStateRow).where(SourceStateRow.municipality == municipality)
    with explained(engine), Session(engine) as session:
        return {row.source: _health(row) for row in session.scalars(query)}


def _health(row: SourceStateRow) -> Health:
    return Health(
        state=Condition(row.state),
        failures=row.failures,
        unchanged=row.unchanged,
        complete=row.complete,
        reach=row.reach,
        last_success=row.last_success,
        reason=row.reason,
        next_due=row.next_due,
    )


def known_validators(engine: Engine, municipality: str, source: str) -> list[Validator]:
    """Return by what to ask whether a source's addresses have changed."""
    query = select(ValidatorRow).where(
        ValidatorRow.municipality == municipality, ValidatorRow.source == source
    )
    with explained(engine), Session(engine) as session:
        return [Validator(r.url, r.etag, r.last_modified) for r in session.scalars(query)]


def seen_fingerprints(engine: Engine, municipality: str, source: str) -> dict[str, datetime]:
    """Return the fingerprints of a source's manifestations, and when each was said.

    One that is gone has none: should it come back, it is read again.
    """
    query = (
        select(SeenRow.fingerprint, ManifestationRow.said_at)
        .join(ManifestationRow, ManifestationRow.id == SeenRow.manifestation_id)
        .where(_there(municipality, source))
    )
    with explained(engine), engine.connect() as connection:
        return {row.fingerprint: row.said_at for row in connection.execute(query)}


def gone_fingerprints(engine: Engine, municipality: str, source: str) -> list[str]:
    """Return the fingerprints of what a source has taken back."""
    query = (
        select(SeenRow.fingerprint)
        .join(ManifestationRow, ManifestationRow.id == SeenRow.manifestation_id)
        .where(
            ManifestationRow.municipality == municipality,
            ManifestationRow.source == source,
            ManifestationRow.gone_at.is_not(None),
        )
    )
    with explained(engine), engine.connect() as connection:
        return sorted(connection.scalars(query))


def _there(municipality: str, source: str) -> ColumnElement[bool]:
    said = ManifestationRow
    return and_(said.municipality == municipality, said.source == source, said.gone_at.is_(None))


def openers(engine: Engine, municipality: str, source: str, limit: int) -> list[Opener]:
    """Return a source's newest manifestations that answer none, have a page and are not gone."""
    said = ManifestationRow
    query = (
        select(said.external_id, said.url, said.said_at)
        .where(_there(municipality, source), said.thread_id.is_(None), said.url.is_not(None))
        .order_by(said.said_at.desc(), said.id)
        .limit(limit)
    )
    with explained(engine), engine.connect() as connection:
        return [Opener(id_, url or "", said_at) for id_, url, said_at in connection.execute(query)]


def members(engine: Engine, municipality: str, source: str, listing: Listing) -> list[Member]:
    """Return what is stored and not gone, was fetched before a list, and belongs to it."""
    said = ManifestationRow
    query = select(said.id, said.external_id, said.thread_id).where(
        _there(municipality, source), said.fetched_at < listing.began_at
    )
    if listing.of == OPENERS:
        query = query.where(said.thread_id.is_(None))
    elif listing.of == ANSWERS:
        query = query.where(said.thread_id.is_not(None))
    else:
        query = query.where(said.thread_id == manifestation_id(municipality, source, listing.of))
    if listing.since is not None:
        query = query.where(said.said_at > listing.since)
    with explained(engine), engine.connect() as connection:
        return [Member(*row) for row in connection.execute(query)]


def members_of(engine: Engine, ids: Iterable[str]) -> list[Member]:
    """Return what answers manifestations, and is not gone."""
    said, found = ManifestationRow, []
    with explained(engine), engine.connect() as connection:
        for chunk in chunks(sorted(set(ids))):
            query = select(said.id, said.external_id, said.thread_id).where(
                said.thread_id.in_(chunk), said.gone_at.is_(None)
            )
            found += [Member(*row) for row in connection.execute(query)]
    return found


def tombstones(engine: Engine, municipality: str) -> dict[str, Tombstone]:
    """Return what a municipality must not collect again, by its keyed hash."""
    row = TombstoneRow
    query = select(row.digest, row.reason, row.purged_at).where(row.municipality == municipality)
    with explained(engine), engine.connect() as connection:
        return {
            digest: Tombstone(reason, purged_at)
            for digest, reason, purged_at in connection.execute(query)
        }


def source_fields(engine: Engine, municipality: str) -> dict[str, dict[str, datetime | None]]:
    """Return the fields that each source has shown; with the moment, those that came later."""
    row = SourceFieldRow
    query = select(row.source, row.field, row.came_later, row.first_seen).where(
        row.municipality == municipality
    )
    found: dict[str, dict[str, datetime | None]] = {}
    with explained(engine), engine.connect() as connection:
        for source, name, came_later, first_seen in connection.execute(query):
            found.setdefault(source, {})[name] = first_seen if came_later else None
    return found


def earliest_day(engine: Engine, municipality: str, source: str) -> date | None:
    """Return the first local day of which anything of a source is stored."""
    query = select(func.min(ManifestationRow.said_on)).where(
        ManifestationRow.municipality == municipality, ManifestationRow.source == source
    )
    with explained(engine), engine.connect() as connection:
        found: date | None = connection.execute(query).scalar_one()
        return found
