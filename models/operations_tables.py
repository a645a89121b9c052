"""Tables of the operation: who is at work, what people were told, which models counted."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables import Base


class LeaseRow(Base):
    """Which process works on a municipality; nobody else may while its beats go on."""

    __tablename__ = "lease"
    __table_args__ = (
        {"comment": "Which process works on a municipality: no other may while its beats go on."},
    )

    municipality: Mapped[str] = mapped_column(
        String(60), primary_key=True, comment="Code of the municipality."
    )
    lane: Mapped[str] = mapped_column(
        String(60), primary_key=True, comment="What is exclusive: run or import."
    )
    token: Mapped[str] = mapped_column(
        String(32), comment="Random; each write of the holder checks that it is still this one."
    )
    beats: Mapped[int] = mapped_column(comment="Goes up while the holder lives.")
    host: Mapped[str] = mapped_column(Text, comment="Machine and process number, for people.")
    process: Mapped[str | None] = mapped_column(
        Text, comment="By what a process on the same machine sees that the holder is dead."
    )
    taken_at: Mapped[datetime] = mapped_column(comment="When it was taken.")
    beaten_at: Mapped[datetime] = mapped_column(comment="The holder's clock at its last beat.")


class NotificationRow(Base):
    """What people were told, so that they are not told twice."""

    __tablename__ = "notification"
    __table_args__ = (
        Index(None, "municipality", "sent_at"),
        {"comment": "What people were told, so that they are not told twice; no citizens' texts."},
    )

    municipality: Mapped[str] = mapped_column(
        String(60), primary_key=True, comment="Code of the municipality."
    )
    channel: Mapped[str] = mapped_column(
        String(60), primary_key=True, comment="Name of the channel; its address is no data."
    )
    topic: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="Hash of what it was about."
    )
    kind: Mapped[str] = mapped_column(String(60), comment="finding, alert or failure.")
    run_id: Mapped[str] = mapped_column(String(40), comment="The run that told it last.")
    sent_at: Mapped[datetime] = mapped_column(comment="When it was last told.")


class ModelVersionRow(Base):
    """What a model said of itself when it counted: its weights may be replaced later."""

    __tablename__ = "model_version"
    __table_args__ = (
        {
            "comment": "What each model that counted said of itself: scores, data, licence, the "
            "SHA-256 of its files."
        },
    )

    version: Mapped[str] = mapped_column(
        String(200), primary_key=True, comment="As classifications and runs name it."
    )
    licence: Mapped[str] = mapped_column(Text, comment="Of the weights.")
    manifest: Mapped[dict[str, Any]] = mapped_column(
        JSON, comment="The manifest.json beside the weights, as it was read."
    )
    kept_at: Mapped[datetime] = mapped_column(comment="When it was kept.")
