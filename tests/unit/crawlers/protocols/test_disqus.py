"""Disqus: the list of a forum and of a page, replies, what is not shown, and its limits."""

from collections.abc import Callable
from typing import Any

import pytest

from crawlers.protocols.base import Answer
from crawlers.protocols.disqus import Disqus
from models.records import Failure, Kind, Outcome

Make = Callable[..., Any]
Reply = Callable[..., Answer]
BASE = "https://disqus.com/api/3.0"
THREAD = {"id": "77", "title": "Pistas rotas", "link": "https://diario.example/pistas/"}


def post(identity: str, message: str, **about: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "parent": None,
        "thread": THREAD,
        "forum": "diario",
        "createdAt": "2026-05-19T18:30:00",
        "message": f"<p>{message}</p>",
        "raw_message": message,
        "author": {"name": "Rosa Quispe", "username": "rosa_q", "isAnonymous": False},
        "isApproved": True,
        "isDeleted": False,
        "isSpam": False,
    } | about


def page(*posts: Any, after: str = "") -> dict[str, Any]:
    cursor = {"prev": None, "hasNext": bool(after), "next": after or "9:0:0", "more": bool(after)}
    return {"code": 0, "cursor": cursor, "response": list(posts)}


@pytest.fixture
def adapter(make_source: Make) -> Disqus:
    source = make_source("disqus", BASE, query="diario", token="DISQUS_KEY")
    return Disqus(source, BASE, "secreta-9")


def test_the_list_of_a_forum_is_asked_for_and_no_address_holds_the_key(adapter: Disqus) -> None:
    ask = adapter.start()
    assert ask.url == (
        f"{BASE}/forums/listPosts.json?forum=diario&order=desc&limit=100&related=thread"
        "&include=approved"
    )
    assert ask.token_as == "api_key"


def test_the_list_of_one_page_keeps_what_its_address_says(make_source: Make) -> None:
    url = f"{BASE}/threads/listPosts.json?forum=diario&thread=link:https://diario.example/p/"
    ask = Disqus(make_source("disqus", url), url, None).start()
    assert ask.url.startswith(f"{BASE}/threads/listPosts.json?forum=diario&thread=link%3Ahttps")
    assert "order=desc" in ask.url
    assert ask.token_as == ""


def test_comments_replies_and_the_page_after(adapter: Disqus, make_answer: Reply) -> None:
    reply = post("12", "¡Y nadie hace nada!", parent=11)
    anonymous = post("13", "Cierto", author={"name": "Vecino", "isAnonymous": True}, thread="78")
    markup = post("14", "Falta luz &amp; agua<br>aquí", raw_message=None)
    body = page(reply, post("11", "La pista, un desastre"), anonymous, markup, after="15:0:0")
    step = adapter.read(make_answer(adapter.start(), body))
    first, second, third, fourth = step.drafts
    assert (first.external_id, first.parent, first.thread) == ("12", "11", "disqus:thread:77")
    assert (second.parent, second.thread) == ("disqus:thread:77", "disqus:thread:77")
    assert (second.text, second.author, second.kind) == (
        "La pista, un desastre",
        "rosa_q",
        Kind.COMMENT,
    )
    assert second.dates == ("2026-05-19T18:30:00Z",)
    assert second.url == "https://diario.example/pistas/#comment-11"
    assert (third.author, third.thread, third.url) == ("Vecino", "disqus:thread:78", None)
    assert fourth.text == "Falta luz & agua\naquí"
    (ask,) = step.asks
    assert ask.url == f"{adapter.start().url}&cursor=15%3A0%3A0"
    assert ask.older
    assert adapter.read(make_answer(ask, page(post("9", "fin")))).asks == ()


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"isDeleted": True}, "it was deleted, or marked as spam"),
        ({"isSpam": True}, "it was deleted, or marked as spam"),
        ({"isApproved": False}, "it is not approved"),
    ],
)
def test_what_neighbours_do_not_see_is_counted_and_not_kept(
    adapter: Disqus, make_answer: Reply, about: dict[str, bool], why: str
) -> None:
    body = page(post("11", "ofertas"), post("12", "secreto", **about))
    step = adapter.read(make_answer(adapter.start(), body))
    assert [draft.external_id for draft in step.drafts] == ["11"]
    (problem,) = step.problems
    assert (problem.outcome, problem.where, problem.detail) == (Outcome.NO_TEXT, "12", why)


def test_what_has_no_identity_and_what_is_no_object(adapter: Disqus, make_answer: Reply) -> None:
    body = page(post("", "a"), post("3", "b", thread=None), "no es un comentario")
    step = adapter.read(make_answer(adapter.start(), body))
    assert step.drafts == ()
    outcomes = [problem.outcome for problem in step.problems]
    assert outcomes == [Outcome.UNREADABLE, Outcome.NO_IDENTITY, Outcome.NO_IDENTITY]


@pytest.mark.parametrize(
    ("status", "body", "words", "failure"),
    [
        (400, {"code": 13, "response": "x"}, "again after 2026-05-20 12:15 UTC", Failure.TEMPORARY),
        (400, {"code": 14, "response": "x"}, "hourly limit of the API key", Failure.TEMPORARY),
        (429, "<html>", "temporarily limited (429)", Failure.TEMPORARY),
        (401, {"code": 5, "response": "Invalid API key"}, "variable DISQUS_KEY", Failure.HARD),
        (403, {"code": 11, "response": "x"}, "(code 11): the token", Failure.HARD),
        (404, {"code": 8, "response": "x"}, "no such forum or page", Failure.HARD),
    ],
)
def test_why_it_refuses(
    adapter: Disqus, make_answer: Reply, status: int, body: object, words: str, failure: Failure
) -> None:
    headers = {"x-ratelimit-reset": "1779279300"}
    step = adapter.read(make_answer(adapter.start(), body, status, headers))
    assert words in step.stop
    assert [problem.outcome.failure for problem in step.problems] == [failure]
    assert "secreta" not in repr(step)


def test_without_a_key_it_says_where_one_belongs(make_source: Make, make_answer: Reply) -> None:
    adapter = Disqus(make_source("disqus", BASE, query="diario"), BASE, None)
    step = adapter.read(make_answer(adapter.start(), {"code": 5, "response": "x"}, 401))
    assert step.stop.endswith("it wants a token: name its environment variable in «token»")


def test_what_is_no_list(adapter: Disqus, make_answer: Reply) -> None:
    assert adapter.read(make_answer(adapter.start(), {"code": 0, "response": {}})).stop
    (problem,) = adapter.read(make_answer(adapter.start(), "<html>")).problems
    assert problem.outcome is Outcome.UNREADABLE
    step = adapter.read(make_answer(adapter.start(), {"code": 15, "response": "x"}, 500))
    assert step.problems[0].outcome is Outcome.FETCH_FAILED
