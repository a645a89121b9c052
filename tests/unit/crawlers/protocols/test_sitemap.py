"""Sitemaps of every kind, and pages behind them, without a network and on loopback."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema import Limits, Source
from crawlers.crawl import crawl
from crawlers.job import CrawlJob
from crawlers.protocols.base import Answer, Step
from crawlers.protocols.sitemap import DEEPEST, MOST_SITEMAPS, Sitemap
from models.records import Kind, Outcome

HOME = "https://diario.example.pe"
URL = f"{HOME}/sitemap.xml"
NOW = datetime(2025, 5, 20, 15, tzinfo=UTC)
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
ARTICLE = (Path(__file__).parents[3] / "pages" / "article-with-comments" / "page.html").read_bytes()

NEWS_SITEMAP = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="{NAMESPACE}" xmlns:news="{NEWS}"
        xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
  <url>
    <loc>{HOME}/nota/pista-rota</loc>
    <lastmod>2025-05-05T09:00:00-05:00</lastmod>
    <image:image><image:loc>{HOME}/foto.jpg</image:loc><image:title>Foto</image:title></image:image>
    <news:news>
      <news:publication><news:name>Diario</news:name><news:language>es</news:language></news:publication>
      <news:publication_date>2025-05-05T08:30:00-05:00</news:publication_date>
      <news:title>Vecinos de Huaycán reclaman por la pista rota</news:title>
    </news:news>
  </url>
  <url><loc>{HOME}/nota/sin-agua</loc><lastmod>2025-05-07</lastmod></url>
  <url><loc>{HOME}/contacto</loc></url>
</urlset>"""


def adapter(**about: Any) -> Sitemap:
    source = {"name": "diario", "title": "Diario", "protocol": "sitemap", "url": URL} | about
    return Sitemap(Source(**source), URL, None)


def answer(
    body: str | bytes,
    url: str = URL,
    about: dict[str, Any] | None = None,
    status: int = 200,
    content_type: str = "application/xml",
) -> Answer:
    data = body.encode() if isinstance(body, str) else body
    kept = {"is": "sitemap", "depth": 0} if about is None else about
    return Answer(url, status, {"content-type": content_type}, data, kept, NOW, "c1")


def page(body: bytes, about: dict[str, Any] | None = None, **more: Any) -> Answer:
    kind = {"content_type": "text/html; charset=utf-8"} | more
    return answer(body, f"{HOME}/nota/pista-rota", {"is": "page"} | (about or {}), **kind)


def urlset(*entries: str) -> str:
    return f'<urlset xmlns="{NAMESPACE}">{"".join(entries)}</urlset>'


def index(*addresses: str) -> str:
    inner = "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses)
    return f'<sitemapindex xmlns="{NAMESPACE}">{inner}</sitemapindex>'


def asked(step: Step) -> list[str]:
    return [ask.url for ask in step.asks]


def details(step: Step) -> list[tuple[Outcome, str]]:
    return [(problem.outcome, problem.detail) for problem in step.problems]


def test_a_news_sitemap_gives_the_pages_that_match_newest_first() -> None:
    step = adapter(match="/nota/").read(answer(NEWS_SITEMAP))

    assert asked(step) == [f"{HOME}/nota/sin-agua", f"{HOME}/nota/pista-rota"]
    about = step.asks[1].about
    assert about["title"] == "Vecinos de Huaycán reclaman por la pista rota"
    assert about["date"] == "2025-05-05T08:30:00-05:00"
    assert (step.problems, step.stop) == ((), "")


def test_an_index_leads_to_its_sitemaps() -> None:
    start = adapter().start()
    assert (start.url, start.about["depth"]) == (URL, 0)

    step = adapter().read(answer(index(f"{HOME}/a.xml", "/b.xml.gz", f"{HOME}/a.xml", URL)))

    assert asked(step) == [f"{HOME}/a.xml", f"{HOME}/b.xml.gz"]
    assert all(ask.needed and ask.about["depth"] == 1 for ask in step.asks)


def test_gzip_is_unpacked_and_a_bomb_is_not() -> None:
    packed = gzip.compress(NEWS_SITEMAP.encode())
    assert len(adapter().read(answer(packed, content_type="application/gzip")).asks) == 3

    bomb = gzip.compress(b" " * 3_000_000)
    step = adapter(limits=Limits(max_bytes=1_000_000)).read(answer(bomb))
    assert step.stop == f"{URL} unpacks to more than the limit of 1,000,000 bytes"

    broken = adapter().read(answer(packed[:2] + b"nada", about={"is": "sitemap", "depth": 1}))
    assert details(broken) == [(Outcome.UNREADABLE, f"{URL} is gzip that cannot be unpacked")]
    assert broken.stop == ""


def test_a_plain_list_of_addresses_is_a_sitemap_too() -> None:
    step = adapter().read(answer(f"{HOME}/1\n{HOME}/2\n", content_type="text/plain"))

    assert asked(step) == [f"{HOME}/1", f"{HOME}/2"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "is empty"),
        ("nada", "is no XML"),
        ("<html><body>hola</body></html>", "is an HTML page, not a sitemap; for a page of links: "),
        ("<rss version='2.0'><channel/></rss>", "is a feed, not a sitemap; use protocol: feed"),
        ("<otra><cosa/></otra>", "is no sitemap"),
    ],
)
def test_what_is_no_sitemap_ends_the_crawl_with_a_reason(body: str, why: str) -> None:
    step = adapter().read(answer(body))

    assert step.stop.startswith(f"{URL} {why}")
    assert step.asks == ()


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-16-le", "utf-7"])
def test_entities_and_document_types_are_refused_in_any_encoding(codec: str) -> None:
    bomb = (
        f'<?xml version="1.0" encoding="{codec}"?><!DOCTYPE x [<!ENTITY a "risa">'
        '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
        f'<urlset xmlns="{NAMESPACE}"><url><loc>{HOME}/&b;&c;</loc></url></urlset>'
    )
    step = adapter().read(
        answer(bomb.encode(codec), content_type=f"application/xml; charset={codec}")
    )

    assert step.stop
    assert step.asks == ()


def test_depth_size_and_broken_markup_do_no_harm() -> None:
    deep = "<a>" * 100_000
    assert adapter().read(answer(deep)).stop

    step = adapter().read(answer(urlset(f"<url><loc>{HOME}/1</loc></url>") + deep))
    assert asked(step) == [f"{HOME}/1"]

    half = (
        f'<urlset xmlns="{NAMESPACE}"><url><loc>{HOME}/1</loc></url><url><loc>{HOME}/2?a=1&b</loc>'
    )
    step = adapter().read(answer(half))
    assert asked(step)[:1] == [f"{HOME}/1"]
    assert "its XML is broken at line 1" in step.problems[0].detail

    nested = f'<urlset xmlns="{NAMESPACE}">' + "<url>" * 300 + "</url>" * 300
    assert adapter().read(answer(nested)).asks == ()


def test_a_sitemap_of_itself_and_endless_indexes_are_bounded() -> None:
    assert adapter().read(answer(index(URL, f"{URL}#x"))).asks == ()

    too_deep = answer(index(f"{HOME}/c.xml"), about={"is": "sitemap", "depth": DEEPEST})
    step = adapter().read(too_deep)
    assert step.asks == ()
    assert "is an index 2 steps inside an index" in step.problems[0].detail

    many = index(*(f"{HOME}/{n}.xml" for n in range(MOST_SITEMAPS + 50)))
    step = adapter().read(answer(many))
    assert len(step.asks) == MOST_SITEMAPS
    assert details(step)[0][0] is Outcome.FETCH_FAILED


def test_addresses_that_are_none_or_of_others_are_counted_not_asked() -> None:
    entries = [
        "<url><loc>javascript:alert(1)</loc></url>",
        "<url><loc>file:///etc/passwd</loc></url>",
        "<url></url>",
        f"<url><loc>{HOME}/{'x' * 3000}</loc></url>",
        "<url><loc>http://[roto/</loc></url>",
        "<url><loc>http://169.254.169.254/latest</loc></url>",
        "<url><loc>https://www.diario.example.pe/ok#parte</loc></url>",
    ]
    step = adapter().read(answer(urlset(*entries)))

    assert asked(step) == ["https://www.diario.example.pe/ok"]
    assert details(step) == [
        (Outcome.UNREADABLE, f"{URL} lists 5 entries without a web address"),
        (Outcome.NOT_ALLOWED, f"{URL} lists 1 addresses of other hosts; they are not read"),
    ]


def test_more_pages_than_requests_are_cut_off_at_the_oldest() -> None:
    entries = (
        f"<url><loc>{HOME}/{n}</loc><lastmod>2025-05-{n:02}</lastmod></url>" for n in range(1, 9)
    )
    step = adapter(limits=Limits(max_requests=3)).read(answer(urlset(*entries)))

    assert asked(step) == [f"{HOME}/8", f"{HOME}/7", f"{HOME}/6"]
    assert "more than the limit of 3 requests; the rest is left out" in step.problems[0].detail


def test_a_match_that_fits_nothing_or_is_no_expression_is_said() -> None:
    nothing = adapter(match="/opinion/").read(answer(NEWS_SITEMAP))
    assert details(nothing) == [
        (Outcome.UNREADABLE, f"{URL} lists no address that fits «/opinion/»")
    ]

    wrong = adapter(match="(").read(answer(NEWS_SITEMAP))
    assert wrong.stop == f"{URL} cannot be read with «(», which is no regular expression"


def test_a_page_is_an_article_and_its_comments() -> None:
    about = {"title": "Marcha por la pista", "date": "2025-05-05T08:30:00-05:00"}
    step = adapter(comments=True).read(page(ARTICLE, about))

    article, *comments = step.drafts
    assert article.external_id == f"{HOME}/nota/pista-rota"
    assert (article.kind, article.title) == (Kind.ARTICLE, "Marcha por la pista")
    assert article.text.startswith("Más de doscientos vecinos")
    assert article.dates[0] == "2025-05-05T08:30:00-05:00"
    assert (article.author, article.capture_id) == ("Milagros Ccori", "c1")
    by_id = {draft.external_id: draft for draft in comments}
    reply = by_id[f"{HOME}/nota/pista-rota#comment-502"]
    assert reply.kind is Kind.COMMENT
    assert reply.parent == f"{HOME}/nota/pista-rota#comment-501"
    assert reply.thread == article.external_id
    assert adapter().read(page(ARTICLE)).drafts[1:] == ()


def test_further_pages_of_a_thread_are_asked_once() -> None:
    more = b'<li><a href="/nota/pista-rota/comment-page-2#comments">2</a></li></body>'
    first = adapter(comments=True).read(page(ARTICLE.replace(b"</body>", more)))
    assert asked(first) == [f"{HOME}/nota/pista-rota/comment-page-2"]

    about = dict(first.asks[0].about)
    again = answer(ARTICLE.replace(b"</body>", more), first.asks[0].url, about, 200, "text/html")
    second = adapter(comments=True).read(again)
    assert second.asks == ()
    assert {draft.thread for draft in second.drafts} == {f"{HOME}/nota/pista-rota"}


def test_a_page_that_is_closed_or_no_page_leaves_the_others() -> None:
    closed = adapter().read(page(b"", status=403))
    assert details(closed) == [(Outcome.WALLED, f"{HOME}/nota/pista-rota answered 403")]
    assert closed.stop == ""

    pdf = adapter().read(page(b"%PDF-1.7", content_type="application/pdf"))
    assert pdf.problems[0].detail == f"{HOME}/nota/pista-rota is application/pdf, not a page"


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300)
    | st.integers(0, len(NEWS_SITEMAP)).map(
        lambda n: (NEWS_SITEMAP[:n] + NEWS_SITEMAP[n + 7 :]).encode()
    ),
    st.sampled_from([{}, {"is": "page"}, {"is": "thread", "thread": "x"}, {"depth": 2}]),
)
def test_no_answer_makes_it_raise(body: bytes, about: dict[str, Any]) -> None:
    adapter(comments=True).read(answer(body, about=about))


def test_a_whole_crawl(site: Any, make_job: Callable[..., CrawlJob]) -> None:
    site.page("/nota/1", ARTICLE)
    site.page("/nota/2", "roto", status=500)
    site.page("/nota/3", b"%PDF", content_type="application/pdf")
    site.page("/otra", ARTICLE)
    base = site.url
    entries = "".join(
        f"<url><loc>{base}{path}</loc></url>" for path in ("/nota/1", "/nota/3", "/otra")
    )
    packed = gzip.compress(urlset(entries).encode())
    site.page("/notas.xml.gz", packed, content_type="application/gzip")
    site.page("/mas.xml", urlset(f"<url><loc>{base}/nota/2</loc></url>"), content_type="text/xml")
    own = f"{base}/sitemap.xml"
    url = site.page("/sitemap.xml", index(own, f"{base}/notas.xml.gz", f"{base}/mas.xml"))

    result = crawl(make_job(url, protocol="sitemap", match="/nota/", comments=True, kind="article"))

    assert (result.finished, result.reason) == (True, "")
    records = {record.external_id: record for record in result.extracted}
    article = f"{base}/nota/1"
    assert records[article].text.startswith("Más de doscientos vecinos")
    assert records[f"{article}#comment-502"].parent_external_id == f"{article}#comment-501"
    assert "/otra" not in site.paths
    where = {(rejection.outcome, rejection.where) for rejection in result.rejections}
    assert (Outcome.UNREADABLE, f"{base}/nota/3") in where
    assert any(place == f"{base}/nota/2" for _, place in where)
