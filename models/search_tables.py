"""The words and labels of manifestations, ready to be searched: the same in both databases.

`search_text` holds the words, `search_facet` the labels that count beside when and where it was
said, so that one index spans what a list is asked by. Both can be made again of what is stored.

Beside `search_text` stands an index of its stems that SQLAlchemy does not know: a table of SQLite's
FTS5 (https://www.sqlite.org/fts5.html, «external content»), which triggers keep, or PostgreSQL's
GIN index over a tsvector. `create_index` makes it.
"""

from datetime import date

from sqlalchemy import (
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
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


_FACETS = ("category", "source", "zone", "sentiment", "intent", "kind", "certainty", "lenses")

LISTED = {
    "day": ("said_on", "text_id", *_FACETS),
    **{
        name: (name, "said_on", "text_id", *(other for other in _FACETS if other != name))
        for name in ("category", "source", "zone")
    },
}
"""The columns of each index over the facets: what is asked for, the order, and all other facets.

So whatever else a list is filtered by is read in the index, and no row is.
"""


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


class SearchBasisRow(Base):
    """By what a municipality's texts are labelled where they are searched."""

    __tablename__ = "search_basis"
    __table_args__ = (
        UniqueConstraint("municipality", "model_version", "taxonomy_version"),
        {"comment": "By what a municipality's texts are labelled where they are searched."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Serial number.")
    municipality: Mapped[str] = mapped_column(String(60), comment="Code of the municipality.")
    model_version: Mapped[str] = mapped_column(
        String(400), comment="The model that classified the texts."
    )
    taxonomy_version: Mapped[str] = mapped_column(
        String(60), comment="The taxonomy that its labels belong to."
    )
    gazetteer: Mapped[str | None] = mapped_column(
        String(60), comment="By what zones were found; empty where none were looked for."
    )
    lenses: Mapped[str | None] = mapped_column(
        String(60), comment="The lenses through which the texts were seen."
    )


class SearchDayRow(Base):
    """As of which version of a partition its texts can be searched by their labels."""

    __tablename__ = "search_day"
    __table_args__ = {
        "comment": "As of which version of a partition its texts can be searched by their labels."
    }

    basis_id: Mapped[int] = mapped_column(
        ForeignKey("search_basis.id", ondelete="CASCADE"),
        primary_key=True,
        comment="By what the texts are labelled.",
    )
    source: Mapped[str] = mapped_column(String(60), primary_key=True, comment="The source.")
    day: Mapped[date] = mapped_column(primary_key=True, comment="The local day.")
    version: Mapped[int] = mapped_column(
        comment="The version of the partition (partition_version) that was read."
    )


class FacetRow(Base):
    """What one classified text of the house's language is listed by."""

    __tablename__ = "search_facet"
    __table_args__ = (
        *(
            Index(f"ix_search_facet_by_{name}", "basis_id", *columns)
            for name, columns in LISTED.items()
        ),
        {
            "comment": "What one classified text is listed by: a copy, made again at any time.",
            "sqlite_with_rowid": False,
        },
    )

    text_id: Mapped[int] = mapped_column(
        Integer,
        ForeignKey("search_text.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        comment="The text, in search_text.",
    )
    basis_id: Mapped[int] = mapped_column(
        ForeignKey("search_basis.id", ondelete="CASCADE"),
        primary_key=True,
        comment="By what it is labelled.",
    )
    said_on: Mapped[date] = mapped_column(comment="Local day on which it was said.")
    source: Mapped[str] = mapped_column(String(60), comment="The source that gave it.")
    kind: Mapped[str] = mapped_column(String(60), comment="article, comment or post.")
    category: Mapped[str] = mapped_column(String(60), comment="The category that counts.")
    sentiment: Mapped[str] = mapped_column(String(60), comment="The sentiment that counts.")
    intent: Mapped[str] = mapped_column(String(60), comment="The intent that counts.")
    certainty: Mapped[str] = mapped_column(
        String(60), comment="sure; unsure where the model was, and nobody gave the category."
    )
    zone: Mapped[str | None] = mapped_column(
        String(60), comment="Code of the zone; empty where neither text nor thread names one."
    )
    lenses: Mapped[str] = mapped_column(
        Text, comment="Codes of the lenses whose words the text has, with spaces between them."
    )


def create_index(connection: Connection) -> None:
    """Make the index beside a new, empty table; it keeps itself from then on."""
    of = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
    for statement in of[connection.dialect.name]:
        connection.exec_driver_sql(statement)


@event.listens_for(SearchRow.__table__, "after_create")
def _beside(_table: Table, connection: Connection, **_options: object) -> None:
    create_index(connection)
