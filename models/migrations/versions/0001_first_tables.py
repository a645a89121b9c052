"""First tables

Revision: 0001, after None
"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "manifestation",
        sa.Column(
            "id",
            sa.String(length=32),
            nullable=False,
            comment="Derived from municipality, source and external id.",
        ),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "source", sa.String(length=60), nullable=False, comment="The source that gave it."
        ),
        sa.Column("external_id", sa.Text(), nullable=False, comment="Identifier at the source."),
        sa.Column(
            "kind", sa.String(length=60), nullable=False, comment="article, comment or post."
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="Title, masked."),
        sa.Column("text", sa.Text(), nullable=False, comment="Text, masked."),
        sa.Column(
            "text_hash",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of title and text without case, accents and spacing.",
        ),
        sa.Column(
            "author",
            sa.String(length=60),
            nullable=True,
            comment="Keyed pseudonym of the author; the name is never stored.",
        ),
        sa.Column("url", sa.Text(), nullable=True, comment="Public address."),
        sa.Column(
            "said_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was said, according to the source.",
        ),
        sa.Column("said_on", sa.Date(), nullable=False, comment="Local day on which it was said."),
        sa.Column(
            "fetched_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When this text was first fetched.",
        ),
        sa.Column(
            "parent_id",
            sa.String(length=32),
            nullable=True,
            comment="The manifestation that it replies to.",
        ),
        sa.Column(
            "thread_id",
            sa.String(length=32),
            nullable=True,
            comment="The manifestation that opened its thread.",
        ),
        sa.Column(
            "capture_id",
            sa.String(length=64),
            nullable=True,
            comment="The raw response that it was extracted from.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifestation")),
        sa.UniqueConstraint(
            "municipality",
            "source",
            "external_id",
            name=op.f("uq_manifestation_municipality_source_external_id"),
        ),
        comment="One public expression, its author pseudonymised and personal data masked.",
    )
    with op.batch_alter_table("manifestation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_manifestation_municipality_said_on"),
            ["municipality", "said_on"],
            unique=False,
        )

    op.create_table(
        "run",
        sa.Column(
            "id",
            sa.String(length=40),
            nullable=False,
            comment="Identifier: start time and six random digits.",
        ),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "command",
            sa.String(length=60),
            nullable=False,
            comment="What started it: run, replay, import, classify or aggregate.",
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
            "state",
            sa.String(length=60),
            nullable=False,
            comment="running, done, partial (a source failed) or failed.",
        ),
        sa.Column(
            "started_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it started.",
        ),
        sa.Column(
            "finished_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="When it ended.",
        ),
        sa.Column(
            "model_version",
            sa.Text(),
            nullable=True,
            comment="Version of the classifier that was used.",
        ),
        sa.Column(
            "taxonomy_version",
            sa.String(length=60),
            nullable=False,
            comment="Version of the taxonomy that was used.",
        ),
        sa.Column(
            "software_version",
            sa.String(length=60),
            nullable=False,
            comment="Version of Manifiesta.",
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="Why it failed, if it did."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        comment="One execution of the pipeline for one municipality.",
    )
    op.create_table(
        "source",
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "name",
            sa.String(length=60),
            nullable=False,
            comment="Code of the source within its municipality.",
        ),
        sa.Column(
            "title", sa.Text(), nullable=False, comment="Name that a reader knows the source by."
        ),
        sa.Column(
            "protocol",
            sa.String(length=60),
            nullable=False,
            comment="How it is read: feed, pages or upload.",
        ),
        sa.Column(
            "config",
            sa.JSON(),
            nullable=False,
            comment="The whole configuration; for uploads the remembered column mapping.",
        ),
        sa.Column(
            "updated_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When this row last changed.",
        ),
        sa.PrimaryKeyConstraint("municipality", "name", name=op.f("pk_source")),
        comment="One configured public place to read, as it was when last used.",
    )
    op.create_table(
        "capture",
        sa.Column("id", sa.String(length=64), nullable=False, comment="WARC record id."),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "source",
            sa.String(length=60),
            nullable=False,
            comment="The source that was being read.",
        ),
        sa.Column(
            "run_id", sa.String(length=40), nullable=False, comment="The run that fetched it."
        ),
        sa.Column(
            "url", sa.Text(), nullable=False, comment="Address of the response, after redirects."
        ),
        sa.Column("status", sa.Integer(), nullable=False, comment="HTTP status."),
        sa.Column(
            "fetched_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was fetched.",
        ),
        sa.Column("content_type", sa.Text(), nullable=False, comment="Content-Type header."),
        sa.Column("size", sa.Integer(), nullable=False, comment="Size of the body in bytes."),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="SHA-256 of the body."),
        sa.Column(
            "warc_file", sa.Text(), nullable=False, comment="WARC file, relative to the archive."
        ),
        sa.Column(
            "warc_offset",
            sa.Integer(),
            nullable=False,
            comment="Byte offset of the record in the file.",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_capture_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capture")),
        comment="One raw response as it came over the wire, and where its WARC record lies.",
    )
    with op.batch_alter_table("capture", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_capture_municipality_source"), ["municipality", "source"], unique=False
        )

    op.create_table(
        "classification",
        sa.Column(
            "manifestation_id", sa.String(length=32), nullable=False, comment="The manifestation."
        ),
        sa.Column(
            "text_hash",
            sa.String(length=64),
            nullable=False,
            comment="The text that was classified: an edit has another.",
        ),
        sa.Column(
            "model_version",
            sa.String(length=400),
            nullable=False,
            comment="The model that classified it.",
        ),
        sa.Column(
            "taxonomy_version",
            sa.String(length=60),
            nullable=False,
            comment="The taxonomy that its labels belong to.",
        ),
        sa.Column(
            "category",
            sa.String(length=60),
            nullable=False,
            comment="Most probable urban category.",
        ),
        sa.Column(
            "sentiment", sa.String(length=60), nullable=False, comment="Most probable sentiment."
        ),
        sa.Column("intent", sa.String(length=60), nullable=False, comment="Most probable intent."),
        sa.Column(
            "confidence",
            sa.Double(),
            nullable=False,
            comment="Calibrated probability of the category.",
        ),
        sa.Column(
            "abstained",
            sa.Boolean(),
            nullable=False,
            comment="True where the confidence is under the model's threshold.",
        ),
        sa.Column("categories", sa.JSON(), nullable=False, comment="Probability of each category."),
        sa.Column(
            "sentiments", sa.JSON(), nullable=False, comment="Probability of each sentiment."
        ),
        sa.Column("intents", sa.JSON(), nullable=False, comment="Probability of each intent."),
        sa.ForeignKeyConstraint(
            ["manifestation_id"],
            ["manifestation.id"],
            name=op.f("fk_classification_manifestation_id_manifestation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "manifestation_id",
            "text_hash",
            "model_version",
            "taxonomy_version",
            name=op.f("pk_classification"),
        ),
        comment="Labels and probabilities for one text by one model version; append-only.",
    )
    op.create_table(
        "insight_category",
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
            comment="The same, with identical texts counted once.",
        ),
        sa.Column(
            "n",
            sa.Integer(),
            nullable=False,
            comment="Denominator of the shares: classified manifestations.",
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_category_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "category", name=op.f("pk_insight_category")),
        comment="The window by urban category.",
    )
    op.create_table(
        "insight_day",
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
        sa.Column("day", sa.Date(), nullable=False, comment="Local day."),
        sa.Column(
            "complete", sa.Boolean(), nullable=False, comment="True where every source was read."
        ),
        sa.Column("count", sa.Integer(), nullable=False, comment="Manifestations with this label."),
        sa.Column(
            "distinct_count",
            sa.Integer(),
            nullable=False,
            comment="The same, with identical texts counted once.",
        ),
        sa.Column(
            "n",
            sa.Integer(),
            nullable=False,
            comment="Denominator of the shares: classified manifestations.",
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_day_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "day", name=op.f("pk_insight_day")),
        comment="The window by local day.",
    )
    op.create_table(
        "insight_overview",
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
            "measure",
            sa.String(length=60),
            nullable=False,
            comment="total, sentiment, intent, kind or certainty.",
        ),
        sa.Column(
            "label", sa.String(length=60), nullable=False, comment="The label within the measure."
        ),
        sa.Column("count", sa.Integer(), nullable=False, comment="Manifestations with this label."),
        sa.Column(
            "distinct_count",
            sa.Integer(),
            nullable=False,
            comment="The same, with identical texts counted once.",
        ),
        sa.Column(
            "n",
            sa.Integer(),
            nullable=False,
            comment="Denominator of the shares: classified manifestations.",
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_overview_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "measure", "label", name=op.f("pk_insight_overview")),
        comment="The whole window by sentiment, intent, kind and certainty.",
    )
    op.create_table(
        "insight_source",
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
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column(
            "state",
            sa.String(length=60),
            nullable=False,
            comment="done, partial, failed or unread: whether every day of the window was read.",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it is partial or failed."),
        sa.Column(
            "rejected", sa.Integer(), nullable=False, comment="Input records rejected in this run."
        ),
        sa.Column(
            "ignored",
            sa.Integer(),
            nullable=False,
            comment="Input records ignored for a stated reason.",
        ),
        sa.Column("count", sa.Integer(), nullable=False, comment="Manifestations with this label."),
        sa.Column(
            "distinct_count",
            sa.Integer(),
            nullable=False,
            comment="The same, with identical texts counted once.",
        ),
        sa.Column(
            "n",
            sa.Integer(),
            nullable=False,
            comment="Denominator of the shares: classified manifestations.",
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
            ["run_id"], ["run.id"], name=op.f("fk_insight_source_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "source", name=op.f("pk_insight_source")),
        comment="The window by source, with the state of each source.",
    )
    op.create_table(
        "rejection",
        sa.Column("id", sa.Integer(), nullable=False, comment="Serial number."),
        sa.Column("run_id", sa.String(length=40), nullable=False, comment="The run that met it."),
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column(
            "outcome",
            sa.String(length=60),
            nullable=False,
            comment="The reason, one of a closed list.",
        ),
        sa.Column(
            "ignored",
            sa.Boolean(),
            nullable=False,
            comment="True where a healthy source may have it (a duplicate, say); false: look at it.",
        ),
        sa.Column(
            "place", sa.Text(), nullable=False, comment="Where: an address, or a file and its line."
        ),
        sa.Column("detail", sa.Text(), nullable=False, comment="What was wrong."),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_rejection_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejection")),
        comment="An input record that was not stored, and why; never the record's text.",
    )
    with op.batch_alter_table("rejection", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rejection_run_id_source"), ["run_id", "source"], unique=False
        )

    op.create_table(
        "run_partition",
        sa.Column("run_id", sa.String(length=40), nullable=False, comment="The run."),
        sa.Column("source", sa.String(length=60), nullable=False, comment="The source."),
        sa.Column("day", sa.Date(), nullable=False, comment="The local day."),
        sa.Column("stage", sa.String(length=60), nullable=False, comment="collect or classify."),
        sa.Column(
            "state",
            sa.String(length=60),
            nullable=False,
            comment="running, done, partial or failed.",
        ),
        sa.Column(
            "rows",
            sa.Integer(),
            nullable=False,
            comment="Manifestations that the stage holds for this day.",
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="Why it failed or is partial."),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_run_partition_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "source", "day", "stage", name=op.f("pk_run_partition")),
        comment="The ledger: what one run did for one source, one local day and one stage.",
    )


def downgrade() -> None:
    op.drop_table("run_partition")
    with op.batch_alter_table("rejection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rejection_run_id_source"))

    op.drop_table("rejection")
    op.drop_table("insight_source")
    op.drop_table("insight_overview")
    op.drop_table("insight_day")
    op.drop_table("insight_category")
    op.drop_table("classification")
    with op.batch_alter_table("capture", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_capture_municipality_source"))

    op.drop_table("capture")
    op.drop_table("source")
    op.drop_table("run")
    with op.batch_alter_table("manifestation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_manifestation_municipality_said_on"))

    op.drop_table("manifestation")
