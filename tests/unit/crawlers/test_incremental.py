"""A crawl that is told what is stored asks for little, and loses nothing by it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawlers.crawl import crawl, read_result
from crawlers.job import CrawlJob, CrawlResult
from crawlers.known import Known, fingerprint, last_look
from crawlers.wire import SUMMARY
from models.records import Failure, Outcome, Validator
from tests.unit.crawlers.conftest import send

Job = Callable[..., CrawlJob]
Feed = Callable[..., str]
PAGES = Path(__file__).parents[2] / "pages"
ARTICLE = (PAGES / "article-with-comments" / "page.html").read_bytes()
NEWEST = datetime(2025, 5, 20, 15, tzinfo=UTC)


def tagged(site: Any, path: str, body: str | bytes, etag: str = '"uno"') -> str:
    """Serve a body with an ETag, and 304 to whoever has it."""
    data = body.encode() if isinstance(body, str) else body

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == etag:
            handler.send_response(304)
            handler.send_header("ETag", etag)
            handler.end_headers()
        else:
            send(handler, data, etag=etag, last_modified="Tue, 20 May 2025 15:00:00 GMT")

    site.pages[path] = answer
    return f"{site.url}{path}"


def knowing(job: CrawlJob, known: Known, out: str = "again") -> CrawlJob:
    path = job.out.with_name(f"{out}.known")
    known.save(path)
    return job.model_copy(update={"known": path, "out": job.out.with_name(out)})


def said_before(days: int) -> str:
    return f"{NEWEST - timedelta(days=days):%a, %d %b %Y %H:%M:%S +0000}"


def learnt(result: CrawlResult, **about: Any) -> Known:
    """Return what a run stores of a crawl."""
    return Known(
        validators={v.url: v for v in result.validators},
        seen={r.fingerprint: r.said_at for r in result.extracted if r.fingerprint and r.said_at},
        **about,
    )


def looked(known: Known, result: CrawlResult) -> Known:
    """Return what is known once a crawl found old pages unchanged."""
    seen = {last_look(m) if m in result.looked else m: when for m, when in known.seen.items()}
    return known.model_copy(update={"seen": seen})


def test_what_is_known_comes_back_from_its_file(tmp_path: Path) -> None:
    known = Known(
        validators={"http://a.pe/": Validator("http://a.pe/", '"e"', "ayer")},
        seen={fingerprint("n1", "texto"): NEWEST},
        complete=True,
    )
    known.save(tmp_path / "known")

    assert Known.load(tmp_path / "known") == known
    assert (tmp_path / "known").stat().st_mode & 0o777 == 0o600
    assert b"texto" not in (tmp_path / "known").read_bytes()
    assert Known.load(None) == Known()


def test_what_is_settled() -> None:
    mark = fingerprint("n1", "texto")
    known = Known(seen={mark: NEWEST - timedelta(days=3, seconds=1)})
    looked = Known(seen={last_look(mark): NEWEST})

    assert known.has(mark)
    assert not known.is_settled(mark)  # it was read while more could come
    assert looked.has(mark)
    assert looked.is_settled(mark)
    assert not looked.is_settled(fingerprint("n1", "otro"))
    assert not known.is_young(mark, NEWEST, 3)
    assert known.is_young(mark, NEWEST, 4)
    assert not known.is_young(fingerprint("n1", "otro"), NEWEST, 4)
    assert not known.has(fingerprint("n1", "otro"))
    assert known.has_some(fingerprint("n1", "otro"))
    assert not known.has_some(fingerprint("n2", "texto"))


def test_a_feed_that_has_not_changed(site: Any, make_job: Job, feed: Feed, entry: Feed) -> None:
    url = tagged(site, "/feed", feed(entry("n1", "Pista", "Rota.")))
    job = make_job(url)

    first = crawl(job)
    second = crawl(knowing(job, learnt(first)))

    assert first.validators == (Validator(url, '"uno"', "Tue, 20 May 2025 15:00:00 GMT"),)
    assert (second.finished, second.reason, second.failure) == (True, "", None)
    assert (second.extracted, second.rejections, second.not_modified) == ([], [], 1)
    headers = site.asked[-1][1]
    assert headers["If-None-Match"] == '"uno"'
    assert headers["If-Modified-Since"] == "Tue, 20 May 2025 15:00:00 GMT"
    assert second.captures[-1].status == 304
    with (job.archive / second.captures[-1].warc_file).open("rb") as file:
        last = [r.rec_headers.get_header("WARC-Profile") for r in ArchiveIterator(file)][-1]
    assert last.endswith("/revisit/server-not-modified")


def test_a_validator_goes_to_its_own_address_alone(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    target = tagged(site, "/nuevo", feed(entry("n1", "Pista", "Rota.")))
    url = site.redirect("/feed", "/nuevo")

    result = crawl(knowing(make_job(url), Known(validators={url: Validator(url, '"uno"')})))

    assert [r.external_id for r in result.extracted] == ["n1"]
    asked = {path: headers.get("If-None-Match") for path, headers in site.asked}
    assert (asked["/feed"], asked["/nuevo"]) == ('"uno"', None)
    assert [v.url for v in result.validators] == [target]


def test_only_what_may_have_changed_is_opened_again(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    old, edited, young = (tagged(site, f"/nota/{n}", ARTICLE) for n in (1, 2, 3))
    entries = {
        "n1": entry("n1", "Vieja", "Corto.", old, said_before(9)),
        "n2": entry("n2", "Editada", "Corto.", edited, said_before(9)),
        "n3": entry("n3", "Nueva", "Corto.", young, said_before(0)),
    }
    job = make_job(tagged(site, "/feed", feed(*entries.values())), follow=True, comments=True)
    first = crawl(job)
    site.asked.clear()
    fresh = site.page("/nota/4", ARTICLE)
    entries["n2"] = entry("n2", "Editada", "Corto, y ahora otro.", edited, said_before(9))
    entries["n4"] = entry("n4", "Otra", "Corto.", fresh, said_before(0))
    tagged(site, "/feed", feed(*entries.values()), '"dos"')

    second = crawl(knowing(job, learnt(first)))

    assert sorted(site.paths) == ["/feed", "/nota/2", "/nota/3", "/nota/4", "/robots.txt"]
    assert second.finished
    assert {r.external_id.partition("#")[0] for r in second.extracted} == {"n2", "n4"}
    assert (second.unchanged, second.not_modified) == (2, 1)  # the old one, and 304 for the young
    sent = {path: headers.get("If-None-Match") for path, headers in site.asked}
    assert sent["/feed"] is None  # it cannot tell of new comments
    assert sent["/nota/2"] is None  # its answer is wanted, whatever its server says
    assert sent["/nota/3"] == '"uno"'


def test_a_page_that_fails_takes_nothing_away(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    pages = [site.page(f"/nota/{n}", ARTICLE) for n in (1, 2, 3)]
    items = [entry(f"n{n}", "Nota", "Corto.", pages[n - 1], said_before(0)) for n in (1, 2)]
    job = make_job(site.page("/feed", feed(*items)), follow=True, comments=True)
    first = crawl(job)
    assert all(len(r.text) > 100 for r in first.extracted if "#" not in r.external_id)
    site.page("/nota/1", "roto", status=500)
    site.page("/nota/2", "roto", status=500)
    gone = site.page("/nota/3", "no existe", status=404)
    items[1] = entry("n2", "Nota", "Corto, editado.", pages[1], said_before(0))
    items.append(entry("n3", "Nota", "Sin página.", gone, said_before(0)))
    items.append(entry("n4", "Nota", "Página rota.", pages[0] + "?x", said_before(0)))
    site.page("/nota/1?x", "roto", status=500)
    site.page("/feed", feed(*items))

    second = crawl(knowing(job, learnt(first)))

    records = {record.external_id: record for record in second.extracted}
    assert set(records) == {"n3", "n4"}
    assert records["n3"].fingerprint is not None  # gone for good: not asked for again
    assert records["n4"].fingerprint is None  # tried again by the next run
    assert second.unchanged == 2
    assert second.missed
    assert (second.finished, second.failure) == (True, Failure.SOFT)
    assert sorted((r.outcome, r.where) for r in second.rejections) == [
        (Outcome.FETCH_FAILED, pages[0]),
        (Outcome.FETCH_FAILED, pages[0] + "?x"),
        (Outcome.FETCH_FAILED, pages[1]),
        (Outcome.GONE, gone),
    ]


def test_a_thread_without_one_of_its_pages_is_opened_again(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    more = b'<a href="/nota/1/comment-page-2">mas</a>'
    page = site.page("/nota/1", ARTICLE.replace(b"</body>", more + b"</body>"))
    site.page("/nota/1/comment-page-2", "roto", status=500)
    job = make_job(site.page("/feed", feed(entry("n1", "M", "C.", page))), comments=True)

    result = crawl(job)

    assert "/nota/1/comment-page-2" in site.paths
    assert [r.fingerprint for r in result.extracted if r.external_id == "n1"] == [None]


def test_a_crawl_that_was_killed_settles_nothing(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    page = site.page("/nota/1", ARTICLE)
    job = make_job(site.page("/feed", feed(entry("n1", "M", "C.", page))), follow=True)
    assert [bool(r.fingerprint) for r in crawl(job).extracted] == [True]
    (job.out / SUMMARY).unlink()

    killed = read_result(job, code=-9)

    assert [r.fingerprint for r in killed.extracted] == [None]
    assert killed.failure is Failure.SOFT
    assert killed.missed


def test_known_articles_of_a_page_of_links(site: Any, make_job: Job) -> None:
    def note(name: str, day: int) -> str:
        text = ARTICLE.replace(b"https://elvecino.example.pe/noticias/marcha-agua", b"")
        return tagged(site, name, text.replace(b"2025-05-06T", f"2025-05-{day:02}T".encode()))

    for name, day in (("/n/1", 9), ("/n/2", 8), ("/n/3", 20)):
        note(name, day)
    first_page = (
        '<html><body><h2><a href="/n/1">1</a></h2><h2><a href="/n/2">2</a></h2>'
        '<a rel="next" href="/portada?p=2">más</a></body></html>'
    )
    url = tagged(site, "/portada", first_page)
    site.page("/portada?p=2", '<html><body><h2><a href="/n/3">3</a></h2></body></html>')
    job = make_job(url, protocol="pages", links="h2 a", comments=True)
    first = crawl(job)
    assert len(site.paths) == 6

    def asked_again(known: Known, out: str) -> tuple[CrawlResult, list[str]]:
        site.asked.clear()
        return crawl(knowing(job, known, out)), sorted(site.paths)

    marks = {fingerprint(r.url): r.said_at for r in first.extracted if r.fingerprint and r.said_at}
    when_young = Known(validators={v.url: v for v in first.validators}, seen=marks)
    cut_short, all_pages = asked_again(when_young, "second")
    known = when_young.model_copy(update={"complete": True})
    complete, first_page_alone = asked_again(known, "third")
    _, nothing = asked_again(looked(known, cut_short), "fourth")

    # the old ones are old beside the youngest, which was read after them: that was their last look
    assert learnt(first).seen == looked(known, cut_short).seen
    # those that were stored while they were young are asked once more, by tag
    assert all_pages == ["/n/1", "/n/2", "/n/3", "/portada", "/portada?p=2", "/robots.txt"]
    assert (cut_short.unchanged, cut_short.not_modified, cut_short.extracted) == (3, 3, [])
    assert len(cut_short.looked) == 2
    assert first_page_alone == ["/n/1", "/n/2", "/portada", "/robots.txt"]
    assert complete.finished
    assert nothing == ["/portada", "/robots.txt"]


def test_an_old_page_that_has_not_changed_is_asked_one_last_time(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    old, young = (tagged(site, f"/nota/{n}", ARTICLE) for n in (1, 2))
    one = entry("n1", "Vieja", "Corto.", old, said_before(9))
    job = make_job(site.page("/feed", feed(one)), follow=True, comments=True)
    known = learnt(crawl(job))
    site.page("/feed", feed(one, entry("n2", "Nueva", "Corto.", young, said_before(0))))
    site.asked.clear()

    second = crawl(knowing(job, known))
    asked = list(site.paths)
    site.asked.clear()
    crawl(knowing(job, looked(known, second), "third"))

    assert second.looked == (next(iter(known.seen)),)
    assert "/nota/1" in asked
    assert sorted(site.paths) == ["/feed", "/nota/2", "/robots.txt"]


def test_a_feed_that_counts_its_comments_opens_only_pages_with_new_ones(
    site: Any, make_job: Job, feed: Feed, entry: Feed
) -> None:
    pages = [site.page(f"/nota/{n}", ARTICLE) for n in (1, 2)]

    def counting(*counts: int) -> str:
        items = [
            entry(f"n{n}", "Nota", "Corto.", page, said_before(0)).replace(
                "</item>", f"<slash:comments>{count}</slash:comments></item>"
            )
            for n, (page, count) in enumerate(zip(pages, counts, strict=True))
        ]
        module = 'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
        return feed(*items).replace("<rss ", f"<rss {module} ")

    job = make_job(site.page("/feed", counting(2, 2)), comments=True)
    first = crawl(job)
    site.asked.clear()
    site.page("/feed", counting(2, 3))

    second = crawl(knowing(job, learnt(first)))

    assert sorted(site.paths) == ["/feed", "/nota/2", "/robots.txt"]
    assert second.unchanged == 1


def test_an_old_page_of_a_sitemap_that_has_not_changed_is_asked_one_last_time(
    site: Any, make_job: Job
) -> None:
    def listed(*names: str) -> str:
        places = "".join(f"<url><loc>{site.url}{name}</loc></url>" for name in names)
        space = "http://www.sitemaps.org/schemas/sitemap/0.9"
        return f'<?xml version="1.0"?><urlset xmlns="{space}">{places}</urlset>'

    for name, day in (("/n/1", 9), ("/n/2", 20)):
        text = ARTICLE.replace(b"https://elvecino.example.pe/noticias/marcha-agua", b"")
        tagged(site, name, text.replace(b"2025-05-06T", f"2025-05-{day:02}T".encode()))

    def maps(*names: str) -> str:
        found: str = site.page("/mapa.xml", listed(*names), content_type="application/xml")
        return found

    job = make_job(maps("/n/1"), protocol="sitemap", comments=True)
    first = learnt(crawl(job), complete=True)
    maps("/n/1", "/n/2")
    site.asked.clear()

    second = crawl(knowing(job, first))
    asked = sorted(site.paths)
    site.asked.clear()
    known = first.model_copy(update={"seen": {**first.seen, **learnt(second).seen}})
    known = looked(known, second)
    third = crawl(knowing(job, known, "third"))
    once_more = sorted(site.paths)

    # whichever of the two was answered first
    assert asked == ["/mapa.xml", "/n/1", "/n/2", "/robots.txt"]
    assert (second.looked, third.looked) == ((fingerprint(f"{site.url}/n/1", None),), ())
    assert once_more == ["/mapa.xml", "/n/2", "/robots.txt"]


@pytest.mark.parametrize("first_read", ["/n/1", "/n/2"])
def test_what_is_old_does_not_hang_on_the_order_of_answers(
    site: Any, make_job: Job, first_read: str
) -> None:
    for name, day in (("/n/1", 9), ("/n/2", 20)):
        text = ARTICLE.replace(b"https://elvecino.example.pe/noticias/marcha-agua", b"")
        site.page(name, text.replace(b"2025-05-06T", f"2025-05-{day:02}T".encode()))
    places = sorted(("/n/1", "/n/2"), key=lambda name: name != first_read)
    listed = "".join(f"<url><loc>{site.url}{name}</loc></url>" for name in places)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    body = f'<?xml version="1.0"?><urlset xmlns="{space}">{listed}</urlset>'
    job = make_job(
        site.page("/mapa.xml", body, content_type="application/xml"),
        protocol="sitemap",
        comments=True,
    )

    result = crawl(job)

    assert [path for path in site.paths if path.startswith("/n/")] == places
    old, young = (fingerprint(f"{site.url}/n/{number}", None) for number in (1, 2))
    marks = {r.url: r.fingerprint for r in result.extracted if r.thread_external_id is None}
    assert marks == {f"{site.url}/n/1": last_look(old), f"{site.url}/n/2": young}
