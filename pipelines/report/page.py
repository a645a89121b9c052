"""Render the report: one self-contained HTML file per language, without JavaScript."""

import os
import tempfile
from functools import cache
from operator import contains
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from models.errors import ManifiestaError
from models.labels import SENTIMENTS
from pipelines.report import charts, recount
from pipelines.report.data import ReportData
from pipelines.report.formats import Formats, formats
from pipelines.report.safe import clean, host_of, shorten
from pipelines.report.texts import Texts, texts
from pipelines.report.view import FEW, Figures, Line, figures

FILES = MappingProxyType({"es": "informe.html", "en": "report.en.html"})
"""The file of each language; the pages link to each other by these names."""

_COLOURS = dict(zip(SENTIMENTS, (charts.NEGATIVE, charts.NEUTRAL, charts.POSITIVE), strict=True))
_TEMPLATES = Path(__file__).parent / "templates"
_LONG_WINDOW = 300  # days; beyond, the axis names months


def render(data: ReportData, language: str) -> str:
    """Return the page of a run in ``es`` or ``en``; the same data give the same bytes."""
    t, f = texts(language), formats(language, data.municipality.zone)
    view = figures(data, language, t)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            data=data,
            run=data.run,
            town=data.municipality,
            figures=view,
            t=t,
            f=f,
            language=language,
            other=_other(language),
            charts=_charts(data, view, t, f),
            names={code: _name(data, code, language) for code in SENTIMENTS},
            category_names={line.code: line.name for line in view.categories},
            queries=recount,
            few=FEW,
        )
    )


def write_report(data: ReportData, folder: Path) -> Path:
    """Write both pages into ``folder/<run id>/`` and return the Spanish one's path.

    Each file appears whole or not at all: it is written under another name and renamed.

    Raises:
        ManifiestaError: If the run's id cannot be the name of a folder.
        OSError: If the disk is full or refuses to write; nothing half-written stays.
    """
    name = data.run.id
    if name in {"", ".", ".."} or Path(name).name != name or "\\" in name or clean(name) != name:
        raise ManifiestaError(f"run id «{clean(name)}» cannot name a folder")
    target = folder / name
    pages = {language: render(data, language) for language in FILES}
    target.mkdir(parents=True, exist_ok=True)
    for language, page in pages.items():
        _write(target / FILES[language], page)
    return target / FILES["es"]


def _write(path: Path, page: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n", errors="replace") as file:
            file.write(page)
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clean": clean, "short": shorten, "host": host_of}
    environment.tests["holds"] = contains
    return environment


def _other(language: str) -> dict[str, str]:
    code = "en" if language == "es" else "es"
    return {"language": code, "file": FILES[code]}


def _name(data: ReportData, sentiment: str, language: str) -> str:
    name = data.taxonomy.sentiments.get(sentiment)
    if name is None:
        return sentiment
    return name.es if language == "es" else name.en


def _charts(data: ReportData, view: Figures, t: Texts, f: Formats) -> dict[str, charts.Chart]:
    """Draw the charts that have anything to show; the SVG is ours, so it is not escaped."""
    drawn: dict[str, charts.Chart] = {}
    zones = tuple(place.line for place in view.places if not place.none)
    shown = {"categories": view.categories, "sentiment": view.sentiments, "places": zones}
    for name, lines in shown.items():
        if any(line.share.value is not None for line in lines):
            caption = charts.Caption(f"chart-{name}", t(f"{name}.chart"), _description(lines, t, f))
            drawn[name] = charts.bars([_bar(line, t, f) for line in lines], caption)
    if view.days and any(day.line.count for day in view.days):
        drawn |= _day_charts(data, view, t, f)
    return {
        name: charts.Chart(Markup(chart.wide), Markup(chart.narrow))  # noqa: S704
        for name, chart in drawn.items()
    }


def _description(lines: tuple[Line, ...], t: Texts, f: Formats) -> str:
    items = "; ".join(
        t(
            "categories.item",
            name=line.name,
            share=f.percent(line.share.value),
            interval=t("interval", low=f.percent(line.share.low), high=f.percent(line.share.high)),
        )
        for line in lines
        if line.share.value is not None
        and line.share.low is not None
        and line.share.high is not None
    )
    return t("categories.description", n=f.integer(lines[0].share.n), items=items)


def _bar(line: Line, t: Texts, f: Formats) -> charts.Bar:
    share = line.share
    text = t("no_data")
    if share.value is not None:
        text = f"{f.percent(share.value)}  ({f.integer(share.count)})"
    colour = charts.OTHER if line.code == "other" else _COLOURS.get(line.code, charts.BAR)
    return charts.Bar(clean(line.name), text, share.value, share.low, share.high, colour)


def _day_charts(data: ReportData, view: Figures, t: Texts, f: Formats) -> dict[str, charts.Chart]:
    start = data.run.window_from
    length = (data.run.window_to - start).days
    points = [
        charts.Point(
            place=(day.day - start).days,
            label=f.short_day(day.day, year=length > _LONG_WINDOW),
            count=day.line.count,
            negative=day.line.sentiments["negative"],
            share=day.line.negative.value,
            low=day.line.negative.low,
            high=day.line.negative.high,
            complete=day.complete,
        )
        for day in view.days
    ]
    period = f.period(start, data.run.window_to)
    peak = view.peak
    busiest = {
        "day": f.day(peak.day) if peak else "",
        "count": f.integer(peak.line.count) if peak else "",
    }
    volume = t("days.volume_description", period=period, **busiest)
    share = t("days.share_description", period=period)
    return {
        "volume": charts.volume(
            points, length, charts.Caption("chart-volume", t("days.volume"), volume)
        ),
        "negative": charts.negative_share(
            points, length, charts.Caption("chart-negative", t("days.share"), share)
        ),
    }
