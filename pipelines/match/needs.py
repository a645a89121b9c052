"""From what was counted to what is needed: urban categories become ranked needs by work category.

Needs are ranked by their negative manifestations, volume times negativity. Trends and zones stand
beside the rank and do not change it: a rank of several mixed measures would be nobody's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from configs.schema import Municipality, Taxonomy
from models.insight_tables import InsightCategory, InsightChange, InsightFinding, InsightSeries
from models.labels import EVERYTHING, NOWHERE
from pipelines.change import PREVIOUS
from pipelines.proportions import newcombe, wilson
from pipelines.report.data import Quote
from pipelines.report.gather import quotes_of
from pipelines.store.read import find_run, insight_frame
from pipelines.store.records import stored

Row = Mapping[str, Any]

MOST_ZONES = 5


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its numerator, its denominator and its 95 % interval (Wilson)."""

    count: int
    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Trend:
    """The difference of the share to the window before, in shares; its 95 % interval (Newcombe)."""

    before_count: int
    before_n: int
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ZoneShare:
    """How much of a need speaks of one zone."""

    zone: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A solution that serves a need, and how many validated implementations it has."""

    solution: str
    startup: str
    title: str
    by_category: tuple[str, ...]
    validated: int
    implementations: int


@dataclass(frozen=True, slots=True)
class Need:
    """What citizens ask for in one work category, over one window."""

    work_category: int
    name: str
    categories: tuple[str, ...]
    category_names: tuple[str, ...]
    volume: Share
    negative: Share
    voices: int
    trend: Trend | None
    zones: tuple[ZoneShare, ...]
    findings: tuple[str, ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """The ranked needs of one run, and what the figures rest on."""

    run_id: str
    municipality: str
    start: date
    end: date
    model_version: str
    sources_read: int
    sources_configured: int
    days_complete: int
    ranked: tuple[Need, ...]

    @property
    def days(self) -> int:
        """Days of the window."""
        return (self.end - self.start).days


def needs(
    engine: Engine,
    run_id: str,
    municipality: Municipality,
    taxonomy: Taxonomy,
    only: str | None = None,
) -> Needs:
    """Rank the needs that a run shows, most negative manifestations first.

    Args:
        engine: the database; it is only read.
        run_id: the run whose insight tables are read.
        municipality: whose it is.
        taxonomy: maps urban categories to work categories; those without one are left out.
        only: one urban category, where the others of its work category are not wanted.
    """
    run = find_run(engine, run_id)
    frames = {
        table: _everything(insight_frame(engine, table, run_id))
        for table in (InsightCategory, InsightChange, InsightSeries, InsightFinding)
    }
    rows = frames[InsightCategory].to_dict("records")
    groups: dict[int, list[str]] = {}
    for category in taxonomy.categories:
        if category.work_category is not None and only in (None, category.code):
            groups.setdefault(category.work_category, []).append(category.code)
    solutions = stored(engine, "solution")
    found = [
        _need(number, codes, frames, municipality, taxonomy, solutions)
        for number, codes in groups.items()
    ]
    ranked = sorted(
        (need for need in found if need.volume.count),
        key=lambda need: (-need.negative.count, need.work_category),
    )
    return Needs(
        run_id=run_id,
        municipality=municipality.code,
        start=run.window_from,
        end=run.window_to,
        model_version=str(run.model_version),
        sources_read=int(rows[0]["sources_read"]) if rows else 0,
        sources_configured=int(rows[0]["sources_configured"]) if rows else 0,
        days_complete=int(rows[0]["days_complete"]) if rows else 0,
        ranked=tuple(ranked),
    )


def evidence(
    engine: Engine, found: Needs, need: Need, municipality: Municipality, most: int = 6
) -> list[Quote]:
    """Return what citizens say about a need, the negative first, at most ``most`` quotes."""
    quotes = quotes_of(engine, found.run_id, municipality, need.categories)
    every = [quote for code in need.categories for quote in quotes.get(code, ())]
    return sorted(every, key=lambda quote: quote.sentiment != "negative")[:most]


def offers(
    solutions: Sequence[Row], work_category: int, categories: Mapping[str, str]
) -> list[Offer]:
    """Return the solutions that serve a work category, those for its urban categories first.

    Args:
        solutions: the records.
        work_category: the one wanted.
        categories: names of the urban categories of the need, by code.
    """
    fitting = [one for one in solutions if work_category in one["work_categories"]]
    made = [
        Offer(
            solution=one["code"],
            startup=one["startup"],
            title=one["title"],
            by_category=tuple(
                name for code, name in categories.items() if code in one["categories"]
            ),
            validated=sum(bool(place.get("validated")) for place in one["implementations"]),
            implementations=len(one["implementations"]),
        )
        for one in fitting
    ]
    return sorted(made, key=lambda o: (-len(o.by_category), -o.validated, o.solution))


def _everything(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["lens"] == EVERYTHING]


def _need(
    number: int,
    codes: Sequence[str],
    frames: Mapping[Any, pd.DataFrame],
    municipality: Municipality,
    taxonomy: Taxonomy,
    solutions: Sequence[Row],
) -> Need:
    table = frames[InsightCategory]
    mine = table[table["category"].isin(codes)]
    count, negative = int(mine["count"].sum()), int(mine["negative"].sum())
    n = int(table["n"].max()) if len(table) else 0
    names = {category.code: category.es for category in taxonomy.categories}
    said = [code for code in codes if int(mine.loc[mine["category"] == code, "count"].sum())]
    return Need(
        work_category=number,
        name=taxonomy.work_categories[number].es,
        categories=tuple(said),
        category_names=tuple(names[code] for code in said),
        volume=Share(count, n, *wilson(count, n)),
        negative=Share(negative, count, *wilson(negative, count)),
        voices=int(mine["voices"].fillna(mine["count"]).sum()),
        trend=_trend(frames[InsightChange], codes),
        zones=_zones(frames[InsightSeries], codes, municipality),
        findings=_findings(frames[InsightFinding], codes),
        offers=tuple(offers(solutions, number, {code: names[code] for code in codes})),
    )


def _trend(changes: pd.DataFrame, codes: Sequence[str]) -> Trend | None:
    """Return the change of the group's share; nothing where the windows cannot be compared."""
    of_category = (changes["dimension"] == "category") & (changes["second_dimension"] == "")
    mine = changes[of_category & (changes["baseline"] == PREVIOUS) & changes["value"].isin(codes)]
    if mine.empty or not mine["comparable"].astype(bool).all():
        return None
    count, before = int(mine["count"].sum()), int(mine["before_count"].sum())
    n, before_n = int(mine["n"].max()), int(mine["before_n"].max())
    if not n or not before_n:
        return None
    ends = newcombe(count, n, before, before_n)
    return Trend(before, before_n, count / n - before / before_n, *ends)


def _zones(
    series: pd.DataFrame, codes: Sequence[str], municipality: Municipality
) -> tuple[ZoneShare, ...]:
    mine = series[
        (series["grain"] == "window")
        & (series["dimension"] == "category")
        & series["value"].isin(codes)
        & (series["second_dimension"] == "zone")
        & (series["second_value"] != NOWHERE)
    ]
    names = {zone.code: zone.name for zone in municipality.zones}
    counts = mine.groupby("second_value")["count"].sum().sort_values(ascending=False)
    return tuple(
        ZoneShare(str(zone), names.get(str(zone), str(zone)), int(count))
        for zone, count in counts.head(MOST_ZONES).items()
        if count
    )


def _findings(findings: pd.DataFrame, codes: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        str(row["sentence_es"])
        for row in findings.to_dict("records")
        if isinstance(row["statistic"], dict) and row["statistic"].get("category") in codes
    )
