"""Incremental collection: validators, what was seen, and the state of sources

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "validator",
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column("url", sa.Text(), nullable=False, comment="The address, as asked."),
        sa.Column(
            "etag", sa.Text(), nullable=False, comment="ETag header of the answer, or empty."
        ),
        sa.Column(
            "last_modified",
            sa.Text(),
            nullable=False,
            comment="Last-Modified header of the answer, or empty.",
        ),
        sa.Column(
            "saved_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When the answer's records were stored.",
        ),
        sa.PrimaryKeyConstraint("municipality", "source", "url", name=op.f("pk_validator")),
        comment="By what to ask a server whether an address has changed since it was stored.",
    )
    op.create_table(
        "seen",
        sa.Column(
            "manifestation_id", sa.String(length=32), nullable=False, comment="The manifestation."
        ),
        sa.Column(
            "fingerprint",
            sa.String(length=32),
            nullable=False,
            comment="Hash of its entry: while that stays, its page is not opened again.",
        ),
        sa.ForeignKeyConstraint(
            ["manifestation_id"],
            ["manifestation.id"],
            name=op.f("fk_seen_manifestation_id_manifestation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("manifestation_id", name=op.f("pk_seen")),
        comment="How a source listed a manifestation when all that lies behind it was read.",
    )
    op.create_table(
        "source_state",
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column(
            "state", sa.String(length=60), nullable=False, comment="active, failing or quarantined."
        ),
        sa.Column(
            "failures",
            sa.Integer(),
            nullable=False,
            comment="Runs in a row in which it could not be read.",
        ),
        sa.Column(
            "unchanged",
            sa.Integer(),
            nullable=False,
            comment="Runs in a row in which it gave nothing new.",
        ),
        sa.Column(
            "complete",
            sa.Boolean(),
            nullable=False,
            comment="True where the latest run read all of it.",
        ),
        sa.Column(
            "last_success",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="When it was last read.",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it could not be read."),
        sa.Column(
            "next_due",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="No run reads it before; empty where every run does.",
        ),
        sa.PrimaryKeyConstraint("municipality", "source", name=op.f("pk_source_state")),
        comment="What runs have made of a source: whether it answers, and when it is next due.",
    )


def downgrade() -> None:
    op.drop_table("source_state")
    op.drop_table("seen")
    op.drop_table("validator")
