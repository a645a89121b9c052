"""What a report is made from: one run, its insight tables and the texts behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd

from configs.schema import Municipality, Taxonomy


@dataclass(frozen=True, slots=True)
class Run:
    """The row of the run, as the report cites it."""

    id: str
    municipality: str
    command: str
    window_from: date
    window_to: date
    state: str
    started_at: datetime
    finished_at: datetime | None
    model_version: str | None
    taxonomy_version: str
    software_version: str
    error: str | None

    @property
    def made_at(self) -> datetime:
        """When its figures were made; the start where it has not ended."""
        return self.finished_at or self.started_at


@dataclass(frozen=True, slots=True)
class Quote:
    """One manifestation shown as evidence, already shortened and free of control characters.

    ``confidence`` is the model's in its category; None where a person gave the category.
    """

    id: str
    source: str
    source_title: str
    title: str | None
    text: str
    said_at: datetime
    sentiment: str
    confidence: float | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The quotes of one category, the most confident first."""

    category: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """One manifestation behind a finding, and why it was chosen: central or diverse."""

    id: str
    role: str
    source_title: str
    said_on: date
    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in both languages, with its statistic and the manifestations behind it."""

    number: int
    kind: str
    rule: str
    sentences: Mapping[str, str]
    q: float | None
    witnesses: tuple[Witness, ...]
    statistic: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RejectionCount:
    """How many input records of one source were not stored for one reason."""

    source: str
    outcome: str
    ignored: bool
    count: int


@dataclass(frozen=True)
class ReportData:
    """Everything that the pages say. The frames are the insight tables' rows of the run.

    ``manifest`` is what the model said of itself when it counted, where that was kept.
    """

    run: Run
    municipality: Municipality
    taxonomy: Taxonomy
    overview: pd.DataFrame
    category: pd.DataFrame
    day: pd.DataFrame
    source: pd.DataFrame
    place: pd.DataFrame
    source_titles: Mapping[str, str]
    rejections: tuple[RejectionCount, ...]
    evidence: tuple[Evidence, ...]
    findings: tuple[Told, ...] = ()
    change: pd.DataFrame = field(default_factory=pd.DataFrame)
    manifest: Mapping[str, object] | None = None
