"""Deletions: how far back a source was read, what is not collected again, its fields

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("source_state") as batch:
        batch.add_column(
            sa.Column(
                "reach",
                models.tables.UtcDateTime(timezone=True),
                nullable=True,
                comment="Back to when it was read completely; empty where to the very beginning.",
            )
        )
    op.create_table(
        "tombstone",
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "digest",
            sa.String(length=32),
            nullable=False,
            comment="Keyed hash of source and external id, or of an author's pseudonym.",
        ),
        sa.Column(
            "reason",
            sa.String(length=60),
            nullable=False,
            comment="By which criterion it was purged: author, id or source.",
        ),
        sa.Column(
            "purged_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was purged.",
        ),
        sa.PrimaryKeyConstraint("municipality", "digest", name=op.f("pk_tombstone")),
        comment="What was purged and is not collected again: keyed hashes, nothing else of it.",
    )
    op.create_table(
        "source_field",
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column(
            "field",
            sa.String(length=200),
            nullable=False,
            comment="Its name, after the list that it stands in.",
        ),
        sa.Column(
            "first_seen",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When an answer first had it.",
        ),
        sa.Column(
            "came_later",
            sa.Boolean(),
            nullable=False,
            comment="True where earlier readings of the source did not have it: that was warned"
            " of.",
        ),
        sa.PrimaryKeyConstraint("municipality", "source", "field", name=op.f("pk_source_field")),
        comment="Which fields a source's answers have shown, and which of them came later.",
    )


def downgrade() -> None:
    op.drop_table("source_field")
    op.drop_table("tombstone")
    with op.batch_alter_table("source_state") as batch:
        batch.drop_column("reach")
