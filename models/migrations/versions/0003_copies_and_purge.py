"""Near-duplicates, languages, revisions, what is gone, and the audit of purges

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INSIGHTS = ("insight_overview", "insight_category", "insight_day", "insight_source")
_DISTINCT = (
    "The same, with identical texts counted once.",
    "The same, with each cluster of near-duplicates counted once.",
)
_N = (
    "Denominator of the shares: classified manifestations.",
    "Denominator: classified manifestations that are not in another language.",
)
_MEASURE = (
    "total, sentiment, intent, kind or certainty.",
    "total, sentiment, intent, kind, certainty or language (of n texts in any of them).",
)
_OVERVIEW = (
    "The whole window by sentiment, intent, kind and certainty.",
    "The whole window by sentiment, intent, kind, certainty, language.",
)


def upgrade() -> None:
    op.add_column(
        "manifestation",
        sa.Column(
            "gone_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="When its source was first seen to have taken it back.",
        ),
    )
    op.create_table(
        "revision",
        _manifestation(),
        sa.Column(
            "text_hash",
            sa.String(length=64),
            nullable=False,
            comment="The hash that its text had.",
        ),
        sa.Column(
            "seen_from",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When this text was first fetched.",
        ),
        sa.Column(
            "seen_to",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When another was fetched in its place.",
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="Its title then, masked."),
        sa.Column("text", sa.Text(), nullable=False, comment="Its text then, masked."),
        sa.Column(
            "capture_id",
            sa.String(length=64),
            nullable=True,
            comment="The raw response that it was extracted from.",
        ),
        _of_manifestation("revision"),
        sa.PrimaryKeyConstraint(
            "manifestation_id", "text_hash", "seen_from", name=op.f("pk_revision")
        ),
        comment="A former text of a manifestation that its author has edited.",
    )
    op.create_table(
        "near_duplicate",
        _manifestation(),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "text_hash",
            sa.String(length=64),
            nullable=False,
            comment="The text that was compared: an edit has another.",
        ),
        sa.Column(
            "cluster_id",
            sa.String(length=32),
            nullable=False,
            comment="The manifestation of its cluster that was stored first.",
        ),
        sa.Column(
            "position",
            sa.Integer(),
            nullable=False,
            comment="Its place in the order of storing.",
        ),
        sa.Column(
            "signature",
            sa.LargeBinary(),
            nullable=True,
            comment="MinHash signature of the text; empty for a very short one.",
        ),
        _of_manifestation("near_duplicate"),
        sa.PrimaryKeyConstraint("manifestation_id", name=op.f("pk_near_duplicate")),
        comment="Which manifestations say the same: copies, forwarded and syndicated texts.",
    )
    op.create_index(
        op.f("ix_near_duplicate_municipality_cluster_id"),
        "near_duplicate",
        ["municipality", "cluster_id"],
    )
    op.create_table(
        "language_label",
        _manifestation(),
        sa.Column(
            "text_hash",
            sa.String(length=64),
            nullable=False,
            comment="The text that was read: an edit has another.",
        ),
        sa.Column(
            "language",
            sa.String(length=3),
            nullable=False,
            comment="ISO 639-1 code, or und where it cannot be told; und counts as es.",
        ),
        sa.Column(
            "identifier",
            sa.String(length=60),
            nullable=False,
            comment="What identified it, and its version.",
        ),
        _of_manifestation("language_label"),
        sa.PrimaryKeyConstraint("manifestation_id", "text_hash", name=op.f("pk_language_label")),
        comment="The language of one text; the first label of a text stays.",
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), nullable=False, comment="Serial number."),
        sa.Column(
            "at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was done.",
        ),
        sa.Column(
            "actor",
            sa.Text(),
            nullable=False,
            comment="User of the operating system who did it.",
        ),
        sa.Column("action", sa.String(length=60), nullable=False, comment="What was done: purge."),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "detail",
            sa.JSON(),
            nullable=False,
            comment="By which criteria, and how many of what; no personal data.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        comment="What somebody did to the data; it names no citizen.",
    )
    _describe(old=0, new=1)


def downgrade() -> None:
    _describe(old=1, new=0)
    for table in ("audit_event", "language_label", "near_duplicate", "revision"):
        op.drop_table(table)
    op.drop_column("manifestation", "gone_at")


def _manifestation() -> sa.Column[str]:
    return sa.Column(
        "manifestation_id", sa.String(length=32), nullable=False, comment="The manifestation."
    )


def _of_manifestation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["manifestation_id"],
        ["manifestation.id"],
        name=op.f(f"fk_{table}_manifestation_id_manifestation"),
        ondelete="CASCADE",
    )


def _describe(*, old: int, new: int) -> None:
    """Change what columns are said to mean; SQLite keeps no comments."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in _INSIGHTS:
        op.alter_column(table, "distinct_count", comment=_DISTINCT[new], existing_nullable=False)
        op.alter_column(table, "n", comment=_N[new], existing_nullable=False)
    op.alter_column("insight_overview", "measure", comment=_MEASURE[new], existing_nullable=False)
    op.create_table_comment("insight_overview", _OVERVIEW[new], existing_comment=_OVERVIEW[old])
