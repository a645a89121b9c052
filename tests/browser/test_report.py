"""The report in a real Chromium: layout, silence, planted scripts, paper."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from pipelines.report.gather import gather
from pipelines.report.page import write_report
from tests.browser.poison import named, poison
from tests.unit.report.town import Said, Town, busy_town, taxonomy

SIZES = [(1366, 768), (390, 844)]


def hostile() -> Town:
    town = busy_town(200)
    evil = "<script>window.hit=1</script><img src=x onerror='window.hit=1'>\u202eabc"
    words = (evil, "M" * 1_000_000, "\u0e49" * 400, "{{ 7*7 }}</style></svg><script>window.hit=1")
    town.said += [
        Said(
            f"fuente-{i}",
            word,
            "transport",
            confidence=0.999,
            title=word,
            url="https://example.pe/" + "a" * 900,
        )
        for i, word in enumerate(words)
    ]
    town.town = named(town.town)
    town.failed = {"fuente-8": "Z" * 10_000}
    town.error = "Y" * 10_000
    return town


@pytest.fixture(scope="module", params=[busy_town, hostile, Town])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    town = request.param()
    folder = tmp_path_factory.mktemp("report")
    engine = town.engine(folder / "town.db")
    if request.param is hostile:
        assert all(poison(engine).values())
    data = gather(engine, town.run, town.town, taxonomy())
    return write_report(data, folder)


def opened(browser: Browser, path: Path, size: tuple[int, int]) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on(
        "request", lambda r: None if r.url.startswith(("file:", "data:")) else noise.append(r.url)
    )
    page.goto(path.as_uri())
    return page, noise


@pytest.mark.parametrize("size", SIZES, ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["informe.html", "report.en.html"])
def test_nothing_overflows_speaks_or_runs(browser, report, name, size):
    page, noise = opened(browser, report.with_name(name), size)
    width = page.evaluate(
        "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    )
    assert width <= size[0]
    assert page.evaluate("window.hit") is None
    assert noise == []
    page.close()


def test_text_stays_inside_the_page(browser, report):
    """No block outside a scroll container is wider than the page."""
    page, _ = opened(browser, report, (390, 844))
    wide = page.evaluate(
        """[...document.querySelectorAll('body *')]
        .filter(e => !e.closest('.scroll, pre, svg, .skip, .visually-hidden'))
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert wide == []
    page.close()


def test_prints_to_a4_pages(browser, report):
    page, _ = opened(browser, report, (1366, 768))
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 40
    page.close()


def test_the_keyboard_reaches_the_content_first(browser, report):
    page, _ = opened(browser, report, (1366, 768))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#contenido"
    page.close()


def test_languages_link_to_each_other(browser, report):
    page, _ = opened(browser, report, (1366, 768))
    page.click("a.language")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.click("a.language")
    assert page.evaluate("document.documentElement.lang") == "es-PE"
    page.close()
