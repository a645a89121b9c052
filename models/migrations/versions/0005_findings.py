"""Terms, topics, findings and their evidence

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "insight_evidence",
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
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="The finding."
        ),
        sa.Column(
            "position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Place in the list.",
        ),
        sa.Column(
            "manifestation_id", sa.String(length=32), nullable=False, comment="The manifestation."
        ),
        sa.Column(
            "role",
            sa.String(length=60),
            nullable=False,
            comment="central: most like the others; diverse: least like those before.",
        ),
        sa.Column(
            "source", sa.String(length=60), nullable=False, comment="The source that gave it."
        ),
        sa.Column("said_on", sa.Date(), nullable=False, comment="Local day on which it was said."),
        sa.Column("quote", sa.Text(), nullable=False, comment="Its words, masked and shortened."),
        sa.Column("url", sa.Text(), nullable=True, comment="Public address."),
        sa.Column(
            "lens",
            sa.String(length=60),
            nullable=False,
            comment="Code of the lens, a saved filter; empty: everything.",
        ),
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
            ["manifestation_id"],
            ["manifestation.id"],
            name=op.f("fk_insight_evidence_manifestation_id_manifestation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_insight_evidence_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "number", "position", "lens", name=op.f("pk_insight_evidence")
        ),
        comment="The manifestations behind a finding, quoted.",
    )
    op.create_table(
        "insight_finding",
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
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Its place among the findings of the run.",
        ),
        sa.Column(
            "kind",
            sa.String(length=60),
            nullable=False,
            comment="relevant, surprise, emerging or alert.",
        ),
        sa.Column(
            "subject",
            sa.String(length=200),
            nullable=False,
            comment="What it is about, like category:water or topic:t-1a2b3c.",
        ),
        sa.Column(
            "rule",
            sa.String(length=60),
            nullable=False,
            comment="The rule that found it; the statistic has its own fields.",
        ),
        sa.Column("sentence_es", sa.Text(), nullable=False, comment="The statement in Spanish."),
        sa.Column("sentence_en", sa.Text(), nullable=False, comment="The statement in English."),
        sa.Column("value", sa.Double(), nullable=False, comment="The figure that it rests on."),
        sa.Column(
            "low",
            sa.Double(),
            nullable=True,
            comment="Lower end of its 95 % interval; of an alarm, of what was expected.",
        ),
        sa.Column(
            "high",
            sa.Double(),
            nullable=True,
            comment="Upper end of its 95 % interval; of an alarm, of what was expected.",
        ),
        sa.Column(
            "n",
            sa.Integer(),
            nullable=False,
            comment="How many manifestations or voices that rests on.",
        ),
        sa.Column(
            "q",
            sa.Double(),
            nullable=True,
            comment="p-value adjusted for all that was tested by the rule (Benjamini-Hochberg).",
        ),
        sa.Column(
            "statistic",
            sa.JSON(),
            nullable=False,
            comment="Every number of the sentence, for a program.",
        ),
        sa.Column(
            "lens",
            sa.String(length=60),
            nullable=False,
            comment="Code of the lens, a saved filter; empty: everything.",
        ),
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_finding_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "number", "lens", name=op.f("pk_insight_finding")),
        comment="Statements made of numbers, each with its statistic.",
    )
    op.create_table(
        "insight_term",
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
        sa.Column("category", sa.String(length=60), nullable=False, comment="Urban category."),
        sa.Column(
            "term", sa.String(length=200), nullable=False, comment="The term as most often written."
        ),
        sa.Column(
            "count",
            sa.Integer(),
            nullable=False,
            comment="Manifestations of the category that have it.",
        ),
        sa.Column(
            "distinct_count",
            sa.Integer(),
            nullable=False,
            comment="The same, with each cluster of near-duplicates counted once.",
        ),
        sa.Column(
            "voices",
            sa.Integer(),
            nullable=False,
            comment="The distinct ones, with each author counted once a day.",
        ),
        sa.Column("n", sa.Integer(), nullable=False, comment="Manifestations of the category."),
        sa.Column(
            "log_odds",
            sa.Double(),
            nullable=False,
            comment="Log-odds ratio against all other categories, with an informative prior.",
        ),
        sa.Column("z", sa.Double(), nullable=False, comment="The same by its standard deviation."),
        sa.Column(
            "example_id",
            sa.String(length=32),
            nullable=False,
            comment="A manifestation that has it.",
        ),
        sa.Column(
            "lens",
            sa.String(length=60),
            nullable=False,
            comment="Code of the lens, a saved filter; empty: everything.",
        ),
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_term_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "category", "term", "lens", name=op.f("pk_insight_term")),
        comment="The words by which a category differs from the others.",
    )
    op.create_table(
        "insight_topic",
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
            "topic",
            sa.String(length=60),
            nullable=False,
            comment="The topic; the id that it had in an earlier window.",
        ),
        sa.Column("terms", sa.Text(), nullable=False, comment="Its most telling words (c-TF-IDF)."),
        sa.Column(
            "category",
            sa.String(length=60),
            nullable=False,
            comment="The category that most of its texts have.",
        ),
        sa.Column(
            "count", sa.Integer(), nullable=False, comment="Manifestations in it, copies included."
        ),
        sa.Column("distinct_count", sa.Integer(), nullable=False, comment="Distinct texts in it."),
        sa.Column(
            "voices",
            sa.Integer(),
            nullable=False,
            comment="The distinct ones, with each author counted once a day.",
        ),
        sa.Column("negative", sa.Integer(), nullable=False, comment="Of the count, negative."),
        sa.Column(
            "n",
            sa.Integer(),
            nullable=False,
            comment="Manifestations among which topics were looked for.",
        ),
        sa.Column(
            "first_seen",
            sa.Date(),
            nullable=False,
            comment="Local day of its first text, in this window or the earlier ones it is known from.",
        ),
        sa.Column(
            "known",
            sa.Boolean(),
            nullable=True,
            comment="True where an earlier window had it; empty where there is no earlier window.",
        ),
        sa.Column(
            "recent",
            sa.Integer(),
            nullable=False,
            comment="Of the voices, those of the last seven days.",
        ),
        sa.Column(
            "growth",
            sa.Double(),
            nullable=False,
            comment="Voices a day in the last seven days by those before, half a voice added to each.",
        ),
        sa.Column(
            "growth_q",
            sa.Double(),
            nullable=True,
            comment="How likely chance alone grows one so much, adjusted for all topics.",
        ),
        sa.Column(
            "examples",
            sa.JSON(),
            nullable=False,
            comment="Ids of manifestations: the most central, then diverse ones.",
        ),
        sa.Column(
            "lens",
            sa.String(length=60),
            nullable=False,
            comment="Code of the lens, a saved filter; empty: everything.",
        ),
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_topic_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "topic", "lens", name=op.f("pk_insight_topic")),
        comment="Clusters of similar texts; an id stays from window to window.",
    )
    op.create_table(
        "topic_centroid",
        sa.Column("run_id", sa.String(length=40), nullable=False, comment="The run."),
        sa.Column("topic", sa.String(length=60), nullable=False, comment="The topic."),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "window_from", sa.Date(), nullable=False, comment="First local day of the window."
        ),
        sa.Column("model_version", sa.String(length=400), nullable=False, comment="The encoder."),
        sa.Column("first_seen", sa.Date(), nullable=False, comment="Local day of its first text."),
        sa.Column(
            "vector",
            sa.LargeBinary(),
            nullable=False,
            comment="Mean vector of its texts, little-endian single precision.",
        ),
        sa.Column(
            "lens",
            sa.String(length=60),
            nullable=False,
            comment="Code of the lens, a saved filter; empty: everything.",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_topic_centroid_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "topic", "lens", name=op.f("pk_topic_centroid")),
        comment="Where the topics of a run lie: the next window knows them by it.",
    )


def downgrade() -> None:
    op.drop_table("topic_centroid")
    op.drop_table("insight_topic")
    op.drop_table("insight_term")
    op.drop_table("insight_finding")
    op.drop_table("insight_evidence")
