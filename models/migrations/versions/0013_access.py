"""Users of the dashboard and keys of programs

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dashboard_user",
        sa.Column(
            "name",
            sa.String(length=60),
            nullable=False,
            comment="What the person signs in with; a code will do.",
        ),
        sa.Column(
            "role",
            sa.String(length=20),
            nullable=False,
            comment="viewer, analyst, reviewer or admin; each may do what the former may.",
        ),
        sa.Column(
            "password_hash", sa.Text(), nullable=False, comment="Argon2id hash of the password."
        ),
        sa.Column(
            "epoch",
            sa.Integer(),
            nullable=False,
            comment="Raised when the password changes or the user is disabled: older sessions end.",
        ),
        sa.Column(
            "disabled",
            sa.Boolean(),
            nullable=False,
            comment="True where the user may no longer sign in.",
        ),
        sa.Column(
            "created_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When the user was added.",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_dashboard_user")),
        comment="Somebody who signs in to the dashboard.",
    )
    op.create_table(
        "api_key",
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the key; the key itself is not kept.",
        ),
        sa.Column(
            "hint",
            sa.String(length=12),
            nullable=False,
            comment="How the key begins, to tell it from others.",
        ),
        sa.Column("user", sa.String(length=60), nullable=False, comment="Whose key it is."),
        sa.Column(
            "created_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was made.",
        ),
        sa.Column(
            "revoked_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="Since when it opens nothing.",
        ),
        sa.ForeignKeyConstraint(
            ["user"],
            ["dashboard_user.name"],
            name=op.f("fk_api_key_user_dashboard_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_api_key")),
        sa.UniqueConstraint("hint", name=op.f("uq_api_key_hint")),
        comment="By what a program reads the tables in somebody's name.",
    )


def downgrade() -> None:
    op.drop_table("api_key")
    op.drop_table("dashboard_user")
