"""The district and its zones as a map in SVG: no tiles, nobody asked.

Positions are projected as in an equirectangular map true at the middle latitude, which over a
district is off by less than a line's width.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, radians, sqrt
from typing import Any

from markupsafe import Markup

from configs.schema import Geometry, Zone
from pipelines.report.safe import clean
from pipelines.report.view import PlaceLine

SHADES = ("#eef2f5", "#c9d8e5", "#93b4d0", "#5587b0", "#2f5d86")
"""From little to much of what is said of any zone."""

WIDE, NARROW = 900.0, 340.0
"""Widths of a map on a desk and on a telephone, in pixels."""

_INK = "#1c2733"
_MARGIN, _LEAST, _MOST = 30.0, 5.0, 16.0
_LETTER = 13.0
_POSITION_DEPTH = {"Point": 0, "Polygon": 2, "MultiPolygon": 3}
_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Frame:
    west: float
    north: float
    scale: float
    squeeze: float

    def place(self, position: Sequence[float]) -> tuple[float, float]:
        x = _MARGIN + (position[0] - self.west) * self.squeeze * self.scale
        return x, _MARGIN + (self.north - position[1]) * self.scale


@dataclass(frozen=True, slots=True)
class _Mark:
    """A zone to draw: how much is said of it by the most that is said of one, None if unknown."""

    zone: Zone
    geometry: Geometry
    amount: float | None
    size: float  # of circles, by those of a wide map

    @property
    def shade(self) -> str:
        if not self.amount:
            return "#ffffff"
        return SHADES[min(len(SHADES) - 1, int(self.amount * len(SHADES)))]

    @property
    def radius(self) -> float:
        """The area of a point's circle grows as what is said does."""
        return self.size * (_LEAST + (_MOST - _LEAST) * sqrt(self.amount or 0.0))


def draw_map(
    zones: Sequence[Zone],
    places: Sequence[PlaceLine],
    title: str,
    outline: Geometry | None = None,
    width: float = WIDE,
) -> Markup | None:
    """Draw the zones that have a geometry, darker the more is said of them; None without any.

    Those that are points are circles. A name that finds no room is left to the table.
    """
    marks = _marks(zones, places, 0.2 + 0.8 * width / WIDE)
    if not marks:
        return None
    ground = [outline] if outline else []
    frame, height = _framed([*ground, *(mark.geometry for mark in marks)], width)
    shapes = [_area(one, frame, "#f7f9fa", "6 3") for one in ground]
    marks.sort(key=lambda mark: -(mark.amount or 0.0))  # small circles over large ones
    shapes += [_zone(mark, frame) for mark in marks]
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
        'role="img" aria-label="{title}">{shapes}{names}</svg>'
    ).format(
        w=round(width),
        h=round(height),
        title=title,
        shapes=Markup("").join(shapes),
        names=Markup("").join(_names(marks, frame, width)),
    )


def _marks(zones: Sequence[Zone], places: Sequence[PlaceLine], size: float) -> list[_Mark]:
    shares = {place.line.code: place.line.share.value for place in places}
    shaped = [(zone, zone.geometry) for zone in zones if zone.geometry is not None]
    most = max((shares.get(zone.code) or 0.0 for zone, _ in shaped), default=0.0)
    return [
        _Mark(zone, geometry, (shares.get(zone.code) or 0.0) / most if most else None, size)
        for zone, geometry in shaped
    ]


def _framed(geometries: Sequence[Geometry], width: float) -> tuple[_Frame, float]:
    """Return the frame that shows everything in a width, and the height that this takes."""
    positions = [p for geometry in geometries for p in _positions(geometry)]
    west, east = min(p[0] for p in positions), max(p[0] for p in positions)
    south, north = min(p[1] for p in positions), max(p[1] for p in positions)
    squeeze = cos(radians((south + north) / 2))
    span = max((east - west) * squeeze, (north - south) / 2, 1e-6)
    frame = _Frame(west, north, (width - 2 * _MARGIN) / span, squeeze)
    return frame, 2 * _MARGIN + (north - south) * frame.scale


def _positions(geometry: Geometry) -> Iterator[Sequence[float]]:
    yield from _flat(geometry.coordinates, _POSITION_DEPTH[geometry.type])


def _flat(value: Any, depth: int) -> Iterator[Sequence[float]]:
    if depth == 0:
        yield value
        return
    for one in value:
        yield from _flat(one, depth - 1)


def _area(geometry: Geometry, frame: _Frame, fill: str, dashes: str = "none") -> Markup:
    polygons = geometry.coordinates if geometry.type == "MultiPolygon" else [geometry.coordinates]
    path = " ".join(
        "M" + " L".join("{:.1f},{:.1f}".format(*frame.place(p)) for p in ring) + " Z"
        for polygon in polygons
        for ring in polygon
    )
    return Markup(
        '<path d="{}" fill="{}" fill-rule="evenodd" stroke="{}" stroke-dasharray="{}"/>'
    ).format(path, fill, _INK, dashes)


def _zone(mark: _Mark, frame: _Frame) -> Markup:
    if mark.geometry.type != "Point":
        return _area(mark.geometry, frame, mark.shade)
    x, y = frame.place(mark.geometry.coordinates)
    return Markup('<circle cx="{}" cy="{}" r="{}" fill="{}" stroke="{}"/>').format(
        f"{x:.1f}", f"{y:.1f}", f"{mark.radius:.1f}", mark.shade, _INK
    )


def _names(marks: Sequence[_Mark], frame: _Frame, width: float) -> Iterator[Markup]:
    """Write the names that find room, those of the zones that are spoken of most before others."""
    taken = [_around(mark, frame) for mark in marks if mark.geometry.type == "Point"]
    for mark in marks:
        name = clean(mark.zone.name)
        for x, y, box in _spots(mark, frame, 0.58 * _LETTER * len(name)):
            if box[0] >= 0 and box[2] <= width and not any(_overlap(box, one) for one in taken):
                taken.append(box)
                yield Markup(
                    '<text x="{}" y="{}" text-anchor="middle" font-size="{}" fill="{}" '
                    'stroke="#ffffff" stroke-width="3" paint-order="stroke">{}</text>'
                ).format(f"{x:.1f}", f"{y:.1f}", round(_LETTER), _INK, name)
                break


def _centre(mark: _Mark, frame: _Frame) -> tuple[float, float]:
    spots = [frame.place(p) for p in _positions(mark.geometry)]
    return sum(x for x, _ in spots) / len(spots), sum(y for _, y in spots) / len(spots)


def _around(mark: _Mark, frame: _Frame) -> _Box:
    (x, y), r = _centre(mark, frame), mark.radius
    return x - r, y - r, x + r, y + r


def _spots(mark: _Mark, frame: _Frame, length: float) -> Iterator[tuple[float, float, _Box]]:
    """Yield where a name may stand: on an area's middle; under, over or beside a circle."""
    x, y = _centre(mark, frame)
    away = mark.radius + 3
    spots = [(x, y + _LETTER / 3)]
    if mark.geometry.type == "Point":
        side = away + length / 2
        spots = [(x, y + away + _LETTER - 2), (x, y - away)]
        spots += [(x + side, y + _LETTER / 3), (x - side, y + _LETTER / 3)]
    for left, base in spots:
        yield left, base, (left - length / 2, base - _LETTER + 2, left + length / 2, base + 3)


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
