"""What the store knows of near-duplicates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Engine, Row, Select, func, insert, select, update

from models.tables import ManifestationRow, NearDuplicateRow
from pipelines.store.chunks import chunks
from pipelines.store.engine import explained, writing
from pipelines.store.partitions import touch_of

_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Member:
    """A manifestation with the cluster that it belongs to."""

    manifestation_id: str
    municipality: str
    text_hash: str
    cluster_id: str
    position: int
    signature: bytes | None


_FIELDS = tuple(field.name for field in fields(Member))


@dataclass(frozen=True, slots=True)
class Uncompared:
    """A manifestation whose text has not been compared; ``position`` if a former one had."""

    id: str
    text_hash: str
    title: str | None
    text: str
    position: int | None


def compared(engine: Engine, municipality: str) -> Iterator[Member]:
    """Yield the members of all clusters, in the order of storing; edited texts are left out."""
    row = NearDuplicateRow
    query = (
        select(
            row.manifestation_id,
            row.municipality,
            row.text_hash,
            row.cluster_id,
            row.position,
            row.signature,
        )
        .join(ManifestationRow, ManifestationRow.id == row.manifestation_id)
        .where(row.municipality == municipality, row.text_hash == ManifestationRow.text_hash)
        .order_by(row.position)
    )
    for found in _streamed(engine, query):
        yield Member(*found)


def uncompared(engine: Engine, municipality: str) -> Iterator[str]:
    """Yield the ids of the new and the edited texts, in the order of storing."""
    said, row = ManifestationRow, NearDuplicateRow
    query = (
        select(said.id)
        .outerjoin(row, row.manifestation_id == said.id)
        .where(
            said.municipality == municipality,
            row.text_hash.is_(None) | (row.text_hash != said.text_hash),
        )
        .order_by(said.fetched_at, said.id)
    )
    for found in _streamed(engine, query):
        yield found.id


def to_compare(engine: Engine, ids: Sequence[str]) -> list[Uncompared]:
    """Return the texts of some ids, in the order of storing; what is gone meanwhile is left out."""
    said, row = ManifestationRow, NearDuplicateRow
    query = (
        select(said.id, said.text_hash, said.title, said.text, row.position)
        .outerjoin(row, row.manifestation_id == said.id)
        .order_by(said.fetched_at, said.id)
    )
    with explained(engine), engine.connect() as connection:
        return [
            Uncompared(*found)
            for chunk in chunks(ids)
            for found in connection.execute(query.where(said.id.in_(chunk)))
        ]


def _streamed(engine: Engine, query: Select[*tuple[Any, ...]]) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield rows as the database finds them: no more than a chunk is in memory."""
    with explained(engine), engine.connect() as connection:
        yield from connection.execution_options(yield_per=_CHUNK).execute(query)


def edited_clusters(engine: Engine, municipality: str) -> set[str]:
    """Return the clusters that an edited text has to leave."""
    row = NearDuplicateRow
    query = (
        select(row.cluster_id)
        .join(ManifestationRow, ManifestationRow.id == row.manifestation_id)
        .where(row.municipality == municipality, row.text_hash != ManifestationRow.text_hash)
        .distinct()
    )
    with explained(engine), engine.connect() as connection:
        return set(connection.scalars(query))


def next_position(engine: Engine, municipality: str) -> int:
    """Return the place after the last in the order of storing."""
    row = NearDuplicateRow
    query = select(func.max(row.position)).where(row.municipality == municipality)
    with explained(engine), engine.connect() as connection:
        last: int | None = connection.execute(query).scalar_one()
    return 0 if last is None else last + 1


def save_members(
    engine: Engine,
    new: Sequence[Member],
    edited: Sequence[Member],
    renamed: Mapping[str, str],
) -> None:
    """Add members, write those again that have another text, and move others to a cluster.

    Args:
        engine: the database.
        new: members that were in no cluster.
        edited: members whose text has changed.
        renamed: the new cluster of members whose text has not, by manifestation.
    """
    row = NearDuplicateRow
    values = {
        one.manifestation_id: {
            "text_hash": one.text_hash,
            "cluster_id": one.cluster_id,
            "signature": one.signature,
        }
        for one in edited
    } | {id_: {"cluster_id": cluster} for id_, cluster in renamed.items()}
    with writing(engine) as connection:
        for chunk in chunks(new, _CHUNK):
            connection.execute(
                insert(row), [{name: getattr(one, name) for name in _FIELDS} for one in chunk]
            )
        for id_ in sorted(values):
            changed = update(row).where(row.manifestation_id == id_).values(values[id_])
            connection.execute(changed)
        touch_of(connection, (*(member.manifestation_id for member in new), *values))
