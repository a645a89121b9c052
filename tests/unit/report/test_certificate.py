"""Every share that a page prints can be of the denominator that it prints beside it."""

import pytest

from pipelines.report.page import render
from tests.unit.certificate import certified, shares_of_page


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_printed_share_passes_the_certificate(busy_data, language):
    printed = shares_of_page(render(busy_data, language))
    assert len(printed.shares) > 150
    assert [pair for pair in printed.shares if not certified(*pair)] == []
    assert printed.left == []


def test_the_certificate_would_catch_a_share_of_another_n(busy_data):
    wrong = busy_data.category.assign(share=busy_data.category["share"] + 0.00021)
    page = render(busy_data.__class__(**{**vars(busy_data), "category": wrong}), "es")
    assert [pair for pair in shares_of_page(page).shares if not certified(*pair)] != []
