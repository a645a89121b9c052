"""Ended demands may be reopened: say so where actions are listed

Revision: 0017, after 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_LISTED = (
    "propose, join, receive, confirm, assign, start, answer, close, reject, {}"
    "merge, split, update or purge."
)


def upgrade() -> None:
    _say("reopen, ")


def downgrade() -> None:
    _say("")


def _say(more: str) -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        comment = _LISTED.format(more)
        op.alter_column("demand_event", "action", comment=comment, existing_nullable=False)
