"""The district's zones as a map in SVG: no tiles, nobody asked.

Positions are projected as in an equirectangular map true at the middle latitude, which over a
district is off by less than a line's width.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any

from markupsafe import Markup, escape

from configs.schema import Zone
from pipelines.report.view import PlaceLine

SHADES = ("#eef2f5", "#c9d8e5", "#93b4d0", "#5587b0", "#2f5d86")
"""From little to much of what is said of any zone."""

_WIDTH, _MARGIN, _RADIUS = 640.0, 28.0, 9.0
_POSITION_DEPTH = {"Point": 0, "Polygon": 2, "MultiPolygon": 3}


@dataclass(frozen=True, slots=True)
class _Frame:
    west: float
    north: float
    scale: float
    squeeze: float

    def place(self, position: Sequence[float]) -> str:
        x = _MARGIN + (position[0] - self.west) * self.squeeze * self.scale
        y = _MARGIN + (self.north - position[1]) * self.scale
        return f"{x:.1f},{y:.1f}"


def draw_map(zones: Sequence[Zone], places: Sequence[PlaceLine], title: str) -> Markup | None:
    """Draw the zones that have a geometry, darker the more is said of them; None without any."""
    shaped = [zone for zone in zones if zone.geometry is not None]
    if not shaped:
        return None
    positions = [p for zone in shaped for p in _positions(zone)]
    west, east = min(p[0] for p in positions), max(p[0] for p in positions)
    south, north = min(p[1] for p in positions), max(p[1] for p in positions)
    squeeze = cos(radians((south + north) / 2))
    span = max((east - west) * squeeze, (north - south), 1e-6)
    frame = _Frame(west, north, (_WIDTH - 2 * _MARGIN) / span, squeeze)
    height = 2 * _MARGIN + (north - south) * frame.scale
    lines = {place.line.code: place.line for place in places}
    most = max(
        (
            line.share.value or 0
            for line in lines.values()
            if line.code in {zone.code for zone in shaped}
        ),
        default=0,
    )
    marks = []
    for zone in shaped:
        line = lines.get(zone.code)
        value = line.share.value if line else None
        marks.append(_zone(zone, frame, _shade(value, most)))
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
        'role="img" aria-label="{title}">{marks}</svg>'
    ).format(w=round(_WIDTH), h=round(height), title=title, marks=Markup("").join(marks))


def _positions(zone: Zone) -> Iterator[Sequence[float]]:
    if zone.geometry is not None:
        yield from _flat(zone.geometry.coordinates, _POSITION_DEPTH[zone.geometry.type])


def _flat(value: Any, depth: int) -> Iterator[Sequence[float]]:
    if depth == 0:
        yield value
        return
    for one in value:
        yield from _flat(one, depth - 1)


def _shade(value: float | None, most: float) -> str:
    if value is None or not most:
        return "#ffffff"
    return SHADES[min(len(SHADES) - 1, int(value / most * len(SHADES)))]


def _zone(zone: Zone, frame: _Frame, shade: str) -> Markup:
    geometry = zone.geometry
    if geometry is None:
        return Markup("")
    corners = list(_positions(zone))
    spots = [frame.place(p).split(",") for p in corners]
    x = sum(float(spot[0]) for spot in spots) / len(spots)
    y = sum(float(spot[1]) for spot in spots) / len(spots)
    if geometry.type == "Point":
        shape = Markup('<circle cx="{}" cy="{}" r="{}" fill="{}" stroke="#1c2733"/>').format(
            f"{x:.1f}", f"{y:.1f}", _RADIUS, shade
        )
        y += _RADIUS + 12
    else:
        polygons = (
            geometry.coordinates if geometry.type == "MultiPolygon" else [geometry.coordinates]
        )
        rings = [ring for polygon in polygons for ring in polygon]
        path = " ".join("M" + " L".join(frame.place(p) for p in ring) + " Z" for ring in rings)
        shape = Markup('<path d="{}" fill="{}" fill-rule="evenodd" stroke="#1c2733"/>').format(
            path, shade
        )
    label = Markup(
        '<text x="{}" y="{}" text-anchor="middle" font-size="13" fill="#1c2733" stroke="#ffffff" '
        'stroke-width="3" paint-order="stroke">{}</text>'
    ).format(f"{x:.1f}", f"{y:.1f}", escape(zone.name))
    return shape + label
