"""Whether the model was sure of a text's category, among what texts are listed by

The copies are forgotten: `run`, `aggregate` and `serve` make them again, and lists read what they
are copies of until then.

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_COLUMN = sa.Column(
    "certainty",
    sa.String(length=60),
    nullable=False,
    comment="sure; unsure where the model was, and nobody gave the category.",
)
_BEFORE = ("category", "source", "zone", "sentiment", "intent", "kind", "lenses")
_NOW = (*_BEFORE[:-1], "certainty", "lenses")


def upgrade() -> None:
    _forget_copies()
    with op.batch_alter_table("search_facet") as table:
        table.add_column(_COLUMN)
    _make_indexes(_NOW)


def downgrade() -> None:
    _forget_copies()
    with op.batch_alter_table("search_facet") as table:
        table.drop_column("certainty")
    _make_indexes(_BEFORE)


def _forget_copies() -> None:
    for index in ("day", "category", "source", "zone"):
        op.drop_index(f"ix_search_facet_by_{index}", "search_facet")
    for table in ("search_facet", "search_day", "search_basis"):
        op.execute(sa.table(table).delete())


def _make_indexes(facets: tuple[str, ...]) -> None:
    op.create_index(
        "ix_search_facet_by_day", "search_facet", ["basis_id", "said_on", "text_id", *facets]
    )
    for name in ("category", "source", "zone"):
        others = [other for other in facets if other != name]
        op.create_index(
            f"ix_search_facet_by_{name}",
            "search_facet",
            ["basis_id", name, "said_on", "text_id", *others],
        )
