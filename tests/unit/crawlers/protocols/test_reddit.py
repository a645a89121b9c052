"""Reddit: posts, trees of comments of any depth, and comments that are only named."""

from collections.abc import Callable
from typing import Any

import pytest

from crawlers.protocols.base import Answer
from crawlers.protocols.reddit import Reddit
from models.records import Kind, Outcome

Make = Callable[..., Any]
Reply = Callable[..., Answer]
SITE = "https://www.reddit.com"


def post(identity: str, **about: Any) -> dict[str, Any]:
    data = {
        "id": identity,
        "name": f"t3_{identity}",
        "subreddit": "Lima",
        "title": "¿Qué pasa con la Carretera Central?",
        "selftext": "Dos horas de Vitarte a Chosica.\n\nNadie dirige el tránsito los domingos.",
        "author": "vecino_ate",
        "created_utc": 1747663445.0,
        "num_comments": 0,
        "permalink": f"/r/Lima/comments/{identity}/que_pasa/",
        "url": f"{SITE}/r/Lima/comments/{identity}/que_pasa/",
        "is_self": True,
        "removed_by_category": None,
        "stickied": False,
    }
    return {"kind": "t3", "data": data | about}


def comment(identity: str, body: str, parent: str, replies: Any = "", **about: Any) -> Any:
    data = {
        "id": identity,
        "name": f"t1_{identity}",
        "body": body,
        "author": "otra_vecina",
        "created_utc": 1747667045.0,
        "parent_id": parent,
        "link_id": "t3_p1",
        "permalink": f"/r/Lima/comments/p1/que_pasa/{identity}/",
        "depth": 0,
        "replies": replies,
    }
    return {"kind": "t1", "data": data | about}


def more(children: list[str], parent: str, count: int) -> dict[str, Any]:
    name = children[0] if children else "_"
    data = {"count": count, "name": f"t1_{name}", "id": name, "parent_id": parent}
    return {"kind": "more", "data": data | {"depth": 1, "children": children}}


def listing(*children: Any, after: str | None = None) -> dict[str, Any]:
    data = {"after": after, "before": None, "dist": len(children), "modhash": ""}
    return {"kind": "Listing", "data": data | {"children": list(children)}}


def adapter_of(make_source: Make, token: str | None = None, **about: Any) -> Reddit:
    return Reddit(make_source("reddit", SITE, **{"query": "Lima"} | about), SITE, token)


def test_posts_and_the_page_after(make_source: Make, make_answer: Reply) -> None:
    adapter = adapter_of(make_source)
    assert adapter.start().url == f"{SITE}/r/Lima/new.json?limit=100&raw_json=1"
    page = listing(post("p1", num_comments=3), after="t3_p1")
    step = adapter.read(make_answer(adapter.start(), page))
    (draft,) = step.drafts
    assert draft.external_id == "t3_p1"
    assert draft.kind is Kind.POST
    assert draft.title == "¿Qué pasa con la Carretera Central?"
    assert draft.text.startswith("Dos horas de Vitarte a Chosica.\n\nNadie dirige")
    assert draft.author == "vecino_ate"
    assert draft.dates == ("2025-05-19T14:04:05+00:00",)
    assert draft.url == f"{SITE}/r/Lima/comments/p1/que_pasa/"
    (after,) = step.asks
    assert after.url == f"{SITE}/r/Lima/new.json?limit=100&raw_json=1&after=t3_p1"
    assert after.needed
    assert after.older


@pytest.mark.parametrize("query", ["r/Lima", "/r/Lima/", "Lima"])
def test_a_subreddit_may_be_written_in_several_ways(make_source: Make, query: str) -> None:
    assert "/r/Lima/new.json" in adapter_of(make_source, query=query).start().url


def test_what_was_taken_down_is_gone(make_source: Make, make_answer: Reply) -> None:
    adapter = adapter_of(make_source)
    page = listing(
        post("a", selftext="[removed]", removed_by_category="moderator"),
        post("b", selftext="[deleted]", author="[deleted]"),
        post("c", selftext="", is_self=False, title="Solo un enlace"),
    )
    step = adapter.read(make_answer(adapter.start(), page))
    (link,) = step.drafts
    assert step.gone == ("t3_a", "t3_b")
    assert (link.text, link.title) == ("", "Solo un enlace")


def test_comments_with_their_parents(make_source: Make, make_answer: Reply) -> None:
    adapter = adapter_of(make_source, comments=True)
    (ask,) = adapter.read(
        make_answer(adapter.start(), listing(post("p1", num_comments=4), post("p2")))
    ).asks
    assert ask.url == f"{SITE}/comments/p1.json?raw_json=1&limit=500"
    assert (ask.of, ask.needed) == ("t3_p1", False)
    gone = comment("c3", "[deleted]", "t1_c1", author="[deleted]")
    reply = comment("c2", "Habla, causa: falta un semáforo", "t1_c1")
    top = comment("c1", "Así es", "t3_p1", listing(reply, gone))
    step = adapter.read(make_answer(ask, [listing(post("p1")), listing(top)]))
    assert [(d.external_id, d.parent, d.thread, d.text) for d in step.drafts] == [
        ("t1_c1", "t3_p1", "t3_p1", "Así es"),
        ("t1_c2", "t1_c1", "t3_p1", "Habla, causa: falta un semáforo"),
    ]
    assert step.gone == ("t1_c3",)
    assert step.drafts[0].kind is Kind.COMMENT


def test_comments_that_are_only_named_are_asked_for(make_source: Make, make_answer: Reply) -> None:
    adapter = adapter_of(make_source, comments=True)
    (ask,) = adapter.read(make_answer(adapter.start(), listing(post("p1", num_comments=9)))).asks
    deep = comment("c1", "uno", "t3_p1", listing(more([], "t1_c1", 0)))
    tree = [listing(post("p1")), listing(deep, more(["d1", "d2", "../x"], "t3_p1", 2))]
    named, further = adapter.read(make_answer(ask, tree)).asks
    assert named.url == (
        f"{SITE}/api/morechildren.json?raw_json=1&api_type=json&link_id=t3_p1&children=d1%2Cd2"
    )
    assert further.url == f"{SITE}/comments/p1/_/c1.json?raw_json=1&limit=500"
    things = [comment("d1", "dos", "t3_p1"), comment("d2", "tres", "t1_d1")]
    step = adapter.read(make_answer(named, {"json": {"errors": [], "data": {"things": things}}}))
    assert [(d.external_id, d.parent) for d in step.drafts] == [
        ("t1_d1", "t3_p1"),
        ("t1_d2", "t1_d1"),
    ]
    below = comment("c1", "uno", "t3_p1", listing(comment("c9", "diez", "t1_c1")))
    step = adapter.read(make_answer(further, [listing(post("p1")), listing(below)]))
    assert [d.external_id for d in step.drafts] == ["t1_c9"]


def test_a_hundred_replies_below_each_other(make_source: Make, make_answer: Reply) -> None:
    adapter = adapter_of(make_source, comments=True)
    (ask,) = adapter.read(make_answer(adapter.start(), listing(post("p1", num_comments=9)))).asks
    tree: Any = ""
    for number in range(100, 0, -1):
        tree = listing(comment(f"c{number}", "ya pe", f"t1_c{number - 1}", tree))
    step = adapter.read(make_answer(ask, [listing(post("p1")), tree]))
    assert len(step.drafts) == 100


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (403, "private", "the subreddit is private"),
        (404, "banned", "the subreddit is banned"),
        (403, None, "name its environment variable in «token»"),
    ],
)
def test_closed_subreddits(
    make_source: Make, make_answer: Reply, status: int, reason: str | None, words: str
) -> None:
    adapter = adapter_of(make_source)
    body = {"reason": reason, "message": "Forbidden", "error": status}
    assert words in adapter.read(make_answer(adapter.start(), body, status)).stop


def test_a_refused_token_is_named_by_its_variable(make_source: Make, make_answer: Reply) -> None:
    adapter = adapter_of(make_source, token="s3cr3t")
    assert adapter.start().headers == {"Authorization": "Bearer s3cr3t"}
    adapter = Reddit(make_source("reddit", SITE, query="Lima", token="REDDIT_TOKEN"), SITE, "x")
    stop = adapter.read(make_answer(adapter.start(), {"message": "Forbidden"}, 403)).stop
    assert "the token in the environment variable REDDIT_TOKEN is refused" in stop


def test_what_is_no_listing(make_source: Make, make_answer: Reply) -> None:
    adapter = adapter_of(make_source)
    assert adapter.read(make_answer(adapter.start(), {"kind": "t5"})).stop
    step = adapter.read(make_answer(adapter.start(), listing({"kind": "t5", "data": {}})))
    assert [problem.outcome for problem in step.problems] == [Outcome.UNREADABLE]
