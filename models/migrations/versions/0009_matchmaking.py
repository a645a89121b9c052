"""Matchmaking: records, blind selection, pilots; the audit as a hash chain

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = (
    "entity",
    "fact",
    "interruption",
    "partner",
    "startup",
    "work_category",
    "area",
    "quality_step",
    "readiness_answer",
    "solution",
    "official",
    "technological_call",
    "application",
    "attachment",
    "attestation",
    "blind_assessment",
    "pilot",
    "reveal",
    "selection",
    "activity",
    "indicator",
    "monitoring_plan",
    "pilot_phase",
    "proposal",
    "training",
    "survey_response",
)
AUDIT_COMMENTS = (
    "What somebody did to the data; it names no citizen.",
    "What somebody did, as a hash chain: see `manifiesta match verify`. It names no citizen.",
)
COLUMN_COMMENTS = {
    "action": (
        "What was done: purge.",
        "What was done: purge, or a step of a selection like match.seal.",
    ),
    "municipality": ("Code of the municipality.", "Code of the municipality or the entity."),
}


def upgrade() -> None:
    op.create_table(
        "entity",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("name", sa.Text(), nullable=False, comment="Its name."),
        sa.Column(
            "kind",
            sa.String(length=60),
            nullable=True,
            comment="municipality, regional_government, ministry or public_company; empty: not known.",
        ),
        sa.Column("country", sa.String(length=2), nullable=True, comment="ISO 3166 code."),
        sa.Column(
            "ubigeo", sa.String(length=6), nullable=True, comment="Peru's code of the place."
        ),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=True,
            comment="Code under which its sources are listened to.",
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_entity")),
        comment="A public body that looks for solutions.",
    )
    op.create_table(
        "fact",
        sa.Column(
            "subject_kind",
            sa.String(length=60),
            nullable=False,
            comment="entity, startup, pilot or training.",
        ),
        sa.Column("subject", sa.String(length=60), nullable=False, comment="Its code."),
        sa.Column("name", sa.String(length=60), nullable=False, comment="What it is a fact of."),
        sa.Column("value", sa.Text(), nullable=False, comment="The value as published."),
        sa.Column("unit", sa.Text(), nullable=True, comment="Its unit."),
        sa.Column("document", sa.Text(), nullable=False, comment="The document that says so."),
        sa.Column(
            "reference",
            sa.Text(),
            nullable=True,
            comment="Its title, page or address; empty: to be filled.",
        ),
        sa.PrimaryKeyConstraint("subject_kind", "subject", "name", name=op.f("pk_fact")),
        comment="A published fact, with the document that it stands in.",
    )
    op.create_table(
        "interruption",
        sa.Column(
            "subject_kind",
            sa.String(length=60),
            nullable=False,
            comment="technological_call or pilot.",
        ),
        sa.Column("subject", sa.String(length=60), nullable=False, comment="Its code."),
        sa.Column("stopped_on", sa.Date(), nullable=False, comment="The day it stopped."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why."),
        sa.Column(
            "handed_over_on",
            sa.Date(),
            nullable=True,
            comment="The day new officials took the pack over.",
        ),
        sa.Column(
            "resumed_on", sa.Date(), nullable=True, comment="The day it went on; empty: it has not."
        ),
        sa.PrimaryKeyConstraint(
            "subject_kind", "subject", "stopped_on", name=op.f("pk_interruption")
        ),
        comment="Why a call or a pilot stopped, and how it was handed over.",
    )
    op.create_table(
        "partner",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("name", sa.Text(), nullable=False, comment="Its name."),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=True,
            comment="What it is: a university, a ministry, a bank.",
        ),
        sa.Column("country", sa.String(length=2), nullable=True, comment="ISO 3166 code."),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_partner")),
        comment="An organisation that takes part without applying.",
    )
    op.create_table(
        "startup",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("name", sa.Text(), nullable=False, comment="Its name."),
        sa.Column(
            "country", sa.String(length=2), nullable=True, comment="ISO 3166 code; empty: unknown."
        ),
        sa.Column("website", sa.Text(), nullable=True, comment="Its public address."),
        sa.Column(
            "aliases",
            sa.JSON(),
            nullable=False,
            comment="Other names that give it away: brands, former names.",
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_startup")),
        comment="A startup, whether it has applied or not.",
    )
    op.create_table(
        "work_category",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="1 to 9."),
        sa.Column("es", sa.Text(), nullable=False, comment="Name in Spanish."),
        sa.Column("en", sa.Text(), nullable=False, comment="Name in English."),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_work_category")),
        comment="The nine work categories, as the taxonomy names them.",
    )
    op.create_table(
        "area",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("entity", sa.String(length=60), nullable=False, comment="The entity."),
        sa.Column("name", sa.Text(), nullable=False, comment="Its name."),
        sa.Column(
            "categories", sa.JSON(), nullable=False, comment="Urban categories that it answers for."
        ),
        sa.ForeignKeyConstraint(["entity"], ["entity.code"], name=op.f("fk_area_entity_entity")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_area")),
        comment="An office of an entity.",
    )
    op.create_table(
        "quality_step",
        sa.Column("entity", sa.String(length=60), nullable=False, comment="The entity."),
        sa.Column(
            "phase",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="1 volumes, 2 more sources, 3 governance.",
        ),
        sa.Column(
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Its place in the phase.",
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="What is to be done."),
        sa.Column("target", sa.Text(), nullable=True, comment="How far."),
        sa.Column("due_on", sa.Date(), nullable=True, comment="The day it is due."),
        sa.Column(
            "done_on", sa.Date(), nullable=True, comment="The day it was done; empty: not yet."
        ),
        sa.ForeignKeyConstraint(
            ["entity"], ["entity.code"], name=op.f("fk_quality_step_entity_entity")
        ),
        sa.PrimaryKeyConstraint("entity", "phase", "number", name=op.f("pk_quality_step")),
        comment="Steps of the source and data-quality plan, in three phases.",
    )
    op.create_table(
        "readiness_answer",
        sa.Column("entity", sa.String(length=60), nullable=False, comment="The entity."),
        sa.Column(
            "question",
            sa.String(length=60),
            nullable=False,
            comment="Code of the question; configs/matchmaking/readiness.yml.",
        ),
        sa.Column("answered_on", sa.Date(), nullable=False, comment="The day."),
        sa.Column(
            "score",
            sa.Integer(),
            nullable=False,
            comment="0 nothing of it to 4 all of it, every day.",
        ),
        sa.Column("evidence", sa.Text(), nullable=True, comment="What shows it."),
        sa.ForeignKeyConstraint(
            ["entity"], ["entity.code"], name=op.f("fk_readiness_answer_entity_entity")
        ),
        sa.PrimaryKeyConstraint(
            "entity", "question", "answered_on", name=op.f("pk_readiness_answer")
        ),
        comment="Answers to the digital-readiness questionnaire.",
    )
    op.create_table(
        "solution",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("startup", sa.String(length=60), nullable=False, comment="Whose it is."),
        sa.Column("title", sa.Text(), nullable=False, comment="Its name."),
        sa.Column("summary", sa.Text(), nullable=True, comment="What it does."),
        sa.Column(
            "work_categories", sa.JSON(), nullable=False, comment="Work categories that it serves."
        ),
        sa.Column(
            "categories", sa.JSON(), nullable=False, comment="Urban categories that it serves."
        ),
        sa.Column(
            "implementations",
            sa.JSON(),
            nullable=False,
            comment="Where it has worked: country, entity, year, validated, document.",
        ),
        sa.ForeignKeyConstraint(
            ["startup"], ["startup.code"], name=op.f("fk_solution_startup_startup")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_solution")),
        comment="What a startup offers, and where it has worked.",
    )
    op.create_table(
        "official",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("entity", sa.String(length=60), nullable=False, comment="The entity."),
        sa.Column("area", sa.String(length=60), nullable=True, comment="The office."),
        sa.Column("post", sa.Text(), nullable=False, comment="What the post is."),
        sa.Column("since", sa.Date(), nullable=True, comment="First day in the post."),
        sa.Column("until", sa.Date(), nullable=True, comment="Last day in the post."),
        sa.ForeignKeyConstraint(["area"], ["area.code"], name=op.f("fk_official_area_area")),
        sa.ForeignKeyConstraint(
            ["entity"], ["entity.code"], name=op.f("fk_official_entity_entity")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_official")),
        comment="A post in an entity; no name is kept, its holder goes by the code.",
    )
    op.create_table(
        "technological_call",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column(
            "kind",
            sa.String(length=60),
            nullable=False,
            comment="call: startups apply; challenge: organisations present challenges.",
        ),
        sa.Column("entity", sa.String(length=60), nullable=False, comment="Who calls."),
        sa.Column(
            "area", sa.String(length=60), nullable=True, comment="The office that has the need."
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="Its title."),
        sa.Column(
            "work_category",
            sa.Integer(),
            nullable=True,
            comment="The work category that it serves.",
        ),
        sa.Column("problem", sa.Text(), nullable=False, comment="The problem statement."),
        sa.Column("opens_on", sa.Date(), nullable=True, comment="First day for applications."),
        sa.Column("closes_on", sa.Date(), nullable=True, comment="Last day for applications."),
        sa.Column("places", sa.Integer(), nullable=False, comment="How many are chosen at most."),
        sa.Column(
            "assessors",
            sa.Integer(),
            nullable=False,
            comment="How many sealed assessments it needs at least.",
        ),
        sa.Column("scale_min", sa.Integer(), nullable=False, comment="Least score of a criterion."),
        sa.Column("scale_max", sa.Integer(), nullable=False, comment="Best score of a criterion."),
        sa.Column(
            "threshold",
            sa.Double(),
            nullable=False,
            comment="Least mean score of whoever is chosen.",
        ),
        sa.Column(
            "run_id",
            sa.String(length=40),
            nullable=True,
            comment="The run whose insights it rests on; kept when the run is gone.",
        ),
        sa.Column(
            "need",
            sa.JSON(),
            nullable=False,
            comment="Figures, quotes and success indicator that it rests on.",
        ),
        sa.Column(
            "state",
            sa.String(length=60),
            nullable=False,
            comment="draft, open, assessing, selected, revealed, void or interrupted.",
        ),
        sa.ForeignKeyConstraint(
            ["area"], ["area.code"], name=op.f("fk_technological_call_area_area")
        ),
        sa.ForeignKeyConstraint(
            ["entity"], ["entity.code"], name=op.f("fk_technological_call_entity_entity")
        ),
        sa.ForeignKeyConstraint(
            ["work_category"],
            ["work_category.number"],
            name=op.f("fk_technological_call_work_category_work_category"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_technological_call")),
        comment="A technological call, or a round of innovation challenges.",
    )
    op.create_table(
        "application",
        sa.Column("call", sa.String(length=60), nullable=False, comment="The call."),
        sa.Column(
            "code",
            sa.String(length=12),
            nullable=False,
            comment="Random code under which assessors know it.",
        ),
        sa.Column(
            "applicant",
            sa.String(length=60),
            nullable=False,
            comment="Code of the startup, or of the entity in a challenge.",
        ),
        sa.Column(
            "original", sa.JSON(), nullable=False, comment="Its texts as they were handed in."
        ),
        sa.Column(
            "shown",
            sa.JSON(),
            nullable=False,
            comment="The same texts, redacted: what assessors see.",
        ),
        sa.Column(
            "removed",
            sa.JSON(),
            nullable=False,
            comment="How many names, links and so on were removed.",
        ),
        sa.Column(
            "received_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was handed in.",
        ),
        sa.Column(
            "withdrawn_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="When it was taken back.",
        ),
        sa.Column("withdrawn_why", sa.Text(), nullable=True, comment="Why it was taken back."),
        sa.ForeignKeyConstraint(
            ["call"],
            ["technological_call.code"],
            name=op.f("fk_application_call_technological_call"),
        ),
        sa.PrimaryKeyConstraint("call", "code", name=op.f("pk_application")),
        comment="What was handed in, by whom, and what assessors see. Read `applicant` through `manifiesta match identity`, which refuses before the reveal and notes it.",
    )
    op.create_table(
        "attachment",
        sa.Column("call", sa.String(length=60), nullable=False, comment="The call."),
        sa.Column(
            "application", sa.String(length=12), nullable=False, comment="Code of the application."
        ),
        sa.Column(
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Its place; assessors know it as anexo-1, anexo-2.",
        ),
        sa.Column(
            "media", sa.String(length=60), nullable=False, comment="pdf, docx, pptx or text."
        ),
        sa.Column(
            "sha256", sa.String(length=64), nullable=False, comment="Digest of the file handed in."
        ),
        sa.Column("shown", sa.Text(), nullable=False, comment="Its text, redacted."),
        sa.ForeignKeyConstraint(
            ["call"],
            ["technological_call.code"],
            name=op.f("fk_attachment_call_technological_call"),
        ),
        sa.PrimaryKeyConstraint("call", "application", "number", name=op.f("pk_attachment")),
        comment="An attachment as cleaned text; the file stays with the entity.",
    )
    op.create_table(
        "attestation",
        sa.Column("call", sa.String(length=60), nullable=False, comment="The call."),
        sa.Column("official", sa.String(length=60), nullable=False, comment="The assessor."),
        sa.Column(
            "knows_none",
            sa.Boolean(),
            nullable=False,
            comment="False: a conflict, or excused; this assessor is stopped.",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why the assessor was stopped."),
        sa.Column(
            "attested_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was declared.",
        ),
        sa.ForeignKeyConstraint(
            ["call"],
            ["technological_call.code"],
            name=op.f("fk_attestation_call_technological_call"),
        ),
        sa.ForeignKeyConstraint(
            ["official"], ["official.code"], name=op.f("fk_attestation_official_official")
        ),
        sa.PrimaryKeyConstraint("call", "official", name=op.f("pk_attestation")),
        comment="An assessor's declaration that the applicants are not known.",
    )
    op.create_table(
        "blind_assessment",
        sa.Column("call", sa.String(length=60), nullable=False, comment="The call."),
        sa.Column("official", sa.String(length=60), nullable=False, comment="The assessor."),
        sa.Column(
            "commitment",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the scores as canonical JSON and of the salt.",
        ),
        sa.Column(
            "sealed_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When the hash was stored.",
        ),
        sa.Column(
            "salt", sa.String(length=64), nullable=True, comment="The salt; empty until opened."
        ),
        sa.Column(
            "scores",
            sa.JSON(none_as_null=True),
            nullable=True,
            comment="Scores by application and criterion; empty until opened.",
        ),
        sa.Column(
            "opened_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=True,
            comment="When the scores were shown.",
        ),
        sa.ForeignKeyConstraint(
            ["call"],
            ["technological_call.code"],
            name=op.f("fk_blind_assessment_call_technological_call"),
        ),
        sa.ForeignKeyConstraint(
            ["official"], ["official.code"], name=op.f("fk_blind_assessment_official_official")
        ),
        sa.PrimaryKeyConstraint("call", "official", name=op.f("pk_blind_assessment")),
        comment="An assessor's scores: first their hash, then what was hashed.",
    )
    op.create_table(
        "pilot",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("entity", sa.String(length=60), nullable=False, comment="The entity."),
        sa.Column("area", sa.String(length=60), nullable=True, comment="The office."),
        sa.Column(
            "call", sa.String(length=60), nullable=True, comment="The call that it came from."
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="Its title."),
        sa.Column(
            "year", sa.Integer(), nullable=True, comment="The year, where the days are not known."
        ),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=True,
            comment="Code under which insights are counted.",
        ),
        sa.Column("work_categories", sa.JSON(), nullable=False, comment="Work categories."),
        sa.Column(
            "categories",
            sa.JSON(),
            nullable=False,
            comment="Urban categories that it should change.",
        ),
        sa.Column(
            "zones", sa.JSON(), nullable=False, comment="Zones in which it works; none: everywhere."
        ),
        sa.Column("startups", sa.JSON(), nullable=False, comment="Codes of the startups."),
        sa.Column("starts_on", sa.Date(), nullable=True, comment="First day."),
        sa.Column("ends_on", sa.Date(), nullable=True, comment="The day after the last."),
        sa.Column("letter_on", sa.Date(), nullable=True, comment="Day of the acceptance letter."),
        sa.Column(
            "letter_document",
            sa.Text(),
            nullable=True,
            comment="Number or name of the acceptance letter.",
        ),
        sa.Column(
            "state",
            sa.String(length=60),
            nullable=False,
            comment="planned, running, finished or interrupted.",
        ),
        sa.Column("results", sa.Text(), nullable=True, comment="What came of it, in words."),
        sa.ForeignKeyConstraint(["area"], ["area.code"], name=op.f("fk_pilot_area_area")),
        sa.ForeignKeyConstraint(
            ["call"], ["technological_call.code"], name=op.f("fk_pilot_call_technological_call")
        ),
        sa.ForeignKeyConstraint(["entity"], ["entity.code"], name=op.f("fk_pilot_entity_entity")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_pilot")),
        comment="A solution on trial in an entity.",
    )
    op.create_table(
        "reveal",
        sa.Column("call", sa.String(length=60), nullable=False, comment="The call."),
        sa.Column(
            "identities",
            sa.JSON(),
            nullable=False,
            comment="Applicant of each code; of none that withdrew.",
        ),
        sa.Column(
            "revealed_at", models.tables.UtcDateTime(timezone=True), nullable=False, comment="When."
        ),
        sa.Column("actor", sa.Text(), nullable=False, comment="By whom."),
        sa.ForeignKeyConstraint(
            ["call"], ["technological_call.code"], name=op.f("fk_reveal_call_technological_call")
        ),
        sa.PrimaryKeyConstraint("call", name=op.f("pk_reveal")),
        comment="The one moment in which the codes of a call became names.",
    )
    op.create_table(
        "selection",
        sa.Column("call", sa.String(length=60), nullable=False, comment="The call."),
        sa.Column(
            "ranking",
            sa.JSON(),
            nullable=False,
            comment="Every application: mean of each criterion, total, place, chosen.",
        ),
        sa.Column("chosen", sa.JSON(), nullable=False, comment="Codes of the applications chosen."),
        sa.Column(
            "notes",
            sa.JSON(),
            nullable=False,
            comment="Ties and how they were broken, a single applicant, who withdrew.",
        ),
        sa.Column(
            "closed_at",
            models.tables.UtcDateTime(timezone=True),
            nullable=False,
            comment="When it was closed.",
        ),
        sa.Column("actor", sa.Text(), nullable=False, comment="Who closed it."),
        sa.ForeignKeyConstraint(
            ["call"], ["technological_call.code"], name=op.f("fk_selection_call_technological_call")
        ),
        sa.PrimaryKeyConstraint("call", name=op.f("pk_selection")),
        comment="The closed selection of a call, by codes alone.",
    )
    op.create_table(
        "activity",
        sa.Column("pilot", sa.String(length=60), nullable=False, comment="The pilot."),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="Its place."
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="What."),
        sa.Column("phase", sa.Integer(), nullable=True, comment="The phase that it belongs to."),
        sa.Column("due_on", sa.Date(), nullable=True, comment="The day it is due."),
        sa.Column(
            "done_on", sa.Date(), nullable=True, comment="The day it was done; empty: not yet."
        ),
        sa.ForeignKeyConstraint(["pilot"], ["pilot.code"], name=op.f("fk_activity_pilot_pilot")),
        sa.PrimaryKeyConstraint("pilot", "number", name=op.f("pk_activity")),
        comment="What a pilot's plan says will be done.",
    )
    op.create_table(
        "indicator",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column(
            "pilot",
            sa.String(length=60),
            nullable=True,
            comment="The pilot; empty: the whole programme.",
        ),
        sa.Column(
            "level",
            sa.String(length=60),
            nullable=False,
            comment="goal, purpose, output or activity.",
        ),
        sa.Column("statement", sa.Text(), nullable=False, comment="What is to be reached."),
        sa.Column("kpi", sa.Text(), nullable=False, comment="By what it is seen."),
        sa.Column("unit", sa.Text(), nullable=True, comment="Unit of the target."),
        sa.Column(
            "target", sa.Double(), nullable=True, comment="What is to be reached, in its unit."
        ),
        sa.Column("verification", sa.Text(), nullable=False, comment="Source of verification."),
        sa.Column("assumptions", sa.Text(), nullable=True, comment="What must hold for it."),
        sa.Column(
            "measure",
            sa.String(length=60),
            nullable=True,
            comment="How we compute it: activities_completed, categories_tested or startups_linked.",
        ),
        sa.ForeignKeyConstraint(["pilot"], ["pilot.code"], name=op.f("fk_indicator_pilot_pilot")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_indicator")),
        comment="Indicators of the logical framework; values are computed.",
    )
    op.create_table(
        "monitoring_plan",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("pilot", sa.String(length=60), nullable=False, comment="The pilot."),
        sa.Column(
            "municipality",
            sa.String(length=60),
            nullable=False,
            comment="Code under which insights are counted.",
        ),
        sa.Column("windows", sa.JSON(), nullable=False, comment="Half-open windows: start, end."),
        sa.Column(
            "questions",
            sa.JSON(),
            nullable=False,
            comment="Questions: text, urban category, intent.",
        ),
        sa.ForeignKeyConstraint(
            ["pilot"], ["pilot.code"], name=op.f("fk_monitoring_plan_pilot_pilot")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_monitoring_plan")),
        comment="The needs of a service's users, watched over some windows.",
    )
    op.create_table(
        "pilot_phase",
        sa.Column("pilot", sa.String(length=60), nullable=False, comment="The pilot."),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="Its place."
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="Its title."),
        sa.Column("planned_from", sa.Date(), nullable=True, comment="First day planned."),
        sa.Column("planned_to", sa.Date(), nullable=True, comment="Last day planned."),
        sa.Column(
            "done_on", sa.Date(), nullable=True, comment="The day it was done; empty: not yet."
        ),
        sa.ForeignKeyConstraint(["pilot"], ["pilot.code"], name=op.f("fk_pilot_phase_pilot_pilot")),
        sa.PrimaryKeyConstraint("pilot", "number", name=op.f("pk_pilot_phase")),
        comment="The phases of a pilot.",
    )
    op.create_table(
        "proposal",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("pilot", sa.String(length=60), nullable=False, comment="The pilot."),
        sa.Column("startup", sa.String(length=60), nullable=True, comment="Who proposed it."),
        sa.Column("title", sa.Text(), nullable=False, comment="Its title."),
        sa.Column("text", sa.Text(), nullable=True, comment="What is proposed."),
        sa.Column("proposed_on", sa.Date(), nullable=True, comment="The day."),
        sa.ForeignKeyConstraint(["pilot"], ["pilot.code"], name=op.f("fk_proposal_pilot_pilot")),
        sa.ForeignKeyConstraint(
            ["startup"], ["startup.code"], name=op.f("fk_proposal_startup_startup")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_proposal")),
        comment="What was proposed after a pilot.",
    )
    op.create_table(
        "training",
        sa.Column("code", sa.String(length=60), nullable=False, comment="Code."),
        sa.Column("entity", sa.String(length=60), nullable=False, comment="Whose officials."),
        sa.Column(
            "pilot", sa.String(length=60), nullable=True, comment="The pilot that it belongs to."
        ),
        sa.Column("method", sa.Text(), nullable=False, comment="What was trained: HCD, Kanban."),
        sa.Column("held_on", sa.Date(), nullable=True, comment="The day."),
        sa.Column("hours", sa.Double(), nullable=True, comment="How long, in hours."),
        sa.Column("participants", sa.Integer(), nullable=True, comment="How many took part."),
        sa.ForeignKeyConstraint(
            ["entity"], ["entity.code"], name=op.f("fk_training_entity_entity")
        ),
        sa.ForeignKeyConstraint(["pilot"], ["pilot.code"], name=op.f("fk_training_pilot_pilot")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_training")),
        comment="A training of officials.",
    )
    op.create_table(
        "survey_response",
        sa.Column("id", sa.Integer(), nullable=False, comment="Serial number."),
        sa.Column(
            "training", sa.String(length=60), nullable=True, comment="The training asked about."
        ),
        sa.Column("pilot", sa.String(length=60), nullable=True, comment="The pilot asked about."),
        sa.Column("question", sa.Text(), nullable=False, comment="The question."),
        sa.Column("answer", sa.Text(), nullable=False, comment="The answer."),
        sa.Column(
            "count",
            sa.Integer(),
            nullable=True,
            comment="How many gave it; empty where only a share is published.",
        ),
        sa.Column("n", sa.Integer(), nullable=False, comment="Denominator: how many answered."),
        sa.Column(
            "share", sa.Double(), nullable=True, comment="Published share, where no count is."
        ),
        sa.ForeignKeyConstraint(
            ["pilot"], ["pilot.code"], name=op.f("fk_survey_response_pilot_pilot")
        ),
        sa.ForeignKeyConstraint(
            ["training"], ["training.code"], name=op.f("fk_survey_response_training_training")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_response")),
        comment="How many gave one answer to one question of a survey.",
    )
    with op.batch_alter_table("audit_event") as batch_op:
        batch_op.add_column(
            sa.Column(
                "previous",
                sa.String(length=64),
                nullable=True,
                comment="Digest of the event before; empty: older than the chain.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "digest",
                sa.String(length=64),
                nullable=True,
                comment="SHA-256 of this event and of `previous`; empty: older than the chain.",
            )
        )
        batch_op.create_unique_constraint(batch_op.f("uq_audit_event_previous"), ["previous"])
    _describe(old=0, new=1)


def downgrade() -> None:
    _describe(old=1, new=0)
    with op.batch_alter_table("audit_event") as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_audit_event_previous"), type_="unique")
        batch_op.drop_column("digest")
        batch_op.drop_column("previous")
    for table in reversed(TABLES):
        op.drop_table(table)


def _describe(*, old: int, new: int) -> None:
    """Change what table and columns are said to mean; SQLite keeps no comments."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table_comment(
        "audit_event", AUDIT_COMMENTS[new], existing_comment=AUDIT_COMMENTS[old]
    )
    for column, comments in COLUMN_COMMENTS.items():
        op.alter_column("audit_event", column, comment=comments[new], existing_nullable=False)
