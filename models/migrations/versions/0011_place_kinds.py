"""The kind, name and district of a place, and the zones of one that lies in several

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NAMES = ("kind", "name", "district", "zones")


def upgrade() -> None:
    for column in (
        sa.Column(
            "kind",
            sa.String(20),
            nullable=True,
            comment="zone, street, avenue, road, market, station, park, hospital, building or district;"
            " empty where the text names no place.",
        ),
        sa.Column(
            "name",
            sa.String(300),
            nullable=True,
            comment="The place, as the configuration or else the text names it.",
        ),
        sa.Column(
            "district",
            sa.String(6),
            nullable=True,
            comment="UBIGEO code of the district that the text names; empty where several.",
        ),
        sa.Column(
            "zones",
            sa.Text(),
            nullable=True,
            comment="Codes, divided by blanks, of the zones in which the place may lie.",
        ),
    ):
        op.add_column("place_mention", column)


def downgrade() -> None:
    with op.batch_alter_table("place_mention") as table:
        for name in reversed(_NAMES):
            table.drop_column(name)
