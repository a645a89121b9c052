"""What people were told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from models.operations_tables import NotificationRow
from pipelines.store.engine import explained


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that a channel took."""

    municipality: str
    channel: str
    topic: str
    kind: str
    run_id: str
    sent_at: datetime


def sent_since(engine: Engine, municipality: str, channel: str, moment: datetime) -> set[str]:
    """Return the topics that a channel was told after a moment."""
    row = NotificationRow
    query = select(row.topic).where(
        row.municipality == municipality, row.channel == channel, row.sent_at > moment
    )
    with explained(engine), engine.connect() as connection:
        return set(connection.scalars(query))
