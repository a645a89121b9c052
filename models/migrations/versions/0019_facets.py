"""What texts are listed by, in one narrow table with an index for each kind of list

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_FACETS = ("category", "source", "zone", "sentiment", "intent", "kind", "lenses")


def upgrade() -> None:
    op.create_table(
        "search_basis",
        sa.Column("id", sa.Integer(), nullable=False, comment="Serial number."),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "model_version",
            sa.String(length=400),
            nullable=False,
            comment="The model that classified the texts.",
        ),
        sa.Column(
            "taxonomy_version",
            sa.String(length=60),
            nullable=False,
            comment="The taxonomy that its labels belong to.",
        ),
        sa.Column(
            "gazetteer",
            sa.String(length=60),
            nullable=True,
            comment="By what zones were found; empty where none were looked for.",
        ),
        sa.Column(
            "lenses",
            sa.String(length=60),
            nullable=True,
            comment="The lenses through which the texts were seen.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_basis")),
        sa.UniqueConstraint(
            "municipality",
            "model_version",
            "taxonomy_version",
            name=op.f("uq_search_basis_municipality_model_version_taxonomy_version"),
        ),
        comment="By what a municipality's texts are labelled where they are searched.",
    )
    op.create_table(
        "search_day",
        sa.Column(
            "basis_id", sa.Integer(), nullable=False, comment="By what the texts are labelled."
        ),
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column("day", sa.Date(), nullable=False, comment="The local day."),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="The version of the partition (partition_version) that was read.",
        ),
        sa.ForeignKeyConstraint(
            ["basis_id"],
            ["search_basis.id"],
            name=op.f("fk_search_day_basis_id_search_basis"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("basis_id", "source", "day", name=op.f("pk_search_day")),
        comment="As of which version of a partition its texts can be searched by their labels.",
    )
    op.create_table(
        "search_facet",
        sa.Column(
            "text_id",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="The text, in search_text.",
        ),
        sa.Column("basis_id", sa.Integer(), nullable=False, comment="By what it is labelled."),
        sa.Column("said_on", sa.Date(), nullable=False, comment="Local day on which it was said."),
        sa.Column(
            "source", sa.String(length=60), nullable=False, comment="The source that gave it."
        ),
        sa.Column(
            "kind", sa.String(length=60), nullable=False, comment="article, comment or post."
        ),
        sa.Column(
            "category", sa.String(length=60), nullable=False, comment="The category that counts."
        ),
        sa.Column(
            "sentiment", sa.String(length=60), nullable=False, comment="The sentiment that counts."
        ),
        sa.Column(
            "intent", sa.String(length=60), nullable=False, comment="The intent that counts."
        ),
        sa.Column(
            "zone",
            sa.String(length=60),
            nullable=True,
            comment="Code of the zone; empty where neither text nor thread names one.",
        ),
        sa.Column(
            "lenses",
            sa.Text(),
            nullable=False,
            comment="Codes of the lenses whose words the text has, with spaces between them.",
        ),
        sa.ForeignKeyConstraint(
            ["basis_id"],
            ["search_basis.id"],
            name=op.f("fk_search_facet_basis_id_search_basis"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["text_id"],
            ["search_text.id"],
            name=op.f("fk_search_facet_text_id_search_text"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("text_id", "basis_id", name=op.f("pk_search_facet")),
        comment="What one classified text is listed by: a copy, made again at any time.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_search_facet_by_day", "search_facet", ["basis_id", "said_on", "text_id", *_FACETS]
    )
    for name in ("category", "source", "zone"):
        others = [other for other in _FACETS if other != name]
        op.create_index(
            f"ix_search_facet_by_{name}",
            "search_facet",
            ["basis_id", name, "said_on", "text_id", *others],
        )


def downgrade() -> None:
    op.drop_table("search_facet")
    op.drop_table("search_day")
    op.drop_table("search_basis")
