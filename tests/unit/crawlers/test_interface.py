"""How the spider of interfaces keeps its counts where answers overtake each other."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from scrapy.http import Request, TextResponse

from crawlers.crawl import prepare, read_result
from crawlers.job import CrawlJob
from crawlers.known import Known
from crawlers.recorder import Recorder
from crawlers.spiders.interface import InterfaceSpider
from models.records import Opener

SITE = "https://diario.example"
SAID = datetime(2026, 5, 1, 12, tzinfo=UTC)


def sitemap(root: str, entry: str, *paths: str) -> bytes:
    places = "".join(f"<{entry}><loc>{SITE}{path}</loc></{entry}>" for path in paths)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0"?><{root} xmlns="{space}">{places}</{root}>'.encode()


def answered(spider: InterfaceSpider, request: Request, body: bytes) -> Iterator[Request]:
    """Give a spider the answer to one of its requests; what it asks for then comes one by one."""
    headers = {"Content-Type": "application/xml"}
    response = TextResponse(request.url, headers=headers, body=body, request=request)
    response.meta.update(capture_id="c", fetched_at=SAID)
    asked: Iterator[Request] = request.callback(response, **request.cb_kwargs)  # type: ignore[misc]
    return asked


def test_a_part_of_a_list_that_is_read_early_is_not_taken_for_the_whole(
    make_job: Callable[..., CrawlJob], tmp_path: Any
) -> None:
    known = Known(openers=(Opener(f"{SITE}/n/2", f"{SITE}/n/2", SAID),))
    known.save(tmp_path / "known")
    job = make_job(f"{SITE}/mapa.xml", protocol="sitemap", comments=True)
    job = job.model_copy(update={"known": tmp_path / "known"})
    prepare(job)
    spider = InterfaceSpider(recorder := Recorder(job))
    (start,) = spider._requests((spider._adapter.start(),), is_start=True)

    index = answered(spider, start, sitemap("sitemapindex", "sitemap", "/uno.xml", "/dos.xml"))
    one = next(index)
    early = list(answered(spider, one, sitemap("urlset", "url", "/n/1")))
    (two,) = index
    late = list(answered(spider, two, sitemap("urlset", "url", "/n/2")))

    assert [request.url for request in early] == [f"{SITE}/n/1"]
    assert [request.url for request in late] == [f"{SITE}/n/2"]
    recorder.finish({})
    assert read_result(job).rejections == []
