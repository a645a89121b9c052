"""Planted events: marked in the truth, decided by the seed, and nothing else is moved."""

import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from crawlers.sandbox.events import Surge, read_event
from crawlers.sandbox.town import Town, build_town
from crawlers.sandbox.truth import TruthRow, truth, write_truth
from models.errors import ConfigError

VOLUME = "waste:huaycan:2021-09-17:3:volume"
ANGER = "economy::2021-09-24:2:negativity"


@pytest.fixture(scope="module")
def planted() -> list[TruthRow]:
    return truth(town=build_town(2021, events=[read_event(VOLUME), read_event(ANGER)]))


def test_a_planted_text_has_the_category_zone_days_and_event(planted: list[TruthRow]):
    rows = [row for row in planted if row.event == VOLUME]
    assert len(rows) == 69 * 3
    assert {(row.category, row.zone) for row in rows} == {("waste", "huaycan")}
    days = Counter(datetime.fromisoformat(row.said_at).date() for row in rows)
    assert sorted(days) == [date(2021, 9, 17), date(2021, 9, 18), date(2021, 9, 19)]
    assert len({row.copy_of for row in rows}) > 20
    assert len({row.sentiment for row in rows}) == 3


def test_a_surge_of_negativity_is_negative_and_a_rare_category_gets_enough(
    planted: list[TruthRow],
):
    rows = [row for row in planted if row.event == ANGER]
    assert len(rows) == 12 * 2
    assert {(row.category, row.sentiment) for row in rows} == {("economy", "negative")}


def test_everything_else_is_said_where_and_when_it_was(town: Town, planted: list[TruthRow]):
    def told(rows: list[TruthRow]) -> dict[str, tuple[str, str, str, str]]:
        return {
            row.text_id: (row.source, row.said_at, row.kind, row.text)
            for row in rows
            if row.event is None
        }

    assert told(planted) == told(truth(town=town))
    assert len({(row.source, row.external_id) for row in planted}) == len(planted)


def test_the_seed_decides_and_an_event_named_twice_is_one(planted: list[TruthRow]):
    events = [read_event(each) for each in (VOLUME, ANGER, VOLUME)]
    assert truth(town=build_town(2021, events=events)) == planted
    other = [row.text for row in truth(town=build_town(7, events=events)) if row.event]
    assert other != [row.text for row in planted if row.event]


def test_the_truth_file_names_the_event_of_planted_texts_alone(tmp_path: Path):
    town = build_town(2021, events=[read_event(VOLUME)])
    write_truth(tmp_path / "truth.jsonl", town=town)
    lines = (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert Counter(row.get("event", "absent") for row in rows) == {VOLUME: 207, "absent": 5_796}


def test_an_event_reads_as_it_is_written():
    assert str(read_event(VOLUME)) == VOLUME
    assert read_event(ANGER).zone is None
    assert read_event(ANGER).kind is Surge.NEGATIVITY


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("waste", "CATEGORY:ZONE:FROM:DAYS:KIND"),
        ("wast:huaycan:2021-09-17:3:volume", "there is no category «wast»"),
        ("waste:lima:2021-09-17:3:volume", "there is no zone «lima»"),
        ("waste:huaycan:2021-09-17:3:joy", "there are volume, negativity"),
        ("waste:huaycan:2021-09-31:3:volume", "day is out of range"),
        ("waste:huaycan:2021-09-17:tres:volume", "invalid literal"),
        ("waste:huaycan:2021-09-17:0:volume", "at least one day"),
    ],
)
def test_a_wrong_event_says_what_there_is(given: str, said: str):
    with pytest.raises(ConfigError, match=said):
        read_event(given)


@pytest.mark.parametrize("days", ["2021-08-31:2", "2021-09-29:3", "2021-09-02:99999999999"])
def test_an_event_outside_the_towns_days_is_refused(days: str):
    with pytest.raises(ConfigError, match="not inside the town's days"):
        build_town(2021, events=[read_event(f"waste::{days}:volume")])
