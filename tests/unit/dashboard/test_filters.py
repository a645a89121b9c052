"""Filters are read from addresses and written back into them."""

from datetime import date
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.filters import LANGUAGES, NAMES, Filters
from models.errors import InputError
from models.labels import CATEGORIES, SENTIMENTS

CODES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=60)
FILTERS = st.builds(
    Filters,
    language=st.sampled_from(LANGUAGES),
    run=CODES,
    category=st.sampled_from(("", *CATEGORIES)),
    sentiment=st.sampled_from(("", *SENTIMENTS)),
    source=CODES,
    words=st.text(max_size=200).map(str.strip),
    start=st.none() | st.dates(),
    page=st.integers(1, 10_000),
)


@given(FILTERS)
def test_an_address_gives_the_filters_back(filters: Filters) -> None:
    read = Filters.parse(dict(parse_qsl(filters.query().lstrip("?"))))

    assert read == filters


@given(st.dictionaries(st.sampled_from(sorted(NAMES.values())), st.text(max_size=300)))
def test_whatever_is_written_is_read_or_refused(parameters: dict[str, str]) -> None:
    try:
        filters = Filters.parse(parameters)
    except InputError:
        return
    assert len(filters.words) <= 200
    assert 1 <= filters.page <= 10_000


@pytest.mark.parametrize(
    "query",
    [
        {"category": "<script>"},
        {"run": "../../etc/passwd"},
        {"from": "31-03-2026"},
        {"page": "0"},
        {"page": "²"},
        {"lang": "fr"},
    ],
)
def test_bad_values_are_refused_by_the_name_of_their_filter(query: dict[str, str]) -> None:
    with pytest.raises(InputError, match=next(iter(query))):
        Filters.parse(query)


def test_a_link_to_another_page_keeps_the_run_and_drops_the_rest() -> None:
    filters = Filters(run="r1", lens="young", category="waste", words="pistas", page=3)

    assert filters.lasting().query(sentiment="negative") == "?run=r1&lens=young&sentiment=negative"
    assert filters.query(page=4, start=date(2026, 3, 1)).endswith("&from=2026-03-01&page=4")


def test_a_bad_value_is_told_in_the_language_of_the_page() -> None:
    with pytest.raises(InputError, match=r"has no valid value. It may be: .*water"):
        Filters.parse({"lang": "en", "category": "{x}"})
    with pytest.raises(InputError, match=r"no tiene un valor válido. Puede ser: .*water"):
        Filters.parse({"category": "{x}"})
