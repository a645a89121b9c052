"""Small cells do not leave the house, nor can they be found by subtraction."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InputError
from models.insight_tables import InsightCategory, InsightChange, InsightSeries
from pipelines.geo import feature_collection, write_geojson
from pipelines.suppress import SUPPRESSED, suppress
from tests.unit.store.builders import municipality

K = 5


def categories(*authors: int, negative: int | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "run_id": "r",
                "lens": "",
                "category": f"c{place}",
                "count": count,
                "authors": count,
                "n": sum(authors),
                "share": count / max(sum(authors), 1),
                "negative": count if negative is None else negative,
                "neutral": 0,
                "positive": 0 if negative is None else count - negative,
                "negative_share": 1.0,
            }
            for place, count in enumerate(authors)
        ]
    )


def why(frame: pd.DataFrame) -> list[str]:
    return frame[SUPPRESSED].tolist()


def test_a_small_cell_takes_the_next_smallest_with_it() -> None:
    found = suppress(categories(50, 3, 20, 0), InsightCategory, K)
    assert why(found) == ["", "small", "complement", ""]
    assert found["count"].isna().tolist() == [False, True, True, False]
    assert found["share"].isna().tolist() == [False, True, True, False]
    assert found["n"].tolist() == [73] * 4


def test_two_small_ones_that_hold_enough_people_need_no_third() -> None:
    assert why(suppress(categories(50, 3, 4), InsightCategory, K)) == ["", "small", "small"]
    assert why(suppress(categories(50, 1, 2), InsightCategory, K)) == [
        "complement",
        "small",
        "small",
    ]


def test_where_nothing_is_small_nothing_is_hidden() -> None:
    frame = categories(50, 0, 20)
    found = suppress(frame, InsightCategory, K)
    assert why(found) == ["", "", ""]
    assert found["count"].tolist() == [50, 0, 20]
    assert suppress(categories(1, 2), InsightCategory, 1)[SUPPRESSED].tolist() == ["", ""]


def test_few_of_a_sentiment_hide_the_sentiments_alone() -> None:
    found = suppress(categories(50, negative=2), InsightCategory, K)
    assert why(found) == ["sentiments"]
    assert found["count"].tolist() == [50]
    assert found[["negative", "positive", "negative_share"]].isna().all(axis=None)


def test_many_texts_of_few_authors_are_a_small_cell() -> None:
    frame = categories(50, 40, 30).assign(authors=[50, 2, 30])
    assert why(suppress(frame, InsightCategory, K)) == ["", "small", "complement"]


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_no_whole_gives_a_hidden_part_away(authors: list[int]) -> None:
    found = suppress(categories(*authors), InsightCategory, K)
    hidden = [n for n, mark in zip(authors, why(found), strict=True) if mark]
    shown = [n for n, mark in zip(authors, why(found), strict=True) if not mark]
    assert all(n == 0 or n >= K for n in shown)
    if hidden and any(shown):  # else the whole itself is all there is
        assert len(hidden) > 1
        assert sum(hidden) >= K


def series(*rows: tuple[str, str, str, str, int]) -> pd.DataFrame:
    names = ("period", "dimension", "value", "second_value", "count")
    frame = pd.DataFrame(rows, columns=names)
    second = frame["second_value"].where(frame["second_value"] == "", "zone")
    return frame.assign(
        run_id="r", lens="", grain="week", second_dimension=second, authors=frame["count"]
    )


def test_a_pair_is_hidden_from_both_of_its_sides() -> None:
    frame = series(
        ("1", "category", "water", "north", 2),
        ("1", "category", "water", "south", 20),
        ("1", "category", "waste", "north", 30),
        ("1", "category", "waste", "south", 40),
    )
    assert why(suppress(frame, InsightSeries, K)) == ["small", *["complement"] * 3]


def test_a_period_is_hidden_with_another_of_the_same_label() -> None:
    frame = series(
        *(("1", "category", "water", "", 2), ("1", "category", "waste", "", 9)),
        *(("2", "category", "water", "", 8), ("2", "category", "waste", "", 9)),
        *(("3", "category", "water", "", 90), ("3", "category", "waste", "", 80)),
    )
    found = suppress(frame, InsightSeries, K)
    assert why(found) == ["small", *["complement"] * 3, "", ""]


def test_a_comparison_is_as_small_as_its_smaller_side() -> None:
    frame = pd.DataFrame(
        {
            "run_id": "r",
            "lens": "",
            "baseline": "previous",
            "dimension": "category",
            "value": ["water", "waste", "health"],
            "second_dimension": "",
            "second_value": "",
            "count": [50, 40, 0],
            "before_count": [2, 60, 70],
            "q_value": [0.1, 0.2, 0.3],
        }
    )
    found = suppress(frame, InsightChange, K)
    assert why(found) == ["small", "complement", ""]
    assert found["q_value"].isna().tolist() == [True, True, False]


# --- GeoJSON ---------------------------------------------------------------------------------

PLACES = pd.DataFrame(
    {"lens": "", "window_from": date(2026, 3, 1), "zone": ["norte", "(none)"], "count": [7, 9]}
)
POINT = {"type": "Point", "coordinates": [-76.9, -12.0]}


def test_zones_with_a_geometry_are_features(tmp_path: Path) -> None:
    place = municipality(zones=[{"code": "norte", "name": "Norte", "geometry": POINT}])
    path = tmp_path / "new" / "places.geojson"
    write_geojson(PLACES, place, path)
    found = json.loads(path.read_text("utf-8"))
    first, none = found["features"]
    assert first["geometry"] == POINT
    day = {"window_from": "2026-03-01"}
    assert first["properties"] == {"name": "Norte", "lens": "", **day, "zone": "norte", "count": 7}
    assert none["geometry"] is None


def test_without_any_geometry_there_is_nothing_to_draw() -> None:
    place = municipality(zones=[{"code": "norte", "name": "Norte"}])
    with pytest.raises(InputError, match="No zone of villa has a geometry"):
        feature_collection(PLACES, place)
