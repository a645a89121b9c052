"""The pages over a finished run of the town, in a real Chromium: each page in both sizes and both
languages, from a number to its sentences by keyboard alone, and on paper."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboard.app import create_app
from dashboard.words import catalogue
from pipelines.report.texts import texts
from tests.flows.planted import Finished
from tests.serving import served

DESK, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
PAGES = (
    "/",
    "/categorias",
    "/categorias?category=waste",
    "/hallazgos",
    "/temas",
    "/lugares",
    "/lugares?zone=huaycan",
    "/manifestaciones",
    "/manifestaciones?q=basura&sentiment=negative",
    "/fuentes",
    "/demandas",
    "/emparejamiento",
    "/revision",
    "/ejecuciones",
    "/metodologia",
)
BEHIND = ("/manifestaciones", "/demandas", "/ejecuciones")
"""Pages whose first entry is a page of its own."""
SPOKEN = """() => {
  const main = document.querySelector('main').cloneNode(true);
  main.querySelectorAll('blockquote, bdi, code, pre, [lang]').forEach(e => e.remove());
  return main.textContent.replace(/\\s+/g, ' ');
}"""
"""What a page says in its own words: no quotes, names or code."""


@pytest.fixture(scope="module")
def address(finished: Finished) -> Iterator[str]:
    with served(create_app(finished.engine, finished.home / "municipalities")) as root:
        yield root


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(120_000)
    yield page
    page.close()


def opened(screen: Page, url: str) -> list[str]:
    """Go to a page, and return what it complained of."""
    noise: list[str] = []
    screen.on("console", lambda message: noise.append(message.text))
    screen.on("pageerror", lambda error: noise.append(str(error)))
    answer = screen.goto(url)
    assert answer is not None
    assert answer.status == 200
    return noise


def holds(screen: Page) -> None:
    """Nothing is wider than the screen, but what scrolls by itself."""
    for size in (DESK, PHONE):
        screen.set_viewport_size(size)  # type: ignore[arg-type]
        wide = screen.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, size
    screen.set_viewport_size(DESK)  # type: ignore[arg-type]


def serious(screen: Page) -> list[str]:
    found = Axe().run(screen).response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


def foreign(language: str) -> set[str]:
    """Return the sentences of the other language: those that no page of this one says."""
    pairs = dict(catalogue("en"))
    spanish, english = texts("es").words, texts("en").words
    pairs |= {spanish[key]: english[key] for key in spanish}
    told = {es if language == "en" else en for es, en in pairs.items() if es != en}
    own = {en if language == "en" else es for es, en in pairs.items()}
    return {one for one in told - own if len(one) > 11 and "{" not in one}


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_each_page_in_both_sizes_and_both_languages(
    screen: Page, address: str, path: str, language: str
) -> None:
    mark = "&" if "?" in path else "?"
    noise = opened(screen, f"{address}{path}{mark}lang={language}")
    screen.emulate_media(media="screen")
    holds(screen)
    assert screen.locator("main h1").count() == 1
    said = screen.evaluate(SPOKEN)
    assert [one for one in foreign(language) if one in said] == []
    for figure in screen.locator("figure.chart").all():
        around = figure.locator("xpath=ancestor::*[self::section or self::main][1]")
        assert around.locator("table").count() >= 1
        assert around.locator(".provenance summary").count() >= 1
        kinds = around.locator(".files a").all_inner_texts()
        assert {"CSV", "XLSX", "PARQUET"} <= set(kinds)
    if language == "en":  # the hostile pages are read in Spanish, in tests/browser
        screen.set_viewport_size(PHONE)  # type: ignore[arg-type]
        assert serious(screen) == []
        screen.set_viewport_size(DESK)  # type: ignore[arg-type]
    assert noise == []


@pytest.mark.parametrize("path", BEHIND)
def test_the_page_of_one_thing(screen: Page, address: str, path: str) -> None:
    opened(screen, address + path)
    link = screen.locator(f"main a[href^='{path}/']").first.get_attribute("href")
    noise = opened(screen, f"{address}{link}")
    holds(screen)
    assert serious(screen) == []
    assert noise == []


def tab_to(screen: Page, selector: str) -> None:
    for _ in range(150):
        screen.keyboard.press("Tab")
        if screen.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_from_a_number_to_the_sentences_behind_it_by_keyboard(screen: Page, address: str) -> None:
    opened(screen, f"{address}/")
    tab_to(screen, "main .leading a")
    screen.keyboard.press("Enter")
    screen.wait_for_url("**/categorias?category=*")
    opened(screen, f"{address}/categorias")
    tab_to(screen, "#tabla-categorias td a")
    number = screen.evaluate("document.activeElement.textContent").replace(",", "")
    screen.keyboard.press("Enter")
    screen.wait_for_url("**/manifestaciones?category=*")
    assert re.search(rf"\b{number}\b", screen.locator("main").inner_text().replace(",", ""))
    assert screen.locator(".said article").count() == min(int(number), 20)


def test_a_new_period_keeps_what_was_searched_for(screen: Page, address: str) -> None:
    opened(screen, f"{address}/manifestaciones?q=basura&sentiment=negative")
    screen.locator(".chooser button").press("Enter")
    screen.wait_for_url("**sentiment=negative**")
    expect(screen.locator("#f-q")).to_have_value("basura")


def test_summary_and_report_on_paper(screen: Page, address: str, finished: Finished) -> None:
    opened(screen, f"{address}/")
    screen.emulate_media(media="print")
    assert screen.locator("nav.pages").is_hidden()
    assert screen.locator("main h1").count() == 1
    assert 1 <= sheets(screen) <= 6
    (report,) = finished.home.glob("reports/*/informe.html")
    screen.goto(report.as_uri())
    assert 4 <= sheets(screen) <= 40
    screen.emulate_media(media="screen")


def sheets(screen: Page) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", screen.pdf(prefer_css_page_size=True)))
