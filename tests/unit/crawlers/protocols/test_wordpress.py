"""WordPress' REST interface: posts, comments, pages of both, and sites that close it."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema import Source
from crawlers.protocols.base import Answer, Ask, Step
from crawlers.protocols.wordpress import Wordpress
from models.records import Kind, Outcome

HOME = "https://blog.example.pe"
NOW = datetime(2025, 5, 20, 15, tzinfo=UTC)

POST = {
    "id": 12,
    "date": "2025-05-05T10:00:00",
    "date_gmt": "2025-05-05T15:00:00",
    "guid": {"rendered": f"{HOME}/?p=12"},
    "link": f"{HOME}/2025/05/pista-rota/",
    "title": {"rendered": "La pista rota de la Av. &#8220;Jos&eacute; Carlos&#8221;"},
    "content": {
        "rendered": "<p>Seis meses con huecos.</p>\n<p>Nadie viene.</p>",
        "protected": False,
    },
    "author": 3,
    "_embedded": {"author": [{"id": 3, "name": "Redacción Ate"}]},
}
COMMENT = {
    "id": 501,
    "post": 12,
    "parent": 0,
    "author": 0,
    "author_name": "Rosa Quispe",
    "date": "2025-05-06T09:00:00",
    "date_gmt": "2025-05-06T14:00:00",
    "content": {"rendered": "<p>En mi cuadra igual 😡</p>"},
    "link": f"{HOME}/2025/05/pista-rota/#comment-501",
    "type": "comment",
}
REPLY = COMMENT | {
    "id": 502,
    "parent": 501,
    "author_name": "Beto",
    "content": {"rendered": "<p>Sí pues</p>"},
}


def adapter(url: str = f"{HOME}/", **about: Any) -> Wordpress:
    source = {"name": "blog", "title": "Blog", "protocol": "wordpress", "url": url} | about
    return Wordpress(Source(**source), url, None)


def answer(
    value: Any,
    about: dict[str, Any] | None = None,
    status: int = 200,
    pages: str | None = "1",
) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    headers = {"content-type": "application/json; charset=UTF-8"}
    headers |= {"x-wp-totalpages": pages} if pages is not None else {}
    url = f"{HOME}/wp-json/wp/v2/{(about or {}).get('is', 'posts')}"
    return Answer(url, status, headers, body, about or {"is": "posts", "page": 1}, NOW, "c1")


def query(ask: Ask) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(ask.url).query).items()}


def details(step: Step) -> list[tuple[Outcome, str]]:
    return [(problem.outcome, problem.detail) for problem in step.problems]


COMMENTS = {"is": "comments", "page": 1, "guids": {"12": f"{HOME}/?p=12"}}


@pytest.mark.parametrize("url", [HOME, f"{HOME}/", f"{HOME}/wp-json/wp/v2/posts?per_page=5"])
def test_it_begins_with_the_newest_posts(url: str) -> None:
    ask = adapter(url).start()

    assert ask.url.startswith(f"{HOME}/wp-json/wp/v2/posts?per_page=100&page=1&orderby=date")
    assert ask.needed


def test_a_post_is_an_article_named_as_the_feed_names_it() -> None:
    step = adapter().read(answer([POST]))

    [post] = step.drafts
    assert post.external_id == f"{HOME}/?p=12"
    assert (post.kind, post.parent, post.thread) == (Kind.ARTICLE, None, None)
    assert post.title == "La pista rota de la Av. “José Carlos”"
    assert post.text == "Seis meses con huecos.\n\nNadie viene."
    assert post.dates == ("2025-05-05T15:00:00Z", "2025-05-05T10:00:00")
    assert (post.author, post.url) == ("Redacción Ate", f"{HOME}/2025/05/pista-rota/")
    assert (step.asks, step.problems) == ((), ())


def test_pages_of_posts_are_followed_and_comments_are_asked_for_once() -> None:
    reader = adapter(comments=True)
    first = reader.read(answer([POST], pages="2"))
    posts, comments = first.asks
    assert (query(posts)["page"], posts.older) == ("2", True)
    assert "/comments?" in comments.url
    assert (query(comments)["page"], comments.older) == ("1", False)
    assert comments.about["guids"] == {"12": f"{HOME}/?p=12"}

    other = POST | {"id": 13, "guid": {"rendered": f"{HOME}/?p=13"}}
    last = reader.read(answer([other], dict(posts.about), pages="2"))
    assert (len(last.drafts), last.asks) == (1, ())
    assert adapter().read(answer([POST])).asks == ()


def test_without_the_header_a_full_page_has_another_until_wordpress_says_no() -> None:
    full = [POST | {"id": n} for n in range(1, 101)]
    step = adapter().read(answer(full, pages=None))
    assert query(step.asks[0])["page"] == "2"

    past = {"code": "rest_post_invalid_page_number", "message": "x", "data": {"status": 400}}
    end = adapter(comments=True).read(answer(past, dict(step.asks[0].about), 400, None))
    assert (end.drafts, end.asks, end.problems, end.stop) == ((), (), (), "")
    assert adapter().read(answer([], pages="9")).asks == ()


def test_comments_name_their_post_and_their_parent() -> None:
    step = adapter(comments=True).read(answer([COMMENT, REPLY], COMMENTS))

    first, reply = step.drafts
    assert first.external_id == f"{HOME}/?p=12#comment-501"
    assert (first.parent, first.thread) == (f"{HOME}/?p=12", f"{HOME}/?p=12")
    assert (first.kind, first.author) == (Kind.COMMENT, "Rosa Quispe")
    assert first.text == "En mi cuadra igual 😡"
    assert first.dates[0] == "2025-05-06T14:00:00Z"
    assert reply.parent == f"{HOME}/?p=12#comment-501"


def test_a_post_that_was_not_listed_is_asked_for_its_name() -> None:
    reader = adapter(comments=True)
    far = [COMMENT | {"post": 99}, COMMENT | {"id": 600, "post": 98}, COMMENT | {"id": 601}]
    step = reader.read(answer(far, COMMENTS, pages="2"))
    assert step.drafts == ()
    [ask] = step.asks
    assert "/posts?" in ask.url
    assert query(ask)["include"] == "98,99"

    names = [{"id": 99, "guid": {"rendered": "http://viejo.example.pe/?p=99"}}]
    named = reader.read(answer(names, dict(ask.about), pages=None))
    assert [draft.thread for draft in named.drafts] == [
        "http://viejo.example.pe/?p=99",
        f"{HOME}/?p=98",
        f"{HOME}/?p=12",
    ]
    assert (query(named.asks[0])["page"], named.asks[0].older) == ("2", True)

    lost = reader.read(answer({"code": "rest_no_route"}, dict(ask.about), 404))
    assert (lost.drafts, lost.stop, len(lost.problems)) == ((), "", 1)


def test_pingbacks_are_said_by_nobody() -> None:
    step = adapter().read(answer([COMMENT | {"type": "pingback"}], COMMENTS))

    assert (step.drafts, step.problems) == ((), ())


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (
            401,
            {"code": "rest_not_logged_in", "message": "Rosa"},
            "answered 401 (rest_not_logged_in)",
        ),
        (404, {"code": "rest_no_route"}, "answered 404 (rest_no_route)"),
        (403, b"<html>prohibido</html>", "answered 403"),
        (200, b"<!doctype html><html><body>Hola</body></html>", "is a page, not JSON"),
        (200, {"code": "algo"}, "holds no list of posts"),
    ],
)
def test_a_closed_interface_is_explained_and_the_feed_advised(
    status: int, body: Any, why: str
) -> None:
    step = adapter().read(answer(body, status=status))

    assert why in step.stop
    assert step.stop.endswith("use protocol: feed")
    assert "Rosa" not in step.stop
    assert step.problems


def test_closed_comments_leave_the_posts() -> None:
    step = adapter().read(answer({"code": "rest_cannot_read"}, COMMENTS, 401))

    assert step.stop == ""
    assert step.problems[0].outcome is Outcome.WALLED
    assert "the comments are not open to readers" in step.problems[0].detail


def test_what_lacks_a_mandatory_field_is_counted() -> None:
    posts = [
        {name: value for name, value in POST.items() if name not in ("id", "guid")},
        POST | {"id": 14, "guid": {"rendered": 7.5}, "content": ["Texto de Rosa"]},
        POST | {"id": 15, "guid": None, "title": {"rendered": 5}, "date_gmt": None, "date": 3.5},
        "no es un objeto",
    ]
    step = adapter().read(answer(posts))

    assert [draft.external_id for draft in step.drafts] == [f"{HOME}/?p=15"]
    assert step.drafts[0].dates == (None, None)
    assert [outcome for outcome, _ in details(step)] == [
        Outcome.UNREADABLE,
        Outcome.NO_IDENTITY,
        Outcome.NO_TEXT,
    ]
    assert step.problems[2].where == f"{HOME}/?p=14"
    assert not any("Rosa" in detail for _, detail in details(step))


def test_ids_are_the_same_in_another_crawl() -> None:
    one, two = (adapter().read(answer([COMMENT, REPLY], COMMENTS)) for _ in range(2))

    assert one.drafts == two.drafts


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted(POST) + sorted(COMMENT) + ["rendered"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


GUIDS = {"is": "guids", "comments": answer([COMMENT, REPLY, 5], COMMENTS)}


@settings(max_examples=80, deadline=None)
@given(ANYTHING, st.sampled_from([None, COMMENTS, GUIDS]), st.sampled_from([200, 400, 404]))
def test_no_answer_makes_it_raise(value: Any, about: dict[str, Any] | None, status: int) -> None:
    for body in (value, [value], json.dumps(value).encode()[1:]):
        adapter(comments=True).read(answer(body, about, status, pages="x"))
