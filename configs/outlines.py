"""The outlines of districts, as the ground of a map."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from configs.schema import SHIPPED, Geometry
from models.errors import ConfigError

SOURCE = "github.com/juaneladio/peru-geojson, MPL-2.0"
"""Whom a page names beside a shipped outline."""


class _Feature(BaseModel):
    type: Literal["Feature"]
    geometry: Geometry


@cache
def outline_of(ubigeo: str | None) -> Geometry | None:
    """Return the shipped outline of a district, by its UBIGEO code; None where none ships.

    Raises:
        ConfigError: the file is no GeoJSON feature.
    """
    path = SHIPPED / "outlines" / f"{ubigeo}.geojson"
    if not ubigeo or not path.is_file():
        return None
    return read_outline(path)


def read_outline(path: Path) -> Geometry:
    """Read a GeoJSON feature's geometry.

    Raises:
        ConfigError: the file is none.
    """
    try:
        return _Feature.model_validate_json(path.read_text(encoding="utf-8")).geometry
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{path} is no GeoJSON feature of an area.") from error
