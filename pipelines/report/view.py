"""The figures of the insight tables as the pages show them: typed, named and in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import isnan

import pandas as pd

from configs.schema import Name, Taxonomy
from models.labels import (
    CATEGORIES,
    INTENTS,
    NO_SOURCE_IN_BOTH,
    NOTHING_BEFORE,
    NOWHERE,
    SENTIMENTS,
    UNLABELLED_BEFORE,
)
from pipelines.report.data import ReportData
from pipelines.report.texts import Texts
from pipelines.suppress import COMPLEMENT, SENTIMENT, SMALL, SUPPRESSED

Row = Mapping[str, object]

FEW = 30
"""Shares of fewer manifestations than this are marked as indicative."""

SURE = 0.05
"""Changes with a q-value up to this are said to be changes."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its count, denominator and 95 % interval; None where it does not exist.

    ``hidden`` where it is not shown, because it could point at somebody (`pipelines.suppress`).
    """

    count: int
    n: int
    value: float | None
    low: float | None
    high: float | None
    hidden: bool = False

    @property
    def few(self) -> bool:
        """Whether it rests on too few manifestations to say much."""
        return self.n < FEW


@dataclass(frozen=True, slots=True)
class Line:
    """One counted label: a category, a sentiment, a day, a source or a zone."""

    code: str
    name: str
    count: int
    distinct: int
    share: Share
    corrected: Share
    negative: Share
    sentiments: Mapping[str, int]
    unsure: int = 0

    @property
    def hidden(self) -> bool:
        """Whether its figures are not shown."""
        return self.share.hidden


@dataclass(frozen=True, slots=True)
class DayLine:
    """One local day."""

    day: date
    line: Line
    complete: bool

    @property
    def next(self) -> date:
        """The day after it."""
        return self.day + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source and what became of it."""

    line: Line
    state: str
    reason: str | None
    rejected: int
    ignored: int
    voice: Share


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One zone; ``none`` where it is what speaks of no zone."""

    line: Line
    inherited: int
    gazetteer: str
    none: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what was to be read was read; None where the run counted nothing."""

    sources_read: int
    sources_configured: int
    days_complete: int
    days: int

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self.sources_read == self.sources_configured and self.days_complete == self.days


@dataclass(frozen=True, slots=True)
class Change:
    """One label now and before, over the sources read in both; the difference is of shares."""

    name: str
    now: Share
    before: Share
    difference: float
    low: float
    high: float
    q: float

    @property
    def sure(self) -> bool:
        """Whether chance does not explain it: of such changes one in twenty is chance."""
        return self.q <= SURE


@dataclass(frozen=True, slots=True)
class Comparison:
    """The window beside the one before: the changes by dimension, or why there are none."""

    start: date
    end: date
    sources: int
    reason: str | None
    changes: Mapping[str, tuple[Change, ...]]


@dataclass(frozen=True, slots=True)
class Unstored:
    """Records that were not stored for one reason, and the sources that gave them."""

    outcome: str
    ignored: bool
    count: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """The lines of one measure of the overview, for the annex."""

    code: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Every figure of the report; ``unsure`` is None where it is hidden."""

    total: Line
    sentiments: tuple[Line, ...]
    intents: tuple[Line, ...]
    categories: tuple[Line, ...]
    days: tuple[DayLine, ...]
    sources: tuple[SourceLine, ...]
    places: tuple[PlaceLine, ...]
    measures: tuple[Measure, ...]
    rejections: tuple[Unstored, ...]
    coverage: Coverage | None
    unsure: int | None
    comparison: Comparison | None

    @property
    def corrected(self) -> bool:
        """Whether the run has corrected shares at all."""
        return any(
            line.corrected.value is not None for line in (*self.categories, *self.sentiments)
        )

    @property
    def leading(self) -> tuple[Line, ...]:
        """The three categories that are mentioned most, without «other»."""
        named = [c for c in self.categories if c.code != "other" and c.count > 0]
        return tuple(named[:3])

    @property
    def first(self) -> str:
        """How sure it is which category comes first: a key of the words under ``summary.first``.

        Their intervals overlap by chance alone (``chance``), only where the model's errors count
        (``errors``), not even then (``sure``), or those errors are not known (``unknown``).
        """
        one, two = self.leading[:2]
        if _overlap(one.share, two.share):
            return "chance"
        if one.corrected.low is None or two.corrected.high is None:
            return "unknown"
        return "errors" if _overlap(one.corrected, two.corrected) else "sure"

    @property
    def peak(self) -> DayLine | None:
        """The day with most manifestations; the first of several."""
        return max(self.days, key=lambda d: d.line.count, default=None)


def _overlap(higher: Share, lower: Share) -> bool:
    """Say whether an interval reaches down to another's end; unknown ones do not."""
    return higher.low is not None and lower.high is not None and higher.low <= lower.high


def figures(data: ReportData, language: str, t: Texts) -> Figures:
    """Turn the frames of a run into lines with names in one language."""
    overview = rows_of(data.overview)
    closed: dict[str, dict[str, str]] = {
        measure: {} for measure in ("total", "kind", "certainty", "language")
    }
    named = {**_taxonomy_names(data.taxonomy, language), **closed}
    by_measure = {
        measure: tuple(
            line_of(row, str(row["label"]), _label(names, measure, str(row["label"]), t))
            for row in _ordered(overview, measure)
        )
        for measure, names in named.items()
    }
    categories = _categories(data, language)
    return Figures(
        total=_total(by_measure["total"], categories, t),
        sentiments=by_measure["sentiment"],
        intents=by_measure["intent"],
        categories=categories,
        days=_days(data),
        sources=_sources(data),
        places=_places(data, t),
        measures=tuple(Measure(code, lines) for code, lines in by_measure.items() if lines),
        rejections=_rejections(data),
        coverage=_coverage(data),
        unsure=_unsure(by_measure["certainty"], categories),
        comparison=_comparison(
            data,
            {
                "category": categories,
                "sentiment": by_measure["sentiment"],
                "intent": by_measure["intent"],
            },
            t,
        ),
    )


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a frame, each by the names of its columns."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _taxonomy_names(taxonomy: Taxonomy, language: str) -> dict[str, dict[str, str]]:
    def pick(names: Mapping[str, Name]) -> dict[str, str]:
        return {code: name.es if language == "es" else name.en for code, name in names.items()}

    return {"sentiment": pick(taxonomy.sentiments), "intent": pick(taxonomy.intents)}


def _label(names: Mapping[str, str], measure: str, code: str, t: Texts) -> str:
    return names.get(code) or t.name(measure, code)


def _ordered(rows: list[Row], measure: str) -> list[Row]:
    order = {
        code: i
        for i, code in enumerate({"sentiment": SENTIMENTS, "intent": INTENTS}.get(measure, ()))
    }
    mine = [row for row in rows if row["measure"] == measure]
    return sorted(mine, key=lambda row: (order.get(str(row["label"]), 99), str(row["label"])))


def _total(lines: tuple[Line, ...], categories: tuple[Line, ...], t: Texts) -> Line:
    """Return the whole window; from the categories where the overview does not say it."""
    if lines:
        return lines[0]
    count = sum(line.count for line in categories)
    row: Row = {
        "count": count,
        "distinct_count": sum(line.distinct for line in categories),
        "n": count,
    }
    return line_of(row, "all", t.name("total", "all"))


def _unsure(certainty: tuple[Line, ...], categories: tuple[Line, ...]) -> int | None:
    """Return how many are unsure; from the categories where the overview does not say it."""
    found = next((line for line in certainty if line.code == "unsure"), None)
    if found is None:
        return sum(line.unsure for line in categories)
    return None if found.hidden else found.count


def _categories(data: ReportData, language: str) -> tuple[Line, ...]:
    lines = []
    for row in rows_of(data.category):
        code = str(row["category"])
        known = code in CATEGORIES
        category = data.taxonomy.category(code) if known else None
        name = code if category is None else category.es if language == "es" else category.en
        lines.append(line_of(row, code, name))
    place = {code: i for i, code in enumerate(CATEGORIES)}
    lines.sort(key=lambda x: (x.code == "other", -x.count, place.get(x.code, 99), x.code))
    return tuple(lines)


def _days(data: ReportData) -> tuple[DayLine, ...]:
    rows = sorted(rows_of(data.day), key=lambda row: str(row["day"]))
    lines = []
    for row in rows:
        day = date.fromisoformat(str(row["day"])[:10])
        lines.append(
            DayLine(day, line_of(row, day.isoformat(), day.isoformat()), bool(row["complete"]))
        )
    return tuple(lines)


def _sources(data: ReportData) -> tuple[SourceLine, ...]:
    lines = []
    for row in rows_of(data.source):
        code = str(row["source"])
        lines.append(
            SourceLine(
                line=line_of(row, code, data.source_titles.get(code, code)),
                state=str(row["state"]),
                reason=None if _absent(row.get("reason")) else str(row["reason"]),
                rejected=_whole(row, "rejected"),
                ignored=_whole(row, "ignored"),
                voice=share_of(
                    row,
                    _whole(row, "voices"),
                    _whole(row, "voice_n"),
                    ("voice_share", "voice_low", "voice_high"),
                ),
            )
        )
    lines.sort(key=lambda s: (-s.line.count, s.line.code))
    return tuple(lines)


def _places(data: ReportData, t: Texts) -> tuple[PlaceLine, ...]:
    names = {zone.code: zone.name for zone in data.municipality.zones}
    lines = []
    for row in rows_of(data.place):
        code = str(row["zone"])
        none = code == NOWHERE
        name = t("places.none") if none else names.get(code, code)
        line = line_of(row, code, name)
        lines.append(PlaceLine(line, _whole(row, "inherited"), str(row["gazetteer"]), none))
    lines.sort(key=lambda p: (p.none, -p.line.count, p.line.code))
    return tuple(lines)


def _rejections(data: ReportData) -> tuple[Unstored, ...]:
    lines = []
    for ignored, outcome in sorted({(r.ignored, r.outcome) for r in data.rejections}):
        same = [r for r in data.rejections if (r.ignored, r.outcome) == (ignored, outcome)]
        sources = tuple(data.source_titles.get(r.source, r.source) for r in same)
        lines.append(Unstored(outcome, ignored, sum(r.count for r in same), sources))
    return tuple(lines)


def _coverage(data: ReportData) -> Coverage | None:
    for frame in (data.overview, data.category, data.day, data.source):
        for row in rows_of(frame.head(1)):
            names = ("sources_read", "sources_configured", "days_complete", "days")
            return Coverage(*(_whole(row, name) for name in names))
    return None


def _comparison(
    data: ReportData, lines: Mapping[str, tuple[Line, ...]], t: Texts
) -> Comparison | None:
    """Set the window beside the one before; other baselines are asked for by name elsewhere."""
    rows = [row for row in rows_of(data.change) if row["baseline"] == "previous"]
    if not rows:
        return None
    first = rows[0]
    names = {(key, line.code): line.name for key, group in lines.items() for line in group}
    changes: dict[str, list[Change]] = {key: [] for key in lines}
    for row in rows:
        key, code = str(row["dimension"]), str(row["value"])
        if key in changes and not row["second_dimension"] and not _absent(row["q_value"]):
            changes[key].append(_change(row, names.get((key, code), code)))
    return Comparison(
        start=date.fromisoformat(str(first["baseline_from"])[:10]),
        end=date.fromisoformat(str(first["baseline_to"])[:10]),
        sources=_whole(first, "sources_compared"),
        reason=None if first["comparable"] else _why_not(str(first["reason"]), t),
        changes={
            key: tuple(sorted(found, key=lambda c: (-round(abs(c.difference), 9), c.name)))
            for key, found in changes.items()
            if found
        },
    )


def _change(row: Row, name: str) -> Change:
    now, before = (
        share_of(
            row, _whole(row, f"{when}count"), _whole(row, f"{when}n"), (f"{when}share", "", "")
        )
        for when in ("", "before_")
    )
    columns = ("difference", "difference_low", "difference_high", "q_value")
    difference, low, high, q = (float(str(row[column])) for column in columns)
    return Change(name, now, before, difference, low, high, q)


def _why_not(reason: str, t: Texts) -> str:
    """Say in the reader's language why nothing can be compared."""
    if reason == NO_SOURCE_IN_BOTH:
        return t("change.no_source")
    if reason == NOTHING_BEFORE:
        return t("change.nothing")
    number = reason.split(" ", 1)[0]
    if reason == UNLABELLED_BEFORE.format(number=number):
        return t("change.unlabelled", number=number)
    return reason  # of another version


def line_of(row: Row, code: str, name: str) -> Line:
    """Return the figures of one row of an insight table under the name of its label."""
    count, n = _whole(row, "count"), _whole(row, "n")
    return Line(
        code=code,
        name=name,
        count=count,
        distinct=_whole(row, "distinct_count"),
        share=share_of(row, count, n, ("share", "share_low", "share_high")),
        corrected=share_of(row, count, n, ("corrected_share", "corrected_low", "corrected_high")),
        negative=share_of(
            row,
            _whole(row, "negative"),
            count,
            ("negative_share", "negative_low", "negative_high"),
        ),
        sentiments={code: _whole(row, code) for code in SENTIMENTS},
        unsure=_whole(row, "unsure"),
    )


def share_of(row: Row, count: int, n: int, columns: tuple[str, str, str]) -> Share:
    """Return a share whose value and interval stand in three columns of a row."""
    value, low, high = (_number(row, column) for column in columns)
    why = row.get(SUPPRESSED) or ""
    hidden = why in {SMALL, COMPLEMENT} or (why == SENTIMENT and columns[0] == "negative_share")
    return Share(count, n, value if n else None, low, high, hidden)


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and isnan(value))


def _number(row: Row, column: str) -> float | None:
    value = row.get(column)
    return None if _absent(value) else float(str(value))


def _whole(row: Row, column: str) -> int:
    number = _number(row, column)
    return 0 if number is None else int(number)
