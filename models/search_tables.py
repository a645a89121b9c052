"""The words of manifestations, ready to be searched: the same stems in both databases.

Beside the table stands an index of its stems that SQLAlchemy does not know: a table of SQLite's
FTS5 (https://www.sqlite.org/fts5.html, «external content»), which triggers keep, or PostgreSQL's
GIN index over a tsvector. `create_index` makes it.
"""

from sqlalchemy import Connection, ForeignKey, Index, String, Table, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from models.tables import Base

INDEX = "search_index"
"""What the tables and the index beside `search_text` are called, or begin with."""

_SQLITE = (
    "CREATE VIRTUAL TABLE search_index USING fts5("
    "stems, content='search_text', content_rowid='id', tokenize='unicode61')",
    "CREATE TRIGGER search_text_added AFTER INSERT ON search_text BEGIN "
    "INSERT INTO search_index(rowid, stems) VALUES (new.id, new.stems); END",
    "CREATE TRIGGER search_text_deleted AFTER DELETE ON search_text BEGIN "
    "INSERT INTO search_index(search_index, rowid, stems) "
    "VALUES ('delete', old.id, old.stems); END",
)
_POSTGRESQL = ("CREATE INDEX search_index ON search_text USING gin (to_tsvector('simple', stems))",)


class SearchRow(Base):
    """The stems of one text: what a search looks in."""

    __tablename__ = "search_text"
    __table_args__ = (
        Index(None, "manifestation_id", "text_hash"),
        {"comment": "The stems of one text, which a search looks in."},
    )

    id: Mapped[int] = mapped_column(
        primary_key=True, comment="Serial number: newer ones were indexed later."
    )
    manifestation_id: Mapped[str] = mapped_column(
        String(32),
        ForeignKey("manifestation.id", ondelete="CASCADE"),
        unique=True,
        comment="The manifestation.",
    )
    text_hash: Mapped[str] = mapped_column(
        String(64), comment="The text that was read: an edit has another."
    )
    stems: Mapped[str] = mapped_column(
        Text, comment="Title and text as Spanish stems without accents, with spaces between."
    )


def create_index(connection: Connection) -> None:
    """Make the index beside a new, empty table; it keeps itself from then on."""
    of = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
    for statement in of[connection.dialect.name]:
        connection.exec_driver_sql(statement)


@event.listens_for(SearchRow.__table__, "after_create")
def _beside(_table: Table, connection: Connection, **_options: object) -> None:
    create_index(connection)
