"""A source that no longer gives what it is expected to give says so loudly."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from configs.schema import Expect, Municipality
from crawlers.protocols.fields import item_fields
from models.records import Extracted, Kind, State, Window
from models.tables import PartitionRow
from pipelines.collect import keep_records, store_crawl
from pipelines.expectations import recent_fields, unmet
from pipelines.privacy import Pseudonymiser
from pipelines.store.crawled import source_fields
from pipelines.store.write import Store
from tests.unit.pipelines.test_collect import crawled
from tests.unit.store.builders import LIMA, at, begun, extracted, municipality, rows, said, save

SECRET = Pseudonymiser("villa", b"a secret of sixteen")
TEN = Window(date(2026, 3, 1), date(2026, 3, 11), LIMA)
AFTER = datetime(2026, 3, 20, tzinfo=UTC)


def expecting(**expect: Any) -> Municipality:
    place = municipality()
    source = place.sources[0].model_copy(update={"expect": Expect(**expect), "kind": Kind.COMMENT})
    return place.model_copy(update={"sources": (source, *place.sources[1:])})


def found(
    store: Store, records: list[Extracted] | None = None, now: datetime = AFTER, **expect: Any
) -> str:
    place = expecting(**expect)
    return unmet(store.engine, place, place.sources[0], TEN, records or [], now)


def fill(store: Store, *days: int) -> None:
    save(store, begun(store), *(said(n, when=at(day)) for n, day in enumerate(days)))


def test_the_number_a_day_over_the_days_of_the_window(store: Store) -> None:
    fill(store, *[1] * 5, 2, 4, 8, 9, 10)

    assert found(store, min_per_day=1, max_per_day=1) == ""
    assert found(store, min_per_day=1.1) == (
        "the source has changed: 1.00 manifestations a day, and at least 1.1 are expected"
    )
    assert "at most 0.9 are expected" in found(store, max_per_day=0.9)


def test_days_that_are_not_over_and_days_before_the_first_do_not_count(store: Store) -> None:
    fill(store, 5, 5, 6, 6)

    assert found(store, now=at(7, 9), min_per_day=2) == ""
    assert found(store, now=at(5, 9), min_per_day=99) == ""
    assert "0.40 manifestations" not in found(store, min_per_day=2)
    assert "0.67 manifestations" in found(store, min_per_day=2)


def test_a_source_that_fell_silent(store: Store) -> None:
    save(store, begun(store), said(1, when=at(1, month=1)))
    assert "0.00 manifestations a day" in found(store, min_per_day=0.1)


def test_a_field_that_no_record_has_any_more(store: Store) -> None:
    article = extracted(1, kind=Kind.ARTICLE, author="Diario", url="https://a.pe/1")
    comment = extracted(2, url="https://a.pe/2")
    named = extracted(3, author="Rosa")

    wants = {"fields": ("author", "url")}
    assert found(store, [named, comment], **wants) == ""
    assert found(store, [article, comment], **wants) == (
        "the source has changed: no record has the field «author» any more"
    )
    assert found(store, [article], **wants) == ""  # none of its own kind: whatever there is
    assert found(store, [], **wants) == ""  # nothing new was read


def test_a_source_that_has_changed_is_partial_in_the_ledger(store: Store) -> None:
    place = expecting(fields=("author",))
    run_id = begun(store, place)

    kept = store_crawl(
        store, run_id, place, place.sources[0], TEN, SECRET, crawled(extracted(1, when=at(1)))
    )

    reason = "the source has changed: no record has the field «author» any more"
    assert (kept.state, kept.reason, kept.saved.new) == (State.PARTIAL, reason, 1)
    lines = rows(store.engine, PartitionRow)
    assert {(line["state"], line["error"]) for line in lines} == {(State.PARTIAL, reason)}


def test_bounds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="is more than max_per_day"):
        Expect(min_per_day=3, max_per_day=2)
    with pytest.raises(ValidationError, match="'author', 'title', 'url' or 'thread'"):
        Expect.model_validate({"fields": ["likes"]})


def test_a_field_that_comes_later_is_told_once(store: Store) -> None:
    def read(*fields: str) -> tuple[str, ...]:
        place, result = municipality(), crawled(fields=fields)
        return keep_records(store, begun(store), place, place.sources[0], SECRET, result).warnings

    assert read("data.id", "data.text") == ()
    assert read("data.id") == ()
    assert read("data.id", "data.text", "data.edited_at") == ("new in its answers: data.edited_at",)
    assert read("data.edited_at") == ()
    assert read() == ()
    known = source_fields(store.engine, "villa")["diario"]
    now = datetime.now(UTC)
    assert recent_fields(known, now) == "new in its answers: data.edited_at"
    assert recent_fields(known, now + timedelta(days=31)) == ""


def test_the_fields_of_an_answer() -> None:
    value = {
        "data": [{"id": 1, "from": {"name": "Rosa"}}, {"id": 2, "777": 1}],
        "children": [{"kind": "t1", "data": {"body": "x", "replies": {"children": [{"z": 1}]}}}],
        "paging": {"next": "no item"},
    }
    assert item_fields(value) == {
        "data.id", "data.from", "data.from.name", "children.kind", "children.data",
        "children.data.body", "children.data.replies", "children.z",
    }  # fmt: skip
    assert item_fields([{"a": 1}]) == {"a"}
    assert item_fields("x") == item_fields({}) == set()
