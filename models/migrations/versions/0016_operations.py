"""Leases, notifications, and what a rerun keeps of its partitions

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COMMENTS = (
    (
        "audit_event",
        "actor",
        "Who did it: user of the operating system, or a reader's code.",
    ),
    (
        "audit_event",
        "action",
        "What was done: purge, export, correct, a run's command, or a step like match.seal.",
    ),
    ("run", "command", "What started it: run, replay, rerun, import or aggregate."),
    ("run_partition", "stage", "collect, classify or count."),
    ("run_partition", "state", "pending, running, done, partial or failed."),
)


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "lane",
            sa.String(length=60),
            nullable=False,
            comment="What is exclusive: run or import.",
        ),
        sa.Column(
            "token",
            sa.String(length=32),
            nullable=False,
            comment="Random; each write of the holder checks that it is still this one.",
        ),
        sa.Column("beats", sa.Integer(), nullable=False, comment="Goes up while the holder lives."),
        sa.Column(
            "host", sa.Text(), nullable=False, comment="Machine and process number, for people."
        ),
        sa.Column(
            "process",
            sa.Text(),
            nullable=True,
            comment="By what a process on the same machine sees that the holder is dead.",
        ),
        sa.Column(
            "taken_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was taken.",
        ),
        sa.Column(
            "beaten_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="The holder's clock at its last beat.",
        ),
        sa.PrimaryKeyConstraint("municipality", "lane", name=op.f("pk_lease")),
        comment="Which process works on a municipality: no other may while its beats go on.",
    )
    op.create_table(
        "notification",
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code of the municipality.",
        ),
        sa.Column(
            "channel",
            sa.String(length=60),
            nullable=False,
            comment="Name of the channel; its address is no data.",
        ),
        sa.Column(
            "topic", sa.String(length=64), nullable=False, comment="Hash of what it was about."
        ),
        sa.Column(
            "kind", sa.String(length=60), nullable=False, comment="finding, alert or failure."
        ),
        sa.Column(
            "run_id", sa.String(length=40), nullable=False, comment="The run that told it last."
        ),
        sa.Column(
            "sent_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was last told.",
        ),
        sa.PrimaryKeyConstraint("municipality", "channel", "topic", name=op.f("pk_notification")),
        comment="What people were told, so that they are not told twice; no citizens' texts.",
    )
    op.create_index(
        op.f("ix_notification_municipality_sent_at"),
        "notification",
        ["municipality", "sent_at"],
        unique=False,
    )
    op.add_column(
        "run",
        sa.Column(
            "options",
            sa.JSON(),
            nullable=True,
            comment="How it was asked for, so that it can be resumed.",
        ),
    )
    op.add_column(
        "run_partition",
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="How often the run began it.",
        ),
    )
    op.add_column(
        "run_partition",
        sa.Column(
            "version",
            sa.Text(),
            nullable=True,
            comment="What it was made with: software and source, model and taxonomy, or recipe.",
        ),
    )
    op.add_column(
        "run_partition",
        sa.Column(
            "checksum",
            sa.String(length=64),
            nullable=True,
            comment="Digest of the rows that the stage left for this day.",
        ),
    )
    op.create_index(op.f("ix_run_municipality_started_at"), "run", ["municipality", "started_at"])
    op.create_index(op.f("ix_run_partition_day_stage"), "run_partition", ["day", "stage"])
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        for table, column, comment in COMMENTS:
            op.alter_column(table, column, comment=comment)


def downgrade() -> None:
    op.drop_index(op.f("ix_run_partition_day_stage"), table_name="run_partition")
    op.drop_index(op.f("ix_run_municipality_started_at"), table_name="run")
    op.drop_index(op.f("ix_notification_municipality_sent_at"), table_name="notification")
    op.drop_table("notification")
    op.drop_table("lease")
    with op.batch_alter_table("run_partition") as table:
        for name in ("checksum", "version", "attempts"):
            table.drop_column(name)
    with op.batch_alter_table("run") as table:
        table.drop_column("options")
