"""The section of findings: what it says, where it links, and that strangers' words stay words."""

from dataclasses import replace
from datetime import date

import pytest
from lxml import html

from pipelines.report.data import Told, Witness
from pipelines.report.page import render

EVIL = '<script>window.hit=1</script><img src=x onerror="window.hit=1">'


@pytest.fixture
def told_data(busy_data):
    witness = Witness("m-1", "central", EVIL, date(2021, 11, 5), EVIL, "https://diario.pe/nota")
    silent = replace(witness, id="m-2", role="diverse", url=None)
    words = {"es": "Se habló más.", "en": "More was said."}
    told = Told(1, "alert", "volume", words, 0.0004, (witness, silent))
    return replace(busy_data, findings=(told, Told(2, "relevant", "leading", words, None, ())))


def test_each_finding_has_its_sentence_and_links_to_its_texts(told_data):
    for language, sentence, kind in (
        ("es", "Se habló más.", "Alerta"),
        ("en", "More was said.", "Alert"),
    ):
        section = html.fromstring(render(told_data, language)).get_element_by_id("hallazgos")
        first, second = section.xpath(".//li[contains(@class, 'finding')]")
        assert sentence in first.text_content()
        assert kind in first.text_content()
        assert "q < 0.001" in first.text_content()
        assert first.xpath(".//a/@href") == ["https://diario.pe/nota"]
        assert len(first.xpath(".//blockquote")) == 2
        assert second.xpath(".//details") == []
        assert section.xpath(".//script | .//img") == []
        assert EVIL in first.text_content()


def test_without_findings_it_says_so(busy_page):
    section = html.fromstring(busy_page).get_element_by_id("hallazgos")
    assert section.xpath(".//p[@class='empty']")
