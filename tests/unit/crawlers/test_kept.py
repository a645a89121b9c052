"""The records of a large crawl stay in their file, and are those that a small crawl gives."""

import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.kept import KeptRecords, read_records
from crawlers.known import last_look
from crawlers.wire import to_line
from models.records import Extracted, Kind

NOW = datetime(2021, 9, 1, 12, tzinfo=UTC)


def said(number, text="Falta agua."):
    return Extracted(
        source="muro",
        external_id=f"m{number}",
        kind=Kind.POST,
        text=text,
        said_at=NOW,
        fetched_at=NOW,
        fingerprint=f"f{number}",
    )


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr("crawlers.kept.IN_MEMORY", 0)
    monkeypatch.setattr("crawlers.kept._CHUNK", 100)  # a line is longer, as one of 1 MB is
    path = tmp_path / "extracted.jsonl"
    path.write_bytes(b"".join(map(to_line, map(said, range(7)))) + b'{"source": "muro", "exte')
    return path


def test_they_are_read_as_often_as_asked_though_the_folder_is_gone(file):
    kept = read_records(file, frozenset())
    file.unlink()
    assert isinstance(kept, KeptRecords)
    assert len(kept) == 7
    assert list(kept) == list(kept) == [said(number) for number in range(7)]
    one, other = iter(kept), iter(kept)
    assert [next(one), next(other), next(one)] == [said(0), said(0), said(1)]
    assert pickle.loads(pickle.dumps(kept)) == list(kept)
    kept.close()
    with pytest.raises(ValueError, match="closed"):
        list(kept)


@given(place=st.integers(-9, 9), end=st.integers(-9, 9), step=st.sampled_from([1, 2, -1]))
def test_a_place_is_that_of_a_list(place, end, step, tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "extracted.jsonl"
    path.write_bytes(b"".join(map(to_line, map(said, range(7)))))
    kept, plain = KeptRecords(path, frozenset()), [said(number) for number in range(7)]
    assert kept[place:end:step] == plain[place:end:step]
    if -7 <= place < 7:
        assert kept[place] == plain[place]
    else:
        with pytest.raises(IndexError):
            kept[place]
    kept.close()


@pytest.mark.parametrize("unsettled", [None, frozenset({"m2"})])
def test_what_was_not_read_to_its_end_has_no_mark(file, unsettled):
    marks = [record.fingerprint for record in read_records(file, unsettled)]
    lost = range(7) if unsettled is None else {2}
    assert marks == [None if number in lost else f"f{number}" for number in range(7)]


@pytest.mark.parametrize("in_memory", [0, 1 << 20])
def test_what_was_old_when_the_crawl_ended_has_had_its_last_look(file, monkeypatch, in_memory):
    monkeypatch.setattr("crawlers.kept.IN_MEMORY", in_memory)
    for old_before, mark in ((NOW, "f0"), (NOW + timedelta(seconds=1), last_look("f0"))):
        assert read_records(file, frozenset({"m1"}), old_before)[0].fingerprint == mark
        assert read_records(file, frozenset({"m1"}), old_before)[1].fingerprint is None


def test_without_a_file_there_are_none(tmp_path):
    assert list(read_records(tmp_path / "extracted.jsonl", None)) == []
