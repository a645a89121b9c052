"""Whole crawls of a site on loopback, in the real child process."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from crawlers import crawl as crawl_module
from crawlers.archive import read_capture
from crawlers.crawl import LOG, crawl, read_result
from crawlers.forked import Forked, Forks
from crawlers.job import CrawlJob, CrawlResult
from crawlers.wire import EXTRACTED, SUMMARY
from models.records import Extracted, Failure, Kind, Outcome
from tests.unit.crawlers.conftest import send

Job = Callable[..., CrawlJob]
Feed = Callable[..., str]
PAGES = Path(__file__).parents[2] / "pages"
ARTICLE = (PAGES / "article-with-comments" / "page.html").read_bytes()


def by_id(result: CrawlResult) -> dict[str, Extracted]:
    return {record.external_id: record for record in result.extracted}


def outcomes(result: CrawlResult) -> list[tuple[Outcome, str]]:
    return sorted((rejection.outcome, rejection.where) for rejection in result.rejections)


def said(result: CrawlResult) -> list[Extracted]:
    """Return the records without what differs from one reading to the next."""
    never = datetime(2000, 1, 1, tzinfo=UTC)
    found = [replace(record, fetched_at=never, capture_id=None) for record in result.extracted]
    return sorted(found, key=lambda record: record.external_id)


def test_a_feed_with_its_pages_and_comments(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    site.page("/robots.txt", "User-agent: *\nAllow: /\n", content_type="text/plain")
    page = site.page("/nota/1", ARTICLE)
    broken = site.page("/nota/2", "roto", status=500)
    url = site.page(
        "/feed",
        feed(
            entry("n1", "Marcha", "Corto.", page),
            entry("n2", "Pista", "La pista sigue rota.", broken),
            entry("n3", "Sin enlace", "Falta luz."),
            entry("n3", "Otra vez", "El mismo identificador."),
            entry("", "Sin identidad", "Nadie sabe."),
            entry("n4", "", ""),
            entry("n5", "Sin fecha", "Cuándo fue.", date=""),
            entry("n6", "Mañana", "Del futuro.", date="Mon, 05 May 2092 10:00:00 -0500"),
            entry("n7", "Largo", "a" * 200_001),
        ),
        content_type="application/rss+xml",
    )

    result = crawl(make_job(url, follow=True, comments=True))

    assert (result.finished, result.reason) == (True, "")
    records = by_id(result)
    assert set(records) == {
        "n1", "n1#comment-501", "n1#comment-502", "n1#comment-504", "n2", "n3",
    }  # fmt: skip
    article = records["n1"]
    assert article.title == "Marcha"
    assert article.text.startswith("Más de doscientos vecinos")
    assert article.said_at == datetime(2025, 5, 5, 15, tzinfo=UTC)
    assert article.author == "Milagros Ccori"
    assert records["n2"].text == "La pista sigue rota."
    reply = records["n1#comment-502"]
    assert reply.kind is Kind.COMMENT
    assert reply.parent_external_id == "n1#comment-501"
    assert reply.thread_external_id == "n1"
    assert records["n1#comment-501"].parent_external_id == "n1"
    assert reply.said_at == datetime(2025, 5, 7, 14, tzinfo=UTC)
    assert outcomes(result) == [
        (Outcome.BAD_DATE, "n6"),
        (Outcome.DUPLICATE, "n3"),
        (Outcome.FETCH_FAILED, broken),
        (Outcome.NO_DATE, "n1#comment-505"),
        (Outcome.NO_DATE, "n5"),
        (Outcome.NO_IDENTITY, url),
        (Outcome.NO_TEXT, "n4"),
        (Outcome.TOO_LONG, "n7"),
    ]
    failed = next(r for r in result.rejections if r.outcome is Outcome.FETCH_FAILED)
    assert failed.detail == f"{broken} answered 500"


def test_what_is_sent_is_honest_and_says_nothing_more(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    page = site.page("/nota/1", ARTICLE, set_cookie="a=b", referrer_policy="unsafe-url")
    url = site.page("/feed", feed(entry("n1", "M", "C", page)), set_cookie="a=b")
    job = make_job(url, follow=True)

    crawl(job)

    assert site.paths == ["/robots.txt", "/feed", "/nota/1"]
    for _, headers in site.asked:
        assert headers["User-Agent"] == job.user_agent
        assert not {"Cookie", "Referer"} & set(headers)


def test_every_response_is_archived_as_it_was_served(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    robots = "User-agent: *\nAllow: /\n"
    site.page("/robots.txt", robots, content_type="text/plain")
    page = site.page("/nota/1", gzip.compress(ARTICLE), content_encoding="gzip")
    moved = site.redirect("/vieja", "/nota/1")
    xml = feed(entry("n1", "M", "C", moved))
    url = site.page("/feed", xml, content_type="application/rss+xml")
    job = make_job(url, follow=True)

    result = crawl(job)

    served = {c.url: read_capture(c, job.archive) for c in result.captures}
    assert served == {
        site.url + "/robots.txt": robots.encode(),
        url: xml.encode(),
        moved: b"",
        page: ARTICLE,
    }
    assert {c.status for c in result.captures} == {200, 302}
    assert all(c.fetched_at.utcoffset() is not None for c in result.captures)
    read = next(c for c in result.captures if c.url == page)
    assert result.extracted[0].capture_id == read.id
    assert result.extracted[0].text.startswith("Más de doscientos")


def test_what_robots_txt_denies_is_not_read(site: Any, make_job: Job, feed: Feed) -> None:
    site.page("/robots.txt", "User-agent: *\nDisallow: /feed\n", content_type="text/plain")
    url = site.page("/feed", feed())

    result = crawl(make_job(url))

    assert result.reason == f"robots.txt of {site.url} does not allow {url}"
    assert not result.finished
    assert outcomes(result) == [(Outcome.ROBOTS_DENIED, url)]
    assert site.paths == ["/robots.txt"]


def test_a_robots_txt_that_fails_allows_nothing(site: Any, make_job: Job, feed: Feed) -> None:
    site.page("/robots.txt", "<html>error</html>", status=503)
    url = site.page("/feed", feed())

    result = crawl(make_job(url))

    assert result.reason == f"robots.txt of {site.url} answered 503, which allows nothing for now"
    assert "/feed" not in site.paths


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"no", 404, "{url} answered 404"),
        (b"no", 503, "{url} answered 503"),
        (
            b"<!doctype html><html><p>hola</p></html>",
            200,
            "{url} is an HTML page, not a feed; if it is a page of links use protocol: pages",
        ),
        (b"", 200, "{url} is empty"),
    ],
)
def test_a_source_that_is_no_feed_is_said_in_words(
    site: Any, make_job: Job, body: bytes, status: int, reason: str
) -> None:
    url = site.page("/feed", body, status=status)

    result = crawl(make_job(url))

    assert (result.finished, result.reason) == (False, reason.format(url=url))
    assert result.extracted == []
    assert len(result.rejections) == 1


def test_a_server_that_hangs(site: Any, make_job: Job) -> None:
    url = site.hang("/feed")

    result = crawl(make_job(url, limits={"timeout": 0.2}))

    assert result.reason == f"{url} did not answer within 0.2 seconds"
    assert site.paths.count("/feed") == 3


def test_a_server_that_never_falls_silent_is_waited_for_no_longer(site: Any, make_job: Job) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        """Send a byte long before anybody would call the connection idle."""
        handler.send_response(200)
        handler.send_header("Content-Type", "text/xml")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not site.over.wait(0.05):
            handler.wfile.write(b"<")

    site.pages["/feed"] = drip

    result = crawl(make_job(f"{site.url}/feed", limits={"timeout": 0.5, "max_seconds": 20}))

    assert result.reason == f"{site.url}/feed did not answer within 0.5 seconds"
    assert result.failure is Failure.TEMPORARY


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Send a body that has no length and does not end by itself."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/xml")
    handler.send_header("Connection", "close")
    handler.end_headers()
    while True:
        handler.wfile.write(b"a" * 65_536)


@pytest.mark.parametrize("how", ["declared", "endless", "gzip bomb"])
def test_a_body_over_the_limit(site: Any, make_job: Job, how: str) -> None:
    if how == "declared":
        url = site.page("/feed", b"a" * 200_001)
    elif how == "endless":
        url = site.url + "/feed"
        site.pages["/feed"] = endless
    else:
        url = site.page("/feed", gzip.compress(b"\0" * 50_000_000), content_encoding="gzip")

    result = crawl(make_job(url, limits={"max_bytes": 200_000}))

    assert result.reason.startswith(f"{url} is larger than the limit of 200,000 bytes")
    assert not result.finished


def test_a_redirect_that_never_ends(site: Any, make_job: Job) -> None:
    url = site.redirect("/feed", "/feed")

    result = crawl(make_job(url))

    assert result.reason == f"{url} redirects without end"
    assert site.paths.count("/feed") == 6


def test_a_redirect_to_a_file(site: Any, make_job: Job, tmp_path: Path) -> None:
    url = site.redirect("/feed", tmp_path.as_uri())

    result = crawl(make_job(url))

    assert result.reason == f"{url} redirects to what is no http or https address"
    assert outcomes(result) == [(Outcome.NOT_ALLOWED, url)]


@pytest.mark.parametrize("host", ["localhost", "2130706433", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_not_read(site: Any, make_job: Job, host: str) -> None:
    port = site.url.rpartition(":")[2]
    url = f"http://{host}:{port}/feed"

    result = crawl(make_job(url, allow_private=False))

    assert "is a loopback address" in result.reason
    assert outcomes(result) == [(Outcome.NOT_ALLOWED, url)]
    assert site.asked == []


ONE_ADDRESS_IS_PUBLIC = """
from crawlers import addresses
strict = addresses.refusal
addresses.refusal = lambda address: None if address == "127.0.0.1" else strict(address)
"""


def test_a_redirect_to_a_private_address_is_not_followed(
    site: Any, other_site: Any, make_job: Job, feed: Feed, served_by: Callable[[str], Forks]
) -> None:
    served_by(ONE_ADDRESS_IS_PUBLIC)  # so that the second hop is what is refused
    target = other_site.page("/feed", feed())
    url = site.redirect("/feed", target)

    result = crawl(make_job(url, allow_private=False))

    assert result.reason == f"{target} may not be read: 127.0.0.2 is a loopback address"
    assert site.paths == ["/robots.txt", "/feed"]
    assert other_site.asked == []


A_NAME_THAT_TURNS_INWARDS = f"""
{ONE_ADDRESS_IS_PUBLIC}
import socket
look_up, asked = socket.getaddrinfo, []
def turning(host, *rest, **named):
    if host == "cambia.example":
        asked.append(host)
        host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
    return look_up(host, *rest, **named)
socket.getaddrinfo = turning  # before Twisted takes it
from crawlers.resolver import GuardedResolver
GuardedResolver.from_crawler = classmethod(lambda cls, crawler, reactor: cls(reactor, 0))
"""


def test_a_name_is_looked_at_at_every_connection(
    site: Any, make_job: Job, feed: Feed, served_by: Callable[[str], Forks]
) -> None:
    served_by(A_NAME_THAT_TURNS_INWARDS)  # public for robots.txt, private for the feed
    site.pages["/robots.txt"] = lambda handler: send(handler, b"", connection="close")
    site.page("/feed", feed())
    url = f"http://cambia.example:{site.url.rpartition(':')[2]}/feed"

    result = crawl(make_job(url, allow_private=False))

    assert result.reason == f"{url} may not be read: 127.0.0.2 is a loopback address"
    assert site.paths == ["/robots.txt"]


def test_the_limit_of_requests(site: Any, make_job: Job, feed: Feed, entry: Feed) -> None:
    links = [site.page(f"/nota/{n}", ARTICLE) for n in range(5)]
    entries = (entry(f"n{n}", f"T{n}", "Corto.", link) for n, link in enumerate(links))
    url = site.page("/feed", feed(*entries))

    result = crawl(make_job(url, follow=True, limits={"max_requests": 4}))

    assert (result.finished, result.reason) == (False, "it reached its limit of 4 requests")
    assert site.paths == ["/robots.txt", "/feed", "/nota/0", "/nota/1"]
    assert sorted(by_id(result)) == ["n0", "n1", "n2", "n3", "n4"]
    assert [record.text for record in result.extracted if record.text == "Corto."] == ["Corto."] * 3
    assert outcomes(result) == [(Outcome.FETCH_FAILED, link) for link in links[2:]]


def test_the_limit_of_time(site: Any, make_job: Job, feed: Feed, entry: Feed) -> None:
    link = site.hang("/nota/1")
    url = site.page(
        "/feed", feed(entry("n1", "T", "Corto.", link), entry("n2", "T", "Otro.", link))
    )

    result = crawl(make_job(url, follow=True, limits={"max_seconds": 1, "timeout": 3}))

    assert (result.finished, result.reason) == (False, "it reached its limit of 1 seconds")
    assert sorted(by_id(result)) == ["n1", "n2"]


def test_a_killed_child_keeps_what_it_had(
    site: Any, make_job: Job, feed: Feed, entry: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[Forked] = []
    start = crawl_module.FORKS.start

    def remember(*args: Any) -> Forked:
        children.append(start(*args))
        return children[-1]

    def kill_once(handler: BaseHTTPRequestHandler) -> None:
        if len(children) == 1:
            os.kill(children[0].pid, signal.SIGKILL)
        serve(handler)

    link = site.page("/nota/1", ARTICLE)
    serve = site.pages["/nota/1"]
    site.pages["/nota/1"] = kill_once
    entries = (entry("n0", "Sin página", "A."), entry("n1", "Con página", "B.", link))
    url = site.page("/feed", feed(*entries))
    monkeypatch.setattr(crawl_module.FORKS, "start", remember)

    cut = crawl(make_job(url, "first", follow=True))
    whole = crawl(make_job(url, "second", follow=True))
    again = crawl(make_job(url, "first", follow=True))

    assert not cut.finished
    assert cut.reason.startswith(f"the crawl of {url} broke off (signal SIGKILL)")
    assert sorted(by_id(cut)) == ["n0"]
    assert whole.finished
    assert sorted(by_id(whole)) == ["n0", "n1"]
    assert said(again) == said(whole)
    archive = make_job(url).archive
    for capture in cut.captures + whole.captures + again.captures:
        assert read_capture(capture, archive) is not None


def test_a_half_written_line_is_no_record(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    url = site.page("/feed", feed(entry("n1", "T", "Uno."), entry("n2", "T", "Dos.")))
    job = make_job(url)
    crawl(job)
    written = (job.out / EXTRACTED).read_bytes()
    (job.out / EXTRACTED).write_bytes(written[:-20])
    (job.out / SUMMARY).unlink()

    result = read_result(job, code=-9)

    assert sorted(by_id(result)) == ["n1"]
    assert not result.finished


def test_a_child_that_does_not_end_is_killed(
    site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crawl_module, "GRACE", -9.9)
    url = site.hang("/feed")

    result = crawl(make_job(url, limits={"timeout": 10, "max_seconds": 1}))

    assert (result.finished, result.reason) == (False, "it did not end within 1 seconds")


def test_a_folder_that_cannot_be_written(make_job: Job, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no es una carpeta")

    result = crawl(make_job("http://127.0.0.1:1/feed"))

    assert not result.finished
    assert result.reason.startswith(f"the crawl could not start in {tmp_path / 'out'}: ")


def test_a_certificate_that_nobody_signed(
    site: Any, make_job: Job, feed: Feed, tmp_path: Path
) -> None:
    site.speak_tls(tmp_path)
    site.page("/feed", feed())
    url = site.url.replace("http:", "https:") + "/feed"

    result = crawl(make_job(url))

    assert result.reason == f"{url} cannot be read: its TLS certificate is not valid"
    assert site.asked == []


def test_an_archive_that_cannot_be_written_stops_the_crawl(
    site: Any, make_job: Job, feed: Feed, entry: Feed, tmp_path: Path
) -> None:
    (tmp_path / "archive").write_text("no es una carpeta")
    url = site.page("/feed", feed(entry("n1", "T", "Uno.")))

    result = crawl(make_job(url))

    assert not result.finished
    assert result.reason.startswith("the archive cannot be written: ")


def test_the_files_are_for_the_owner_alone_and_the_log_quotes_nobody(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    page = site.page("/nota/1", ARTICLE)
    url = site.page("/feed", feed(entry("n1", "T", "Corto.", page)))
    job = make_job(url, follow=True, comments=True)

    crawl(job)

    assert job.out.stat().st_mode & 0o777 == 0o700
    assert (job.out / EXTRACTED).stat().st_mode & 0o777 == 0o600
    files = [path for path in job.archive.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    folders = [job.archive, *(path for path in job.archive.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert (job.out / LOG).read_text() == ""


def test_a_page_of_links_and_the_page_after_it(site: Any, make_job: Job) -> None:
    def note(name: str, day: int) -> str:
        text = ARTICLE.replace(b"https://elvecino.example.pe/noticias/marcha-agua", b"")
        return str(site.page(name, text.replace(b"2025-05-06T", f"2025-05-{day:02}T".encode())))

    first, second, third = note("/n/1", 6), note("/n/2", 7), note("/n/3", 8)
    undated = site.page("/n/4", (PAGES / "article-without-date" / "page.html").read_bytes())
    url = site.page(
        "/portada",
        '<html><body><h2><a href="/n/1">1</a></h2><h2><a href="/n/2">2</a></h2>'
        '<h2><a href="http://otro.example.pe/n/9">fuera</a></h2><a href="/contacto">c</a>'
        '<a rel="next" href="/portada?p=2">más</a></body></html>',
    )
    site.page(
        "/portada?p=2",
        '<html><body><h2><a href="/n/2">2</a></h2><h2><a href="/n/3">3</a></h2>'
        '<h2><a href="/n/4">4</a></h2><a rel="next" href="/portada">más</a></body></html>',
    )

    result = crawl(make_job(url, protocol="pages", links="h2 a", comments=True))

    assert (result.finished, result.reason) == (True, "")
    articles = {r.external_id: r for r in result.extracted if r.kind is Kind.ARTICLE}
    assert sorted(articles) == [first, second, third]
    assert articles[first].said_at == datetime(2025, 5, 7, 4, 40, tzinfo=UTC)
    comment = by_id(result)[f"{first}#comment-502"]
    assert comment.parent_external_id == f"{first}#comment-501"
    assert comment.url == f"{first}#comment-502"
    assert (Outcome.NO_DATE, undated) in outcomes(result)
    assert "/contacto" not in site.paths
    assert len(site.paths) == len(set(site.paths))


def test_a_page_of_links_of_which_none_can_be_read(site: Any, make_job: Job) -> None:
    page = site.page("/n/1", "roto", status=404)
    url = site.page("/portada", '<html><body><h2><a href="/n/1">1</a></h2></body></html>')

    result = crawl(make_job(url, protocol="pages", links="h2 a"))

    assert (result.finished, result.reason) == (False, f"{page} answered 404")
    assert result.failure is Failure.HARD


def test_a_page_of_links_that_has_none(site: Any, make_job: Job) -> None:
    url = site.page("/portada", "<html><body><p>Sin enlaces</p></body></html>")

    result = crawl(make_job(url, protocol="pages", links="h2 a"))

    assert result.reason == f"{url} has no link to a page of its own host that fits «h2 a»"


def test_the_settings_that_really_run(site: Any, make_job: Job, feed: Feed) -> None:
    url = site.page("/feed", feed())
    job = make_job(url, limits={"delay": 0.1, "timeout": 7, "max_bytes": 12_345, "max_seconds": 50})

    crawl(job)

    ran = json.loads((job.out / SUMMARY).read_text())["settings"]
    expected = {
        "ROBOTSTXT_OBEY": True,
        "USER_AGENT": job.user_agent,
        "DOWNLOAD_DELAY": 0.1,
        "DOWNLOAD_DELAY_JITTER": 0.0,
        "AUTOTHROTTLE_ENABLED": True,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "CONCURRENT_ITEMS": 1,
        "DOWNLOAD_TIMEOUT": 7.0,
        "DOWNLOAD_MAXSIZE": 12_345,
        "REDIRECT_MAX_TIMES": 5,
        "METAREFRESH_ENABLED": False,
        "RETRY_TIMES": 2,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "COOKIES_ENABLED": False,
        "REFERER_ENABLED": False,
        "HTTPPROXY_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
        "DEPTH_LIMIT": 20,
        "CLOSESPIDER_TIMEOUT": 50.0,
        "TWISTED_DNS_RESOLVER": "crawlers.resolver.GuardedResolver",
        "RLIMIT_DATA": 2 << 30,
    }
    assert {name: ran[name] for name in expected} == expected
    assert set(ran["DOWNLOAD_HANDLERS"]) == {"http", "https"}
    assert not {"TelnetConsole", "RemoteControl"} & set(ran["EXTENSIONS"])
    assert {"CloseSpider", "OwnMemory", "AutoThrottle"} <= set(ran["EXTENSIONS"])
    names = ran["MIDDLEWARES"]
    assert names.index("AddressGuard") < names.index("Robots") < names.index("RedirectGuard")
    assert names.index("RedirectMiddleware") < names.index("RedirectGuard")
    assert names.index("HttpCompressionMiddleware") < names.index("Archiver")
    assert names[-1] == "RequestLimit"


def test_the_parent_does_not_load_scrapy() -> None:
    code = "import sys, crawlers.crawl, crawlers.archive; sys.exit('scrapy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_large_parent_does_not_make_a_crawl_too_large() -> None:
    """A new process reports its parent's peak by getrusage, but not as its own memory."""
    child = (
        "import resource\n"
        "from crawlers.memory import OwnMemory\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "print(peak, OwnMemory.__new__(OwnMemory).get_virtual_size())"
    )
    parent = (
        "import subprocess, sys\n"
        "ballast = bytearray(700_000_000)\n"
        "ballast[::4096] = b'x' * len(ballast[::4096])\n"
        f"subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", parent], capture_output=True, check=True, text=True
    )
    inherited, own = map(int, done.stdout.split())
    assert inherited > 650_000_000
    assert own < 400_000_000
