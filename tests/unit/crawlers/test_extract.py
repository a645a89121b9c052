"""What the extract functions do at their edges: encodings, dates, depth, arbitrary bytes."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.extract.dates import first_moment, moment
from crawlers.extract.feed import read_feed
from crawlers.extract.links import read_links
from crawlers.extract.page import read_page
from crawlers.extract.text import decode, plain
from crawlers.rules import Draft, settle
from models.records import Kind, Outcome, Rejection

LIMA = ZoneInfo("America/Lima")
READ_AT = datetime(2025, 6, 1, 15, 0, tzinfo=UTC)
URL = "http://ejemplo.pe/nota"
FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("Ñaña".encode(), "", "Ñaña"),
        ("Ñaña".encode("cp1252"), "", "Ñaña"),
        ("Ñaña".encode("cp1252"), "text/html; charset=utf-8", "Ñaña"),
        ("Ñaña “sí”".encode("cp1252"), "text/html; charset=iso-8859-1", "Ñaña “sí”"),
        ("Ñaña".encode(), "text/html; charset=iso-8859-1", "Ñaña"),
        ("Ñaña".encode("utf-16"), "", "Ñaña"),
        ("Ñaña".encode("utf-16-le"), "text/html; charset=utf-16le", "Ñaña"),
        ("\ufeffÑaña".encode(), "", "Ñaña"),
        ("año 😷 ".encode() + "año".encode("cp1252"), "", "año 😷 año"),
        ("żółw".encode("iso-8859-2"), "text/html; charset=iso-8859-2", "żółw"),
        (b"a\x00b\xed\xa0\x80", "", "abí\xa0€"),
        (b"hola", "text/html; charset=hex", "hola"),
        (b"hola", "text/html; charset=no-existe", "hola"),
        (b'<meta charset="windows-1252">\x93s\xed\x94', "", '<meta charset="windows-1252">“sí”'),
    ],
)
def test_decode(body: bytes, content_type: str, expected: str) -> None:
    assert decode(body, content_type) == expected


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("sin  marcas\n y ya", "sin marcas\ny ya"),
        ("<p>Uno</p><p>Dos<br>Tres</p>", "Uno\n\nDos\nTres"),
        ("Hola <b>ve</b>cina &amp; vecino", "Hola vecina & vecino"),
        ("<script>alert(1)</script>Hola<style>p{}</style>", "Hola"),
        ("<p>renglón\npartido</p>", "renglón partido"),
        ("", ""),
    ],
)
def test_plain(fragment: str, expected: str) -> None:
    assert plain(fragment) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2025-05-25T16:51:39+02:00", "2025-05-25T14:51:39"),
        ("2025-05-25T16:51:39Z", "2025-05-25T16:51:39"),
        ("2025-05-25T16:51:39", "2025-05-25T21:51:39"),
        ("2025-05-25", "2025-05-25T05:00:00"),
        ("Mon, 05 May 2025 10:00:00 -0500", "2025-05-05T15:00:00"),
        ("Mon, 05 May 2025 10:00:00", "2025-05-05T15:00:00"),
        ("lun, 05 may 2025 10:00:00 -0500", "2025-05-05T15:00:00"),
        ("5 de mayo de 2025", "2025-05-05T05:00:00"),
        ("05/04/2025", "2025-04-05T05:00:00"),
        ("12/05/2025 10:00 p. m.", "2025-05-13T03:00:00"),
        ("hace 2 horas", "2025-06-01T13:00:00"),
        ("ayer a las 18:00", "2025-05-31T23:00:00"),
    ],
)
def test_moment_reads_what_sources_write(written: str, expected: str) -> None:
    assert moment(written, LIMA, READ_AT) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "written", ["mayo", "2025", "18:00", "hola vecino", "2025-13-45", "31/02/2025", "", "9" * 500]
)
def test_moment_makes_nothing_up(written: str) -> None:
    assert moment(written, LIMA, READ_AT) is None


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ((), Outcome.NO_DATE),
        ((None, " "), Outcome.NO_DATE),
        (("hola",), Outcome.BAD_DATE),
        (("1970-01-01T00:00:00Z",), Outcome.BAD_DATE),
        (("2025-06-03T15:00:01Z",), Outcome.BAD_DATE),
        (("9999-12-31",), Outcome.BAD_DATE),
        (("0001-01-01T00:00:00+14:00",), Outcome.BAD_DATE),
        (("2025-06-02T14:59:59Z",), datetime(2025, 6, 2, 14, 59, 59, tzinfo=UTC)),
        (("hola", "2025-05-01"), datetime(2025, 5, 1, 5, tzinfo=UTC)),
    ],
)
def test_first_moment_believes_only_what_can_be(
    dates: tuple[str | None, ...], expected: datetime | Outcome
) -> None:
    assert first_moment(dates, LIMA, READ_AT) == expected


def dated(line: str) -> str | None:
    """Return the date of a page that has this line and no other date."""
    text = "Los vecinos piden que se repare la losa deportiva del parque central. " * 8
    page = f"<html><body><article><h1>Losa</h1>{line}<p>{text}</p></article></body></html>"
    return read_page(page.encode(), URL).article.date


@pytest.mark.parametrize(
    "line",
    [
        "",
        "<p>© 2024 Municipalidad</p>",
        "<p>La obra se hizo el 12 de marzo de 2019.</p>",
        "<p>La reunión será el 28/04/2022 en el local comunal.</p>",
        "<p>Fecha límite: 28/04/2022</p>",
        "<p>Ordenanza 125-2022-MDA del 15/03/2022</p>",
        '<img src="/uploads/2022/04/losa.jpg">',
        "<p>Un párrafo más.</p>" * 20 + "<aside>28/04/2022</aside>",
    ],
)
def test_a_page_that_does_not_say_its_date_gets_none(line: str) -> None:
    assert dated(line) is None


def test_the_date_of_today_above_the_menu_is_not_the_pages() -> None:
    page = (
        "<html><body><div>Martes, 25 de noviembre de 2025</div><a>Inicio</a><a>Distrito</a>"
        "<a>Deportes</a><h1>Losa</h1><p>Los vecinos piden que se repare la losa.</p></body></html>"
    )

    assert read_page(page.encode(), URL).article.date is None


@pytest.mark.parametrize(
    "line",
    [
        '<span class="fecha">28/04/2022</span>',
        "<p>Publicado el 28 de abril de 2022</p>",
        "<div>Lima, jueves 28 de abril del 2022, 10:30 a. m.</div>",
        "<div>28 abril, 2022</div>",
        "<p>Fecha: 28-04-2022</p>",
    ],
)
def test_a_date_in_a_line_of_its_own_is_the_pages(line: str) -> None:
    assert dated(line) == "2022-04-28"


def test_comments_nested_deeper_than_any_stack() -> None:
    levels = "".join(
        f'<li id="comment-{n}" class="comment"><div class="comment-content">t{n}</div><ol>'
        for n in range(20_000)
    )

    comments = read_page(f"<ol>{levels}".encode(), URL).thread.comments

    assert len(comments) >= 1_000
    assert comments[500].parent == "499"


def test_a_page_nested_deeper_than_any_stack() -> None:
    page = b"<div>" * 100_000 + b"hola"

    assert read_page(page, URL).article.text == ""
    assert read_links(page, URL, None).pages == ()


def test_a_deep_page_with_much_text_is_read_as_far_as_pages_go() -> None:
    page = b"<div><p>Los vecinos piden agua todos los d\xc3\xadas</p>" * 2_000

    assert read_page(page, URL).article.text.count("piden agua") >= 200


def test_a_comment_without_an_id_gets_a_stable_one() -> None:
    page = (
        b'<div itemscope itemtype="https://schema.org/Comment"><span itemprop="author">Ana</span>'
        b'<p itemprop="text">Hola</p></div>'
    )

    first, second = (
        read_page(body, URL).thread.comments for body in (page, b"<p>otra cosa</p>" + page)
    )

    assert first == second
    assert first[0].id.startswith("h")


def test_further_pages_of_a_thread() -> None:
    page = (
        b'<a href="/nota/comment-page-2/#comments">2</a><a href="?cpage=3">3</a>'
        b'<a href="http://otro.pe/comment-page-4/">4</a><a href="/otra">x</a>'
    )

    assert read_page(page, URL).thread.pages == (
        "http://ejemplo.pe/nota/comment-page-2/",
        "http://ejemplo.pe/nota?cpage=3",
    )


def test_entities_of_a_hostile_feed_are_not_expanded(tmp_path: Any) -> None:
    secret = tmp_path / "secreto"
    secret.write_text("clave")
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    body = (
        f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "AAAAAAAAAA">{levels}'
        f'<!ENTITY f SYSTEM "{secret.as_uri()}">]><rss version="2.0"><channel><item>'
        "<guid>1</guid><title>&e9;</title><description>&f;</description></item></channel></rss>"
    )

    said = json.dumps(asdict(read_feed(body.encode(), URL)), default=sorted)

    assert len(said) < 2_000
    assert "clave" not in said


def test_a_text_node_of_ten_megabytes() -> None:
    node = "a " * (5 * 1024 * 1024)
    feed = f"<rss version='2.0'><channel><item><guid>1</guid><description>{node}</description>"
    page = f"<html><body><p>{node}</p></body></html>"

    (entry,) = read_feed(f"{feed}</item></channel></rss>".encode(), URL).entries
    assert len(entry.text) == len(node) - 1
    assert len(plain(page)) == len(node) - 1
    draft = Draft("1", Kind.POST, URL, READ_AT, text=entry.text, dates=("ayer",))
    found = settle(draft, "vecinos", LIMA)
    assert isinstance(found, Rejection)
    assert found.outcome is Outcome.TOO_LONG


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<rss version='2.0'></rss>", "is a feed, not a page; use protocol: feed"),
        (b"", "is empty"),
        (b"<p>hola</p>", "has no link to a page of its own host that fits «h2 a»"),
    ],
)
def test_a_page_of_links_that_is_none(body: bytes, problem: str) -> None:
    assert read_links(body, URL, "h2 a").problem == problem


def test_a_selector_that_is_none() -> None:
    assert "no CSS selector" in read_links(b"<p>hola</p>", URL, "h2[[").problem


HOSTILE = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from(
            [
                b"<rss version='2.0'><channel>", b"<item>", b"</item>", b"<guid>", b"<title>",
                b"<pubDate>9</pubDate>", b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"<entry>",
                b'{"version":"https://jsonfeed.org/version/1.1","items":[', b'{"id":[1]},', b"]}",
                b'{"id":"\\ud800","content_text":"\\u0000x"}', b"<html>", b"<body>", b"<div>",
                b"<li class='comment' id='comment-1'>", b"<p itemprop='text'>", b"&#xD800;",
                b"&#0;",
                b"\x00", b"\xff\xfe", b"\xed\xa0\xbd", b"<time datetime='\x00'>", b"<!--", b"]]>",
                b"<![CDATA[", b"<!DOCTYPE x [", b"<script type='application/ld+json'>[{}",
                b"<link rel=canonical href='http://[::1'>", b"<a href='//['>", b"</li>", b"</div>",
                b"<div itemtype='https://schema.org/Comment'>", b"<meta charset='utf-7'>", b"hola ",
            ]
        ),
        max_size=30,
    ).map(b"".join),
)  # fmt: skip


def strings(value: Any) -> Iterator[str]:
    """Yield every text inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from strings(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings(part)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=HOSTILE, content_type=st.sampled_from(["", "text/html; charset=utf-16", "x; charset=\x00"])
)
def test_no_bytes_break_the_readers(body: bytes, content_type: str) -> None:
    found = [
        asdict(read_feed(body, URL, content_type)),
        asdict(read_page(body, URL, content_type)),
        asdict(read_links(body, URL, "a", content_type)),
    ]

    assert not [text for text in strings(found) if FORBIDDEN.search(text)]


def test_without_a_selector_the_headlines_are_taken() -> None:
    menu = "".join(f'<h3 class="menu"><a href="/m{n}">Menú</a></h3>' for n in range(9))
    inside = "".join(
        f'<h2 class="titular grande"><a href="/nota/{n}">Vecinos de la zona {n} reclaman</a></h2>'
        for n in range(4)
    )
    around = "".join(
        f'<a href="/nota/{n}"><h3>Vecinos de la zona {n} reclaman</h3></a>' for n in range(4)
    )
    wanted = tuple(f"https://a.example/nota/{n}" for n in range(4))
    for headlines in (inside, around):
        page = f"<html><body>{menu}{headlines}</body></html>".encode()
        assert read_links(page, "https://a.example/", None).pages == wanted
    only_menu = f"<html><body>{menu}</body></html>".encode()
    assert read_links(only_menu, "https://a.example/", None).pages  # what is usual, as before


def test_a_feed_that_feedparser_gives_up_on_is_none() -> None:
    assert read_feed(b"&#xD800;", "https://a.example/").problem
