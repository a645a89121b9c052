"""Every share that a page prints can be of the denominator that it prints beside it."""

import re

import pytest
from lxml import html

from pipelines.report.page import render
from tests.unit.certificate import certified

ESTIMATES = {"Proporción corregida", "Corrected share"}  # of no whole number of texts
PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
N = re.compile(r"n = ([\d,]+)")


def whole(number: str) -> int:
    return int(number.replace(",", ""))


def shares(page: str) -> list[tuple[str, int]]:
    """Return every printed share with its n: of the tables, the sentences and the big numbers."""
    tree = html.fromstring(page)
    found = []
    for table in tree.iter("table"):
        found += shares_of(table)
    for text in (b.getparent().text_content() for b in tree.xpath("//b[contains(., '%')]")):
        found.append((PERCENT.search(text)[1], whole(N.search(text)[1])))
    for item in tree.xpath("//ul[@class='big']/li[span[@class='number'][contains(., '%')]]"):
        text = item.text_content()
        of = re.search(r"(?:de|of) ([\d,]+)", text)
        found.append((PERCENT.search(text)[1], whole(of[1])))
    return found


def shares_of(table: html.HtmlElement) -> list[tuple[str, int]]:
    heads = [head.text_content() for head in table.xpath("./thead/tr/th")]
    found = []
    for row in table.xpath("./tbody/tr"):
        cells = dict(zip(reversed(heads), reversed([c.text_content() for c in row]), strict=True))
        for head, text in cells.items():
            if "%" not in text or head in ESTIMATES or "95%" in head:
                continue
            beside = N.search(text)
            negative = "negativa" in head or "egative" in head
            column = heads[1 if "dense" not in table.get("class") else heads.index("n") - 2]
            n = beside[1] if beside else cells[column if negative else "n"]
            found.append((PERCENT.search(text)[1], whole(n)))
    return found


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_printed_share_passes_the_certificate(busy_data, language):
    printed = shares(render(busy_data, language))
    assert len(printed) > 150
    assert [pair for pair in printed if not certified(*pair)] == []


def test_the_certificate_would_catch_a_share_of_another_n(busy_data):
    wrong = busy_data.category.assign(share=busy_data.category["share"] + 0.00021)
    page = render(busy_data.__class__(**{**vars(busy_data), "category": wrong}), "es")
    assert [pair for pair in shares(page) if not certified(*pair)] != []
