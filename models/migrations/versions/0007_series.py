"""Series, changes, intents, voices, lenses, corrections; partitions counted incrementally

Revision: 0007, after 0006
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEYS = {
    "insight_overview": ("measure", "label"),
    "insight_category": ("category",),
    "insight_day": ("day",),
    "insight_source": ("source",),
    "insight_place": ("zone",),
}


def upgrade() -> None:
    op.create_table(
        "partition_facts",
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column("day", sa.Date(), nullable=False, comment="The local day."),
        sa.Column(
            "recipe",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the model, taxonomy, zones and lenses that it was made with.",
        ),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="The partition's version that it was made of.",
        ),
        sa.Column("rows", sa.Integer(), nullable=False, comment="Classified manifestations."),
        sa.Column(
            "texts",
            sa.String(length=16),
            nullable=False,
            comment="Digest of the manifestations and their texts.",
        ),
        sa.Column(
            "corrections",
            sa.String(length=16),
            nullable=False,
            comment="Digest of the labels that people have given.",
        ),
        sa.Column(
            "labels",
            sa.String(length=16),
            nullable=False,
            comment="Digest of everything that is counted.",
        ),
        sa.Column(
            "facts",
            sa.LargeBinary(),
            nullable=False,
            comment="One record per manifestation; `pipelines.facts` says how it is read.",
        ),
        sa.PrimaryKeyConstraint("municipality", "source", "day", name=op.f("pk_partition_facts")),
        comment="A source's local day made ready for counting; it can be derived again.",
    )
    op.create_table(
        "partition_version",
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column("day", sa.Date(), nullable=False, comment="The local day."),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="Raised by every write that may change a count of this day.",
        ),
        sa.PrimaryKeyConstraint("municipality", "source", "day", name=op.f("pk_partition_version")),
        comment="How often what is counted of a source's local day has changed in the store.",
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False, comment="Serial number."),
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
            "category",
            sa.String(length=60),
            nullable=True,
            comment="Urban category; empty where the person leaves it as it is.",
        ),
        sa.Column(
            "sentiment",
            sa.String(length=60),
            nullable=True,
            comment="Sentiment; empty where the person leaves it as it is.",
        ),
        sa.Column(
            "intent",
            sa.String(length=60),
            nullable=True,
            comment="Intent; empty where the person leaves it as it is.",
        ),
        sa.Column("reader", sa.Text(), nullable=False, comment="Who corrected it."),
        sa.Column(
            "corrected_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was corrected.",
        ),
        sa.ForeignKeyConstraint(
            ["manifestation_id"],
            ["manifestation.id"],
            name=op.f("fk_correction_manifestation_id_manifestation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        comment="A person's labels for one text; append-only, they outrank classifications.",
    )
    op.create_index(
        op.f("ix_correction_manifestation_id_text_hash"),
        "correction",
        ["manifestation_id", "text_hash"],
        unique=False,
    )

    op.create_table(
        "insight_change",
        sa.Column("run_id", sa.String(length=40), nullable=False, comment="The run that counted."),
        sa.Column(
            "lens",
            sa.String(length=60),
            nullable=False,
            comment="Code of the lens, a saved filter; empty: everything.",
        ),
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
            "baseline",
            sa.String(length=60),
            nullable=False,
            comment="previous (the window of the same length before), or the run whose window it is.",
        ),
        sa.Column(
            "baseline_from",
            sa.Date(),
            nullable=False,
            comment="First local day of the earlier window.",
        ),
        sa.Column(
            "baseline_to",
            sa.Date(),
            nullable=False,
            comment="Local day after the last of the earlier window.",
        ),
        sa.Column(
            "dimension",
            sa.String(length=60),
            nullable=False,
            comment="category, sentiment, intent, source or zone.",
        ),
        sa.Column("value", sa.String(length=60), nullable=False, comment="The label."),
        sa.Column(
            "second_dimension",
            sa.String(length=60),
            nullable=False,
            comment="Of a pair, the second dimension; else empty.",
        ),
        sa.Column(
            "second_value",
            sa.String(length=60),
            nullable=False,
            comment="Of a pair, the second label; else empty.",
        ),
        sa.Column(
            "count",
            sa.Integer(),
            nullable=False,
            comment="Manifestations with this label in the window.",
        ),
        sa.Column(
            "n",
            sa.Integer(),
            nullable=False,
            comment="Denominator: all counted in the window; of a pair, those with its first label.",
        ),
        sa.Column("share", sa.Double(), nullable=True, comment="count / n; empty where n is 0."),
        sa.Column(
            "before_count", sa.Integer(), nullable=False, comment="The count in the earlier window."
        ),
        sa.Column(
            "before_n",
            sa.Integer(),
            nullable=False,
            comment="The denominator in the earlier window.",
        ),
        sa.Column(
            "before_share",
            sa.Double(),
            nullable=True,
            comment="before_count / before_n; empty where before_n is 0.",
        ),
        sa.Column("difference", sa.Double(), nullable=True, comment="share - before_share."),
        sa.Column(
            "difference_low",
            sa.Double(),
            nullable=True,
            comment="Lower end, 95 % (Newcombe 1998, hybrid score); empty where not comparable.",
        ),
        sa.Column("difference_high", sa.Double(), nullable=True, comment="Upper end of it."),
        sa.Column(
            "p_value",
            sa.Double(),
            nullable=True,
            comment="Of no difference, by the score test; empty where not comparable.",
        ),
        sa.Column(
            "q_value",
            sa.Double(),
            nullable=True,
            comment="The same, controlled for the many rows compared (Benjamini and Hochberg 1995): of the rows with q at most 0.05, one in twenty is chance.",
        ),
        sa.Column(
            "comparable",
            sa.Boolean(),
            nullable=False,
            comment="True where some source was read to the end in both and all texts are classified.",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it is not comparable."),
        sa.Column(
            "sources_compared",
            sa.Integer(),
            nullable=False,
            comment="Sources that were read to the end in both windows.",
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_change_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "run_id",
            "lens",
            "baseline",
            "dimension",
            "value",
            "second_dimension",
            "second_value",
            name=op.f("pk_insight_change"),
        ),
        comment="The window beside an earlier one: differences of shares, and how sure they are. Both are counted over the sources that were read to the end in both.",
    )
    op.create_table(
        "insight_intent",
        sa.Column("run_id", sa.String(length=40), nullable=False, comment="The run that counted."),
        sa.Column(
            "lens",
            sa.String(length=60),
            nullable=False,
            comment="Code of the lens, a saved filter; empty: everything.",
        ),
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
        sa.Column("intent", sa.String(length=60), nullable=False, comment="The intent."),
        sa.Column(
            "unsure",
            sa.Integer(),
            nullable=False,
            comment="Of the count, those under the model's confidence threshold.",
        ),
        sa.Column("count", sa.Integer(), nullable=False, comment="Manifestations with this label."),
        sa.Column(
            "distinct_count",
            sa.Integer(),
            nullable=False,
            comment="The same, with each cluster of near-duplicates counted once.",
        ),
        sa.Column(
            "voices",
            sa.Integer(),
            nullable=True,
            comment="The same, with each author counted once per category and local day; empty in rows older than this column.",
        ),
        sa.Column(
            "anonymous",
            sa.Integer(),
            nullable=True,
            comment="Of the voices, manifestations of unknown author: each counts as one voice.",
        ),
        sa.Column(
            "authors",
            sa.Integer(),
            nullable=True,
            comment="Distinct authors; each manifestation of unknown author counts as one of its own.",
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
        sa.Column(
            "corrected_share",
            sa.Double(),
            nullable=True,
            comment="Share corrected with the classifier's confusion matrix on labelled texts.",
        ),
        sa.Column(
            "corrected_low", sa.Double(), nullable=True, comment="Lower end, bootstrap 95 %."
        ),
        sa.Column(
            "corrected_high", sa.Double(), nullable=True, comment="Upper end, bootstrap 95 %."
        ),
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_intent_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "lens", "intent", name=op.f("pk_insight_intent")),
        comment="The window by intent: what the neighbours want.",
    )
    op.create_table(
        "insight_series",
        sa.Column("run_id", sa.String(length=40), nullable=False, comment="The run that counted."),
        sa.Column(
            "lens",
            sa.String(length=60),
            nullable=False,
            comment="Code of the lens, a saved filter; empty: everything.",
        ),
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
            "grain",
            sa.String(length=60),
            nullable=False,
            comment="day, week (ISO), month or window.",
        ),
        sa.Column(
            "period",
            sa.String(length=60),
            nullable=False,
            comment="2026-03-01, 2026-W09, 2026-03, or window.",
        ),
        sa.Column(
            "period_from",
            sa.Date(),
            nullable=False,
            comment="First local day of the period that lies in the window.",
        ),
        sa.Column(
            "period_to",
            sa.Date(),
            nullable=False,
            comment="Local day after the last of the period that lies in the window.",
        ),
        sa.Column(
            "complete",
            sa.Boolean(),
            nullable=False,
            comment="True where the window holds the whole period and every source was read for it.",
        ),
        sa.Column(
            "dimension",
            sa.String(length=60),
            nullable=False,
            comment="all, category, sentiment, intent, source or zone.",
        ),
        sa.Column("value", sa.String(length=60), nullable=False, comment="The label; all for all."),
        sa.Column(
            "second_dimension",
            sa.String(length=60),
            nullable=False,
            comment="Of a pair (from the week up), the second dimension; else empty.",
        ),
        sa.Column(
            "second_value",
            sa.String(length=60),
            nullable=False,
            comment="Of a pair, the second label; else empty.",
        ),
        sa.Column(
            "n",
            sa.Integer(),
            nullable=False,
            comment="Denominator: all counted in the period; of a pair, those with its first label.",
        ),
        sa.Column("count", sa.Integer(), nullable=False, comment="Manifestations with this label."),
        sa.Column(
            "distinct_count",
            sa.Integer(),
            nullable=False,
            comment="The same, with each cluster of near-duplicates counted once.",
        ),
        sa.Column(
            "voices",
            sa.Integer(),
            nullable=True,
            comment="The same, with each author counted once per category and local day; empty in rows older than this column.",
        ),
        sa.Column(
            "anonymous",
            sa.Integer(),
            nullable=True,
            comment="Of the voices, manifestations of unknown author: each counts as one voice.",
        ),
        sa.Column(
            "authors",
            sa.Integer(),
            nullable=True,
            comment="Distinct authors; each manifestation of unknown author counts as one of its own.",
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_series_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "run_id",
            "lens",
            "grain",
            "period",
            "dimension",
            "value",
            "second_dimension",
            "second_value",
            name=op.f("pk_insight_series"),
        ),
        comment="By day, ISO week, month and whole window: every label, and pairs of labels. A pair, or a label under a lens, that has no row was counted 0 times.",
    )
    op.create_table(
        "lens_match",
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
            "lenses",
            sa.String(length=60),
            nullable=False,
            comment="Identifier of the lenses and their words.",
        ),
        sa.Column(
            "codes",
            sa.Text(),
            nullable=False,
            comment="Codes of the lenses whose words the text has, with spaces between them.",
        ),
        sa.ForeignKeyConstraint(
            ["manifestation_id"],
            ["manifestation.id"],
            name=op.f("fk_lens_match_manifestation_id_manifestation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "manifestation_id", "text_hash", "lenses", name=op.f("pk_lens_match")
        ),
        comment="Through which lenses a text is seen, by one set of lenses; none included.",
    )
    op.create_table(
        "run_input",
        sa.Column("run_id", sa.String(length=40), nullable=False, comment="The run."),
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column("day", sa.Date(), nullable=False, comment="The local day."),
        sa.Column(
            "recipe",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the model, taxonomy, zones and lenses.",
        ),
        sa.Column("rows", sa.Integer(), nullable=False, comment="Classified manifestations."),
        sa.Column(
            "texts",
            sa.String(length=16),
            nullable=False,
            comment="Digest of the manifestations and their texts.",
        ),
        sa.Column(
            "corrections",
            sa.String(length=16),
            nullable=False,
            comment="Digest of the labels that people have given.",
        ),
        sa.Column(
            "labels",
            sa.String(length=16),
            nullable=False,
            comment="Digest of everything that is counted.",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_run_input_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "source", "day", name=op.f("pk_run_input")),
        comment="What a run counted, by source and local day, as digests.",
    )

    for table, key in _KEYS.items():
        with op.batch_alter_table(table) as batch:
            for column in _added(table):
                batch.add_column(column)
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", ["run_id", "lens", *key])
        with op.batch_alter_table(table) as batch:
            batch.alter_column("lens", server_default=None)
    op.execute(
        "INSERT INTO partition_version (municipality, source, day, version) "
        "SELECT municipality, source, said_on, 1 FROM manifestation "
        "GROUP BY municipality, source, said_on"
    )


def downgrade() -> None:
    for table, key in _KEYS.items():
        op.execute(sa.text(f"DELETE FROM {table} WHERE lens <> ''"))  # noqa: S608
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", ["run_id", *key])
            for column in _added(table):
                batch.drop_column(column.name)
    for table in (
        "insight_change",
        "insight_series",
        "insight_intent",
        "lens_match",
        "run_input",
        "correction",
        "partition_facts",
        "partition_version",
    ):
        op.drop_table(table)


def _added(table: str) -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = [
        sa.Column(
            "lens",
            sa.String(length=60),
            nullable=False,
            server_default="",
            comment="Code of the lens, a saved filter; empty: everything.",
        ),
        sa.Column(
            "voices",
            sa.Integer(),
            nullable=True,
            comment="The same, with each author counted once per category and local day; empty in rows older than this column.",
        ),
        sa.Column(
            "anonymous",
            sa.Integer(),
            nullable=True,
            comment="Of the voices, manifestations of unknown author: each counts as one voice.",
        ),
        sa.Column(
            "authors",
            sa.Integer(),
            nullable=True,
            comment="Distinct authors; each manifestation of unknown author counts as one of its own.",
        ),
    ]
    if table == "insight_source":
        columns += [
            sa.Column(
                "voice_n",
                sa.Integer(),
                nullable=True,
                comment="Denominator: voices of all sources.",
            ),
            sa.Column(
                "voice_share",
                sa.Double(),
                nullable=True,
                comment="Share of voice: voices / voice_n; empty where voice_n is 0.",
            ),
            sa.Column("voice_low", sa.Double(), nullable=True, comment="Lower end, Wilson 95 %."),
            sa.Column("voice_high", sa.Double(), nullable=True, comment="Upper end, Wilson 95 %."),
        ]
    return columns
