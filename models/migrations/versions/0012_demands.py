"""Demands, their history and figures, and readings of texts for review

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "demand",
        sa.Column(
            "id",
            sa.String(length=32),
            nullable=False,
            comment="Derived from the manifestation that founded it.",
        ),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column("category", sa.String(length=60), nullable=False, comment="Urban category."),
        sa.Column(
            "zone",
            sa.String(length=60),
            nullable=True,
            comment="Code of the zone; empty where no text names one.",
        ),
        sa.Column(
            "area",
            sa.Text(),
            nullable=True,
            comment="The responsible area; empty where none answers for the category.",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            nullable=False,
            comment="proposed, new, assigned, in-progress, answered, closed, rejected or merged.",
        ),
        sa.Column(
            "origin",
            sa.String(length=20),
            nullable=False,
            comment="proposed by the software, split from another, or open311.",
        ),
        sa.Column(
            "summary",
            sa.Text(),
            nullable=True,
            comment="What is asked, in the words of the person who confirmed it, masked.",
        ),
        sa.Column(
            "assignee",
            sa.String(length=60),
            nullable=True,
            comment="Code of the person who sees to it; no name.",
        ),
        sa.Column("due_on", sa.Date(), nullable=True, comment="Local day by which to answer."),
        sa.Column("reply", sa.Text(), nullable=True, comment="Public reply, plain text, masked."),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it was rejected, masked."),
        sa.Column(
            "external_id",
            sa.String(length=200),
            nullable=True,
            comment="Its identifier in another system (Open311 service_request_id).",
        ),
        sa.Column(
            "merged_into",
            sa.String(length=32),
            nullable=True,
            comment="The demand that took its texts over.",
        ),
        sa.Column(
            "follows",
            sa.String(length=32),
            nullable=True,
            comment="An ended demand that a near-duplicate of its first text belongs to.",
        ),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="Raised by every decision of a person: who decides on an older one is refused.",
        ),
        sa.Column(
            "proposed_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was made.",
        ),
        sa.Column(
            "confirmed_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="When a person confirmed it, or it came in: the time to answer runs from here.",
        ),
        sa.Column(
            "answered_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="When it was first answered.",
        ),
        sa.Column(
            "ended_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="When it was closed, rejected or merged.",
        ),
        sa.Column(
            "updated_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it last changed.",
        ),
        sa.ForeignKeyConstraint(
            ["follows"], ["demand.id"], name=op.f("fk_demand_follows_demand"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["merged_into"],
            ["demand.id"],
            name=op.f("fk_demand_merged_into_demand"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand")),
        comment="One thing that neighbours ask of the municipality; it holds no text of them.",
    )
    with op.batch_alter_table("demand", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_demand_municipality_status"), ["municipality", "status"], unique=False
        )

    op.create_table(
        "demand_event",
        sa.Column("id", sa.Integer(), nullable=False, comment="Serial number."),
        sa.Column("demand_id", sa.String(length=32), nullable=False, comment="The demand."),
        sa.Column(
            "at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it happened.",
        ),
        sa.Column(
            "actor",
            sa.String(length=60),
            nullable=False,
            comment="Code of the person, or «manifiesta» or «open311».",
        ),
        sa.Column(
            "action",
            sa.String(length=20),
            nullable=False,
            comment="propose, join, receive, confirm, assign, start, answer, close, reject, merge, split, update or purge.",
        ),
        sa.Column(
            "from_status", sa.String(length=20), nullable=True, comment="Where it stood before."
        ),
        sa.Column(
            "to_status", sa.String(length=20), nullable=False, comment="Where it stood after."
        ),
        sa.Column("note", sa.Text(), nullable=True, comment="Why, in a sentence, masked."),
        sa.Column(
            "detail",
            sa.JSON(),
            nullable=False,
            comment="What changed: fields with their former and new values, and how many texts.",
        ),
        sa.ForeignKeyConstraint(
            ["demand_id"],
            ["demand.id"],
            name=op.f("fk_demand_event_demand_id_demand"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_event")),
        comment="The history of demands: who did what, when and why; append-only.",
    )
    with op.batch_alter_table("demand_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_demand_event_demand_id"), ["demand_id"], unique=False)

    op.create_table(
        "demand_manifestation",
        sa.Column(
            "manifestation_id", sa.String(length=32), nullable=False, comment="The manifestation."
        ),
        sa.Column("demand_id", sa.String(length=32), nullable=False, comment="The demand."),
        sa.Column(
            "added_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it became part of this demand.",
        ),
        sa.Column(
            "why",
            sa.String(length=20),
            nullable=False,
            comment="founder, copy (near-duplicate), thread, alike (words, place and time), person.",
        ),
        sa.ForeignKeyConstraint(
            ["demand_id"],
            ["demand.id"],
            name=op.f("fk_demand_manifestation_demand_id_demand"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["manifestation_id"],
            ["manifestation.id"],
            name=op.f("fk_demand_manifestation_manifestation_id_manifestation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("manifestation_id", name=op.f("pk_demand_manifestation")),
        comment="Which manifestations a demand is made of; each is part of one at most.",
    )
    with op.batch_alter_table("demand_manifestation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_demand_manifestation_demand_id"), ["demand_id"], unique=False
        )

    op.create_table(
        "insight_demand_ageing",
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
            "dimension",
            sa.String(length=60),
            nullable=False,
            comment="all, category, area or zone.",
        ),
        sa.Column(
            "value",
            sa.String(length=300),
            nullable=False,
            comment="Code or name within the dimension; (none) without one; empty for all.",
        ),
        sa.Column(
            "band",
            sa.String(length=60),
            nullable=False,
            comment="Whole days since it was confirmed: 0-7, 8-15, 16-30, 31-90 or 91+.",
        ),
        sa.Column("as_of", sa.Date(), nullable=False, comment="Local day of counting."),
        sa.Column("count", sa.Integer(), nullable=False, comment="Waiting demands of this age."),
        sa.Column(
            "overdue",
            sa.Integer(),
            nullable=False,
            comment="Of the count, those past their due date.",
        ),
        sa.Column(
            "n", sa.Integer(), nullable=False, comment="Denominator: waiting demands of any age."
        ),
        sa.Column("share", sa.Double(), nullable=True, comment="count / n; empty where n is 0."),
        sa.Column("share_low", sa.Double(), nullable=True, comment="Lower end, Wilson 95 %."),
        sa.Column("share_high", sa.Double(), nullable=True, comment="Upper end, Wilson 95 %."),
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
            ["run_id"],
            ["run.id"],
            name=op.f("fk_insight_demand_ageing_run_id_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "lens", "dimension", "value", "band", name=op.f("pk_insight_demand_ageing")
        ),
        comment="Demands waiting for an answer on the day of counting, by how long they wait: confirmed, not answered, and first spoken of before the window's end.",
    )
    op.create_table(
        "insight_response_time",
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
            "dimension",
            sa.String(length=60),
            nullable=False,
            comment="all, category, area or zone.",
        ),
        sa.Column(
            "value",
            sa.String(length=300),
            nullable=False,
            comment="Code or name within the dimension; (none) without one; empty for all.",
        ),
        sa.Column("as_of", sa.Date(), nullable=False, comment="Local day of counting."),
        sa.Column("n", sa.Integer(), nullable=False, comment="Confirmed demands."),
        sa.Column(
            "answered", sa.Integer(), nullable=False, comment="Of n, those answered: the events."
        ),
        sa.Column(
            "censored",
            sa.Integer(),
            nullable=False,
            comment="Of n, those still waiting or rejected.",
        ),
        sa.Column(
            "median_days",
            sa.Double(),
            nullable=True,
            comment="Days by which half are answered; empty where that is not reached yet.",
        ),
        sa.Column("median_low", sa.Double(), nullable=True, comment="Lower end, 95 % (log-log)."),
        sa.Column(
            "median_high",
            sa.Double(),
            nullable=True,
            comment="Upper end, 95 %; empty where it cannot be told.",
        ),
        sa.Column(
            "p90_days",
            sa.Double(),
            nullable=True,
            comment="Days by which 90 % are answered; empty where that is not reached yet.",
        ),
        sa.Column("p90_low", sa.Double(), nullable=True, comment="Lower end, 95 % (log-log)."),
        sa.Column(
            "p90_high",
            sa.Double(),
            nullable=True,
            comment="Upper end, 95 %; empty where it cannot be told.",
        ),
        sa.Column(
            "due_n",
            sa.Integer(),
            nullable=False,
            comment="Demands with a due date that are answered, or are past it.",
        ),
        sa.Column(
            "on_time",
            sa.Integer(),
            nullable=False,
            comment="Of due_n, those answered by their due date.",
        ),
        sa.Column("on_time_share", sa.Double(), nullable=True, comment="on_time / due_n."),
        sa.Column("on_time_low", sa.Double(), nullable=True, comment="Lower end, Wilson 95 %."),
        sa.Column("on_time_high", sa.Double(), nullable=True, comment="Upper end, Wilson 95 %."),
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
            ["run_id"],
            ["run.id"],
            name=op.f("fk_insight_response_time_run_id_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "lens", "dimension", "value", name=op.f("pk_insight_response_time")
        ),
        comment="Days from confirmation to the answer (Kaplan-Meier: those that still wait, or were rejected, count until then), of confirmed demands spoken of in the window.",
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False, comment="Serial number."),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
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
            "queue",
            sa.String(length=20),
            nullable=False,
            comment="Why it was shown: random or second (drawn by chance), unsure, close, disputed.",
        ),
        sa.Column(
            "reader",
            sa.String(length=60),
            nullable=False,
            comment="Code of the person who read it.",
        ),
        sa.Column(
            "read_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was read.",
        ),
        sa.Column(
            "category", sa.String(length=60), nullable=False, comment="Urban category, as read."
        ),
        sa.Column("sentiment", sa.String(length=60), nullable=False, comment="Sentiment, as read."),
        sa.Column("intent", sa.String(length=60), nullable=False, comment="Intent, as read."),
        sa.Column(
            "model_version", sa.String(length=400), nullable=False, comment="The model then."
        ),
        sa.Column(
            "model_category", sa.String(length=60), nullable=False, comment="The model's category."
        ),
        sa.Column(
            "model_sentiment",
            sa.String(length=60),
            nullable=False,
            comment="The model's sentiment.",
        ),
        sa.Column(
            "model_intent", sa.String(length=60), nullable=False, comment="The model's intent."
        ),
        sa.ForeignKeyConstraint(
            ["manifestation_id"],
            ["manifestation.id"],
            name=op.f("fk_review_manifestation_id_manifestation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        comment="One reading of a text by a person, beside what the model said; append-only.",
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_review_manifestation_id_text_hash"),
            ["manifestation_id", "text_hash"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_review_municipality_queue"), ["municipality", "queue"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_review_municipality_queue"))
        batch_op.drop_index(batch_op.f("ix_review_manifestation_id_text_hash"))

    op.drop_table("review")
    op.drop_table("insight_response_time")
    op.drop_table("insight_demand_ageing")
    with op.batch_alter_table("demand_manifestation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_demand_manifestation_demand_id"))

    op.drop_table("demand_manifestation")
    with op.batch_alter_table("demand_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_demand_event_demand_id"))

    op.drop_table("demand_event")
    with op.batch_alter_table("demand", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_demand_municipality_status"))

    op.drop_table("demand")
