"""Demandas and Revisión in a real Chromium, by keyboard alone, wide and narrow, with axe-core."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from models.demands import Status
from pipelines.store.demands import demands
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Store
from tests.unit.demands.asking import HOLE, asked, bins, put
from tests.unit.demands.panel import opened
from tests.unit.demands.test_revision import DRAWN
from tests.unit.store.builders import at, labels_given, said

SIZES = [(1366, 768), (390, 844)]
HOSTILE = "<script>window.hit=1</script><img src=x onerror='window.hit=1'>\u202eabc " + "M" * 9_000


@dataclass
class Served:
    root: str
    store: Store


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("demands")
    store = Store(open_engine(f"sqlite:///{folder / 'manifiesta.db'}"))
    migrate(store.engine)
    bins(store)
    put(store, said(3, HOSTILE, when=at(7), title=HOSTILE), category="transport")
    put(store, said(DRAWN[0], HOLE, when=at(8)), category="transport", intent="opinion")
    asked(store)
    panel = opened(store, folder / "municipalities")
    config = uvicorn.Config(panel.client.app, port=0, log_level="warning")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    with config.bind_socket() as listening:
        listening.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", store)
        server.should_exit = True
        thread.join()
    store.engine.dispose()


@pytest.fixture
def page(browser: Browser, served: Served, request: pytest.FixtureRequest) -> Iterator[Page]:
    wide, high = request.node.callspec.params["served"]
    context = browser.new_context(viewport={"width": wide, "height": high})
    opened_page = context.new_page()
    opened_page.set_default_timeout(60_000)
    yield opened_page
    assert opened_page.evaluate("window.hit") is None
    context.close()


def holds(page: Page) -> None:
    """Nothing is wider than the window, nothing serious is wrong with it."""
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    found = Axe().run(page).response["violations"]
    assert [
        (one["id"], one["nodes"][0]["target"]) for one in found if one["impact"] in SERIOUS
    ] == []


SERIOUS = ("serious", "critical")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_a_demand_is_confirmed_and_rejected_by_keyboard(page: Page, served: Served) -> None:
    page.goto(f"{served.root}/demandas")
    holds(page)
    tab_to(page, "li.demand h2 a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/demandas/*")
    holds(page)
    tab_to(page, "#c-resumen")
    page.keyboard.type("Recoger a diario")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Recoger a diario")
    expect(page.locator(".facts .state")).to_have_text("Nueva")
    tab_to(page, ".decisions details summary")
    page.keyboard.press("Enter")
    tab_to(page, "#x-motivo")
    page.keyboard.type("Ya se recoge a diario")
    page.keyboard.press("Enter")
    expect(page.locator(".facts .state")).to_have_text("Rechazada")
    holds(page)
    (ended,) = (d for d in demands(served.store.engine, "villa") if d.summary)
    assert (ended.status, ended.reason) == (Status.REJECTED, "Ya se recoge a diario")


def test_hostile_words_hold_the_layout(page: Page, served: Served) -> None:
    (hostile,) = (d for d in demands(served.store.engine, "villa") if d.category == "transport")
    page.goto(f"{served.root}/demandas/{hostile.id}")
    holds(page)


def test_a_text_is_labelled_with_one_key_each(page: Page, served: Served) -> None:
    page.goto(f"{served.root}/revision")
    holds(page)
    expect(page.locator(".reading blockquote")).to_contain_text(HOLE)
    for key in ("a", "r", "2"):  # transport, request, neutral
        page.keyboard.press(key)
    expect(page.locator("input:checked")).to_have_count(3)
    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_contain_text("No queda ningún texto")
    holds(page)
    (labels,) = labels_given(served.store.engine, date(2026, 3, 8)).values()
    assert labels == {"category": "transport", "intent": "request", "sentiment": "neutral"}
