"""What waits in a file to be stored comes back in order, with the last text of each id."""

from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from pipelines.spool import Spool
from tests.unit.store.builders import said

_ADDED = st.lists(st.tuples(st.integers(0, 20), st.text(max_size=5), st.none() | st.just("f")))


@given(_ADDED)
def test_it_gives_back_what_a_sorted_dictionary_would(added):
    items = [(said(number, text), mark) for number, text, mark in added]
    last = {item.id: (item, mark) for item, mark in items}
    expected = [last[key] for key in sorted(last)]
    with closing(Spool()) as spool:
        for item, mark in items:
            spool.add(item, mark)
        assert list(spool.manifestations()) == [item for item, _ in expected]
        assert list(spool.marks()) == [(item.id, mark) for item, mark in expected if mark]
