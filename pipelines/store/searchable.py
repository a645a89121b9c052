"""Keep the stems of texts for searching."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Engine, delete, insert, select

from models.search_tables import SearchRow
from models.tables import ManifestationRow
from pipelines.store.chunks import chunks
from pipelines.store.engine import writing


@dataclass(frozen=True, slots=True)
class Searchable:
    """The stems of one text, with spaces between."""

    manifestation_id: str
    text_hash: str
    stems: str


def save_searchable(engine: Engine, items: Sequence[Searchable]) -> None:
    """Index texts in their order, in place of what they said before; one purged meanwhile isn't."""
    said = ManifestationRow
    with writing(engine) as connection:
        for chunk in chunks(items):
            ids = [item.manifestation_id for item in chunk]
            connection.execute(delete(SearchRow).where(SearchRow.manifestation_id.in_(ids)))
            present = set(connection.scalars(select(said.id).where(said.id.in_(ids))))
            rows = [asdict(item) for item in chunk if item.manifestation_id in present]
            if rows:
                connection.execute(insert(SearchRow), rows)
