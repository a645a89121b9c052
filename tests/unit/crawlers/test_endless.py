"""Lists that always lead on: whatever the protocol, a crawl ends and keeps what it read."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

import pytest

from crawlers.crawl import crawl
from crawlers.job import CrawlJob
from models.records import Failure, Outcome, Protocol

MOST = 12
"""Requests that a crawl of these tests may send."""

Reply = tuple[str, dict[str, str]]
"""The body of an answer, and its headers."""

JSON, HTML, XML = "application/json", "text/html", "application/xml"
SAID = "El vecino pide agua."


def when(n: int) -> str:
    """Return when the n-th thing was said: each an hour before the last."""
    return f"{datetime(2026, 5, 20, tzinfo=UTC) - timedelta(hours=n):%Y-%m-%dT%H:%M:%SZ}"


def as_json(body: object, **headers: str) -> Reply:
    return json.dumps(body), {"Content-Type": JSON} | headers


def page(body: str) -> Reply:
    return f"<!DOCTYPE html><html><body>{body}</body></html>", {"Content-Type": HTML}


def mastodon(n: int, path: str, asked: str) -> Reply:
    status = {
        "id": str(10_000 - n),
        "uri": f"https://pe.example/{n}",
        "created_at": when(n),
        "content": SAID,
        "account": {"acct": "rosa"},
    }
    return as_json([status], Link=f'<{path}?max_id={10_000 - n}>; rel="next"')


def reddit(n: int, path: str, asked: str) -> Reply:
    post = {"name": f"t3_p{n}", "title": "Agua", "selftext": SAID, "author": "rosa"}
    post["created_utc"] = str(1_779_235_200 - 3_600 * n)
    children = [{"kind": "t3", "data": post}]
    return as_json({"kind": "Listing", "data": {"after": f"t3_p{n}", "children": children}})


def youtube(n: int, path: str, asked: str) -> Reply:
    snippet = {"title": "Agua", "description": SAID, "publishedAt": when(n)}
    return as_json(
        {"items": [{"id": {"videoId": f"v{n}"}, "snippet": snippet}], "nextPageToken": str(n)}
    )


def facebook(n: int, path: str, asked: str) -> Reply:
    post = {"id": f"1_{n}", "message": SAID, "created_time": when(n)}
    after = {"next": f"http://{{host}}{path}?after={n}", "cursors": {"after": str(n)}}
    return as_json({"data": [post], "paging": after})


def x(n: int, path: str, asked: str) -> Reply:
    post = {"id": str(10_000 - n), "text": SAID, "created_at": when(n), "author_id": "7"}
    return as_json({"data": [post], "meta": {"result_count": 1, "next_token": str(n)}})


def telegram(n: int, path: str, asked: str) -> Reply:
    return page(
        f'<div class="tgme_widget_message" data-post="ate/{10_000 - n}">'
        f'<div class="tgme_widget_message_text">{SAID}</div><a class="tgme_widget_message_date">'
        f'<time datetime="{when(n)}"></time></a></div>'
        f'<a class="tme_messages_more" data-before="{10_000 - n}"></a>'
    )


def disqus(n: int, path: str, asked: str) -> Reply:
    post = {"id": str(n), "thread": "1", "message": SAID, "createdAt": when(n)}
    cursor = {"next": f"{n}:0:0", "hasNext": True}
    return as_json({"code": 0, "response": [post], "cursor": cursor})


def wordpress(n: int, path: str, asked: str) -> Reply:
    post = {
        "id": n,
        "guid": {"rendered": f"https://pe.example/?p={n}"},
        "content": {"rendered": SAID},
        "title": {"rendered": "Agua"},
        "date_gmt": when(n),
        "link": f"https://pe.example/{n}",
    }
    return as_json([post], **{"X-WP-TotalPages": "1000000"})


def discourse(n: int, path: str, asked: str) -> Reply:
    if path.startswith("/t/"):
        post = {"id": n, "post_number": 1, "cooked": SAID, "created_at": when(n), "username": "r"}
        return as_json({"title": "Agua", "post_stream": {"posts": [post], "stream": [n]}})
    topics = {"topics": [{"id": n, "title": "Agua"}], "more_topics_url": f"/latest?page={n}"}
    return as_json({"topic_list": topics})


def forum(n: int, path: str, asked: str) -> Reply:
    onward = f'<a rel="next" href="{{here}}&amp;start={25 * n}">Siguiente</a>'
    if path.startswith("/viewtopic"):
        post = (
            f'<div class="post" id="p{n}"><p class="author"><time datetime="{when(n)}"></time></p>'
        )
        return page(f'{post}<div class="content">{SAID}</div></div>{onward.format(here="?t=1")}')
    topic = f'<li><a class="topictitle" href="/viewtopic.php?t={n}">Agua</a></li>'
    return page(topic + onward.format(here="?f=2"))


def decidim(n: int, path: str, asked: str) -> Reply:
    if "Spaces" in asked:
        parts = [{"id": "1", "__typename": "Proposals"}]
        return as_json(
            {"data": {"participatoryProcesses": [{"slug": "agua", "components": parts}]}}
        )
    text = {"translations": [{"locale": "es", "text": SAID}]}
    node = {"id": str(n), "title": text, "body": text, "publishedAt": when(n)}
    found = {"pageInfo": {"hasNextPage": True, "endCursor": str(n)}, "edges": [{"node": node}]}
    return as_json({"data": {"component": {"id": "1", "proposals": found}}})


def open311(n: int, path: str, asked: str) -> Reply:
    request = {"service_request_id": str(n), "description": SAID, "requested_datetime": when(n)}
    return as_json([request])


def sitemap(n: int, path: str, asked: str) -> Reply:
    if path.endswith(".xml"):
        links = "".join(f"<url><loc>http://{{host}}/nota/{n}-{k}</loc></url>" for k in range(20))
        return f"<urlset>{links}</urlset>", {"Content-Type": XML}
    return page(
        f"<article><h1>Agua para {n}</h1><time datetime='{when(n)}'></time>"
        f"<p>{SAID * 20}</p></article>"
    )


ENDLESS: dict[Protocol, tuple[Callable[[int, str, str], Reply], dict[str, Any]]] = {
    Protocol.MASTODON: (mastodon, {"query": "ate"}),
    Protocol.REDDIT: (reddit, {"query": "ate"}),
    Protocol.YOUTUBE: (youtube, {"query": "ate"}),
    Protocol.FACEBOOK: (facebook, {"query": "ate"}),
    Protocol.X: (x, {"query": "ate"}),
    Protocol.TELEGRAM: (telegram, {"query": "ate"}),
    Protocol.DISQUS: (disqus, {"query": "ate"}),
    Protocol.WORDPRESS: (wordpress, {}),
    Protocol.DISCOURSE: (discourse, {}),
    Protocol.FORUM: (forum, {"path": "/viewforum.php?f=2"}),
    Protocol.DECIDIM: (decidim, {}),
    Protocol.OPEN311: (open311, {}),
    Protocol.SITEMAP: (sitemap, {"path": "/sitemap.xml"}),
}
ELSEWHERE = {Protocol.PAGES, Protocol.FEED, Protocol.UPLOAD}
"""Pages: `test_chaos`, a calendar without end. A feed is one answer, an upload none."""


class Endless:
    """A site every answer of which leads to a further one."""

    def __init__(self, reply: Callable[[int, str, str], Reply]) -> None:
        site, self.asked, numbers = self, 0, count(1)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                asked = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                if path == "/robots.txt":
                    self._send(404, "", {})
                    return
                site.asked += 1
                body, headers = reply(next(numbers), path, asked)
                self._send(200, body.replace("{host}", self.headers["Host"]), headers)

            def do_POST(self) -> None:
                self.do_GET()

            def _send(self, status: int, body: str, headers: dict[str, str]) -> None:
                data = body.encode()
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(data))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def endless() -> Iterator[Callable[..., Endless]]:
    sites: list[Endless] = []

    def serve(reply: Callable[[int, str, str], Reply]) -> Endless:
        sites.append(Endless(reply))
        return sites[-1]

    yield serve
    for site in sites:
        site.close()


def test_no_protocol_is_left_out() -> None:
    assert set(ENDLESS) | ELSEWHERE == set(Protocol)


@pytest.mark.parametrize("protocol", ENDLESS)
def test_a_list_without_end_ends_at_the_limit_of_requests(
    endless: Callable[..., Endless], make_job: Callable[..., CrawlJob], protocol: Protocol
) -> None:
    reply, about = ENDLESS[protocol]
    site = endless(reply)
    about = dict(about)
    path = about.pop("path", "/")

    result = crawl(
        make_job(site.url + path, protocol=protocol, limits={"max_requests": MOST}, **about)
    )

    assert result.reason == f"it reached its limit of {MOST} requests"
    assert result.failure is Failure.SOFT
    assert site.asked <= MOST
    assert len(result.extracted) >= MOST // 3
    assert all(SAID in record.text for record in result.extracted)


def test_indexes_inside_indexes_are_not_followed_for_ever(
    endless: Callable[..., Endless], make_job: Callable[..., CrawlJob]
) -> None:
    def deeper(n: int, path: str, asked: str) -> Reply:
        link = f"<sitemap><loc>http://{{host}}/{n}.xml</loc></sitemap>"
        return f"<sitemapindex>{link}</sitemapindex>", {"Content-Type": XML}

    site = endless(deeper)

    result = crawl(make_job(f"{site.url}/sitemap.xml", protocol=Protocol.SITEMAP))

    assert site.asked == 3
    assert [rejection.outcome for rejection in result.rejections] == [Outcome.UNREADABLE]
    assert "2 steps inside an index" in result.rejections[0].detail


@pytest.mark.parametrize("protocol", [Protocol.REDDIT, Protocol.DECIDIM, Protocol.OPEN311])
def test_a_list_that_leads_back_to_itself_ends_by_itself(
    endless: Callable[..., Endless], make_job: Callable[..., CrawlJob], protocol: Protocol
) -> None:
    reply, about = ENDLESS[protocol]
    site = endless(lambda n, path, asked: reply(1, path, asked))

    result = crawl(make_job(site.url, protocol=protocol, limits={"max_requests": MOST}, **about))

    assert site.asked < MOST
    assert len({record.external_id for record in result.extracted}) == 1
