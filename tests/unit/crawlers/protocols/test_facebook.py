"""Facebook: a page's posts, their comments, paging, and what the Graph API refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from crawlers.protocols.base import Answer
from crawlers.protocols.facebook import VERSION, Facebook
from models.records import Failure, Kind

Make = Callable[..., Any]
Reply = Callable[..., Answer]
GRAPH = "https://graph.facebook.com"
BASE = f"{GRAPH}/v23.0"


def post(identity: str, message: str | None, total: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": identity,
        "created_time": "2026-05-18T15:20:11+0000",
        "permalink_url": f"https://www.facebook.com/munidate/posts/{identity}",
        "from": {"id": "100", "name": "Municipalidad de Ate"},
        "comments": {
            "data": [],
            "summary": {"order": "chronological", "total_count": total, "can_comment": False},
        },
    }
    return found | ({"message": message} if message is not None else {})


def comment(identity: str, message: str, parent: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": identity,
        "created_time": "2026-05-18T16:00:00+0000",
        "message": message,
    }
    return found | ({"parent": {"id": parent}} if parent else {})


def refusal(code: int, subcode: int | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {
        "message": "Malformed access token EAAsecreta",
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": "AbC",
    }
    return {"error": error | ({"error_subcode": subcode} if subcode else {})}


@pytest.fixture
def adapter(make_source: Make) -> Facebook:
    source = make_source("facebook", BASE, query="munidate", token="FB_TOKEN", comments=True)
    return Facebook(source, BASE, "EAAsecreta")


def test_posts_are_asked_for_with_a_version_and_a_header(adapter: Facebook) -> None:
    ask = adapter.start()
    assert ask.url.startswith(f"{BASE}/munidate/posts?fields=id%2Cmessage%2Ccreated_time")
    assert ask.headers == {"Authorization": "Bearer EAAsecreta"}
    assert "secreta" not in ask.url


def test_an_address_without_a_version_gets_one(make_source: Make) -> None:
    source = make_source("facebook", GRAPH, query="@munidate", token="FB_TOKEN")
    assert Facebook(source, GRAPH, "t").start().url.startswith(f"{GRAPH}/{VERSION}/munidate/posts?")
    older = f"{GRAPH}/v19.0/"
    assert Facebook(source, older, "t").start().url.startswith(f"{GRAPH}/v19.0/munidate/posts?")


def test_posts_and_the_page_after_without_its_token(adapter: Facebook, make_answer: Reply) -> None:
    after = f"{BASE}/100/posts?access_token=EAAsecreta&fields=id&limit=100&after=QVFI"
    body = {
        "data": [
            post("100_1", "Se inicia el asfaltado del jirón Los Ángeles", 2),
            post("100_2", None),
        ],
        "paging": {"cursors": {"before": "QVFH", "after": "QVFI"}, "next": after},
    }
    step = adapter.read(make_answer(adapter.start(), body))
    first, second = step.drafts
    assert first.external_id == "100_1"
    assert first.kind is Kind.POST
    assert first.text == "Se inicia el asfaltado del jirón Los Ángeles"
    assert first.author == "Municipalidad de Ate"
    assert first.dates == ("2026-05-18T15:20:11+0000",)
    assert second.text == ""
    comments, page = step.asks
    assert comments.url.startswith(f"{BASE}/100_1/comments?fields=")
    assert "filter=stream" in comments.url
    assert (comments.of, comments.needed) == ("100_1", False)
    assert page.url == f"{BASE}/100/posts?fields=id&limit=100&after=QVFI"
    assert (page.needed, page.older) == (True, True)


@pytest.mark.parametrize(
    "link",
    ["https://malo.example/posts?after=x&access_token=EAAsecreta", 7, "http://[", "x" * 9999],
)
def test_a_link_to_elsewhere_is_not_followed(
    adapter: Facebook, make_answer: Reply, link: object
) -> None:
    body = {"data": [], "paging": {"cursors": {"after": "QVFI"}, "next": link}}
    (ask,) = adapter.read(make_answer(adapter.start(), body)).asks
    assert ask.url == f"{adapter.start().url}&after=QVFI"


def test_comments_and_replies(adapter: Facebook, make_answer: Reply) -> None:
    body = {"data": [post("100_1", "x", 3)]}
    (ask,) = adapter.read(make_answer(adapter.start(), body)).asks
    data = [comment("1_5", "Y las veredas?"), comment("1_6", "pura foto nomás 🙄", "1_5")]
    after = f"{BASE}/100_1/comments?after=QQ&access_token=EAAsecreta"
    found = {"data": data, "paging": {"cursors": {"after": "QQ"}, "next": after}}
    step = adapter.read(make_answer(ask, found))
    assert [(d.external_id, d.parent, d.thread, d.author) for d in step.drafts] == [
        ("1_5", "100_1", "100_1", None),
        ("1_6", "1_5", "100_1", None),
    ]
    assert step.drafts[0].kind is Kind.COMMENT
    (page,) = step.asks
    assert (page.url, page.of, page.needed) == (
        f"{BASE}/100_1/comments?after=QQ",
        "100_1",
        False,
    )
    assert dict(page.about) == {"post": "100_1"}


@pytest.mark.parametrize(
    ("status", "code", "words", "failure"),
    [
        (400, 190, "variable FB_TOKEN is refused", Failure.HARD),
        (403, 4, "limit of requests is reached (code 4)", Failure.TEMPORARY),
        (400, 32, "limit of requests is reached (code 32)", Failure.TEMPORARY),
        (400, 80001, "limit of requests is reached", Failure.TEMPORARY),
        (400, 10, "Page Public Content Access", Failure.HARD),
        (500, 2, "a fault of its own", Failure.TEMPORARY),
        (200, 190, "variable FB_TOKEN is refused", Failure.HARD),
    ],
)
def test_why_facebook_refuses(
    adapter: Facebook, make_answer: Reply, status: int, code: int, words: str, failure: Failure
) -> None:
    step = adapter.read(make_answer(adapter.start(), refusal(code), status))
    assert words in step.stop
    assert [problem.outcome.failure for problem in step.problems] == [failure]
    assert "secreta" not in repr(step)


def test_a_page_that_does_not_exist_is_counted(adapter: Facebook, make_answer: Reply) -> None:
    step = adapter.read(make_answer(adapter.start(), refusal(100, 33), 400))
    assert "code 100: there is no such page" in step.problems[0].detail
    assert step.stop == ""
