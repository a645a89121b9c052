"""X: the recent search, its pages, its limits, and how posts hang together."""

from collections.abc import Callable
from typing import Any

import pytest

from crawlers.protocols.base import Answer
from crawlers.protocols.x import X
from models.records import Failure, Kind, Outcome

Make = Callable[..., Any]
Reply = Callable[..., Answer]
BASE = "https://api.x.com/2"


def post(identity: str, text: str, **about: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "text": text,
        "author_id": "77",
        "conversation_id": identity,
        "created_at": "2026-05-19T18:30:00.000Z",
        "lang": "es",
        "edit_history_tweet_ids": [identity],
    } | about


def page(*posts: Any, after: str | None = None) -> dict[str, Any]:
    meta = {"newest_id": "9", "oldest_id": "1", "result_count": len(posts)}
    users = [{"id": "77", "name": "Vecina", "username": "vecina_ate"}]
    token = {"next_token": after} if after else {}
    return {"data": list(posts), "includes": {"users": users}, "meta": meta | token}


@pytest.fixture
def adapter(make_source: Make) -> X:
    source = make_source("x", BASE, query='"Ate Vitarte" -is:retweet', token="X_TOKEN")
    return X(source, BASE, "AAAsecreta")


def test_the_search_is_asked_for(adapter: X) -> None:
    ask = adapter.start()
    assert ask.url.startswith(
        f"{BASE}/tweets/search/recent?query=%22Ate+Vitarte%22+-is%3Aretweet&max_results=100"
    )
    assert "expansions=author_id" in ask.url
    assert ask.headers == {"Authorization": "Bearer AAAsecreta"}


def test_posts_replies_copies_and_the_page_after(adapter: X, make_answer: Reply) -> None:
    reply = post(
        "2",
        "@vecina_ate ¡y el serenazgo bien gracias!",
        conversation_id="1",
        author_id="78",
        referenced_tweets=[{"type": "replied_to", "id": "1"}],
    )
    quote = post("3", "miren", referenced_tweets=[{"type": "quoted", "id": "1"}])
    copy = post("4", "RT @vecina_ate: …", referenced_tweets=[{"type": "retweeted", "id": "1"}])
    long = post("1", "Basura en la puerta del colegio &amp;…", note_tweet={"text": "Todo &lt;3"})
    body = page(long, reply, quote, copy, after="b26v89c19")
    step = adapter.read(make_answer(adapter.start(), body, headers={"x-rate-limit-remaining": "9"}))
    first, second, third = step.drafts
    assert (first.external_id, first.text, first.author) == ("1", "Todo <3", "vecina_ate")
    assert (first.kind, first.parent, first.thread) == (Kind.POST, None, None)
    assert first.url == "https://x.com/i/status/1"
    assert (second.kind, second.parent, second.thread) == (Kind.COMMENT, "1", "1")
    assert second.author == "78"
    assert (third.kind, third.parent) == (Kind.POST, None)
    assert [(p.outcome, p.where) for p in step.problems] == [(Outcome.DUPLICATE, "4")]
    (ask,) = step.asks
    assert ask.url == f"{adapter.start().url}&next_token=b26v89c19"
    third_page = adapter.read(make_answer(ask, page(post("5", "x"), after="otro"))).asks[0]
    assert third_page.url == f"{adapter.start().url}&next_token=otro"


def test_a_search_that_finds_nothing(adapter: X, make_answer: Reply) -> None:
    step = adapter.read(make_answer(adapter.start(), {"meta": {"result_count": 0}}))
    assert (step.drafts, step.asks, step.problems, step.stop) == ((), (), (), "")
    assert adapter.read(make_answer(adapter.start(), {"meta": {}})).stop


def test_a_limit_that_is_used_up_ends_the_crawl_and_keeps_what_came(
    adapter: X, make_answer: Reply
) -> None:
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1779279300"}
    step = adapter.read(make_answer(adapter.start(), page(post("1", "a"), after="b"), 200, headers))
    assert len(step.drafts) == 1
    assert step.asks == ()
    assert step.stop.endswith("no request is left of its limit; again after 2026-05-20 12:15 UTC")


@pytest.mark.parametrize(
    ("status", "body", "words", "failure"),
    [
        (429, {"title": "Too Many Requests", "status": 429}, "12:15 UTC", Failure.TEMPORARY),
        (429, {"title": "UsageCapExceeded"}, "in this month is used up", Failure.TEMPORARY),
        (
            402,
            {"type": "https://api.x.com/2/problems/credits-depleted"},
            "in this month is used up",
            Failure.TEMPORARY,
        ),
        (401, {"title": "Unauthorized"}, "variable X_TOKEN is refused", Failure.HARD),
        (403, {"reason": "client-not-enrolled"}, "(client-not-enrolled)", Failure.HARD),
        (400, {"errors": [{"message": "m"}]}, "not one that X accepts", Failure.HARD),
        (429, "<html>Too many</html>", "temporarily limited (429)", Failure.TEMPORARY),
    ],
)
def test_why_x_refuses(
    adapter: X, make_answer: Reply, status: int, body: object, words: str, failure: Failure
) -> None:
    headers = {"x-rate-limit-reset": "1779279300"}
    step = adapter.read(make_answer(adapter.start(), body, status, headers))
    assert words in step.stop
    assert [problem.outcome.failure for problem in step.problems] == [failure]
    assert "secreta" not in repr(step)
