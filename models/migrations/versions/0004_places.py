"""Places: which zone a text speaks of, and the insights by zone

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "place_mention",
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
            "gazetteer",
            sa.String(length=60),
            nullable=False,
            comment="Identifier of the zones, their names and the rules that were used.",
        ),
        sa.Column(
            "zone",
            sa.String(length=60),
            nullable=True,
            comment="Code of the zone; empty where neither text nor thread names one.",
        ),
        sa.Column(
            "confidence",
            sa.Double(),
            nullable=False,
            comment="How sure the zone is, 0 to 1, by rule and not calibrated; 0 without a zone.",
        ),
        sa.Column(
            "inherited",
            sa.Boolean(),
            nullable=False,
            comment="True where a reply names no place and takes the zone of its thread's opener.",
        ),
        sa.ForeignKeyConstraint(
            ["manifestation_id"],
            ["manifestation.id"],
            name=op.f("fk_place_mention_manifestation_id_manifestation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "manifestation_id", "text_hash", "gazetteer", name=op.f("pk_place_mention")
        ),
        comment="Which zone a text speaks of, by one gazetteer; append-only, none included.",
    )
    op.create_table(
        "insight_place",
        sa.Column("run_id", sa.String(length=40), nullable=False, comment="The run that counted."),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "window_from", sa.Date(), nullable=False, comment="First local day of the window."
        ),
        sa.Column(
            "window_to",
            sa.Date(),
            nullable=False,
            comment="Local day after the last of the window.",
        ),
        sa.Column(
            "model_version", sa.String(length=400), nullable=False, comment="The classifier."
        ),
        sa.Column(
            "taxonomy_version", sa.String(length=60), nullable=False, comment="The taxonomy."
        ),
        sa.Column(
            "zone",
            sa.String(length=60),
            nullable=False,
            comment="Code of the zone, or (none): neither the text nor its thread names one.",
        ),
        sa.Column(
            "gazetteer",
            sa.String(length=60),
            nullable=False,
            comment="The zones, their names and the rules that placed the texts.",
        ),
        sa.Column(
            "inherited",
            sa.Integer(),
            nullable=False,
            comment="Of the count, replies that name no place and took their thread opener's zone.",
        ),
        sa.Column("count", sa.Integer(), nullable=False, comment="Manifestations with this label."),
        sa.Column(
            "distinct_count",
            sa.Integer(),
            nullable=False,
            comment="The same, with each cluster of near-duplicates counted once.",
        ),
        sa.Column(
            "n",
            sa.Integer(),
            nullable=False,
            comment="Denominator: classified manifestations that are not in another language.",
        ),
        sa.Column("share", sa.Double(), nullable=True, comment="count / n; empty where n is 0."),
        sa.Column("share_low", sa.Double(), nullable=True, comment="Lower end, Wilson 95 %."),
        sa.Column("share_high", sa.Double(), nullable=True, comment="Upper end, Wilson 95 %."),
        sa.Column("negative", sa.Integer(), nullable=False, comment="Of the count, negative."),
        sa.Column("neutral", sa.Integer(), nullable=False, comment="Of the count, neutral."),
        sa.Column("positive", sa.Integer(), nullable=False, comment="Of the count, positive."),
        sa.Column("negative_share", sa.Double(), nullable=True, comment="negative / count."),
        sa.Column("negative_low", sa.Double(), nullable=True, comment="Lower end, Wilson 95 %."),
        sa.Column("negative_high", sa.Double(), nullable=True, comment="Upper end, Wilson 95 %."),
        sa.Column(
            "sources_read",
            sa.Integer(),
            nullable=False,
            comment="Coverage: sources that were read to the end in this run.",
        ),
        sa.Column(
            "sources_configured",
            sa.Integer(),
            nullable=False,
            comment="Coverage: sources configured.",
        ),
        sa.Column(
            "days_complete",
            sa.Integer(),
            nullable=False,
            comment="Coverage: days of the window with every source read.",
        ),
        sa.Column("days", sa.Integer(), nullable=False, comment="Days of the window."),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_insight_place_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "zone", name=op.f("pk_insight_place")),
        comment="The window by zone of the municipality, (none) included.",
    )


def downgrade() -> None:
    op.drop_table("insight_place")
    op.drop_table("place_mention")
