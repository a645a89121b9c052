"""Forums like phpBB: lists of topics, topics of several pages, dates in Spanish, log-in walls."""

from datetime import UTC, datetime
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema import Source
from crawlers.extract.dates import first_moment
from crawlers.protocols.base import Answer, Step
from crawlers.protocols.forum import Forum
from models.records import Kind, Outcome

HOME = "https://foro.example.pe"
FORUM = f"{HOME}/viewforum.php?f=2"
TOPIC = f"{HOME}/viewtopic.php?t=77"
NOW = datetime(2025, 5, 20, 15, tzinfo=UTC)
LIMA = ZoneInfo("America/Lima")


def adapter(url: str = FORUM, **about: Any) -> Forum:
    source = {"name": "foro", "title": "Foro", "protocol": "forum", "url": url} | about
    return Forum(Source(**source), url, None)


def answer(
    body: str | bytes, url: str = FORUM, about: dict[str, Any] | None = None, status: int = 200
) -> Answer:
    data = body.encode() if isinstance(body, str) else body
    headers = {"content-type": "text/html; charset=UTF-8"}
    return Answer(url, status, headers, data, about or {"is": "list"}, NOW, "c1")


def listing(*addresses: str, after: str = "") -> str:
    rows = "".join(
        f"""<li class="row bg1"><dl class="row-item topic_read"><dt><div class="list-inner">
        <a href="{address}" class="topictitle">Tema</a>
        <div class="pagination"><ul><li><a href="{address}&amp;start=10">2</a></li></ul></div>
        por <a href="./memberlist.php?mode=viewprofile&amp;u=5" class="username">Rosa</a>
        </div></dt></dl></li>"""
        for address in addresses
    )
    link = (
        f'<li class="arrow next"><a href="{after}" rel="next">Siguiente</a></li>' if after else ""
    )
    return (
        '<!DOCTYPE html><html><body><h2 class="forum-title">Vecinos</h2>'
        f'<div class="pagination"><ul>{link}</ul></div>'
        f'<ul class="topiclist topics">{rows}</ul></body></html>'
    )


def post(
    own: str,
    text: str,
    author: str = "Rosa_Vitarte",
    date: str = "Mar May 06, 2025 10:00 am",
    time: str = "",
) -> str:
    when = f'<time datetime="{time}">{date}</time>' if time else date
    return f"""<div id="p{own}" class="post has-profile bg2"><div class="inner">
    <dl class="postprofile" id="profile{own}"><dt class="has-profile-rank no-avatar">
      <a href="./memberlist.php?u=5" class="username-coloured" style="color:#A00">{author}</a></dt>
      <dd class="profile-rank">Vecino nuevo</dd>
      <dd class="profile-joined"><strong>Registrado:</strong> Lun Ene 01, 2018 9:00 am</dd></dl>
    <div class="postbody"><div id="post_content{own}">
      <h3 class="first"><a href="#p{own}">Re: La pista</a></h3>
      <ul class="post-buttons"><li><a href="./posting.php?p={own}">Citar</a></li></ul>
      <p class="author"><a class="unread" href="./viewtopic.php?p={own}#p{own}">Mensaje</a>
        <span class="responsive-hide">por <strong><a class="username-coloured">{author}</a></strong>
        &raquo; </span>{when} </p>
      <div class="content">{text}</div>
      <div class="notice">Última edición por Rosa el Mié May 07, 2025</div>
      <div id="sig{own}" class="signature">Mi firma</div>
    </div></div></div></div>"""


def topic(*posts: str, after: str = "") -> str:
    link = (
        f'<li class="arrow next"><a href="{after}" rel="next">Siguiente</a></li>' if after else ""
    )
    return (
        '<html><head><title>x</title></head><body><h2 class="topic-title">'
        '<a href="./viewtopic.php?t=77">La pista de la Av. Central</a></h2>'
        f'<div class="pagination"><ul>{link}</ul></div>{"".join(posts)}</body></html>'
    )


def asked(step: Step) -> list[str]:
    return [ask.url for ask in step.asks]


IN_TOPIC = {"is": "topic"}


def test_a_list_leads_to_its_topics_without_the_marks_of_a_visit() -> None:
    assert adapter().start().url == FORUM
    page = listing(
        "./viewtopic.php?f=2&amp;t=77&amp;sid=abc",
        "./viewtopic.php?t=78&amp;sid=abc",
        "./viewtopic.php?f=3&amp;t=77",
        "https://otro.example.pe/viewtopic.php?t=1",
        after="./viewforum.php?f=2&amp;sid=abc&amp;start=25",
    )
    step = adapter().read(answer(page))

    assert asked(step) == [
        f"{HOME}/viewtopic.php?f=2&t=77",
        f"{HOME}/viewtopic.php?t=78",
        f"{HOME}/viewforum.php?f=2&start=25",
    ]
    assert step.asks[-1].needed
    assert (step.problems, step.stop) == ((), "")


def test_a_next_page_lies_behind_this_one() -> None:
    page = listing("./viewtopic.php?t=77", after="./viewforum.php?f=2&amp;start=25")
    step = adapter().read(answer(page, f"{FORUM}&start=25", {"is": "list", "inner": True}))

    assert asked(step) == [TOPIC]


def test_an_index_of_forums_leads_to_their_topics() -> None:
    page = '<a class="forumtitle" href="./viewforum.php?f=2&amp;sid=1">A</a><a href="/x">B</a>'
    step = adapter(HOME).read(answer(page, f"{HOME}/"))

    assert asked(step) == [FORUM]
    assert step.asks[0].about["is"] == "list"


def test_other_forums_are_read_with_a_selector() -> None:
    page = '<div class="tema"><a href="/tema-12-bache.html">Bache</a></div>'
    assert asked(adapter(links=".tema").read(answer(page))) == [f"{HOME}/tema-12-bache.html"]

    wrong = adapter(links="<<").read(answer(page))
    assert wrong.stop == f"{FORUM} cannot be read with «<<», which is no CSS selector"


def test_the_first_post_opens_the_thread_and_the_others_answer() -> None:
    quoted = "<blockquote><div><cite>Rosa escribió:</cite>Está rota</div></blockquote>"
    quoted += "A mí también<br>me cayó"
    page = topic(
        post("101", "La pista está <b>rota</b> hace meses 😡", time="2025-05-06T15:00:00+00:00"),
        post("102", quoted, author="Beto", date="Ayer, 6:30 pm"),
    )
    step = adapter().read(answer(page, f"{TOPIC}&sid=z", IN_TOPIC))

    first, reply = step.drafts
    assert first.external_id == "topic:77:post:101"
    assert (first.kind, first.parent, first.thread) == (Kind.POST, None, None)
    assert first.title == "La pista de la Av. Central"
    assert first.text == "La pista está rota hace meses 😡"
    assert (first.author, first.dates) == ("Rosa_Vitarte", ("2025-05-06T15:00:00+00:00",))
    assert first.url == f"{TOPIC}#p101"
    assert reply.external_id == "topic:77:post:102"
    assert (reply.kind, reply.author, reply.title) == (Kind.COMMENT, "Beto", None)
    assert reply.parent == reply.thread == "topic:77:post:101"
    assert reply.text == "A mí también\nme cayó"
    assert reply.dates == ("Ayer, 6:30 pm",)
    assert (step.asks, step.problems) == ((), ())


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("Mar May 06, 2025 10:00 am", datetime(2025, 5, 6, 15, tzinfo=UTC)),
        ("Mar, 06 May 2025, 22:15", datetime(2025, 5, 7, 3, 15, tzinfo=UTC)),
        ("06 de mayo de 2025, 10:00", datetime(2025, 5, 6, 15, tzinfo=UTC)),
        ("Mié Ene 08, 2025 3:15 pm", datetime(2025, 1, 8, 20, 15, tzinfo=UTC)),
        ("Ayer, 6:30 pm", datetime(2025, 5, 19, 23, 30, tzinfo=UTC)),
        ("hace 5 minutos", datetime(2025, 5, 20, 14, 55, tzinfo=UTC)),
    ],
)
def test_dates_are_read_as_phpbb_writes_them_in_spanish(written: str, moment: datetime) -> None:
    step = adapter().read(answer(topic(post("1", "Hola", date=written)), TOPIC, IN_TOPIC))

    assert first_moment(step.drafts[0].dates, LIMA, NOW) == moment


def test_the_pages_of_a_topic_keep_its_first_post() -> None:
    one = adapter().read(
        answer(topic(post("101", "A"), after="./viewtopic.php?t=77&amp;start=10"), TOPIC, IN_TOPIC)
    )
    assert asked(one) == [f"{TOPIC}&start=10"]

    two = adapter().read(answer(topic(post("140", "B")), one.asks[0].url, dict(one.asks[0].about)))
    assert two.drafts[0].parent == "topic:77:post:101"
    assert two.drafts[0].kind is Kind.COMMENT


def test_numbered_pages_are_followed_where_no_link_says_next() -> None:
    links = "".join(
        f'<a href="{address}">x</a>'
        for address in ("?t=77&amp;start=20", "?t=77&amp;start=10", "?t=9&amp;start=5", "?t=77")
    )
    page = topic(post("1", "A"), f'<div class="pagination">{links}</div>')
    step = adapter().read(answer(page, TOPIC, IN_TOPIC))

    assert asked(step) == [f"{TOPIC}&start=10"]


def test_a_single_topic_may_be_the_source() -> None:
    step = adapter(TOPIC).read(answer(topic(post("101", "Hola")), TOPIC))

    assert [draft.external_id for draft in step.drafts] == ["topic:77:post:101"]


def test_what_lacks_a_mandatory_field_is_counted() -> None:
    page = topic(
        post("101", "Uno"),
        '<div class="post"><div class="content">Dos</div></div>',
        '<div class="post" id="p103"><p>Tres</p></div>',
    )
    step = adapter().read(answer(page, TOPIC, IN_TOPIC))

    assert [problem.outcome for problem in step.problems] == [Outcome.NO_IDENTITY]
    last = step.drafts[1]
    assert (last.external_id, last.text, last.dates) == ("topic:77:post:103", "", (None,))
    assert last.author is None


def test_a_log_in_and_what_is_no_forum_end_the_crawl_with_a_reason() -> None:
    wall = '<form action="./ucp.php?mode=login"><input type="password" name="password"></form>'
    step = adapter().read(answer(wall))
    assert step.stop == f"{FORUM} asks for a log-in, which is not read"
    assert step.problems[0].outcome is Outcome.WALLED

    assert adapter().read(answer("<p>Hola</p>")).stop.endswith("like those of phpBB")
    assert adapter().read(answer(b"")).stop == f"{FORUM} is no HTML page"

    inside = adapter().read(answer(wall, TOPIC, IN_TOPIC))
    assert (inside.stop, inside.problems[0].outcome) == ("", Outcome.WALLED)
    closed = adapter().read(answer("", TOPIC, IN_TOPIC, 403))
    assert (closed.stop, closed.problems[0].detail) == ("", f"{TOPIC} answered 403")


PIECES = st.sampled_from(
    [
        '<div class="post" id="p1">',
        '<div class="post" id="p',
        '<div class="post">',
        '<a class="topictitle" href="',
        "?t=1&start=9",
        '">',
        "</div>",
        '<time datetime="',
        "<blockquote>",
        "»",
        "http://[x",
        "\x00",
        '<p class="author">',
        '<div class="content">',
        '<a rel="next" href="?start=99999999999999">',
    ]
)


@settings(max_examples=80, deadline=None)
@given(
    st.binary(max_size=200)
    | st.lists(PIECES, max_size=12).map(lambda parts: "".join(parts).encode()),
    st.sampled_from([{"is": "list"}, IN_TOPIC, {"is": "topic", "first": "1", "topic": "2"}]),
    st.sampled_from([FORUM, TOPIC, f"{HOME}/viewtopic.php?t=x&start=-1"]),
)
def test_no_answer_makes_it_raise(body: bytes, about: dict[str, Any], url: str) -> None:
    adapter().read(answer(body, url, about))


@pytest.mark.parametrize(
    "tag",
    [
        '<div class="post" id="p1">',
        '<div class="post">',
        '<div class="post" id="p1"><p class="author"><span class="username">',
        '<a class="topictitle" href="?t=1">',
        '<li class="tema"><a href="/tema-1">',
    ],
)
def test_deep_and_hostile_pages_take_no_time(tag: str) -> None:
    began = monotonic()

    adapter(links=".tema").read(answer(tag * 20_000, TOPIC, IN_TOPIC))
    adapter(links=".tema").read(answer(tag * 20_000))

    assert monotonic() - began < 20
