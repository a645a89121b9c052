"""The map of zones: what is said most is largest, names keep apart, hostile names stay text."""

import json
import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from configs.load import load_municipality
from configs.outlines import outline_of, read_outline
from configs.schema import Geometry, Zone
from dashboard.maps import NARROW, WIDE, draw_map
from models.errors import ConfigError
from pipelines.report.view import Line, PlaceLine, Share
from tests.unit.report.town import Town, busy_town

_SVG = "{http://www.w3.org/2000/svg}"
_NONE = Share(0, 0, None, None, None)


def _spoken(code: str, value: float | None) -> PlaceLine:
    share = Share(10, 100, value, value, value, hidden=value is None)
    return PlaceLine(Line(code, code, 10, 10, share, _NONE, _NONE, {}), 0, "g", none=False)


def _at(x: float, y: float) -> Geometry:
    return Geometry(type="Point", coordinates=[x, y])


def _drawn(zones: list[Zone], places: list[PlaceLine], **given: Any) -> ET.Element:
    found = draw_map(zones, places, "Zonas", **given)
    assert found is not None
    return ET.fromstring(found)


def test_the_zone_spoken_of_most_is_darkest_and_largest() -> None:
    zones = [Zone(code=c, name=c, geometry=_at(-76.9 + i / 50, -12)) for i, c in enumerate("abcd")]
    places = [_spoken("a", 0.4), _spoken("b", 0.1), _spoken("c", None)]
    circles = _drawn(zones, places).findall(f"{_SVG}circle")

    assert [c.get("fill") for c in circles] == ["#2f5d86", "#c9d8e5", "#ffffff", "#ffffff"]
    radii = [float(c.get("r", 0)) for c in circles]
    assert radii[0] > radii[1] > radii[2] == radii[3]  # hidden and silent look the same


def test_areas_have_their_holes_and_the_outline_lies_under_them() -> None:
    square = [[0, 0], [0, 4], [4, 4], [4, 0], [0, 0]]
    hole = [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]
    area = Geometry(type="MultiPolygon", coordinates=[[square, hole], [[[5, 5], [5, 6], [6, 6]]]])
    zone = Zone(code="a", name="A", geometry=area)
    ground = Geometry(type="Polygon", coordinates=[[[-1, -1], [-1, 7], [7, 7], [7, -1]]])
    paths = _drawn([zone], [_spoken("a", 0.2)], outline=ground).findall(f"{_SVG}path")

    assert [path.get("d", "").count("Z") for path in paths] == [1, 3]
    assert paths[0].get("stroke-dasharray") == "6 3"
    assert paths[1].get("fill") == "#2f5d86"


def test_nothing_is_drawn_where_no_zone_has_a_place() -> None:
    assert draw_map([Zone(code="a", name="A")], [], "Zonas") is None


def test_a_hostile_name_stays_text() -> None:
    name = "</text></svg><script>window.hit=1</script>\u202e"
    drawn = _drawn([Zone(code="a", name=name, geometry=_at(0, 0))], [_spoken("a", 0.1)])

    assert drawn.find(f".//{_SVG}script") is None
    assert not drawn.findall(f"{_SVG}text") or "<script>" in "".join(drawn.itertext())


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("code", ["ate", "sandbox"])
def test_shipped_zones_lie_in_their_district_and_their_names_keep_apart(
    code: str, width: float
) -> None:
    town = load_municipality(code)
    ground = outline_of(town.ubigeo)
    assert ground is not None
    assert all(
        _inside(z.geometry.coordinates, ground.coordinates[0]) for z in town.zones if z.geometry
    )
    places = [_spoken(zone.code, 0.01 * (1 + i)) for i, zone in enumerate(town.zones)]
    drawn = _drawn(list(town.zones), places, outline=ground, width=width)

    boxes = [_box(text) for text in drawn.findall(f"{_SVG}text")]
    assert len(boxes) > len(town.zones) / 4
    assert all(left >= 0 and right <= width for left, _, right, _ in boxes)
    assert not any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        for a, b in combinations(boxes, 2)
    )
    assert len(drawn.findall(f"{_SVG}circle")) == len(town.zones)


def _box(text: ET.Element) -> tuple[float, float, float, float]:
    x, y, half = float(text.get("x", 0)), float(text.get("y", 0)), 3.5 * len(text.text or "")
    return x - half, y - 10, x + half, y + 2


def _inside(position: list[float], ring: list[list[float]]) -> bool:
    """Say whether a ray from the position crosses the ring an odd number of times."""
    x, y = position
    found = False
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            found = not found
    return found


def test_a_broken_outline_is_named(tmp_path: Path) -> None:
    path = tmp_path / "1.geojson"
    path.write_text('{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [7]}}')
    with pytest.raises(ConfigError, match=r"1\.geojson"):
        read_outline(path)
    assert outline_of("999999") is None
    assert outline_of(None) is None


def test_the_page_shows_the_map_and_gives_it_away(
    visiting: Callable[[Town], TestClient], own: Path
) -> None:
    visit = visiting(busy_town())
    before = visit.get("/lugares").text
    assert "Sin mapa" in before

    path = own / "sandbox.yml"
    kept = path.read_text("utf-8")
    zone = "code: huaycan\n"
    assert zone in kept
    point = "geometry: {type: Point, coordinates: [-76.82, -12.01]}"
    indent = re.search(rf"( *)(- )?{zone}", kept)
    assert indent is not None
    pad = " " * (len(indent[1]) + len(indent[2] or ""))
    path.write_text(kept.replace(zone, f"{zone}{pad}{point}\n"), "utf-8")
    try:
        visit.app.state.house.kept.clear()  # type: ignore[attr-defined]
        page = visit.get("/lugares?lang=en").text
        given = visit.get("/tablas/insight_place.geojson")
    finally:
        path.write_text(kept, "utf-8")

    assert page.count("<circle") == 2  # for a desk and for a telephone
    assert "The points are approximate" in page
    assert "/tablas/insight_place.geojson" in page
    shapes = {f["properties"]["zone"]: f["geometry"] for f in json.loads(given.text)["features"]}
    assert shapes["huaycan"] == {"type": "Point", "coordinates": [-76.82, -12.01]}
