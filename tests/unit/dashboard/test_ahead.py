"""Pages opened ahead: their readers wait for no chart, also after another run has counted."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dashboard import ahead
from dashboard.ahead import keep_opening, open_pages, opened_ahead
from models.errors import StoreError
from pipelines.report import charts, drawn
from tests.unit.report.town import Town, busy_town

Visiting = Callable[[Town], TestClient]
READ = ("/", "/categorias", "/?lang=en")


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Forget the charts that other tests have drawn; when called, let no more be drawn."""
    for draw in (drawn._bars, drawn._volume, drawn._negative):
        draw.cache_clear()

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a reader waits for a chart")

    return lambda: monkeypatch.setattr(charts.vl_convert, "vega_to_svg", refuse)


class _Looks(Event):
    """Is over after some looks for new figures, and waits for nothing."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def wait(self, timeout: float | None = None) -> bool:
        self.looks -= 1
        if not self.looks:
            self.set()
        return self.is_set()


def test_readers_of_pages_opened_ahead_wait_for_no_chart(
    visiting: Visiting, no_charts: Callable[[], None]
) -> None:
    client = visiting(busy_town())
    open_pages(client.app, "", Event(), rest=0)  # type: ignore[arg-type]
    no_charts()
    for address in READ:
        answer = client.get(address)
        assert answer.status_code == 200
        assert "<svg" in answer.text


def test_pages_are_opened_once_for_each_newest_run_and_tried_again_after_a_failure(
    visiting: Visiting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = [{"ate": "r-1"}, {"ate": "r-1"}, None, {"ate": "r-2", "lima": "r-3"}]
    looks = iter(told)

    def look(_: object) -> dict[str, str]:
        found = next(looks)
        if found is None:
            raise StoreError("The database is locked.")
        return found

    opened: list[str] = []
    monkeypatch.setattr(ahead, "_newest", look)
    monkeypatch.setattr(ahead, "open_pages", lambda _app, code, _ended: opened.append(code))
    keep_opening(visiting(busy_town(0)).app, _Looks(len(told)))  # type: ignore[arg-type]
    assert opened == ["", "", "lima"]
    assert "is locked" in caplog.text


def test_the_thread_ends_with_the_server(visiting: Visiting) -> None:
    with opened_ahead(visiting(Town(insights=False)).app) as thread:  # type: ignore[arg-type]
        assert thread.is_alive()
    thread.join(30)
    assert not thread.is_alive()
