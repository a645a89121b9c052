"""What a configuration file must say, and may not say, of a platform."""

from pathlib import Path

import pytest

from configs.check import Problem, read_municipality

FILE = """code: ate
name: Ate
country: PE
time_zone: America/Lima
contact: {name: Municipalidad de Ate, email: datos@example.org}
sources:
  - name: vecinos
    title: Vecinos
"""
FULL = {
    "mastodon": "url: https://mastodon.pe",
    "reddit": "url: https://www.reddit.com\n    query: Lima",
    "youtube": "url: https://www.googleapis.com/youtube/v3\n    query: ate\n    token: YT_KEY",
    "facebook": "url: https://graph.facebook.com/v23.0\n    query: munidate\n    token: FB_TOKEN",
    "x": "url: https://api.x.com/2\n    query: ate\n    token: X_TOKEN",
    "disqus": "url: https://disqus.com/api/3.0\n    query: diario-de-ate",
    "telegram": "url: https://t.me/s/ateinforma",
}


def problems(folder: Path, protocol: str, about: str) -> list[Problem]:
    path = folder / "ate.yml"
    path.write_text(f"{FILE}    protocol: {protocol}\n    {about}\n", encoding="utf-8")
    return [problem for problem in read_municipality(path)[1] if not problem.warning]


@pytest.mark.parametrize("protocol", FULL)
def test_what_is_enough(tmp_path: Path, protocol: str) -> None:
    assert problems(tmp_path, protocol, FULL[protocol]) == []


@pytest.mark.parametrize(
    ("protocol", "key"),
    [(p, key) for p in ("youtube", "facebook", "x") for key in ("url", "query", "token")]
    + [("reddit", "query"), ("mastodon", "url"), ("telegram", "url")],
)
def test_what_is_missing(tmp_path: Path, protocol: str, key: str) -> None:
    about = "\n".join(x for x in FULL[protocol].splitlines() if not x.strip().startswith(f"{key}:"))
    (found,) = problems(tmp_path, protocol, about.strip() or "enabled: true")
    assert found.path == f"sources[0].{key}"
    assert found.message == f"a source that reads «{protocol}» needs this key"
    assert found.line >= 7


@pytest.mark.parametrize(
    ("protocol", "line"),
    [(p, extra) for p in FULL for extra in ("follow: true", "links: a", "match: /ate/")]
    + [("telegram", "comments: true"), ("telegram", "token: UNO")]
    + [("feed", "token: UNO"), ("feed", "query: ate"), ("feed", "match: /ate/")],
)
def test_what_means_nothing(tmp_path: Path, protocol: str, line: str) -> None:
    about = FULL.get(protocol, "url: https://example.pe/feed")
    (found,) = problems(tmp_path, protocol, f"{about}\n    {line}")
    assert found.path == f"sources[0].{line.partition(':')[0]}"
    assert found.line == 10 + about.count("\n") + 1
    assert (found.message, found.advice) == (
        f"means nothing for «{protocol}»",
        "remove the line, or correct the protocol",
    )


def test_a_forum_must_be_named(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "disqus", "url: https://disqus.com/api/3.0")
    assert (found.path, found.message) == ("sources[0].query", "it names no forum")
    page = "https://disqus.com/api/3.0/threads/listPosts.json?forum=ate&thread=9"
    assert problems(tmp_path, "disqus", f"url: {page}") == []


def test_a_channel_must_be_named(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "telegram", "url: https://t.me/ateinforma")
    assert found.line == 10
    assert found.message == "it names no channel"
    assert "https://t.me/s/CHANNEL" in found.advice
    assert problems(tmp_path, "telegram", "url: https://t.me\n    query: ateinforma") == []


@pytest.mark.parametrize("name", ["key", "access_token"])
def test_a_token_in_an_address_is_refused(tmp_path: Path, name: str) -> None:
    about = f"url: https://www.googleapis.com/youtube/v3?{name}=AIza\n    query: a\n    token: YT"
    (found,) = problems(tmp_path, "youtube", about)
    assert found.path == "sources[0].url"
    assert "environment variable" in found.advice
    assert "AIza" not in str(found)


def test_a_token_in_place_of_a_variables_name_is_not_repeated(tmp_path: Path) -> None:
    about = "url: https://api.x.com/2\n    query: ate\n    token: AAAAsecreta%3D"
    (found,) = problems(tmp_path, "x", about)
    assert found.message == "this is no name of an environment variable"
    assert "token: YOUTUBE_API_KEY, and never the token itself" in found.advice
    assert "secreta" not in str(found)
