"""What is marked as gone: what a crawl proves, and nothing else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crawlers.job import CrawlResult
from models.records import ANSWERS, OPENERS, Extracted, Listing, Vanished
from models.tables import ManifestationRow
from pipelines.collect import Collected, keep_records
from pipelines.privacy import Pseudonymiser
from pipelines.store.write import Store
from tests.unit.store.builders import at, begun, extracted, municipality, rows

VILLA = municipality()
DIARIO = VILLA.sources[0]
SECRET = Pseudonymiser("villa", b"a secret of sixteen")
SEEN = datetime(2026, 4, 3, tzinfo=UTC)
"""A day after what the tests store was fetched."""


def answer(number: int, to: int, **about: Any) -> Extracted:
    return extracted(number, parent_external_id=str(to), thread_external_id=str(to), **about)


def keep(store: Store, *records: Extracted, **about: Any) -> Collected:
    result = CrawlResult(list(records), [], [], finished=True, reason="", **about)
    return keep_records(store, begun(store), VILLA, DIARIO, SECRET, result)


def gone(store: Store) -> set[str]:
    found = rows(store.engine, ManifestationRow)
    assert {row["gone_at"] for row in found} <= {None, SEEN}
    return {row["external_id"] for row in found if row["gone_at"] is not None}


@pytest.fixture
def stored(store: Store) -> Store:
    """Two threads, on the 1st and the 3rd of March, and what came between."""
    keep(
        store,
        extracted(1, when=at(1)),
        answer(11, 1, when=at(1, 13)),
        answer(12, 1, when=at(2)),
        extracted(2, when=at(3)),
        answer(21, 2, when=at(4)),
        extracted(3, when=at(5)),
    )
    return store


def listing(of: str, *ids: int, since: datetime | None = None) -> Listing:
    return Listing(of, tuple(map(str, ids)), SEEN, since)


def test_what_a_source_says_it_took_back(stored: Store) -> None:
    found = keep(stored, vanished=(Vanished("12", SEEN), Vanished("99", SEEN)))
    assert gone(stored) == {"12"}
    assert found.gone == 2  # one of them was never stored


def test_with_its_page_goes_its_thread(stored: Store) -> None:
    keep(stored, vanished=(Vanished("1", SEEN, with_thread=True),))
    assert gone(stored) == {"1", "11", "12"}


def test_a_whole_list_tells_what_is_missing(stored: Store) -> None:
    keep(stored, listings=(listing("1", 11), listing(OPENERS, 1, 3)))
    assert gone(stored) == {"12", "2", "21"}


def test_a_list_says_nothing_of_what_is_older(stored: Store) -> None:
    keep(stored, listings=(listing(OPENERS, 3, since=at(3)), listing(ANSWERS, 21, since=at(2))))
    assert gone(stored) == set()
    keep(stored, listings=(listing(OPENERS, 3, since=at(2)),))
    assert gone(stored) == {"2", "21"}


def test_what_the_same_crawl_saw_elsewhere_is_there(stored: Store) -> None:
    keep(stored, answer(21, 2, when=at(4)), listings=(listing(OPENERS, 1, 3), listing("2", 99)))
    assert gone(stored) == {"2"}


def test_an_empty_list_of_a_source_proves_nothing_but_a_thread_may_be_empty(stored: Store) -> None:
    keep(stored, listings=(listing(OPENERS), listing(ANSWERS)))
    assert gone(stored) == set()
    keep(stored, listings=(listing("1"),))
    assert gone(stored) == {"11", "12"}


def test_what_was_fetched_later_is_not_gone(store: Store) -> None:
    later = datetime(2026, 4, 4, tzinfo=UTC)
    keep(store, extracted(1, fetched_at=later), extracted(2, when=at(11)))
    keep(store, listings=(listing(OPENERS, 2),), vanished=(Vanished("1", SEEN),))
    assert gone(store) == set()


def test_what_comes_back_is_no_longer_gone(stored: Store) -> None:
    keep(stored, vanished=(Vanished("3", SEEN),))
    assert gone(stored) == {"3"}
    back = datetime(2026, 4, 4, tzinfo=UTC)
    keep(stored, extracted(3, when=at(5), fetched_at=back))
    assert gone(stored) == set()


def test_a_great_part_at_once_is_a_fault(store: Store) -> None:
    many = [extracted(number, when=at(5)) for number in range(30)]
    keep(store, *many)
    found = keep(store, listings=(listing(OPENERS, *range(14)),))
    assert gone(store) == set()
    assert found.warnings == (
        "16 manifestations are no longer there, more than half: none was marked as gone; look at "
        "the source",
    )
    keep(store, listings=(listing(OPENERS, *range(16)),))
    assert len(gone(store)) == 14


def test_the_same_for_pages(store: Store) -> None:
    keep(store, *[extracted(number, when=at(5)) for number in range(30)])
    vanished = tuple(Vanished(str(number), SEEN, with_thread=True) for number in range(30))
    found = keep(store, vanished=vanished)
    assert gone(store) == set()
    assert "30 pages are no longer there" in found.warnings[0]
