"""The matchmaking records as they come in and go out: one class for each table that is imported.

Each class says what identifies a record (``key``), which codes it names of other records
(``refers``) and which of its days come one after the other (``ordered``). Fields are named as the
columns of `models.match_tables`, where their meanings stand.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
WorkCategory = Annotated[int, Field(ge=1, le=9)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """Frozen, and no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Record(Part):
    """One row of a matchmaking table."""

    key: ClassVar[tuple[str, ...]] = ("code",)
    refers: ClassVar[dict[str, str]] = {}
    ordered: ClassVar[tuple[tuple[str, str], ...]] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for earlier, later in self.ordered:
            first, last = getattr(self, earlier), getattr(self, later)
            if first is not None and last is not None and last < first:
                raise ValueError(
                    f"{later} ({last}) is before {earlier} ({first}); exchange or correct them"
                )
        return self

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells this record from all others of its kind."""
        return tuple(str(getattr(self, name)) for name in self.key)


class Entity(Record):
    """A municipality, a regional government, or another public body."""

    code: Code
    name: Line
    kind: Literal["municipality", "regional_government", "ministry", "public_company"] | None = None
    country: Country | None = None
    ubigeo: Annotated[str, StringConstraints(pattern=r"^\d{6}$")] | None = None
    municipality: Code | None = None


class Area(Record):
    """An office of an entity."""

    refers: ClassVar = {"entity": "entity"}

    code: Code
    entity: Code
    name: Line
    categories: tuple[str, ...] = ()


class Official(Record):
    """A post in an entity; whoever holds it is known by this code."""

    refers: ClassVar = {"entity": "entity", "area": "area"}
    ordered: ClassVar = (("since", "until"),)

    code: Code
    entity: Code
    area: Code | None = None
    post: Line
    since: date | None = None
    until: date | None = None


class Startup(Record):
    """A startup; ``aliases`` are other names by which texts may give it away."""

    code: Code
    name: Line
    country: Country | None = None
    website: Line | None = None
    aliases: tuple[Line, ...] = ()


class Implementation(Part):
    """Where a solution has worked before."""

    country: Country
    entity: Line
    year: Annotated[int, Field(ge=1990, le=2100)] | None = None
    validated: bool = False
    document: Line | None = None

    @model_validator(mode="after")
    def _shown(self) -> Self:
        if self.validated and not self.document:
            raise ValueError("validated without a document; name the document that shows it")
        return self


class Solution(Record):
    """What a startup offers."""

    refers: ClassVar = {"startup": "startup"}

    code: Code
    startup: Code
    title: Line
    summary: Prose | None = None
    work_categories: tuple[WorkCategory, ...] = Field(min_length=1)
    categories: tuple[str, ...] = ()
    implementations: tuple[Implementation, ...] = ()


class TechnologicalCall(Record):
    """A call to startups, or a round in which organisations present challenges."""

    refers: ClassVar = {"entity": "entity", "area": "area"}
    ordered: ClassVar = (("opens_on", "closes_on"), ("scale_min", "scale_max"))

    code: Code
    kind: Literal["call", "challenge"] = "call"
    entity: Code
    area: Code | None = None
    title: Line
    work_category: WorkCategory | None = None
    problem: Prose
    opens_on: date | None = None
    closes_on: date | None = None
    places: Annotated[int, Field(ge=1, le=100)] = 1
    assessors: Annotated[int, Field(ge=1, le=50)] = 2
    scale_min: Annotated[int, Field(ge=0, le=100)] = 1
    scale_max: Annotated[int, Field(ge=1, le=100)] = 5
    threshold: Annotated[float, Field(ge=0, le=100)] = 3.0
    run_id: Line | None = None
    need: dict[str, object] = {}

    @model_validator(mode="after")
    def _scale(self) -> Self:
        if self.scale_min == self.scale_max:
            raise ValueError("the scale has one step only; write scale_min: 1 and scale_max: 5")
        if not self.scale_min <= self.threshold <= self.scale_max:
            raise ValueError(
                f"threshold ({self.threshold:g}) lies outside of the scale; "
                f"write one from {self.scale_min} to {self.scale_max}"
            )
        return self


class Pilot(Record):
    """A solution on trial in an entity."""

    refers: ClassVar = {
        "entity": "entity",
        "area": "area",
        "call": "technological_call",
        "startups": "startup",
    }
    ordered: ClassVar = (("starts_on", "ends_on"), ("letter_on", "ends_on"))

    code: Code
    entity: Code
    area: Code | None = None
    call: Code | None = None
    title: Line
    year: Annotated[int, Field(ge=1990, le=2100)] | None = None
    municipality: Code | None = None
    work_categories: tuple[WorkCategory, ...] = Field(min_length=1)
    categories: tuple[str, ...] = ()
    zones: tuple[Code, ...] = ()
    startups: tuple[Code, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    letter_on: date | None = None
    letter_document: Line | None = None
    state: Literal["planned", "running", "finished", "interrupted"] = "planned"
    results: Prose | None = None


class PilotPhase(Record):
    """One phase of a pilot."""

    key: ClassVar = ("pilot", "number")
    refers: ClassVar = {"pilot": "pilot"}
    ordered: ClassVar = (("planned_from", "planned_to"), ("planned_from", "done_on"))

    pilot: Code
    number: Annotated[int, Field(ge=1, le=100)]
    title: Line
    planned_from: date | None = None
    planned_to: date | None = None
    done_on: date | None = None


class Activity(Record):
    """Something that a pilot's plan says will be done."""

    key: ClassVar = ("pilot", "number")
    refers: ClassVar = {"pilot": "pilot"}

    pilot: Code
    number: Annotated[int, Field(ge=1, le=1000)]
    title: Line
    phase: Annotated[int, Field(ge=1, le=100)] | None = None
    due_on: date | None = None
    done_on: date | None = None


class Interruption(Record):
    """Why a call or a pilot stopped, and how it was handed over."""

    key: ClassVar = ("subject_kind", "subject", "stopped_on")
    ordered: ClassVar = (("stopped_on", "handed_over_on"), ("stopped_on", "resumed_on"))

    subject_kind: Literal["technological_call", "pilot"]
    subject: Code
    stopped_on: date
    reason: Prose
    handed_over_on: date | None = None
    resumed_on: date | None = None


class Training(Record):
    """A training of officials."""

    refers: ClassVar = {"entity": "entity", "pilot": "pilot"}

    code: Code
    entity: Code
    pilot: Code | None = None
    method: Line
    held_on: date | None = None
    hours: Annotated[float, Field(gt=0, le=1000)] | None = None
    participants: Count | None = None


class SurveyResponse(Record):
    """How many gave one answer to one question of a survey."""

    key: ClassVar = ("training", "pilot", "question", "answer")
    refers: ClassVar = {"training": "training", "pilot": "pilot"}

    training: Code | None = None
    pilot: Code | None = None
    question: Line
    answer: Line
    count: Count | None = None
    n: Count
    share: Share | None = None

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if (self.training is None) == (self.pilot is None):
            raise ValueError("name either the training or the pilot that was asked about")
        if self.count is None and self.share is None:
            raise ValueError("neither a count nor a share; write count: 12")
        if self.count is not None and self.count > self.n:
            raise ValueError(f"{self.count} of {self.n} cannot be; correct count or n")
        if self.count is not None and self.share is not None:
            printed = 0.006  # a share that was rounded to whole per cents
            if not self.n or abs(self.share - self.count / self.n) > printed:
                raise ValueError(
                    f"{self.share:g} is not {self.count} of {self.n}; remove the share"
                )
        return self


class Proposal(Record):
    """What was proposed after a pilot."""

    refers: ClassVar = {"pilot": "pilot", "startup": "startup"}

    code: Code
    pilot: Code
    startup: Code | None = None
    title: Line
    text: Prose | None = None
    proposed_on: date | None = None


class Partner(Record):
    """An organisation that takes part without applying."""

    code: Code
    name: Line
    kind: Line | None = None
    country: Country | None = None


class Indicator(Record):
    """An indicator of the logical framework; ``measure`` says how we compute it ourselves."""

    refers: ClassVar = {"pilot": "pilot"}

    code: Code
    pilot: Code | None = None
    level: Literal["goal", "purpose", "output", "activity"]
    statement: Line
    kpi: Line
    unit: Line | None = None
    target: float | None = None
    verification: Line
    assumptions: Prose | None = None
    measure: Literal["activities_completed", "categories_tested", "startups_linked"] | None = None


class Fact(Record):
    """A published fact with the document that it stands in."""

    key: ClassVar = ("subject_kind", "subject", "name")

    subject_kind: Literal["entity", "startup", "pilot", "training"]
    subject: Code
    name: Code
    value: Line
    unit: Line | None = None
    document: Line
    reference: Line | None = None


class Question(Part):
    """What a monitoring plan wants to know, and the cells of the insight tables that tell."""

    text: Line
    category: str | None = None
    intent: str | None = None


class MonitoringWindow(Part):
    """A window of a plan, half-open."""

    start: date
    end: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"the window ends ({self.end}) before it starts ({self.start})")
        return self


class MonitoringPlan(Record):
    """The needs of a service's users, watched over some windows of a pilot."""

    refers: ClassVar = {"pilot": "pilot"}

    code: Code
    pilot: Code
    municipality: Code
    windows: tuple[MonitoringWindow, ...] = Field(min_length=1)
    questions: tuple[Question, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for one, other in zip(self.windows, self.windows[1:], strict=False):
            if other.start < one.end:
                raise ValueError(
                    f"the window from {other.start} begins before the one to {one.end} is over; "
                    "write them in order and apart"
                )
        return self


class QualityStep(Record):
    """A step of the source and data-quality plan: 1 volumes, 2 more sources, 3 governance."""

    key: ClassVar = ("entity", "phase", "number")
    refers: ClassVar = {"entity": "entity"}

    entity: Code
    phase: Annotated[int, Field(ge=1, le=3)]
    number: Annotated[int, Field(ge=1, le=100)]
    title: Line
    target: Line | None = None
    due_on: date | None = None
    done_on: date | None = None


class ReadinessAnswer(Record):
    """An entity's answer to a question of the digital-readiness questionnaire."""

    key: ClassVar = ("entity", "question", "answered_on")
    refers: ClassVar = {"entity": "entity"}

    entity: Code
    question: Code
    answered_on: date
    score: Annotated[int, Field(ge=0, le=4)]
    evidence: Prose | None = None


class ApplicationFile(Part):
    """What an applicant hands in. ``names`` and ``people`` are only used to find them in texts."""

    applicant: Code
    title: Line
    text: Prose
    experience: Prose
    names: tuple[Line, ...] = ()
    people: tuple[Line, ...] = ()


class Batch(Part):
    """The records of one file, by the names of their tables, in the order of writing."""

    entity: tuple[Entity, ...] = ()
    area: tuple[Area, ...] = ()
    official: tuple[Official, ...] = ()
    startup: tuple[Startup, ...] = ()
    solution: tuple[Solution, ...] = ()
    partner: tuple[Partner, ...] = ()
    technological_call: tuple[TechnologicalCall, ...] = ()
    pilot: tuple[Pilot, ...] = ()
    pilot_phase: tuple[PilotPhase, ...] = ()
    activity: tuple[Activity, ...] = ()
    interruption: tuple[Interruption, ...] = ()
    training: tuple[Training, ...] = ()
    survey_response: tuple[SurveyResponse, ...] = ()
    proposal: tuple[Proposal, ...] = ()
    indicator: tuple[Indicator, ...] = ()
    fact: tuple[Fact, ...] = ()
    monitoring_plan: tuple[MonitoringPlan, ...] = ()
    quality_step: tuple[QualityStep, ...] = ()
    readiness_answer: tuple[ReadinessAnswer, ...] = ()


KINDS: tuple[str, ...] = tuple(Batch.model_fields)
"""The names of the tables that records are imported into and exported from."""


def record_type(kind: str) -> type[Record]:
    """Return the class of a kind of record."""
    annotation = Batch.model_fields[kind].annotation
    found: type[Record] = annotation.__args__[0]  # type: ignore[union-attr]
    return found
