"""What a crawl does because a site asks for it, and how failures are told apart."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from crawlers.crawl import crawl
from crawlers.extract.walls import wall
from crawlers.job import CrawlJob
from crawlers.politeness import retry_after
from crawlers.wire import SUMMARY
from models.records import Failure, Outcome
from tests.unit.crawlers.conftest import send

Job = Callable[..., CrawlJob]
Feed = Callable[..., str]
NOW = datetime(2025, 5, 20, 15, 0, 0, tzinfo=UTC)
LOGIN = """<html><head><title>Iniciar sesión | Vecinos</title></head><body><h1>Hola</h1>
<form><input name="u"><input type="password" name="p"><button>Entrar</button></form>
</body></html>"""
CAPTCHA = """<!doctype html><html><head><title>Just a moment...</title></head><body>
<p>Verifying you are human.</p><div class="cf-turnstile"></div>
<script src="/cdn-cgi/challenge-platform/x.js"></script></body></html>"""
NEWS = "<p>" + "La pista de la avenida sigue rota y nadie responde por ella. " * 40 + "</p>"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Tue, 20 May 2025 15:01:30 GMT", 90.0),
        ("Tue, 20 May 2025 14:00:00 GMT", 0.0),
        ("9" * 400, 999_999_999_999.0),
        ("-5", None),
        ("pronto", None),
        ("", None),
        ("١٢", None),
    ],
)
def test_how_long_a_site_asks_to_wait(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("page", "url", "found"),
    [
        (LOGIN, "https://a.pe/nota/1", "asks to log in"),
        (LOGIN.replace("Iniciar sesión", "Vecinos"), "https://a.pe/nota/1", None),
        (
            LOGIN.replace("Iniciar sesión", "Vecinos"),
            "https://a.pe/login?next=/1",
            "asks to log in",
        ),
        (LOGIN.replace("<h1>", NEWS + "<h1>"), "https://a.pe/nota/1", None),
        (LOGIN.replace("Iniciar sesión", "Log in"), "https://a.pe/", "asks to log in"),
        (LOGIN.replace("password", "PassWord"), "https://a.pe/", "asks to log in"),
        (CAPTCHA, "https://a.pe/nota/1", "asks to solve a captcha"),
        (CAPTCHA.replace("<p>", NEWS + "<p>"), "https://a.pe/nota/1", None),
        (
            "<html><title>Pista rota</title><p>Sigue rota.</p><form>"
            "<div class='g-recaptcha'></div><textarea></textarea></form></html>",
            "https://a.pe/nota/1",
            None,
        ),
        (
            "<html><title>Cómo iniciar sesión</title><p>Se explica.</p></html>",
            "https://a.pe/",
            None,
        ),
        ("", "https://a.pe/login", None),
        ("\0\ud800<", "https://[/login", None),
    ],
)
def test_walls(page: str, url: str, found: str | None) -> None:
    assert wall(page.encode("utf-8", "surrogatepass"), url, "text/html") == found


@pytest.mark.parametrize(
    ("asked", "limits", "delay"),
    [("0.2", {"max_wait": 9}, 0.2), ("500", {"max_wait": 0.1}, 0.1), ("0.1", {"delay": 0.3}, 0.3)],
)
def test_a_crawl_delay(
    site: Any, make_job: Job, feed: Feed, asked: str, limits: dict[str, float], delay: float
) -> None:
    robots = f"User-agent: *\nCrawl-delay: {asked}\nAllow: /\n"
    site.page("/robots.txt", robots, content_type="text/plain")
    job = make_job(site.page("/feed", feed()), limits=limits)

    assert crawl(job).finished

    ran = json.loads((job.out / SUMMARY).read_text())["settings"]["DELAYS"]
    assert ran["127.0.0.1"] == pytest.approx(delay)


def busy_once(site: Any, seconds: str, status: int = 503) -> None:
    """Make the feed answer that it is busy, the first time that it is asked."""
    serve = site.pages["/feed"]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if site.paths.count("/feed") == 1:
            send(handler, b"luego", status, retry_after=seconds)
        else:
            serve(handler)

    site.pages["/feed"] = answer


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_site_is_asked_again_when_it_said(
    site: Any, make_job: Job, feed: Feed, entry: Feed, status: int
) -> None:
    url = site.page("/feed", feed(entry("n1", "Pista", "Rota.")))
    busy_once(site, "1", status)

    result = crawl(make_job(url))

    assert result.finished
    assert [record.external_id for record in result.extracted] == ["n1"]
    assert site.paths.count("/feed") == 2


def test_a_busy_site_is_waited_for_once(site: Any, make_job: Job) -> None:
    url = site.page("/feed", "luego", status=503, retry_after="0")

    result = crawl(make_job(url))

    assert site.paths.count("/feed") == 2
    assert result.failure is Failure.TEMPORARY


def test_a_wait_over_the_limit_is_left_to_the_next_run(site: Any, make_job: Job) -> None:
    url = site.page("/feed", "luego", status=503, retry_after="3600")

    result = crawl(make_job(url))

    assert site.paths.count("/feed") == 1
    assert result.failure is Failure.TEMPORARY
    assert result.reason == f"{url} answered 503, for 3,600 seconds more"


@pytest.mark.parametrize(
    ("body", "status", "failure", "outcome"),
    [
        ("no", 404, Failure.HARD, Outcome.GONE),
        ("no", 403, Failure.HARD, Outcome.WALLED),
        ("no", 400, Failure.HARD, Outcome.UNREADABLE),
        ("no", 500, Failure.TEMPORARY, Outcome.FETCH_FAILED),
        ("<html><p>hola</p></html>", 200, Failure.HARD, Outcome.UNREADABLE),
        (LOGIN, 200, Failure.HARD, Outcome.WALLED),
        (CAPTCHA, 503, Failure.HARD, Outcome.WALLED),
    ],
)
def test_how_a_source_fails(
    site: Any, make_job: Job, body: str, status: int, failure: Failure, outcome: Outcome
) -> None:
    result = crawl(make_job(site.page("/feed", body, status=status)))

    assert (result.finished, result.failure) == (False, failure)
    assert [r.outcome for r in result.rejections] == [outcome]


def test_robots_that_forbid_and_robots_that_fail(site: Any, make_job: Job, feed: Feed) -> None:
    url = site.page("/feed", feed())
    site.page("/robots.txt", "User-agent: *\nDisallow: /\n", content_type="text/plain")
    forbidden = crawl(make_job(url))
    site.page("/robots.txt", "error", status=500)
    failing = crawl(make_job(url, "again"))

    assert forbidden.failure is Failure.HARD
    assert failing.failure is Failure.TEMPORARY


def test_a_wall_in_place_of_a_page_is_no_text(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    page = site.page("/nota/1", LOGIN)
    url = site.page("/feed", feed(entry("n1", "Pista", "Rota.", page)))

    result = crawl(make_job(url, follow=True))

    assert (result.finished, result.failure) == (True, Failure.SOFT)
    assert [record.text for record in result.extracted] == ["Rota."]
    assert [(r.outcome, r.detail) for r in result.rejections] == [
        (Outcome.WALLED, f"{page} asks to log in")
    ]
