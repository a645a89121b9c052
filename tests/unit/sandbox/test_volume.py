"""How much the town says: exact totals, marked copies, the same every time, and fast."""

from collections import Counter
from datetime import datetime
from itertools import groupby

import pytest

from crawlers.sandbox.sites import SITES, Shape
from crawlers.sandbox.texts import load_texts
from crawlers.sandbox.town import Town, build_town, window_of
from crawlers.sandbox.truth import TruthRow, truth
from crawlers.sandbox.volume import PILOT, plan
from models.labels import CATEGORIES


@pytest.fixture(scope="module")
def rows(town: Town) -> list[TruthRow]:
    return truth(town=town)


def test_the_pilots_published_totals_are_met_exactly(rows: list[TruthRow]):
    assert len(rows) == 5_796
    categories = Counter(row.category for row in rows)
    assert categories["transport"] == 372
    assert categories["health"] == 105
    assert categories["security"] == 104
    assert categories["economy"] == 30
    assert categories == PILOT
    assert set(categories) == set(CATEGORIES)


def test_the_published_shares_are_met_as_nearly_as_whole_numbers_allow(rows: list[TruthRow]):
    sentiments = Counter(row.sentiment for row in rows)
    assert sentiments == {"positive": 2_043, "negative": 2_318, "neutral": 1_435}
    shares = {"positive": 35.24, "negative": 40.0, "neutral": 24.76}
    for name, share in shares.items():
        assert abs(100 * sentiments[name] / 5_796 - share) < 100 / 5_796


def test_copies_name_a_text_that_is_there_and_was_said_before(rows: list[TruthRow]):
    said = {row.text_id: row for row in rows}
    noise = {line.id for line in load_texts().noise}
    assert len(said) == len(rows)
    for row in rows:
        if row.copy_of is None:
            assert "-r" not in row.text_id
        elif row.noise is None:
            origin = said[row.copy_of]
            assert origin.copy_of is None
            assert (origin.category, origin.sentiment) == (row.category, row.sentiment)
            assert datetime.fromisoformat(origin.said_at) < datetime.fromisoformat(row.said_at)
        else:
            assert row.copy_of in {*noise, *said}


def test_most_of_the_written_texts_are_used_and_nothing_else_is_original(rows: list[TruthRow]):
    written = {text.id for text in load_texts().labelled}
    originals = {row.text_id for row in rows if row.copy_of is None}
    assert originals <= written
    left_out = [text for text in load_texts().labelled if text.id not in originals]
    assert {text.category for text in left_out} == {"economy"}
    assert len(originals) >= 1_170


def test_noise_is_marked_and_of_every_kind(rows: list[TruthRow]):
    kinds = Counter(row.noise for row in rows if row.noise)
    assert set(kinds) == {"spam", "language", "greeting", "bump"}
    assert {row.category for row in rows if row.noise} == {"other"}


def test_no_text_is_everywhere(rows: list[TruthRow]):
    times = Counter(row.copy_of for row in rows if row.copy_of and not row.noise)
    assert max(times.values()) < 100
    assert len(times) > 700


def test_repetitions_are_not_all_to_the_letter(rows: list[TruthRow]):
    said = {row.text_id: row.text for row in rows}
    changed = sum(said.get(row.copy_of or "") != row.text for row in rows if row.copy_of)
    assert changed > 2_000


def test_the_same_seed_gives_the_same_rows_and_another_gives_others(rows: list[TruthRow]):
    assert truth(town=build_town(2021)) == rows
    other = truth(town=build_town(7))
    assert len(other) == len(rows)
    assert Counter(row.category for row in other) == PILOT
    assert [row.text for row in other] != [row.text for row in rows]


@pytest.mark.parametrize(("days", "scale"), [(120, 1), (7, 1), (30, 2.5)])
def test_other_lengths_and_scales_are_in_proportion(days: int, scale: float):
    town = build_town(3, window=window_of(days), scale=scale)
    assert town.size == round(5_796 * days / 30 * scale)
    aim = plan(days, scale)
    told = truth(town=town)
    assert Counter(row.category for row in told) == aim.categories
    if days > 7:
        assert Counter(row.sentiment for row in told) == aim.sentiments
    assert all(town.window.holds(item.changed_at) for item in town.items)


def test_a_longer_run_says_the_texts_that_the_pilots_totals_leave_out():
    town = build_town(1, window=window_of(120))
    written = {text.id for text in load_texts().labelled}
    assert written <= {row.text_id for row in truth(town=town)}


def test_feeds_do_not_grow_without_end():
    town = build_town(1, scale=5)
    for site in SITES:
        if site.shape in {Shape.RSS_TEXT, Shape.RSS_CONTENT, Shape.JSON_TEXT, Shape.NEWS}:
            assert len(town.of(site.name)) < 700, site.name


def test_no_two_things_have_one_identity(rows: list[TruthRow]):
    identities = Counter((row.source, row.external_id) for row in rows)
    assert max(identities.values()) == 1
    for row in rows:
        for name in (row.parent_external_id, row.thread_external_id):
            assert name is None or (row.source, name) in identities


def test_platforms_number_what_they_hold_in_the_order_of_time(town: Town):
    for name, group in groupby(sorted(town.items, key=lambda item: item.site.name),
                               key=lambda item: item.site.name):  # fmt: skip
        ordered = sorted(group, key=lambda item: (item.said_at, item.number))
        assert [item.rank for item in ordered] == list(range(1, len(ordered) + 1)), name
        numbers = [item.number for item in ordered]
        assert numbers == sorted(numbers), name
