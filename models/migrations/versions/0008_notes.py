"""A note beside a correction

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "correction",
        sa.Column("note", sa.Text(), nullable=True, comment="Why, in a sentence, masked."),
    )


def downgrade() -> None:
    with op.batch_alter_table("correction") as table:
        table.drop_column("note")
