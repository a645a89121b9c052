"""The tables of matchmaking: records of entities and startups, blind selection, pilots.

The identity behind an application stands in `ApplicationRow` and `RevealRow` alone.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables import Base

Texts = Mapped[list[str]]
Numbers = Mapped[list[int]]
Objects = Mapped[list[dict[str, Any]]]


def _code(comment: str = "Code.") -> Mapped[str]:
    return mapped_column(String(60), primary_key=True, comment=comment)


def _number(comment: str) -> Mapped[int]:
    return mapped_column(Integer, primary_key=True, autoincrement=False, comment=comment)


def _to(table: str, comment: str, *, key: bool = False) -> Mapped[Any]:
    return mapped_column(
        String(60), ForeignKey(f"{table}.code"), primary_key=key, nullable=False, comment=comment
    )


def _maybe(table: str, comment: str) -> Mapped[Any]:
    return mapped_column(String(60), ForeignKey(f"{table}.code"), comment=comment)


def _word(comment: str) -> Mapped[Any]:
    return mapped_column(String(60), nullable=False, comment=comment)


def _maybe_word(comment: str) -> Mapped[Any]:
    return mapped_column(String(60), nullable=True, comment=comment)


def _text(comment: str) -> Mapped[Any]:
    return mapped_column(Text, nullable=False, comment=comment)


def _maybe_text(comment: str) -> Mapped[Any]:
    return mapped_column(Text, nullable=True, comment=comment)


def _json(comment: str) -> Mapped[Any]:
    return mapped_column(JSON, nullable=False, comment=comment)


def _value(comment: str) -> Mapped[Any]:
    return mapped_column(comment=comment)


# --- who takes part --------------------------------------------------------------------------


class EntityRow(Base):
    """A public body that looks for solutions."""

    __tablename__ = "entity"
    __table_args__ = {"comment": "A public body that looks for solutions."}

    code: Mapped[str] = _code()
    name: Mapped[str] = _text("Its name.")
    kind: Mapped[str | None] = _maybe_word(
        "municipality, regional_government, ministry or public_company; empty: not known."
    )
    country: Mapped[str | None] = mapped_column(String(2), comment="ISO 3166 code.")
    ubigeo: Mapped[str | None] = mapped_column(String(6), comment="Peru's code of the place.")
    municipality: Mapped[str | None] = _maybe_word("Code under which its sources are listened to.")


class AreaRow(Base):
    """An office of an entity."""

    __tablename__ = "area"
    __table_args__ = {"comment": "An office of an entity."}

    code: Mapped[str] = _code()
    entity: Mapped[str] = _to("entity", "The entity.")
    name: Mapped[str] = _text("Its name.")
    categories: Texts = _json("Urban categories that it answers for.")


class OfficialRow(Base):
    """A post in an entity. No name is kept."""

    __tablename__ = "official"
    __table_args__ = {
        "comment": "A post in an entity; no name is kept, its holder goes by the code."
    }

    code: Mapped[str] = _code()
    entity: Mapped[str] = _to("entity", "The entity.")
    area: Mapped[str | None] = _maybe("area", "The office.")
    post: Mapped[str] = _text("What the post is.")
    since: Mapped[date | None] = _value("First day in the post.")
    until: Mapped[date | None] = _value("Last day in the post.")


class WorkCategoryRow(Base):
    """One of the nine work categories, as the taxonomy names them."""

    __tablename__ = "work_category"
    __table_args__ = {"comment": "The nine work categories, as the taxonomy names them."}

    number: Mapped[int] = _number("1 to 9.")
    es: Mapped[str] = _text("Name in Spanish.")
    en: Mapped[str] = _text("Name in English.")


class StartupRow(Base):
    """A startup."""

    __tablename__ = "startup"
    __table_args__ = {"comment": "A startup, whether it has applied or not."}

    code: Mapped[str] = _code()
    name: Mapped[str] = _text("Its name.")
    country: Mapped[str | None] = mapped_column(String(2), comment="ISO 3166 code; empty: unknown.")
    website: Mapped[str | None] = _maybe_text("Its public address.")
    aliases: Texts = _json("Other names that give it away: brands, former names.")


class SolutionRow(Base):
    """What a startup offers."""

    __tablename__ = "solution"
    __table_args__ = {"comment": "What a startup offers, and where it has worked."}

    code: Mapped[str] = _code()
    startup: Mapped[str] = _to("startup", "Whose it is.")
    title: Mapped[str] = _text("Its name.")
    summary: Mapped[str | None] = _maybe_text("What it does.")
    work_categories: Numbers = _json("Work categories that it serves.")
    categories: Texts = _json("Urban categories that it serves.")
    implementations: Objects = _json(
        "Where it has worked: country, entity, year, validated, document."
    )


class PartnerRow(Base):
    """An organisation that takes part without applying."""

    __tablename__ = "partner"
    __table_args__ = {"comment": "An organisation that takes part without applying."}

    code: Mapped[str] = _code()
    name: Mapped[str] = _text("Its name.")
    kind: Mapped[str | None] = _maybe_text("What it is: a university, a ministry, a bank.")
    country: Mapped[str | None] = mapped_column(String(2), comment="ISO 3166 code.")


# --- blind selection -------------------------------------------------------------------------


class CallRow(Base):
    """A technological call, or a round of innovation challenges."""

    __tablename__ = "technological_call"
    __table_args__ = {"comment": "A technological call, or a round of innovation challenges."}

    code: Mapped[str] = _code()
    kind: Mapped[str] = _word("call: startups apply; challenge: organisations present challenges.")
    entity: Mapped[str] = _to("entity", "Who calls.")
    area: Mapped[str | None] = _maybe("area", "The office that has the need.")
    title: Mapped[str] = _text("Its title.")
    work_category: Mapped[int | None] = mapped_column(
        ForeignKey("work_category.number"), comment="The work category that it serves."
    )
    problem: Mapped[str] = _text("The problem statement.")
    opens_on: Mapped[date | None] = _value("First day for applications.")
    closes_on: Mapped[date | None] = _value("Last day for applications.")
    places: Mapped[int] = _value("How many are chosen at most.")
    assessors: Mapped[int] = _value("How many sealed assessments it needs at least.")
    scale_min: Mapped[int] = _value("Least score of a criterion.")
    scale_max: Mapped[int] = _value("Best score of a criterion.")
    threshold: Mapped[float] = _value("Least mean score of whoever is chosen.")
    run_id: Mapped[str | None] = mapped_column(
        String(40), comment="The run whose insights it rests on; kept when the run is gone."
    )
    need: Mapped[dict[str, Any]] = _json("Figures, quotes and success indicator that it rests on.")
    state: Mapped[str] = _word("draft, open, assessing, selected, revealed, void or interrupted.")


class ApplicationRow(Base):
    """What an applicant handed in, who it is, and what assessors see of it."""

    __tablename__ = "application"
    __table_args__ = {
        "comment": "What was handed in, by whom, and what assessors see. Read `applicant` through "
        "`manifiesta match identity`, which refuses before the reveal and notes it."
    }

    call: Mapped[str] = _to("technological_call", "The call.", key=True)
    code: Mapped[str] = mapped_column(
        String(12), primary_key=True, comment="Random code under which assessors know it."
    )
    applicant: Mapped[str] = _word("Code of the startup, or of the entity in a challenge.")
    original: Mapped[dict[str, Any]] = _json("Its texts as they were handed in.")
    shown: Mapped[dict[str, Any]] = _json("The same texts, redacted: what assessors see.")
    removed: Mapped[dict[str, Any]] = _json("How many names, links and so on were removed.")
    received_at: Mapped[datetime] = _value("When it was handed in.")
    withdrawn_at: Mapped[datetime | None] = _value("When it was taken back.")
    withdrawn_why: Mapped[str | None] = _maybe_text("Why it was taken back.")


class AttachmentRow(Base):
    """An attachment as cleaned text. The file itself stays with the entity."""

    __tablename__ = "attachment"
    __table_args__ = {"comment": "An attachment as cleaned text; the file stays with the entity."}

    call: Mapped[str] = _to("technological_call", "The call.", key=True)
    application: Mapped[str] = mapped_column(
        String(12), primary_key=True, comment="Code of the application."
    )
    number: Mapped[int] = _number("Its place; assessors know it as anexo-1, anexo-2.")
    media: Mapped[str] = _word("pdf, docx, pptx or text.")
    sha256: Mapped[str] = mapped_column(String(64), comment="Digest of the file handed in.")
    shown: Mapped[str] = _text("Its text, redacted.")


class AttestationRow(Base):
    """What an assessor declared of the applicants, or why the assessor was stopped."""

    __tablename__ = "attestation"
    __table_args__ = {"comment": "An assessor's declaration that the applicants are not known."}

    call: Mapped[str] = _to("technological_call", "The call.", key=True)
    official: Mapped[str] = _to("official", "The assessor.", key=True)
    knows_none: Mapped[bool] = _value("False: a conflict, or excused; this assessor is stopped.")
    reason: Mapped[str | None] = _maybe_text("Why the assessor was stopped.")
    attested_at: Mapped[datetime] = _value("When it was declared.")


class AssessmentRow(Base):
    """One assessor's scores: first their hash, later the scores themselves."""

    __tablename__ = "blind_assessment"
    __table_args__ = {"comment": "An assessor's scores: first their hash, then what was hashed."}

    call: Mapped[str] = _to("technological_call", "The call.", key=True)
    official: Mapped[str] = _to("official", "The assessor.", key=True)
    commitment: Mapped[str] = mapped_column(
        String(64), comment="SHA-256 of the scores as canonical JSON and of the salt."
    )
    sealed_at: Mapped[datetime] = _value("When the hash was stored.")
    salt: Mapped[str | None] = mapped_column(String(64), comment="The salt; empty until opened.")
    scores: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), comment="Scores by application and criterion; empty until opened."
    )
    opened_at: Mapped[datetime | None] = _value("When the scores were shown.")


class SelectionRow(Base):
    """The closed selection of a call."""

    __tablename__ = "selection"
    __table_args__ = {"comment": "The closed selection of a call, by codes alone."}

    call: Mapped[str] = _to("technological_call", "The call.", key=True)
    ranking: Objects = _json("Every application: mean of each criterion, total, place, chosen.")
    chosen: Texts = _json("Codes of the applications chosen.")
    notes: Objects = _json("Ties and how they were broken, a single applicant, who withdrew.")
    closed_at: Mapped[datetime] = _value("When it was closed.")
    actor: Mapped[str] = _text("Who closed it.")


class RevealRow(Base):
    """The one moment in which codes became names."""

    __tablename__ = "reveal"
    __table_args__ = {"comment": "The one moment in which the codes of a call became names."}

    call: Mapped[str] = _to("technological_call", "The call.", key=True)
    identities: Mapped[dict[str, Any]] = _json("Applicant of each code; of none that withdrew.")
    revealed_at: Mapped[datetime] = _value("When.")
    actor: Mapped[str] = _text("By whom.")


class InterruptionRow(Base):
    """Why a call or a pilot stopped, and how it was handed over."""

    __tablename__ = "interruption"
    __table_args__ = {"comment": "Why a call or a pilot stopped, and how it was handed over."}

    subject_kind: Mapped[str] = _code("technological_call or pilot.")
    subject: Mapped[str] = _code("Its code.")
    stopped_on: Mapped[date] = mapped_column(primary_key=True, comment="The day it stopped.")
    reason: Mapped[str] = _text("Why.")
    handed_over_on: Mapped[date | None] = _value("The day new officials took the pack over.")
    resumed_on: Mapped[date | None] = _value("The day it went on; empty: it has not.")


# --- pilots and what came of them ------------------------------------------------------------


class PilotRow(Base):
    """A solution on trial in an entity."""

    __tablename__ = "pilot"
    __table_args__ = {"comment": "A solution on trial in an entity."}

    code: Mapped[str] = _code()
    entity: Mapped[str] = _to("entity", "The entity.")
    area: Mapped[str | None] = _maybe("area", "The office.")
    call: Mapped[str | None] = _maybe("technological_call", "The call that it came from.")
    title: Mapped[str] = _text("Its title.")
    year: Mapped[int | None] = _value("The year, where the days are not known.")
    municipality: Mapped[str | None] = _maybe_word("Code under which insights are counted.")
    work_categories: Numbers = _json("Work categories.")
    categories: Texts = _json("Urban categories that it should change.")
    zones: Texts = _json("Zones in which it works; none: everywhere.")
    startups: Texts = _json("Codes of the startups.")
    starts_on: Mapped[date | None] = _value("First day.")
    ends_on: Mapped[date | None] = _value("The day after the last.")
    letter_on: Mapped[date | None] = _value("Day of the acceptance letter.")
    letter_document: Mapped[str | None] = _maybe_text("Number or name of the acceptance letter.")
    state: Mapped[str] = _word("planned, running, finished or interrupted.")
    results: Mapped[str | None] = _maybe_text("What came of it, in words.")


class PilotPhaseRow(Base):
    """One phase of a pilot."""

    __tablename__ = "pilot_phase"
    __table_args__ = {"comment": "The phases of a pilot."}

    pilot: Mapped[str] = _to("pilot", "The pilot.", key=True)
    number: Mapped[int] = _number("Its place.")
    title: Mapped[str] = _text("Its title.")
    planned_from: Mapped[date | None] = _value("First day planned.")
    planned_to: Mapped[date | None] = _value("Last day planned.")
    done_on: Mapped[date | None] = _value("The day it was done; empty: not yet.")


class ActivityRow(Base):
    """Something that a pilot's plan says will be done."""

    __tablename__ = "activity"
    __table_args__ = {"comment": "What a pilot's plan says will be done."}

    pilot: Mapped[str] = _to("pilot", "The pilot.", key=True)
    number: Mapped[int] = _number("Its place.")
    title: Mapped[str] = _text("What.")
    phase: Mapped[int | None] = _value("The phase that it belongs to.")
    due_on: Mapped[date | None] = _value("The day it is due.")
    done_on: Mapped[date | None] = _value("The day it was done; empty: not yet.")


class TrainingRow(Base):
    """A training of officials."""

    __tablename__ = "training"
    __table_args__ = {"comment": "A training of officials."}

    code: Mapped[str] = _code()
    entity: Mapped[str] = _to("entity", "Whose officials.")
    pilot: Mapped[str | None] = _maybe("pilot", "The pilot that it belongs to.")
    method: Mapped[str] = _text("What was trained: HCD, Kanban.")
    held_on: Mapped[date | None] = _value("The day.")
    hours: Mapped[float | None] = _value("How long, in hours.")
    participants: Mapped[int | None] = _value("How many took part.")


class SurveyResponseRow(Base):
    """How many gave one answer to one question."""

    __tablename__ = "survey_response"
    __table_args__ = {"comment": "How many gave one answer to one question of a survey."}

    id: Mapped[int] = mapped_column(primary_key=True, comment="Serial number.")
    training: Mapped[str | None] = _maybe("training", "The training asked about.")
    pilot: Mapped[str | None] = _maybe("pilot", "The pilot asked about.")
    question: Mapped[str] = _text("The question.")
    answer: Mapped[str] = _text("The answer.")
    count: Mapped[int | None] = _value("How many gave it; empty where only a share is published.")
    n: Mapped[int] = _value("Denominator: how many answered.")
    share: Mapped[float | None] = _value("Published share, where no count is.")


class ProposalRow(Base):
    """What was proposed after a pilot."""

    __tablename__ = "proposal"
    __table_args__ = {"comment": "What was proposed after a pilot."}

    code: Mapped[str] = _code()
    pilot: Mapped[str] = _to("pilot", "The pilot.")
    startup: Mapped[str | None] = _maybe("startup", "Who proposed it.")
    title: Mapped[str] = _text("Its title.")
    text: Mapped[str | None] = _maybe_text("What is proposed.")
    proposed_on: Mapped[date | None] = _value("The day.")


class IndicatorRow(Base):
    """An indicator of the logical framework."""

    __tablename__ = "indicator"
    __table_args__ = {"comment": "Indicators of the logical framework; values are computed."}

    code: Mapped[str] = _code()
    pilot: Mapped[str | None] = _maybe("pilot", "The pilot; empty: the whole programme.")
    level: Mapped[str] = _word("goal, purpose, output or activity.")
    statement: Mapped[str] = _text("What is to be reached.")
    kpi: Mapped[str] = _text("By what it is seen.")
    unit: Mapped[str | None] = _maybe_text("Unit of the target.")
    target: Mapped[float | None] = _value("What is to be reached, in its unit.")
    verification: Mapped[str] = _text("Source of verification.")
    assumptions: Mapped[str | None] = _maybe_text("What must hold for it.")
    measure: Mapped[str | None] = _maybe_word(
        "How we compute it: activities_completed, categories_tested or startups_linked."
    )


class FactRow(Base):
    """A published fact with the document that it stands in."""

    __tablename__ = "fact"
    __table_args__ = {"comment": "A published fact, with the document that it stands in."}

    subject_kind: Mapped[str] = _code("entity, startup, pilot or training.")
    subject: Mapped[str] = _code("Its code.")
    name: Mapped[str] = _code("What it is a fact of.")
    value: Mapped[str] = _text("The value as published.")
    unit: Mapped[str | None] = _maybe_text("Its unit.")
    document: Mapped[str] = _text("The document that says so.")
    reference: Mapped[str | None] = _maybe_text("Its title, page or address; empty: to be filled.")


class MonitoringPlanRow(Base):
    """The needs of a service's users, watched over some windows."""

    __tablename__ = "monitoring_plan"
    __table_args__ = {"comment": "The needs of a service's users, watched over some windows."}

    code: Mapped[str] = _code()
    pilot: Mapped[str] = _to("pilot", "The pilot.")
    municipality: Mapped[str] = _word("Code under which insights are counted.")
    windows: Objects = _json("Half-open windows: start, end.")
    questions: Objects = _json("Questions: text, urban category, intent.")


class QualityStepRow(Base):
    """A step of the source and data-quality plan."""

    __tablename__ = "quality_step"
    __table_args__ = {"comment": "Steps of the source and data-quality plan, in three phases."}

    entity: Mapped[str] = _to("entity", "The entity.", key=True)
    phase: Mapped[int] = _number("1 volumes, 2 more sources, 3 governance.")
    number: Mapped[int] = _number("Its place in the phase.")
    title: Mapped[str] = _text("What is to be done.")
    target: Mapped[str | None] = _maybe_text("How far.")
    due_on: Mapped[date | None] = _value("The day it is due.")
    done_on: Mapped[date | None] = _value("The day it was done; empty: not yet.")


class ReadinessAnswerRow(Base):
    """An answer to the digital-readiness questionnaire."""

    __tablename__ = "readiness_answer"
    __table_args__ = {"comment": "Answers to the digital-readiness questionnaire."}

    entity: Mapped[str] = _to("entity", "The entity.", key=True)
    question: Mapped[str] = _code("Code of the question; configs/matchmaking/readiness.yml.")
    answered_on: Mapped[date] = mapped_column(primary_key=True, comment="The day.")
    score: Mapped[int] = _value("0 nothing of it to 4 all of it, every day.")
    evidence: Mapped[str | None] = _maybe_text("What shows it.")
