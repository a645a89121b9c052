"""Keep the stems of texts for searching."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from models.search_tables import SearchRow
from models.tables import ManifestationRow
from pipelines.store.chunks import chunks
from pipelines.store.engine import writing

_SAID = ManifestationRow


@dataclass(frozen=True, slots=True)
class Searchable:
    """The stems of one text, with spaces between."""

    manifestation_id: str
    text_hash: str
    stems: str


def forget_edited(engine: Engine, municipality: str) -> None:
    """Forget the stems of what a municipality's texts said before they were edited."""
    edited = (
        select(SearchRow.id)
        .join(_SAID, _SAID.id == SearchRow.manifestation_id)
        .where(_SAID.municipality == municipality, _SAID.text_hash != SearchRow.text_hash)
    )
    with writing(engine) as connection:
        connection.execute(delete(SearchRow).where(SearchRow.id.in_(edited)))


def save_searchable(engine: Engine, items: Sequence[Searchable]) -> None:
    """Index texts in their order; one purged, or indexed by somebody else, meanwhile isn't."""
    with writing(engine) as connection:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(SearchRow).on_conflict_do_nothing()
        for chunk in chunks(items):
            ids = [item.manifestation_id for item in chunk]
            present = set(connection.scalars(select(_SAID.id).where(_SAID.id.in_(ids))))
            rows = [asdict(item) for item in chunk if item.manifestation_id in present]
            if rows:
                connection.execute(statement, rows)
