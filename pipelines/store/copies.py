"""What the store knows of near-duplicates."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Engine, func, insert, select, update

from models.tables import ManifestationRow, NearDuplicateRow
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


@dataclass(frozen=True, slots=True)
class Uncompared:
    """A manifestation whose text has not been compared; ``position`` if a former one had."""

    id: str
    text_hash: str
    title: str | None
    text: str
    position: int | None


def compared(engine: Engine, municipality: str) -> list[Member]:
    """Return the members of all clusters, in the order of storing; edited texts are left out."""
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
    with explained(engine), engine.connect() as connection:
        return [Member(*found) for found in connection.execute(query)]


def uncompared(engine: Engine, municipality: str) -> list[Uncompared]:
    """Return the new and the edited texts, in the order of storing."""
    said, row = ManifestationRow, NearDuplicateRow
    query = (
        select(said.id, said.text_hash, said.title, said.text, row.position)
        .outerjoin(row, row.manifestation_id == said.id)
        .where(
            said.municipality == municipality,
            row.text_hash.is_(None) | (row.text_hash != said.text_hash),
        )
        .order_by(said.fetched_at, said.id)
    )
    with explained(engine), engine.connect() as connection:
        return [Uncompared(*found) for found in connection.execute(query)]


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


def save_members(engine: Engine, new: Sequence[Member], moved: Sequence[Member]) -> None:
    """Add members, and write those again that have another text or another cluster."""
    keys = ("manifestation_id", "municipality", "position")
    with writing(engine) as connection:
        for start in range(0, len(new), _CHUNK):
            rows = [asdict(member) for member in new[start : start + _CHUNK]]
            connection.execute(insert(NearDuplicateRow), rows)
        for member in sorted(moved, key=lambda one: one.manifestation_id):
            values = {name: value for name, value in asdict(member).items() if name not in keys}
            connection.execute(
                update(NearDuplicateRow)
                .where(NearDuplicateRow.manifestation_id == member.manifestation_id)
                .values(values)
            )
        touch_of(connection, (member.manifestation_id for member in (*new, *moved)))
