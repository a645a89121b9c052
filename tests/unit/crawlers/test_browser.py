"""Pages that only scripts fill, in a real Chromium: what is read, and what a page may not do."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.check import read_municipality
from crawlers.archive import read_capture
from crawlers.browser import need
from crawlers.browser.need import what_is_missing
from crawlers.browser.proxy import _direct
from crawlers.crawl import crawl
from crawlers.job import CrawlJob, CrawlResult
from models.records import Failure, Outcome
from tests.unit.crawlers.conftest import to_replay

Job = Callable[..., CrawlJob]

has_browser = pytest.mark.skipif(
    need.chromium() is None or find_spec("scrapy_playwright") is None,
    reason="needs Chromium and the browser extra: apt-get install chromium, and"
    " pip install 'manifiesta[browser]'",
)
LIST = """<!doctype html><html><head><title>Diario</title><script>
fetch('/api/notas.json').then(r => r.json()).then(notas => {
  for (const nota of notas) {
    const h2 = document.createElement('h2');
    h2.innerHTML = `<a href="${nota.url}">${nota.title}</a>`;
    document.body.append(h2);
  }
});
</script></head><body><div id="app"></div></body></html>"""
ARTICLE = """<!doctype html><html><head><title>{0}</title></head><body><div id="app"></div><script>
document.getElementById('app').innerHTML = `<article><h1>{0}</h1>
<time datetime="2026-05-04T10:00:00-05:00">4 de mayo</time>
<p>${{'Los vecinos de Salamanca esperan desde hace meses que alguien arregle la pista. '.repeat(6)}}
</p></article>`;</script></body></html>"""


def browse(make_job: Job, url: str, **about: Any) -> CrawlJob:
    limits = {"timeout": 20, "max_seconds": 120} | about.pop("limits", {})
    fixed = {"protocol": "pages", "links": "h2 a", "render": "browser", "limits": limits}
    return make_job(url, **fixed | about)


def serve(site: Any) -> str:
    site.page("/robots.txt", "User-agent: *\nDisallow: /privado/", content_type="text/plain")
    notes = '[{"url": "/nota/1", "title": "Pistas"}, {"url": "/nota/2", "title": "Agua"}]'
    site.page("/api/notas.json", notes, content_type="application/json")
    site.page("/nota/1", ARTICLE.format("Pistas rotas en Salamanca"))
    site.page("/nota/2", ARTICLE.format("Sin agua en Ceres"))
    address: str = site.page("/", LIST)
    return address


def details(result: CrawlResult) -> str:
    said = [rejection.detail for rejection in result.rejections]
    return f"{result.reason} | {said}"


@has_browser
def test_what_scripts_write_is_read_archived_and_replayed(
    site: Any, make_job: Job, tmp_path: Path
) -> None:
    job = browse(make_job, serve(site))

    result = crawl(job)

    assert result.finished, details(result)
    titles = {record.title for record in result.extracted}
    assert titles == {"Pistas rotas en Salamanca", "Sin agua en Ceres"}
    assert all("esperan desde hace meses" in record.text for record in result.extracted)
    agents = {headers["User-Agent"] for path, headers in site.asked if path != "/robots.txt"}
    assert agents == {job.user_agent}
    assert "/favicon.ico" not in site.paths
    front = next(capture for capture in result.captures if capture.url == f"{site.url}/")
    assert b'<a href="/nota/1">Pistas</a>' in read_capture(front, job.archive)

    site.asked.clear()
    again = crawl(to_replay(job, tmp_path / "again"))
    assert again.finished, details(again)
    assert again.extracted == result.extracted
    assert site.asked == []


@has_browser
def test_a_page_reaches_neither_private_addresses_nor_what_robots_forbids(
    site: Any, other_site: Any, make_job: Job
) -> None:
    url = serve(site)
    other_site.page("/robado", "secreto")
    site.page("/privado/dato.json", '{"x": 1}', content_type="application/json")
    site.page(
        "/",
        LIST.replace(
            "fetch('/api",
            "fetch('/privado/dato.json'); new Image().src = '/imagen.png';"
            "navigator.serviceWorker && navigator.serviceWorker.register('/sw.js');"
            "navigator.sendBeacon('/baliza', 'x'); window.open('/ventana');"
            f"new WebSocket('ws://127.0.0.1:{site.url.rpartition(':')[2]}/enchufe');"
            "fetch('/api",
            1,
        ),
    )
    result = crawl(browse(make_job, url))
    assert result.finished, details(result)
    assert len(result.extracted) == 2
    assert set(site.paths) == {"/robots.txt", "/", "/api/notas.json", "/nota/1", "/nota/2"}


@has_browser
def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to(
    site: Any, make_job: Job
) -> None:
    port = site.url.rpartition(":")[2]
    serve(site)
    result = crawl(browse(make_job, f"http://localhost:{port}/", allow_private=False))
    assert not result.finished
    assert result.rejections[-1].outcome is Outcome.NOT_ALLOWED, details(result)
    assert "a loopback address" in result.reason
    assert site.asked == []


@has_browser
@pytest.mark.parametrize(
    ("path", "outcome", "words"),
    [
        ("/descarga", Outcome.FETCH_FAILED, ""),
        ("/gira", Outcome.FETCH_FAILED, "did not answer within 4 seconds"),
        ("/salta", Outcome.ROBOTS_DENIED, "does not allow"),
        ("/enorme", Outcome.UNREADABLE, "larger than the limit"),
        ("/404", Outcome.GONE, "answered 404"),
    ],
)
def test_pages_that_misbehave(
    site: Any, make_job: Job, path: str, outcome: Outcome, words: str
) -> None:
    serve(site)
    site.page("/privado/a", "<html><body><h2><a href='/nota/1'>x</a></h2></body></html>")
    site.page("/descarga", b"\0" * 100, content_type="application/zip",
              content_disposition="attachment; filename=a.zip")  # fmt: skip
    site.page("/gira", "<html><body><script>while (true) {}</script></body></html>")
    site.page("/salta", "<html><script>location = '/privado/a'</script></html>")
    site.page("/enorme", f"<html><body>{'a' * 200_000}</body></html>")
    limits = {"timeout": 4, "max_bytes": 50_000, "max_seconds": 60}
    result = crawl(browse(make_job, site.url + path, limits=limits))
    assert not result.finished
    assert result.rejections[-1].outcome is outcome, details(result)
    assert words in result.reason
    assert result.extracted == []


def test_without_the_extra_the_crawl_says_what_to_install(
    site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(need, "find_spec", lambda name: None)
    result = crawl(browse(make_job, site.url))
    assert result.failure is Failure.HARD
    assert "pip install 'manifiesta[browser]'" in result.reason
    assert site.asked == []
    monkeypatch.undo()
    if find_spec("scrapy_playwright"):
        assert what_is_missing() is None


def test_where_a_browser_can_be_asked_for(tmp_path: Path) -> None:
    head = (
        "code: ate\nname: Ate\ncountry: PE\ntime_zone: America/Lima\n"
        "contact: {name: Municipalidad de Ate, email: datos@example.org}\n"
        "sources:\n  - name: a\n    title: A\n    url: https://a.pe/\n"
    )
    file = tmp_path / "ate.yml"
    file.write_text(f"{head}    protocol: pages\n    links: h2 a\n    render: browser\n")
    assert not [x for x in read_municipality(file)[1] if not x.warning]
    file.write_text(f"{head}    protocol: wordpress\n    render: browser\n")
    (problem,) = (x for x in read_municipality(file)[1] if not x.warning)
    assert problem.message == "means nothing for «wordpress»"


@settings(max_examples=100, deadline=None)
@given(head=st.text(max_size=200), target=st.from_regex(r"http://[a-z]{1,9}(:\d{2})?(/[!-~]*)?"))
def test_no_line_can_be_smuggled_into_a_request(head: str, target: str) -> None:
    text = head.encode("latin-1", "replace").decode("latin-1").replace("\n", "").replace("\r", "")
    try:
        sent = _direct(f"GET {target} HTTP/1.1\r\nX: {text}\r\nProxy-A: b\r\n\r\n", "GET", target)
    except ValueError:
        return
    assert sent.count(b"\r\n\r\n") == 1
    assert sent.endswith(b"Connection: close\r\n\r\n")
    assert b"Proxy-A" not in sent
