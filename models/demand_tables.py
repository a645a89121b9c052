"""The tables of demands: what neighbours ask for, who answers, and how it went."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables import Base


class DemandRow(Base):
    """One thing that neighbours ask of the municipality, made of what several of them said."""

    __tablename__ = "demand"
    __table_args__ = (
        Index(None, "municipality", "status"),
        {"comment": "One thing that neighbours ask of the municipality; it holds no text of them."},
    )

    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, comment="Derived from the manifestation that founded it."
    )
    municipality: Mapped[str] = mapped_column(String(60), comment="Code of the municipality.")
    category: Mapped[str] = mapped_column(String(60), comment="Urban category.")
    zone: Mapped[str | None] = mapped_column(
        String(60), comment="Code of the zone; empty where no text names one."
    )
    area: Mapped[str | None] = mapped_column(
        Text, comment="The responsible area; empty where none answers for the category."
    )
    status: Mapped[str] = mapped_column(
        String(20),
        comment="proposed, new, assigned, in-progress, answered, closed, rejected or merged.",
    )
    origin: Mapped[str] = mapped_column(
        String(20), comment="proposed by the software, split from another, or open311."
    )
    summary: Mapped[str | None] = mapped_column(
        Text, comment="What is asked, in the words of the person who confirmed it, masked."
    )
    assignee: Mapped[str | None] = mapped_column(
        String(60), comment="Code of the person who sees to it; no name."
    )
    due_on: Mapped[date | None] = mapped_column(comment="Local day by which to answer.")
    reply: Mapped[str | None] = mapped_column(Text, comment="Public reply, plain text, masked.")
    reason: Mapped[str | None] = mapped_column(Text, comment="Why it was rejected, masked.")
    external_id: Mapped[str | None] = mapped_column(
        String(200), comment="Its identifier in another system (Open311 service_request_id)."
    )
    merged_into: Mapped[str | None] = mapped_column(
        ForeignKey("demand.id", ondelete="SET NULL"), comment="The demand that took its texts over."
    )
    follows: Mapped[str | None] = mapped_column(
        ForeignKey("demand.id", ondelete="SET NULL"),
        comment="An ended demand that a near-duplicate of its first text belongs to.",
    )
    version: Mapped[int] = mapped_column(
        comment="Raised by every decision of a person: who decides on an older one is refused."
    )
    proposed_at: Mapped[datetime] = mapped_column(comment="When it was made.")
    confirmed_at: Mapped[datetime | None] = mapped_column(
        comment="When a person confirmed it, or it came in: the time to answer runs from here."
    )
    answered_at: Mapped[datetime | None] = mapped_column(comment="When it was first answered.")
    ended_at: Mapped[datetime | None] = mapped_column(
        comment="When it was closed, rejected or merged."
    )
    updated_at: Mapped[datetime] = mapped_column(comment="When it last changed.")


class DemandManifestationRow(Base):
    """Which manifestations a demand is made of; each is part of one demand at most."""

    __tablename__ = "demand_manifestation"
    __table_args__ = (
        Index(None, "demand_id"),
        {"comment": "Which manifestations a demand is made of; each is part of one at most."},
    )

    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The manifestation.",
    )
    demand_id: Mapped[str] = mapped_column(
        ForeignKey("demand.id", ondelete="CASCADE"), comment="The demand."
    )
    added_at: Mapped[datetime] = mapped_column(comment="When it became part of this demand.")
    why: Mapped[str] = mapped_column(
        String(20),
        comment="founder, copy (near-duplicate), thread, alike (words, place and time), person.",
    )


class DemandEventRow(Base):
    """The history of demands: who did what, when and why; rows are only added."""

    __tablename__ = "demand_event"
    __table_args__ = (
        Index(None, "demand_id"),
        {"comment": "The history of demands: who did what, when and why; append-only."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Serial number.")
    demand_id: Mapped[str] = mapped_column(
        ForeignKey("demand.id", ondelete="CASCADE"), comment="The demand."
    )
    at: Mapped[datetime] = mapped_column(comment="When it happened.")
    actor: Mapped[str] = mapped_column(
        String(60), comment="Code of the person, or «manifiesta» or «open311»."
    )
    action: Mapped[str] = mapped_column(
        String(20),
        comment="propose, join, receive, confirm, assign, start, answer, close, reject, reopen, "
        "merge, split, update or purge.",
    )
    from_status: Mapped[str | None] = mapped_column(String(20), comment="Where it stood before.")
    to_status: Mapped[str] = mapped_column(String(20), comment="Where it stood after.")
    note: Mapped[str | None] = mapped_column(Text, comment="Why, in a sentence, masked.")
    detail: Mapped[dict[str, Any]] = mapped_column(
        comment="What changed: fields with their former and new values, and how many texts."
    )


class ReviewRow(Base):
    """One reading of a text by a person, beside what the model had said; rows are only added."""

    __tablename__ = "review"
    __table_args__ = (
        Index(None, "municipality", "queue"),
        Index(None, "manifestation_id", "text_hash"),
        {"comment": "One reading of a text by a person, beside what the model said; append-only."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Serial number.")
    municipality: Mapped[str] = mapped_column(String(60), comment="Code of the municipality.")
    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"), comment="The manifestation."
    )
    text_hash: Mapped[str] = mapped_column(
        String(64), comment="The text that was read: an edit has another."
    )
    queue: Mapped[str] = mapped_column(
        String(20),
        comment="Why it was shown: random or second (drawn by chance), unsure, close, disputed.",
    )
    reader: Mapped[str] = mapped_column(String(60), comment="Code of the person who read it.")
    read_at: Mapped[datetime] = mapped_column(comment="When it was read.")
    category: Mapped[str] = mapped_column(String(60), comment="Urban category, as read.")
    sentiment: Mapped[str] = mapped_column(String(60), comment="Sentiment, as read.")
    intent: Mapped[str] = mapped_column(String(60), comment="Intent, as read.")
    model_version: Mapped[str] = mapped_column(String(400), comment="The model then.")
    model_category: Mapped[str] = mapped_column(String(60), comment="The model's category.")
    model_sentiment: Mapped[str] = mapped_column(String(60), comment="The model's sentiment.")
    model_intent: Mapped[str] = mapped_column(String(60), comment="The model's intent.")
