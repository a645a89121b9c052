"""Read what people have corrected. Nothing here writes."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine, and_, select

from models.errors import InputError
from models.tables import CorrectionRow, ManifestationRow
from pipelines.store.engine import explained

_TASKS = ("category", "sentiment", "intent")


@dataclass(slots=True)
class CorrectedText:
    """A text as it is now, and people's newest label of each task; who gave one last, and when."""

    id: str
    source: str
    title: str | None
    text: str
    reader: str
    corrected_at: datetime
    labels: dict[str, str] = field(default_factory=dict)


def text_hash_of(engine: Engine, manifestation_id: str) -> str:
    """Return the hash of a manifestation's present text.

    Raises:
        InputError: there is no such manifestation.
    """
    query = select(ManifestationRow.text_hash).where(ManifestationRow.id == manifestation_id)
    with explained(engine), engine.connect() as connection:
        found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise InputError(
            f"There is no manifestation {manifestation_id}. Reports and exports name the ids."
        )
    return str(found)


def corrected_texts(engine: Engine, municipality: str) -> list[CorrectedText]:
    """Return the municipality's corrected texts; one edited since its correction is left out."""
    said, given = ManifestationRow, CorrectionRow
    query = (
        select(
            said.id,
            said.source,
            said.title,
            said.text,
            given.reader,
            given.corrected_at,
            *(getattr(given, task) for task in _TASKS),
        )
        .join(given, and_(given.manifestation_id == said.id, given.text_hash == said.text_hash))
        .where(said.municipality == municipality)
        .order_by(given.id)
    )
    found: dict[str, CorrectedText] = {}
    with explained(engine), engine.connect() as connection:
        for id_, source, title, text, reader, at, *labels in connection.execute(query):
            one = found.setdefault(id_, CorrectedText(id_, source, title, text, reader, at))
            one.reader, one.corrected_at = reader, at
            one.labels |= {
                task: label for task, label in zip(_TASKS, labels, strict=True) if label is not None
            }
    return [found[key] for key in sorted(found)]
