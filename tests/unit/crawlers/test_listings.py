"""Which lists prove that what they lack is gone."""

from datetime import UTC, datetime, timedelta

from crawlers.listings import LOOKED_FOR, Listings
from models.records import OPENERS, Listing

NOW = datetime(2025, 5, 20, 15, tzinfo=UTC)


def before(*days: int) -> list[datetime]:
    return [NOW - timedelta(days=each) for each in days]


def test_a_list_of_two_pages() -> None:
    lists = Listings()
    lists.asked(("hilo",))
    lists.asked(("hilo",))
    lists.answered(("hilo",), NOW, ["1", "2"])
    assert lists.whole(None) == []
    lists.answered(("hilo",), NOW + timedelta(seconds=1), ["2", "3"])
    assert lists.whole(None) == [Listing("hilo", ("1", "2", "3"), NOW)]


def test_without_one_of_its_answers_it_proves_nothing() -> None:
    lists = Listings()
    for name in ("uno", "dos"):
        lists.asked((name,))
        lists.asked((name,))
        lists.answered((name,), NOW, ["1"])
    lists.broken(("uno",))
    lists.answered(("uno",), NOW, ["2"])
    assert lists.whole(None) == []


def test_one_that_is_cut_speaks_of_what_is_younger() -> None:
    lists = Listings()
    lists.asked((OPENERS,))
    lists.answered((OPENERS,), NOW, ["3", "2"], before(1, 4))
    lists.cut((OPENERS,))
    (found,) = lists.whole(None)
    assert found.since == NOW - timedelta(days=4)
    assert lists.whole(NOW - timedelta(days=2))[0].since == NOW - timedelta(days=2)


def test_something_old_on_its_top_makes_a_cut_list_worthless() -> None:
    lists = Listings()
    lists.asked((OPENERS,))
    lists.answered((OPENERS,), NOW, ["1", "3", "2"], before(900, 1, 4))
    assert lists.whole(None)[0].since is None  # read to its end, in whatever order
    lists.cut((OPENERS,))
    assert lists.whole(None) == []


def test_a_page_may_leave_out_the_oldest() -> None:
    lists = Listings()
    lists.asked(("nota",))
    lists.answered(("nota",), NOW, ["1", "2"], before(4, 1), "urn:nota", partial=True)
    (found,) = lists.whole(None)
    assert (found.of, found.since) == ("urn:nota", NOW - timedelta(days=4))
    lists.asked(("vacía",))
    lists.answered(("vacía",), NOW, [], [], partial=True)
    assert len(lists.whole(None)) == 1


def test_what_is_looked_for_is_no_proof() -> None:
    lists = Listings()
    assert lists.holds(LOOKED_FOR) is None
    lists.asked((LOOKED_FOR,))
    assert lists.holds(LOOKED_FOR) is None
    lists.answered((LOOKED_FOR,), NOW, ["1"])
    assert lists.holds(LOOKED_FOR) == {"1"}
    assert lists.whole(None) == []
