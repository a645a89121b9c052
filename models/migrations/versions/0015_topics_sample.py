"""How many of the distinct texts the topics were looked for in

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COLUMNS = {
    "texts_read": "Distinct texts that the encoder read, 20,000 at most, as good as drawn at "
    "random; empty in rows older than this column.",
    "texts_distinct": "Distinct texts that there are; empty in rows older than this column.",
}


def upgrade() -> None:
    for name, comment in _COLUMNS.items():
        op.add_column(
            "insight_topic", sa.Column(name, sa.Integer(), nullable=True, comment=comment)
        )


def downgrade() -> None:
    with op.batch_alter_table("insight_topic") as table:
        for name in _COLUMNS:
            table.drop_column(name)
