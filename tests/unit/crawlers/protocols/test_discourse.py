"""Discourse: lists of topics, long topics, answers to answers, and a whole crawl on loopback."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema import Source
from crawlers.crawl import crawl
from crawlers.job import CrawlJob
from crawlers.protocols.base import Answer, Step
from crawlers.protocols.discourse import AT_ONCE, Discourse
from models.records import Kind, Outcome

HOME = "https://foro.example.pe"
NOW = datetime(2025, 5, 20, 15, tzinfo=UTC)


def post(
    number: int, cooked: str = "<p>Falta luz en el parque.</p>", **more: Any
) -> dict[str, Any]:
    return {
        "id": 900 + number,
        "name": "Rosa Q.",
        "username": f"vecina{number}",
        "created_at": f"2025-05-05T15:{number % 60:02}:00.000Z",
        "cooked": cooked,
        "post_number": number,
        "post_type": 1,
        "reply_to_post_number": None,
        "topic_id": 7,
        "hidden": False,
        "user_deleted": False,
        "deleted_at": None,
    } | more


def topic(*posts: dict[str, Any], stream: list[Any] | None = None) -> dict[str, Any]:
    ids = stream if stream is not None else [item["id"] for item in posts]
    return {
        "post_stream": {"posts": list(posts), "stream": ids},
        "id": 7,
        "title": "¿Y la luz del parque Ceres?",
        "posts_count": len(ids),
    }


def latest(*ids: Any, more: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"topics": [{"id": own, "title": "x", "slug": "x"} for own in ids]}
    return {"users": [], "topic_list": found | ({"more_topics_url": more} if more else {})}


def adapter(url: str = HOME, **about: Any) -> Discourse:
    source = {"name": "foro", "title": "Foro", "protocol": "discourse", "url": url} | about
    return Discourse(Source(**source), url, None)


def answer(value: Any, about: dict[str, Any] | None = None, status: int = 200) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    about = {"is": "list"} if about is None else about
    path = "/latest.json" if about.get("is") == "list" else "/t/7.json"
    headers = {"content-type": "application/json; charset=utf-8"}
    return Answer(HOME + path, status, headers, body, about, NOW, "c1")


TOPIC = {"is": "topic", "topic": "7", "start": True}


def outcomes(step: Step) -> list[Outcome]:
    return [problem.outcome for problem in step.problems]


@pytest.mark.parametrize(
    ("url", "first"),
    [
        (HOME, f"{HOME}/latest.json"),
        (f"{HOME}/", f"{HOME}/latest.json"),
        (f"{HOME}/latest", f"{HOME}/latest.json"),
        (f"{HOME}/foro/", f"{HOME}/foro/latest.json"),
        (f"{HOME}/foro/c/obras/5", f"{HOME}/foro/c/obras/5.json"),
        (f"{HOME}/c/obras/5.json?order=created", f"{HOME}/c/obras/5.json?order=created"),
    ],
)
def test_it_begins_with_the_newest_topics(url: str, first: str) -> None:
    assert adapter(url).start().url == first


def test_a_list_leads_to_its_topics_and_to_the_next_list() -> None:
    more = "/latest?no_definitions=true&page=1"
    step = adapter(f"{HOME}/").read(answer(latest(7, 8, 7, more=more)))

    assert [ask.url for ask in step.asks] == [
        f"{HOME}/t/7.json",
        f"{HOME}/t/8.json",
        f"{HOME}/latest.json?no_definitions=true&page=1",
    ]
    assert step.asks[-1].needed
    assert not step.asks[0].needed

    about = dict(step.asks[-1].about)
    again = adapter().read(answer(latest(8, 7, more="/latest?page=2"), about))
    assert (again.asks, again.problems) == ((), ())


def test_the_next_list_is_of_the_same_site() -> None:
    for more in ("https://otro.example.pe/latest?page=1", "http://[roto/", "file:///etc/passwd"):
        step = adapter().read(answer(latest(7, more=more)))
        assert [ask.url for ask in step.asks] == [f"{HOME}/t/7.json"]


def test_the_first_post_opens_the_thread_and_the_others_answer() -> None:
    found = topic(
        post(1, "<p>¿Cuándo arreglan?</p><p>Van 3 meses :(</p>"),
        post(2, "<p>Yo también reclamé</p>"),
        post(3, "<p>No es verdad</p>", reply_to_post_number=2),
    )
    step = adapter().read(answer(found, TOPIC))

    first, second, third = step.drafts
    assert first.external_id == "discourse:topic:7:1"
    assert (first.kind, first.parent, first.thread) == (Kind.POST, None, None)
    assert first.title == "¿Y la luz del parque Ceres?"
    assert first.text == "¿Cuándo arreglan?\n\nVan 3 meses :("
    assert (first.author, first.dates) == ("vecina1", ("2025-05-05T15:01:00.000Z",))
    assert first.url == f"{HOME}/t/7/1"
    assert (second.kind, second.title) == (Kind.COMMENT, None)
    assert second.parent == second.thread == "discourse:topic:7:1"
    assert (third.parent, third.thread) == ("discourse:topic:7:2", "discourse:topic:7:1")
    assert (step.asks, step.problems) == ((), ())


def test_the_kind_is_that_of_the_source_if_it_says_one() -> None:
    step = adapter(kind="article").read(answer(topic(post(1)), TOPIC))

    assert step.drafts[0].kind is Kind.ARTICLE


def test_posts_beyond_the_first_twenty_are_asked_for() -> None:
    posts = [post(number) for number in range(1, 21)]
    stream = [900 + number for number in range(1, 46)]
    step = adapter().read(answer(topic(*posts, stream=stream), TOPIC))

    assert len(step.asks) == 2
    assert step.asks[0].url.startswith(
        f"{HOME}/t/7/posts.json?post_ids%5B%5D=921&post_ids%5B%5D=922"
    )
    assert step.asks[0].url.count("post_ids") == AT_ONCE
    assert step.asks[1].url.count("post_ids") == 5

    rest = {"post_stream": {"posts": [post(21, reply_to_post_number=3)]}, "id": 7}
    further = adapter().read(answer(rest, dict(step.asks[0].about)))
    assert further.drafts[0].external_id == "discourse:topic:7:21"
    assert further.drafts[0].parent == "discourse:topic:7:3"
    assert further.asks == ()


def test_quotes_and_cards_of_links_are_not_what_somebody_said() -> None:
    cooked = (
        '<aside class="quote" data-username="beto" data-post="1"><div class="title">beto:</div>'
        "<blockquote><p>Está todo bien</p></blockquote></aside><p>Mentira, sigue oscuro</p>"
        '<aside class="onebox"><h3>Noticia</h3></aside>'
    )
    step = adapter().read(answer(topic(post(1, cooked)), TOPIC))

    assert step.drafts[0].text == "Mentira, sigue oscuro"


def test_what_the_forum_says_hides_or_deleted_is_left_out() -> None:
    found = topic(
        post(1),
        post(2, "", post_type=3, action_code="closed.enabled"),
        post(3, hidden=True),
        post(4, "<p>(post deleted by author)</p>", user_deleted=True),
        post(5, post_type=4),
        post(6, deleted_at="2025-05-06T00:00:00Z"),
    )
    step = adapter().read(answer(found, TOPIC))

    assert [draft.external_id for draft in step.drafts] == ["discourse:topic:7:1"]
    assert step.problems == ()


def test_what_lacks_a_mandatory_field_is_counted() -> None:
    found = topic(
        post(1, cooked=None),  # type: ignore[arg-type]
        post(2, post_number="dos"),
        post(3, created_at=None, username=["x"], name=None, reply_to_post_number="x"),
    )
    found["post_stream"]["posts"].append("roto")
    step = adapter().read(answer(found, TOPIC))

    [kept] = step.drafts
    assert (kept.dates, kept.author, kept.parent) == ((None,), None, "discourse:topic:7:1")
    assert outcomes(step) == [Outcome.UNREADABLE, Outcome.NO_TEXT, Outcome.NO_IDENTITY]
    listed = adapter().read(answer(latest(7, None, "../x", True)))
    assert [ask.url for ask in listed.asks] == [f"{HOME}/t/7.json"]
    assert outcomes(listed) == [Outcome.NO_IDENTITY]


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"errors": ["x"], "error_type": "not_logged_in"}, 403, "only to who logs in"),
        ({}, 404, "there is no list of topics"),
        (b"<html>hola</html>", 200, "is a page, not JSON; is it a Discourse forum?"),
        ([1], 200, "holds no list of topics; is it a Discourse forum?"),
        (b"[" * 100_000, 200, "is nested too deeply; is it a Discourse forum?"),
    ],
)
def test_a_list_that_cannot_be_read_ends_the_crawl(body: Any, status: int, why: str) -> None:
    step = adapter().read(answer(body, status=status))

    assert step.stop.endswith(why)
    assert step.problems


def test_a_topic_that_cannot_be_read_leaves_the_others() -> None:
    for body, status in (({}, 403), (b"roto", 200), ({"post_stream": {"posts": 3}}, 200)):
        step = adapter().read(answer(body, TOPIC, status))
        assert (step.stop, step.drafts, len(step.problems)) == ("", (), 1)


NAMES = [*post(1), "post_stream", "posts", "stream", "topic_list", "topics", "more_topics_url"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(ANYTHING, st.sampled_from([{}, TOPIC, {"is": "topic"}]))
def test_no_answer_makes_it_raise(value: Any, about: dict[str, Any]) -> None:
    shapes = (
        value,
        {"topic_list": {"topics": [value], "more_topics_url": value}},
        {"post_stream": {"posts": [value], "stream": [value, 3]}},
        json.dumps(value).encode()[1:],
    )
    for shape in shapes:
        adapter().read(answer(shape, about))


def test_a_whole_crawl(site: Any, make_job: Callable[..., CrawlJob]) -> None:
    def give(path: str, value: Any, status: int = 200) -> None:
        site.page(path, json.dumps(value), status, content_type="application/json; charset=utf-8")

    posts = [post(number, f"<p>Mensaje {number}</p>") for number in range(1, 24)]
    give("/latest.json", latest(7, 8, more="/latest?page=1"))
    give("/latest.json?page=1", latest(9))
    give("/t/7.json", topic(*posts[:20], stream=[item["id"] for item in posts]))
    give("/t/8.json", topic(post(1, "<p>Otro tema</p>")))
    give("/t/9.json", {"errors": ["x"]}, 403)
    chunk = "&".join(f"post_ids%5B%5D={item['id']}" for item in posts[20:])
    give(f"/t/7/posts.json?{chunk}", {"post_stream": {"posts": posts[20:]}, "id": 7})

    result = crawl(make_job(site.url, protocol="discourse", kind="post"))

    assert (result.finished, result.reason) == (True, "")
    ids = {record.external_id for record in result.extracted}
    assert ids == {f"discourse:topic:7:{n}" for n in range(1, 24)} | {"discourse:topic:8:1"}
    assert [(r.outcome, r.where) for r in result.rejections] == [
        (Outcome.WALLED, f"{site.url}/t/9.json")
    ]
    last = next(r for r in result.extracted if r.external_id == "discourse:topic:7:23")
    assert last.said_at == datetime(2025, 5, 5, 15, 23, tzinfo=UTC)
    assert last.thread_external_id == "discourse:topic:7:1"
