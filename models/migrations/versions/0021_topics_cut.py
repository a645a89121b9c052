"""How many of the texts that topics were looked for in are read from their beginning only

Revision: 0021, after 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "insight_topic",
        sa.Column(
            "texts_cut",
            sa.Integer(),
            nullable=True,
            comment="Of the texts read, the long ones of which the encoder read the beginning "
            "only; empty in rows older than this column.",
        ),
    )


def downgrade() -> None:
    with op.batch_alter_table("insight_topic") as table:
        table.drop_column("texts_cut")
