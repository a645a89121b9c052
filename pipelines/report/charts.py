"""The charts: Altair specifications drawn to SVG without a browser and without a network.

Each chart is drawn twice, for a page and for a telephone; the page's style sheet shows one of
them. Nothing is told by colour alone, and the layout does not depend on installed fonts: labels
are text marks at fixed places, and the margins are given.

A frame is a specification without its rows, compiled to Vega. It is made once for charts of one
size, so that to draw one more costs what Vega takes to draw it and nothing of Altair or Vega-Lite.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import altair as alt
import vl_convert
from altair.utils.schemapi import debug_mode

INK = "#1c2733"
MUTED = "#4f5b67"
GRID = "#dfe4e8"
BAR = "#2f5d86"
NEGATIVE = "#9c3f12"
NEUTRAL = "#8a939b"
POSITIVE = "#1f77b4"
OTHER = "#aab4bd"
BAND = "#ecd9b0"
FONT = "Helvetica Neue, Arial, Liberation Sans, sans-serif"

_ROOT = re.compile(r"^<svg[^>]*>", re.DOTALL)
_ROLE = re.compile(r' (?:role="graphics-[\w-]+"|aria-roledescription="[^"<>]*")')
"""The whole drawing is one image with a name; a part that called itself one would want its own."""
_ID = re.compile(r"(\bid=\"|url\(#|href=\"#)")
_VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
_TOP = "top"
"""The signal of a frame that says where the axis of its figures ends."""
_FRAMES = 64

_Row = dict[str, Any]
_Frame = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """The same chart for a wide and for a narrow page, as SVG."""

    wide: str
    narrow: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A share as a bar: ``text`` is the figure as the page writes it.

    ``low`` to ``high`` is the interval of chance alone, ``least`` to ``most`` the one that counts
    the model's errors.
    """

    label: str
    text: str
    value: float | None
    low: float | None
    high: float | None
    colour: str = BAR
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A day of the window: its volume and its negative share."""

    place: int
    label: str
    count: int
    negative: int
    share: float | None
    low: float | None
    high: float | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Caption:
    """What a chart is called, what it shows, and the prefix of its ids on the page."""

    id: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class _Box:
    """The room of a chart, in pixels: plot and margins."""

    width: int
    height: int
    left: int
    right: int
    top: int = 8
    bottom: int = 34

    @property
    def size(self) -> tuple[int, int]:
        return self.left + self.width + self.right, self.top + self.height + self.bottom

    @property
    def padding(self) -> dict[str, int]:
        return {"left": self.left, "right": self.right, "top": self.top, "bottom": self.bottom}


def bars(items: Sequence[Bar], caption: Caption) -> Chart:
    """Draw shares as bars with the whiskers of their 95 % intervals, on bands of the wider ones."""
    wide = _Box(width=582, height=28 * len(items), left=240, right=118)
    narrow = _Box(width=318, height=46 * len(items), left=6, right=16)
    return Chart(
        wide=_bars(items, wide, caption, "w", labels_above=False),
        narrow=_bars(items, narrow, caption, "n", labels_above=True),
    )


def volume(points: Sequence[Point], days: int, caption: Caption) -> Chart:
    """Draw the manifestations of each day; the dark foot of a bar is its negative part."""
    wide = _Box(width=880, height=170, left=48, right=12)
    narrow = _Box(width=292, height=150, left=38, right=10)
    rows, top = _volume_rows(points), max([1, *(p.count for p in points)])

    def drawn(box: _Box, labels: int, form: str) -> str:
        shown = rows | {"labels": _day_labels(points, labels)}
        return _svg(_volume_frame(box, days), shown, top, box, caption, form)

    return Chart(wide=drawn(wide, 8, "w"), narrow=drawn(narrow, 4, "n"))


def negative_share(points: Sequence[Point], days: int, caption: Caption) -> Chart:
    """Draw the negative share of each day as a point with the whisker of its interval."""
    wide = _Box(width=880, height=150, left=48, right=12)
    narrow = _Box(width=292, height=140, left=38, right=10)
    rows = [
        {"at": p.place + 0.5, "value": p.share, "low": p.low, "high": p.high}
        for p in points
        if p.share is not None
    ]

    def drawn(box: _Box, labels: int, form: str) -> str:
        shown = {"days": rows, "labels": _day_labels(points, labels)}
        return _svg(_shares_frame(box, days), shown, 1, box, caption, form)

    return Chart(wide=drawn(wide, 8, "w"), narrow=drawn(narrow, 4, "n"))


def _bars(
    items: Sequence[Bar], box: _Box, caption: Caption, form: str, *, labels_above: bool
) -> str:
    middle, half = (0.68, 0.14) if labels_above else (0.5, 0.27)
    rows = [
        {
            "row": i + middle,
            "from": i + middle - half,
            "to": i + middle + half,
            "above": i + middle - 1.4 * half,
            "below": i + middle + 1.4 * half,
            "zero": 0,
            "label": _cut(item.label),
            "text": item.text,
            "value": item.value,
            "low": item.low,
            "high": item.high,
            "colour": item.colour,
            "least": item.least,
            "most": item.most,
        }
        for i, item in enumerate(items)
    ]
    known = [row for row in rows if row["value"] is not None]
    sets = {
        "all": rows,
        "known": known,
        "sure": [row for row in known if row["least"] is not None and row["most"] is not None],
        "ranged": [row for row in known if row["low"] is not None and row["high"] is not None],
    }
    ends = [x for item in items for x in (item.value, item.high, item.most) if x is not None]
    top = max([0.02, *ends])
    frame = _bars_frame(box, len(items), small=top < 0.1, labels_above=labels_above)
    return _svg(frame, sets, top * 1.02, box, caption, form)


# Altair checks every part against its schema, and that takes as long as to draw the chart.
@lru_cache(maxsize=_FRAMES)
@debug_mode(False)
def _bars_frame(box: _Box, rows: int, *, small: bool, labels_above: bool) -> _Frame:
    x = alt.X("value:Q", scale=_scale(0, alt.ExprRef(_TOP)), axis=_percent_axis(small=small))
    rows_down = _scale(rows, 0)
    y = alt.Y("row:Q", scale=rows_down, axis=None)
    edges = {"y": alt.Y("from:Q", scale=rows_down, axis=None), "y2": alt.Y2("to:Q")}
    colour = alt.Color("colour:N", scale=None)
    layers = [
        _bands(rows_down),
        _chart("known").mark_rect().encode(x=x, x2=alt.X2("zero:Q"), color=colour, **edges),
        *_whiskers(y),
        *_bar_labels(y, box, above=labels_above),
    ]
    return _frame(layers, box)


def _bands(rows_down: alt.Scale) -> alt.Chart:
    """Return the intervals that count the model's errors, as light bands behind the bars."""
    mark: alt.Chart = _chart("sure").mark_rect(color=BAND)
    return mark.encode(
        x=alt.X("least:Q"),
        x2=alt.X2("most:Q"),
        y=alt.Y("above:Q", scale=rows_down, axis=None),
        y2=alt.Y2("below:Q"),
    )


def _bar_labels(y: alt.Y, box: _Box, *, above: bool) -> list[alt.Chart]:
    shift = -19 if above else 0
    left, right = (0, box.width) if above else (-12, box.width + 12)
    start, end = (alt.XValue(x) for x in (left, right))  # type: ignore[no-untyped-call]
    label = _chart("all").mark_text(
        align="left" if above else "right", dy=shift, fontSize=13, color=INK
    )
    text = _chart("all").mark_text(
        align="right" if above else "left", dy=shift, fontSize=12.5, color=INK
    )
    return [
        label.encode(x=start, y=y, text=alt.Text("label:N")),
        text.encode(x=end, y=y, text=alt.Text("text:N")),
    ]


def _whiskers(y: alt.Y) -> list[alt.Chart]:
    """Return the intervals as lines with an end mark at both sides, on a light edge."""
    base = _chart("ranged")
    lines = [
        base.mark_rule(color=colour, strokeWidth=width).encode(
            x=alt.X("low:Q"), x2=alt.X2("high:Q"), y=y
        )
        for colour, width in (("white", 4), (INK, 1.4))
    ]
    caps = [
        base.mark_tick(color=INK, thickness=1.4, size=8, orient="vertical").encode(
            x=alt.X(f"{end}:Q"), y=y
        )
        for end in ("low", "high")
    ]
    return [*lines, *caps]


def _volume_rows(points: Sequence[Point]) -> dict[str, list[_Row]]:
    rows: list[_Row] = [
        {
            "from": p.place + 0.12,
            "to": p.place + 0.88,
            "zero": 0,
            "count": p.count,
            "negative": p.negative,
            "complete": p.complete,
        }
        for p in points
    ]
    return {
        "days": rows,
        "whole": [row for row in rows if row["complete"]],
        "holed": [row for row in rows if not row["complete"]],
    }


@lru_cache(maxsize=_FRAMES)
@debug_mode(False)
def _volume_frame(box: _Box, days: int) -> _Frame:
    x = alt.X("from:Q", scale=_scale(0, days), axis=None)
    axis = _axis(tickMinStep=1, tickCount=4, format=",d")
    scale = _scale(0, alt.ExprRef(_TOP))
    box_of = {"x": x, "x2": alt.X2("to:Q"), "y2": alt.Y2("zero:Q")}
    y = alt.Y("count:Q", scale=scale, axis=axis)
    layers = [
        _chart("whole").mark_rect(color="#b9c8d6").encode(**box_of, y=y),
        _chart("holed")
        .mark_rect(fill="white", stroke=INK, strokeWidth=1, strokeDash=[3, 2])
        .encode(**box_of, y=y),
        _chart("days").mark_rect(color=NEGATIVE).encode(**box_of, y=alt.Y("negative:Q")),
        _names_of_days(box),
    ]
    return _frame(layers, box)


@lru_cache(maxsize=_FRAMES)
@debug_mode(False)
def _shares_frame(box: _Box, days: int) -> _Frame:
    x = alt.X("at:Q", scale=_scale(0, days), axis=None)
    axis = _percent_axis(values=[0, 0.25, 0.5, 0.75, 1])
    y = alt.Y("value:Q", scale=_scale(0, 1), axis=axis)
    dot = _chart("days").mark_point(
        filled=True, size=34 if days <= 62 else 14, color=NEGATIVE, opacity=1
    )
    layers = [
        _chart("days")
        .mark_rule(color=INK, strokeWidth=1.1)
        .encode(x=x, y=alt.Y("low:Q", axis=axis, scale=_scale(0, 1)), y2=alt.Y2("high:Q")),
        dot.encode(x=x, y=y),
        _names_of_days(box),
    ]
    return _frame(layers, box)


def _day_labels(points: Sequence[Point], labels: int) -> list[_Row]:
    step = max(1, -(-len(points) // labels))
    return [{"at": p.place + 0.5, "label": p.label} for p in points[::step]]


def _names_of_days(box: _Box) -> alt.Chart:
    below = alt.YValue(box.height + 9)  # type: ignore[no-untyped-call]
    mark: alt.Chart = _chart("labels").mark_text(baseline="top", fontSize=12, color=MUTED)
    return mark.encode(x=alt.X("at:Q"), y=below, text=alt.Text("label:N"))


def _chart(rows: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name=rows))


def _scale(start: float, end: float | alt.ExprRef) -> alt.Scale:
    return alt.Scale(domain=[start, end], nice=False, zero=False, padding=0)


def _axis(**options: Any) -> alt.Axis:
    return alt.Axis(title=None, labelFontSize=12, **options)


def _percent_axis(*, small: bool = False, **options: Any) -> alt.Axis:
    digits = ".1~f" if small else ".0f"
    return _axis(tickCount=5, labelExpr=f"format(datum.value * 100, '{digits}') + '%'", **options)


def _cut(label: str) -> str:
    return label if len(label) <= 40 else label[:39].rstrip() + "…"


def _frame(layers: Sequence[alt.Chart], box: _Box) -> _Frame:
    top = alt.VariableParameter(name=_TOP, value=1)
    chart = (
        alt.LayerChart(layer=layers, params=[top])
        .properties(width=box.width, height=box.height, padding=box.padding, autosize="none")
        .configure(
            font=FONT,
            background="transparent",
            aria=False,
            view=alt.ViewConfig(stroke=None),
            axis=alt.AxisConfig(
                gridColor=GRID,
                domainColor=GRID,
                tickColor=GRID,
                labelColor=MUTED,
                labelPadding=6,
                labelLimit=0,
            ),
        )
    )
    found: _Frame = vl_convert.vegalite_to_vega(
        chart.to_dict(validate=False), vl_version=_VEGA_LITE
    )
    return found


def _svg(
    frame: _Frame,
    rows: Mapping[str, Sequence[_Row]],
    top: float,
    box: _Box,
    caption: Caption,
    form: str,
) -> str:
    """Draw a frame with its rows, with a name, a description and ids of its own on the page."""
    filled = {
        **frame,
        "data": [
            {**one, "values": rows[one["name"]]} if one["name"] in rows else one
            for one in frame["data"]
        ],
        "signals": [
            {**one, "value": top} if one["name"] == _TOP else one for one in frame["signals"]
        ],
    }
    drawn = vl_convert.vega_to_svg(filled, allowed_base_urls=[])
    prefix = f"{caption.id}-{form}-"
    width, height = box.size
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        f' aria-labelledby="{prefix}title {prefix}desc" width="{width}" height="{height}">'
    )
    named = (
        f'<title id="{prefix}title">{escape(caption.title)}</title>'
        f'<desc id="{prefix}desc">{escape(caption.description)}</desc>'
    )
    marks = _ROLE.sub("", _ROOT.sub("", _ID.sub(rf"\g<1>{prefix}", drawn.strip())))
    return f"{root}{named}{marks}"
