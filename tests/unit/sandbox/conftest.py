"""One town for all tests of this folder, and one planted with hostile texts."""

from collections.abc import Iterator

import pytest

from crawlers.sandbox.server import serve_town
from crawlers.sandbox.texts import Comment, Post, Texts, Thread
from crawlers.sandbox.town import Town, build_town

SEED = 2021
LABELS = {
    "category": "waste",
    "second": None,
    "sentiment": "negative",
    "intent": "complaint",
    "zone": None,
}
HOSTILE = '<script>alert("x")</script> & ]]> </p><img src=x onerror=alert(1)> {{ 7*7 }} \'"'


@pytest.fixture(scope="session")
def town() -> Town:
    return build_town(SEED)


@pytest.fixture(scope="session")
def base_url(town: Town) -> Iterator[str]:
    with serve_town(0, town=town) as url:
        yield url


@pytest.fixture(scope="session")
def hostile_town() -> Town:
    posts = tuple(
        Post(id=f"h-{place}{number}", author=HOSTILE, text=HOSTILE, place=place, **LABELS)
        for place in ("muro", "foro", "buzon")
        for number in range(40)
    )
    threads = tuple(
        Thread(
            id=f"h-{outlet}{number}",
            outlet=outlet,
            author=HOSTILE,
            title=HOSTILE,
            paragraphs=(HOSTILE,),
            comments=(
                Comment(
                    id=f"h-{outlet}{number}-1", parent=None, author=HOSTILE, text=HOSTILE, **LABELS
                ),
            ),
            **LABELS,
        )
        for outlet in ("radio", "portal", "muni", "mercado")
        for number in range(6)
    )
    return build_town(SEED, Texts(posts=posts, threads=threads))
