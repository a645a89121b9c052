"""Sources that misbehave do so as they were told, and the others are well."""

import gzip
import http.client
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from crawlers.sandbox import chaos
from crawlers.sandbox.chaos import MODES, PRIVATE_ADDRESSES
from crawlers.sandbox.chaos_feeds import BROKEN, WELL
from crawlers.sandbox.server import serve_town
from crawlers.sandbox.sites import NOTICE
from crawlers.sandbox.town import Town
from models.errors import ConfigError

FEED = "/muro-huaycan/rss.xml"
PAGE = "/portal-este/noticias/"
API = "/reddit-ate/r/ateperu/new.json"

Reply = tuple[int, http.client.HTTPMessage, bytes]


@pytest.fixture
def misbehaving(town: Town) -> Callable[..., object]:
    @contextmanager
    def serve(mode: str) -> Iterator[str]:
        names = ("muro-huaycan", "portal-este", "reddit-ate")
        with serve_town(0, town=town, chaos=dict.fromkeys(names, mode)) as url:
            yield urlsplit(url).netloc

    return serve


def _get(host: str, path: str, most: int = 2_000_000) -> Reply:
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers, response.read(most)
    finally:
        connection.close()


def _raw(host: str, path: str, timeout: float) -> socket.socket:
    name, _, port = host.partition(":")
    door = socket.create_connection((name, int(port)), timeout=timeout)
    door.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return door


def _is_over(door: socket.socket) -> bool:
    try:
        return door.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("mode", MODES)
def test_the_other_sources_are_well(misbehaving, mode: str):
    with misbehaving(mode) as host:
        status, _, body = _get(host, "/muro-vitarte/feed.json")
        assert (status, body[:1]) == (200, b"{")


def test_hang_sends_nothing(misbehaving):
    with misbehaving("hang") as host, _raw(host, FEED, 0.3) as door, pytest.raises(TimeoutError):
        door.recv(1)


def test_drip_sends_little_by_little(misbehaving, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chaos, "DRIP", 0.02)
    with misbehaving("drip") as host, _raw(host, FEED, 5) as door:
        got = b""
        while len(got.partition(b"\r\n\r\n")[2]) < 5:
            got += door.recv(4096)
        head, _, body = got.partition(b"\r\n\r\n")
        assert b"Content-Length" in head
        assert b"<?xml".startswith(body[:5])


def test_a_visitor_who_is_kept_waiting_is_let_go_when_the_town_closes(misbehaving):
    with misbehaving("hang") as host:
        door = _raw(host, FEED, 5)
    with door:
        assert _is_over(door)


def test_error500(misbehaving):
    with misbehaving("error500") as host:
        assert _get(host, FEED)[0] == _get(host, API)[0] == 500


def test_redirect_loop_never_ends(misbehaving):
    with misbehaving("redirect_loop") as host:
        path, seen = FEED, set()
        for _ in range(30):
            status, headers, _ = _get(host, path)
            assert status == 302
            path = headers["Location"].partition(host)[2]
            assert path not in seen
            seen.add(path)


def test_redirect_private_leads_to_every_inner_address(misbehaving):
    with misbehaving("redirect_private") as host:
        targets = {_get(host, FEED)[1]["Location"] for _ in PRIVATE_ADDRESSES}
    assert targets == set(PRIVATE_ADDRESSES)
    assert "file:///etc/passwd" in targets


@pytest.mark.parametrize(
    ("encoding", "unpack"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)]
)
def test_a_bomb_is_small_until_it_is_unpacked(
    misbehaving, monkeypatch: pytest.MonkeyPatch, encoding: str, unpack: Callable[[bytes], bytes]
):
    monkeypatch.setattr(chaos, "BOMB", 8 * 1024 * 1024)
    with misbehaving(f"{encoding}_bomb") as host:
        _, headers, body = _get(host, FEED)
    assert headers["Content-Encoding"] == encoding
    assert len(body) < 100_000
    assert unpack(body) == b" " * (8 * 1024 * 1024)


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_the_bombs_that_the_standard_library_does_not_know(misbehaving, encoding: str):
    unpack = pytest.importorskip({"br": "brotli", "zstd": "backports.zstd"}[encoding])
    with misbehaving(f"{encoding}_bomb") as host:
        _, headers, body = _get(host, FEED)
    assert headers["Content-Encoding"] == encoding
    assert len(body) < 10_000
    assert len(unpack.decompress(body)) == chaos.BOMB


@pytest.mark.parametrize("mode", BROKEN)
def test_a_feed_that_is_broken_inside_has_one_item_that_is_well(misbehaving, mode: str):
    with misbehaving(mode) as host:
        _, headers, body = _get(host, FEED, most=20_000_000)
    assert headers.get_content_type() == "application/xml"
    assert WELL in body.decode()


def test_endless_goes_on(misbehaving, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chaos, "ENDLESS", 16 * 1024 * 1024)
    with misbehaving("endless") as host:
        status, headers, body = _get(host, FEED, most=10 * 1024 * 1024)
    assert status == 200
    assert headers["Transfer-Encoding"] == "chunked"
    assert len(body) == 10 * 1024 * 1024


def test_deep_nesting_in_each_language(misbehaving):
    with misbehaving("deep_nesting") as host:
        assert _get(host, FEED)[2].count(b"<a>") == 100_000
        assert _get(host, PAGE)[2].count(b"<div>") == 100_000
        assert _get(host, API)[2].startswith(b"[" * 100_000)


def test_html_feed_gives_each_what_the_other_wants(misbehaving):
    with misbehaving("html_feed") as host:
        _, headers, body = _get(host, FEED)
        assert headers.get_content_type() == "application/rss+xml"
        assert b"<html" in body
        assert b"<rss" in _get(host, PAGE)[2]


def test_bad_encoding_is_not_what_it_says(misbehaving):
    with misbehaving("bad_encoding") as host:
        _, headers, body = _get(host, FEED)
    assert "utf-8" in headers["Content-Type"]
    assert b"\0" in body
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")
    assert "Huaycán" in body.decode("cp1252")


@pytest.mark.parametrize(
    ("mode", "sign"), [("captcha", "g-recaptcha"), ("login_wall", 'type="password"')]
)
def test_walls_are_pages_that_answer_200(misbehaving, mode: str, sign: str):
    with misbehaving(mode) as host:
        for path in (FEED, PAGE, API):
            status, headers, body = _get(host, path)
            assert (status, headers.get_content_type()) == (200, "text/html")
            assert sign in body.decode()
            assert NOTICE in body.decode()


def test_the_calendar_always_leads_further(misbehaving):
    with misbehaving("calendar_trap") as host:
        path, seen = PAGE, set()
        for _ in range(20):
            page = _get(host, path)[2].decode()
            links = set(page.split('href="')[1:])
            path = page.rpartition('rel="next" href="')[2].partition('"')[0]
            assert path not in seen
            assert len(links) > 30
            seen.add(path)


def test_an_unknown_source_or_way_is_refused(town: Town):
    for wrong, said in (({"nadie": "hang"}, "no source"), ({"x-ate": "nap"}, "no way")):
        with pytest.raises(ConfigError, match=said), serve_town(0, town=town, chaos=wrong):
            pass
