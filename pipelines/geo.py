"""Insights by zone as GeoJSON (RFC 7946): one feature per zone that has a geometry."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from configs.schema import Municipality
from models.errors import InputError
from pipelines.export import json_of


def feature_collection(frame: pd.DataFrame, municipality: Municipality) -> Mapping[str, Any]:
    """Return the rows of `insight_place` as features; what speaks of no zone has no geometry.

    Raises:
        InputError: no zone of the municipality has a geometry.
    """
    shapes = {zone.code: zone.geometry.model_dump() for zone in municipality.zones if zone.geometry}
    if not shapes:
        raise InputError(
            f"No zone of {municipality.code} has a geometry, so there is nothing to draw. Give "
            "zones a «geometry» (GeoJSON, longitude before latitude), or choose another format."
        )
    names = {zone.code: zone.name for zone in municipality.zones}
    rows = json.loads(json_of(frame))
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": f"{row['lens']}/{row['zone']}" if row["lens"] else row["zone"],
                "geometry": shapes.get(row["zone"]),
                "properties": {"name": names.get(row["zone"]), **row},
            }
            for row in rows
        ],
    }


def write_geojson(frame: pd.DataFrame, municipality: Municipality, path: Path) -> None:
    """Write the rows of `insight_place` as GeoJSON.

    Raises:
        InputError: no zone has a geometry, or the file cannot be written.
    """
    found = feature_collection(frame, municipality)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}. Choose another file with --out."
        ) from error
