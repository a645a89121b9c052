"""The charts of a run's figures, drawn for a page and for a telephone, and escaped already."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache, partial
from types import MappingProxyType

from markupsafe import Markup

from models.labels import SENTIMENTS
from pipelines.report import charts
from pipelines.report.formats import Formats
from pipelines.report.safe import clean
from pipelines.report.texts import Texts
from pipelines.report.view import DayLine, Figures, Line

COLOURS = MappingProxyType(
    dict(zip(SENTIMENTS, (charts.NEGATIVE, charts.NEUTRAL, charts.POSITIVE), strict=True))
)
_LONG_WINDOW = 300  # days; beyond, the axis names months


class Charts(Mapping[str, charts.Chart]):
    """Charts by name, each drawn when it is first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], charts.Chart]]) -> None:
        self._makers = dict(makers)
        self._drawn: dict[str, charts.Chart] = {}

    def __getitem__(self, name: str) -> charts.Chart:
        """Return a chart."""
        if name not in self._drawn:
            self._drawn[name] = self._makers[name]()
        return self._drawn[name]

    def __iter__(self) -> Iterator[str]:
        """Give the names of the charts that have anything to show."""
        return iter(self._makers)

    def __len__(self) -> int:
        """Count them."""
        return len(self._makers)


def draw(view: Figures, window: tuple[date, date], t: Texts, f: Formats) -> Charts:
    """Return the charts that have anything to show: categories, sentiment, places and days."""
    zones = tuple(place.line for place in view.places if not place.none)
    shown = {"categories": view.categories, "sentiment": view.sentiments, "places": zones}
    bars = {
        name: partial(draw_bars, name, t(f"{name}.chart"), lines, t, f)
        for name, lines in shown.items()
        if any(line.share.value is not None for line in lines)
    }
    return Charts(bars | _days(view.days, window, t, f))


def draw_bars(name: str, title: str, lines: Sequence[Line], t: Texts, f: Formats) -> charts.Chart:
    """Draw shares as bars with their intervals; ``name`` keeps ids apart on the page."""
    caption = charts.Caption(f"chart-{name}", title, _description(lines, t, f))
    return _bars(tuple(_bar(line, t, f) for line in lines), caption)


@lru_cache(maxsize=256)
def _bars(items: tuple[charts.Bar, ...], caption: charts.Caption) -> charts.Chart:
    return _trusted(charts.bars(items, caption))


def _days(
    days: Sequence[DayLine], window: tuple[date, date], t: Texts, f: Formats
) -> dict[str, Callable[[], charts.Chart]]:
    """Return how volume and negative share by day are drawn; nothing if nothing was said."""
    peak = max(days, key=lambda d: d.line.count, default=None)
    if peak is None or not peak.line.count:
        return {}
    start, end = window
    length = (end - start).days
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
        for day in days
    ]
    period = f.period(start, end)
    volume = t(
        "days.volume_description",
        period=period,
        day=f.day(peak.day),
        count=f.integer(peak.line.count),
    )
    share = t("days.share_description", period=period)
    return {
        "volume": partial(
            _volume, tuple(points), length, charts.Caption("chart-volume", t("days.volume"), volume)
        ),
        "negative": partial(
            _negative,
            tuple(points),
            length,
            charts.Caption("chart-negative", t("days.share"), share),
        ),
    }


@lru_cache(maxsize=32)
def _volume(points: tuple[charts.Point, ...], days: int, caption: charts.Caption) -> charts.Chart:
    return _trusted(charts.volume(points, days, caption))


@lru_cache(maxsize=32)
def _negative(points: tuple[charts.Point, ...], days: int, caption: charts.Caption) -> charts.Chart:
    return _trusted(charts.negative_share(points, days, caption))


def _trusted(chart: charts.Chart) -> charts.Chart:
    """Mark our own SVG, whose texts are escaped in it, as not to be escaped again."""
    return charts.Chart(Markup(chart.wide), Markup(chart.narrow))  # noqa: S704


def _description(lines: Sequence[Line], t: Texts, f: Formats) -> str:
    items = "; ".join(
        _item(line, t, f)
        for line in lines
        if line.share.value is not None
        and line.share.low is not None
        and line.share.high is not None
    )
    return t("categories.description", n=f.integer(lines[0].share.n), items=items)


def _item(line: Line, t: Texts, f: Formats) -> str:
    share, doubt = line.share, line.corrected
    said = t(
        "categories.item",
        name=line.name,
        share=f.percent(share.value or 0),
        interval=t("interval", low=f.percent(share.low or 0), high=f.percent(share.high or 0)),
    )
    if doubt.low is None or doubt.high is None:
        return said
    return f"{said}, {t('doubt', low=f.percent(doubt.low, 0), high=f.percent(doubt.high, 0))}"


def _bar(line: Line, t: Texts, f: Formats) -> charts.Bar:
    share = line.share
    text = t("hidden_mark" if line.hidden else "no_data")
    if share.value is not None:
        text = f"{f.percent(share.value)}  ({f.integer(share.count)})"
    colour = charts.OTHER if line.code == "other" else COLOURS.get(line.code, charts.BAR)
    doubt = line.corrected
    return charts.Bar(
        clean(line.name), text, share.value, share.low, share.high, colour, doubt.low, doubt.high
    )
