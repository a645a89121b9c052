"""The dashboard in a real Chromium: layout, silence, planted scripts, keyboard, axe, paper."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine

from dashboard.app import create_app
from models.tables import Base
from models.views import create_views
from pipelines.match.exchange import import_records
from pipelines.searching import index_texts
from tests.browser.poison import DEMAND, HOSTILE, HOUSE, OURS, attacked, named, poison
from tests.serving import served
from tests.unit.report.town import RUN, Said, busy_town

DESK, PHONE = (1366, 768), (390, 844)
PAGES = (
    "/",
    "/categorias",
    "/categorias?category=transport",
    "/hallazgos",
    "/temas",
    "/lugares?zone=huaycan",
    "/manifestaciones",
    "/manifestaciones?q=pistas",
    "/manifestaciones/" + f"{301:032x}",
    "/fuentes",
    "/demandas",
    "/emparejamiento",
    "/emparejamiento/convocatorias/ruta",
    "/emparejamiento/pilotos/ruta-2021",
    "/revision",
    "/revision?status=unsure",
    f"/demandas/{DEMAND}",
    "/ejecuciones",
    f"/ejecuciones/{RUN}",
    "/metodologia",
    "/entrar",
    "/no-existe",
)
ATTACKED = {
    *("/hallazgos", "/temas", "/lugares?zone=huaycan", "/fuentes", "/demandas", "/revision"),
    *(f"/demandas/{DEMAND}", "/ejecuciones", f"/ejecuciones/{RUN}", "/manifestaciones?q=pistas"),
}
"""Pages on which some of the hostile texts are to be read."""


def add_matchmaking(engine: Engine, folder: Path) -> None:
    """Put in a call and a pilot whose every text is hostile."""
    shared = {"entity": "valle", "title": "M" * 300}
    records = {
        "entity": [{"code": "valle", "name": HOSTILE[0]}],
        "technological_call": [shared | {"code": "ruta", "problem": HOSTILE[3] + "Z" * 10_000}],
        "pilot": [
            shared
            | {"code": "ruta-2021", "work_categories": [7], "year": 2021, "results": HOSTILE[3]}
        ],
        "pilot_phase": [{"pilot": "ruta-2021", "number": 1, "title": "W" * 300}],
    }
    path = folder / "records.yml"
    path.write_text(yaml.safe_dump(records, allow_unicode=True), "utf-8")
    assert import_records(engine, path).problems == []


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a town in which every field of some texts is hostile."""
    folder = tmp_path_factory.mktemp("dashboard")
    town = busy_town(300)
    town.said += [
        Said(
            f"fuente-{i}",
            word,
            "transport",
            confidence=0.99,
            title=word,
            url="javascript:window.hit=1",
            zone="huaycan",
        )
        for i, word in enumerate(HOSTILE)
    ]
    town.failed = {"fuente-8": "<script>window.hit=1</script>" + "Z" * 10_000}
    town.town = named(town.town)
    engine = town.engine(folder / "town.db")
    assert all(poison(engine).values())
    with engine.begin() as connection:
        create_views(connection)
    index_texts(engine, town.town.code)
    add_matchmaking(engine, folder)
    values = town.town.model_dump(mode="json", exclude_unset=True)
    values["base_url"] = "https://example.pe"
    (folder / "sandbox.yml").write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    with served(create_app(engine, folder)) as root:
        yield root


def opened(browser: Browser, address: str, size: tuple[int, int]) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(120_000)  # the first charts take their time on a busy machine
    home = re.match(r"http://[^/]+", address)
    noise: list[str] = []
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("console", lambda m: noise.append(m.text) if "404" not in m.text else None)
    page.on(
        "request",
        lambda r: None if home and r.url.startswith((home[0], "data:")) else noise.append(r.url),
    )
    page.goto(address)
    return page, noise


def test_every_column_that_a_stranger_reaches_is_attacked() -> None:
    """A new column is attacked by itself; what is left out is named, and still there."""
    tables = Base.metadata.tables
    columns = {column.name for table in tables.values() for column in table.columns}
    left_out = {name.partition(".")[0] for names in OURS for name in names.split()}

    assert left_out <= columns
    assert set(tables) >= HOUSE
    hit = {f"{table.name}.{column.name}" for table in tables.values() for column in attacked(table)}
    assert hit >= {
        *("manifestation.external_id", "manifestation.author", "manifestation.thread_id"),
        *("manifestation.url", "source.title", "capture.url", "rejection.detail"),
        *("insight_term.term", "insight_topic.terms", "insight_evidence.quote"),
    }


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_hold_their_shape_and_run_nothing(
    browser: Browser, address: str, path: str, size: tuple[int, int]
) -> None:
    page, noise = opened(browser, address + path, size)
    width = page.evaluate(
        "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    )
    wide = page.evaluate(
        """[...document.querySelectorAll('main *')]
        .filter(e => !e.closest('.scroll, pre, svg, .visually-hidden'))
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.outerHTML.slice(0, 120))"""
    )

    assert width <= size[0]
    assert wide == []
    assert path not in ATTACKED or "window.hit=1" in page.locator("main").inner_text()
    assert page.evaluate("window.hit") is None
    assert page.locator("a[href^='javascript']").count() == 0
    assert noise == []
    page.close()


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(browser: Browser, address: str, path: str) -> None:
    page, _ = opened(browser, address + path, DESK)
    found = Axe().run(page).response["violations"]

    assert [
        (one["id"], [node["html"][:100] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ] == []
    page.close()


def test_the_keyboard_alone_reaches_filters_and_sentences(browser: Browser, address: str) -> None:
    page, _ = opened(browser, address + "/", DESK)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#contenido"
    page.keyboard.press("Tab")
    leading = page.evaluate("document.activeElement.getAttribute('href')")
    assert leading.startswith("/categorias?category=")
    page.keyboard.press("Enter")
    page.wait_for_url("**/categorias?**")
    page.goto(f"{address}/manifestaciones")
    page.focus("#f-q")
    page.keyboard.type("pistas")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=pistas**")
    assert page.locator(".said article").count() > 0
    page.close()


@pytest.mark.parametrize("path", ["/", "/categorias", "/manifestaciones?q=pistas"])
def test_paper_has_the_content_without_the_frame(browser: Browser, address: str, path: str) -> None:
    page, _ = opened(browser, address + path, DESK)
    page.emulate_media(media="print")

    assert page.locator("nav.pages").is_hidden()
    assert page.locator("main h1").count() == 1
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.close()


def test_pages_come_in_both_languages(browser: Browser, address: str) -> None:
    page, _ = opened(browser, f"{address}/categorias?category=waste", DESK)
    page.click("a.language")

    assert page.evaluate("document.documentElement.lang") == "en"
    assert "category=waste" in page.url
    page.close()
