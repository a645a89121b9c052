"""A floor of the extraction gate is only lowered on purpose."""

from pathlib import Path

import pytest

from tests.unit.crawlers.floors import Floors, checksum

PINNED = Floors("abc", {"title": 23, "date": 25})


def test_a_better_run_raises_the_floors(tmp_path: Path) -> None:
    raised = PINNED.raised("abc", {"title": 24, "date": 25}, may_lower=False)
    raised.write(tmp_path / "floors.json")

    assert Floors.read(tmp_path / "floors.json") == Floors("abc", {"title": 24, "date": 25})


def test_a_worse_run_lowers_them_only_on_purpose() -> None:
    right = {"title": 24, "date": 24}

    assert PINNED.missed(right) == "date: 24 of 25"
    with pytest.raises(ValueError, match="date: 24 of 25; add --lower-floors"):
        PINNED.raised("abc", right, may_lower=False)
    assert PINNED.raised("abc", right, may_lower=True).floors == right


def test_a_field_that_is_no_longer_measured_is_missed() -> None:
    assert PINNED.missed({"title": 30}) == "date: 0 of 25"


def test_other_pages_need_a_purpose_too() -> None:
    right = {"title": 30, "date": 30}

    with pytest.raises(ValueError, match="not those of the floors"):
        PINNED.raised("def", right, may_lower=False)
    assert PINNED.raised("def", right, may_lower=True) == Floors("def", right)


def test_the_checksum_is_of_names_and_contents(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text("uno")
    first = checksum(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing to do with it")
    assert checksum(tmp_path) == first
    page.rename(tmp_path / "b.html")
    second = checksum(tmp_path)
    (tmp_path / "b.html").write_text("dos")

    assert len({first, second, checksum(tmp_path)}) == 3


def test_what_is_pinned_can_be_read() -> None:
    pinned = Floors.read()

    assert len(pinned.corpus) == 64
    assert all(floor > 0 for floor in pinned.floors.values())
