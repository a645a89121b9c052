"""What each model that counted said of itself

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_version",
        sa.Column(
            "version",
            sa.String(length=200),
            nullable=False,
            comment="As classifications and runs name it.",
        ),
        sa.Column("licence", sa.Text(), nullable=False, comment="Of the weights."),
        sa.Column(
            "manifest",
            sa.JSON(),
            nullable=False,
            comment="The manifest.json beside the weights, as it was read.",
        ),
        sa.Column(
            "kept_at", models.tables.UtcDateTime(), nullable=False, comment="When it was kept."
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_model_version")),
        comment="What each model that counted said of itself: scores, data, licence, the "
        "SHA-256 of its files.",
    )


def downgrade() -> None:
    op.drop_table("model_version")
