"""The town's server over real HTTP: caching, manners, and a door that is already taken."""

import http.client
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import pytest

from crawlers.sandbox.pages import Pages
from crawlers.sandbox.server import TOKEN, serve_town, town_server
from crawlers.sandbox.sites import SITES
from crawlers.sandbox.town import Town
from models.errors import ConfigError


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def _ask(base_url: str, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=10)
    try:
        connection.request(
            method, path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def test_every_path_answers_in_utf_8_over_one_connection(base_url: str, town: Town):
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=10)
    for path in Pages(town).paths:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        assert response.status in {200, 301}, path
        assert len(body) == int(response.headers["Content-Length"])
        if response.headers.get_content_type() != "image/svg+xml":
            assert "utf-8" in response.headers["Content-Type"], path
        body.decode("utf-8")
    connection.close()


@pytest.mark.parametrize(
    "path", ["/", "/radio-huaycan/feed/", "/portal-este/noticias/", "/robots.txt"]
)
def test_what_is_known_is_not_sent_again(base_url: str, path: str):
    first = _ask(base_url, path)
    assert first.headers["ETag"]
    assert first.headers["Last-Modified"].endswith(" GMT")
    etag, changed = first.headers["ETag"], first.headers["Last-Modified"]
    for conditions in (
        {"If_None_Match": etag},
        {"If_None_Match": f'"other", W/{etag}'},
        {"If_Modified_Since": changed},
    ):
        again = _ask(base_url, path, **conditions)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == etag


def test_what_is_not_known_is_sent(base_url: str):
    for conditions in (
        {"If_None_Match": '"other"'},
        {"If_None_Match": '"other"', "If_Modified_Since": "Fri, 01 Jan 2038 00:00:00 GMT"},
        {"If_Modified_Since": "Wed, 01 Jan 2020 00:00:00 GMT"},
        {"If_Modified_Since": "not a date"},
    ):
        assert _ask(base_url, "/radio-huaycan/feed/", **conditions).status == 200


def test_head_sends_no_body_and_missing_pages_are_404(base_url: str):
    head = _ask(base_url, "/", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    missing = _ask(base_url, "/radio-huaycan/no-existe/")
    assert missing.status == 404
    assert "Pueblo simulado" in missing.body.decode()
    assert "ETag" not in missing.headers
    assert _ask(base_url, "/../../etc/passwd").status == 404
    assert _ask(base_url, "//[").status == 404
    assert _ask(base_url, "/radio-huaycan/?s=agua").status == 200
    assert _ask(base_url, "/", "POST").status == 501


def test_a_source_without_final_slash_is_shown_the_way(base_url: str):
    moved = _ask(base_url, "/portal-este")
    assert (moved.status, moved.headers["Location"]) == (301, f"{base_url}/portal-este/noticias/")


def test_addresses_follow_the_visitors_host_but_not_a_forged_one(base_url: str):
    port = urlsplit(base_url).port
    path = "/muro-huaycan/rss.xml"
    assert (
        f"<link>http://localhost:{port}/"
        in _ask(base_url, path, Host=f"localhost:{port}").body.decode()
    )
    forged = _ask(base_url, path, Host='x"><script>').body.decode()
    assert f"<link>{base_url}/" in forged
    assert "<script>" not in forged


def test_robots_may_read_the_sources_and_not_the_private_part(base_url: str):
    robots = RobotFileParser()
    robots.parse(_ask(base_url, "/robots.txt").body.decode().splitlines())
    agent = "Manifiesta/0.1"
    assert all(robots.can_fetch(agent, f"{base_url}{site.home}") for site in SITES)
    assert not robots.can_fetch(agent, f"{base_url}/privado/")


def test_a_busy_port_says_which_and_what_to_do(town: Town):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=rf"port {port}.*choose another"),
            serve_town(port, town=town),
        ):
            pass
    with pytest.raises(ConfigError, match="port 70000"):
        town_server(70000, town=town)


def test_the_door_is_closed_afterwards(town: Town):
    with serve_town(0, town=town) as url:
        assert _ask(url, "/").status == 200
    with pytest.raises(ConnectionRefusedError):
        _ask(url, "/")
    with serve_town(urlsplit(url).port or 0, town=town) as again:
        assert again == url


def test_queries_are_posted_and_nothing_else_is(base_url: str):
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=10)
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"query": "{ decidim { version } }"})
    connection.request("POST", "/participa-ate/api", body, headers)
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Type"]) == (
        200,
        "application/json; charset=utf-8",
    )
    assert json.loads(response.read()) == {"data": {"decidim": {"version": "0.29.1"}}}
    connection.putrequest("POST", "/participa-ate/api")
    connection.putheader("Content-Length", "1000001")
    connection.endheaders()  # the announced length is enough to be refused
    assert connection.getresponse().status == 413
    connection.close()


def test_platforms_see_the_query_and_the_headers(base_url: str):
    path = "/x-ate/2/tweets/search/recent?query=Ate&max_results=10"
    assert _ask(base_url, path).status == 401
    answer = _ask(base_url, path, Authorization="Bearer word")
    assert len(json.loads(answer.body)["data"]) == 10
    assert answer.headers["x-rate-limit-limit"] == "450"
    assert "Last-Modified" not in answer.headers


def test_the_towns_token_is_in_the_environment_while_it_serves(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(TOKEN, raising=False)
    with serve_town(0, town=town):
        assert os.environ[TOKEN]
    assert TOKEN not in os.environ
    monkeypatch.setenv(TOKEN, "mine")
    with serve_town(0, town=town):
        assert os.environ[TOKEN] == "mine"
    assert os.environ[TOKEN] == "mine"
