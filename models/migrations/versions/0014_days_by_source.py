"""Find the texts of a source's day by an index: counting reads no others

Revision: 0014, after 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_OLD = "ix_manifestation_municipality_said_on"
_NEW = "ix_manifestation_municipality_said_on_source"


def upgrade() -> None:
    op.create_index(_NEW, "manifestation", ["municipality", "said_on", "source"])
    op.drop_index(_OLD, "manifestation")


def downgrade() -> None:
    op.create_index(_OLD, "manifestation", ["municipality", "said_on"])
    op.drop_index(_NEW, "manifestation")
