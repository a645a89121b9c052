"""The stems of texts, and an index to search them by

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

from models.search_tables import INDEX, create_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_text",
        sa.Column(
            "id",
            sa.Integer(),
            nullable=False,
            comment="Serial number: newer ones were indexed later.",
        ),
        sa.Column(
            "manifestation_id", sa.String(length=32), nullable=False, comment="The manifestation."
        ),
        sa.Column(
            "text_hash",
            sa.String(length=64),
            nullable=False,
            comment="The text that was read: an edit has another.",
        ),
        sa.Column(
            "stems",
            sa.Text(),
            nullable=False,
            comment="Title and text as Spanish stems without accents, with spaces between.",
        ),
        sa.ForeignKeyConstraint(
            ["manifestation_id"],
            ["manifestation.id"],
            name=op.f("fk_search_text_manifestation_id_manifestation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_text")),
        sa.UniqueConstraint("manifestation_id", name=op.f("uq_search_text_manifestation_id")),
        comment="The stems of one text, which a search looks in.",
    )
    create_index(op.get_bind())


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TABLE {INDEX}")
    op.drop_table("search_text")
