"""The first thing a new user does: `manifiesta sources check` with an address."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from crawlers.sandbox.server import serve_town
from tests.flows.conftest import Said

Manifiesta = Callable[..., Said]


def check(manifiesta: Manifiesta, *arguments: str) -> Said:
    return manifiesta("sources", "check", *arguments)


def test_addresses_of_the_town(manifiesta: Manifiesta, home: Path) -> None:
    with serve_town(port=0) as town:
        page = check(manifiesta, f"{town}/radio-huaycan/", "--allow-private")
        asked = (f"{town}/debate-ate/", f"{town}/privado/", f"{town}/nada")
        answer = check(manifiesta, *asked, "--allow-private", "--json")

    assert page.code == 0
    lines = page.out.splitlines()
    assert lines[0] == f"✓ {town}/radio-huaycan/"
    assert "  robots.txt  allows this address" in lines
    assert "  protocol    feed: the page names this feed (RSS)" in lines
    texts = [line for line in lines if line.startswith(("  · ", "  ↳ "))]
    assert len(texts) == 3
    assert all(" a-" in line for line in texts)
    pasted = yaml.safe_load(page.out.partition("file:\n\n")[2])
    assert pasted[0]["url"] == f"{town}/radio-huaycan/feed/"

    forum, forbidden, nothing = json.loads(answer.out)
    assert answer.code == 3
    assert (forum["protocol"], forum["readable"], len(forum["examples"])) == ("discourse", True, 3)
    assert forbidden["robots"] == "does not allow this address"
    assert "Manifiesta obeys" in forbidden["advice"]
    assert "404" in nothing["problem"]
    assert not (home / "archive").exists()


def test_a_post_is_shown_without_what_its_page_has_around_it(manifiesta: Manifiesta) -> None:
    with serve_town(port=0) as town:
        asked = [f"{town}/{path}" for path in ("muro-vitarte/feed.json", "buzon-vecinal/rss.xml")]
        answer = check(
            manifiesta, *asked, f"{town}/radio-huaycan/feed/", "--allow-private", "--json"
        )

    wall, box, news = json.loads(answer.out)
    assert answer.code == 0
    assert "follow" not in wall["yaml"] + box["yaml"]
    assert "follow: true" in news["yaml"]
    for example in (*wall["examples"], *box["examples"]):
        assert "setiembre" not in example["text"][:60]
    assert not any(example["text"].endswith("…") for example in news["examples"])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8765/", "localhost:8765/feed", "http://2130706433/"]
)
def test_this_machine_is_read_only_if_that_is_said(manifiesta: Manifiesta, url: str) -> None:
    answer = check(manifiesta, url)
    assert answer.code == 3
    assert "of a private network, or of this machine" in answer.out
    assert "--allow-private" in answer.out


def test_a_platform_that_wants_a_token_says_where_it_belongs(
    manifiesta: Manifiesta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YOUTUBE_API_KEY", raising=False)
    answer = check(manifiesta, "https://www.youtube.com/@muniate")
    assert answer.code == 3
    assert "environment variable YOUTUBE_API_KEY" in answer.out
    assert "    token: YOUTUBE_API_KEY" in answer.out


@pytest.mark.parametrize("arguments", [(), ("rpp",), ("-m", "ate", "no-existe"), ("ftp://a.pe/x",)])
def test_what_is_neither_an_address_nor_a_source(
    manifiesta: Manifiesta, arguments: tuple[str, ...]
) -> None:
    assert check(manifiesta, *arguments).code == 2
