"""Every way in which a source of the town misbehaves, met by the real collector."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from configs.load import load_municipality
from configs.schema import Limits, absolute_url
from crawlers.crawl import crawl
from crawlers.job import CrawlJob, CrawlResult
from crawlers.known import Known
from crawlers.sandbox.chaos import MODES, PRIVATE_ADDRESSES
from crawlers.sandbox.chaos_feeds import LETTERS, WELL
from crawlers.sandbox.server import serve_town
from crawlers.sandbox.town import Town, build_town
from crawlers.wire import SUMMARY
from models.records import Failure, Outcome

WALL, PAGE, INTERFACE = "muro-huaycan", "portal-este", "reddit-ate"
LIMITS: dict[str, Any] = {"delay": 0, "timeout": 10, "max_seconds": 900, "max_bytes": 5_000_000}
LIMA = ZoneInfo("America/Lima")
MOST_MEMORY = 256 * 1024 * 1024
"""Bytes; a crawl of a town that behaves has about a hundred million."""


@dataclass(frozen=True)
class Met:
    """What the collector made of a source."""

    result: CrawlResult
    job: CrawlJob

    @property
    def outcomes(self) -> list[Outcome]:
        return [rejection.outcome for rejection in self.result.rejections]

    @property
    def texts(self) -> list[str]:
        return [record.text for record in self.result.extracted]


@pytest.fixture(scope="module")
def town() -> Town:
    return build_town(2021)


@pytest.fixture
def meet(town: Town, make_job: Callable[..., CrawlJob]) -> Callable[..., Met]:
    """Return a function that reads a source of the town that misbehaves in some way."""

    def read(mode: str, name: str = WALL, known: Path | None = None, **limits: Any) -> Met:
        with serve_town(0, town=town, chaos={name: mode}) as url:
            place = load_municipality("sandbox").with_base_url(url)
            source = place.source(name)
            assert source is not None
            source = source.model_copy(update={"limits": Limits(**LIMITS | limits)})
            job = make_job(absolute_url(place, source))
            job = job.model_copy(update={"source": source, "known": known})
            met = Met(crawl(job), job)
        assert peak_memory(job) < MOST_MEMORY
        return met

    return read


def peak_memory(job: CrawlJob) -> int:
    peak: int = json.loads((job.out / SUMMARY).read_text())["peak_memory"]
    assert peak > 10_000_000
    return peak


UNREAD: dict[str, tuple[Failure, str]] = {
    "hang": (Failure.TEMPORARY, "did not answer within 0.3 seconds"),
    "drip": (Failure.TEMPORARY, "did not answer within 0.3 seconds"),
    "endless": (Failure.HARD, "is larger than the limit of 5,000,000 bytes"),
    "error500": (Failure.TEMPORARY, "answered 500"),
    "redirect_loop": (Failure.HARD, "redirects without end"),
    "redirect_private": (Failure.HARD, "may not be read"),
    "gzip_bomb": (Failure.HARD, "is larger than the limit of 5,000,000 bytes once unpacked"),
    "deflate_bomb": (Failure.HARD, "is larger than the limit of 5,000,000 bytes once unpacked"),
    "br_bomb": (Failure.HARD, "is larger than the limit of 5,000,000 bytes once unpacked"),
    "zstd_bomb": (Failure.HARD, "is larger than the limit of 5,000,000 bytes once unpacked"),
    "deep_nesting": (Failure.HARD, "is nested too deeply"),
    "html_feed": (Failure.HARD, "is an HTML page, not a feed"),
    "captcha": (Failure.HARD, "asks to solve a captcha"),
    "login_wall": (Failure.HARD, "asks to log in"),
    "long_text": (Failure.HARD, "is larger than the limit of 5,000,000 bytes"),
}
"""Ways of which nothing can be stored: the kind of failure, and the words for it."""

READ = {
    "bad_encoding",
    "calendar_trap",
    "long_titles",
    "entities",
    "strange_letters",
    "strange_dates",
    "repeated_ids",
    "reused_guids",
    "many_items",
}
"""Ways that leave something to store; each has its own test."""


def test_no_way_to_misbehave_is_left_out() -> None:
    assert set(UNREAD) | READ == set(MODES)
    assert not set(UNREAD) & READ


@pytest.mark.parametrize("mode", UNREAD)
def test_a_source_that_cannot_be_read_is_named_as_what_it_is(
    meet: Callable[..., Met], mode: str
) -> None:
    met = meet(mode, **({"timeout": 0.3} if mode in {"hang", "drip"} else {}))

    kind, words = UNREAD[mode]
    assert not met.result.finished
    assert met.result.failure is kind
    assert words in met.result.reason
    assert met.result.reason.startswith("http://")
    assert met.result.extracted == []
    assert len(met.result.rejections) == 1


@pytest.mark.parametrize(
    ("mode", "name", "words"),
    [
        ("deep_nesting", PAGE, "has no link to a page of its own host"),
        ("deep_nesting", INTERFACE, "is nested too deeply"),
        ("html_feed", PAGE, "is a feed, not a page; use protocol: feed"),
        ("html_feed", INTERFACE, "is a page, not JSON"),
    ],
)
def test_pages_and_interfaces_are_named_too(
    meet: Callable[..., Met], mode: str, name: str, words: str
) -> None:
    met = meet(mode, name)

    assert met.result.failure is Failure.HARD
    assert words in met.result.reason
    assert met.result.extracted == []


def test_no_redirect_leads_into_the_network(
    site: Any,
    make_job: Callable[..., CrawlJob],
    feed: Callable[..., str],
    entry: Callable[..., str],
) -> None:
    """Not even from a source that may itself be at a private address."""
    links = [site.redirect(f"/{n}", target) for n, target in enumerate(PRIVATE_ADDRESSES)]
    entries = [entry(link, "Aviso", "Uno.", link) for link in links]

    result = crawl(make_job(site.page("/feed", feed(*entries)), follow=True))

    assert [record.text for record in result.extracted] == ["Uno."] * len(links)
    said = {rejection.where: rejection for rejection in result.rejections}
    assert {rejection.outcome for rejection in said.values()} == {Outcome.NOT_ALLOWED}
    for link, target in zip(links, PRIVATE_ADDRESSES, strict=True):
        if target.startswith("file:"):
            assert said[link].detail == f"{link} redirects to what is no http or https address"
        else:
            address, _, why = said[link].detail.partition(" may not be read: ")
            assert address == target
            assert why.partition(" is a ")[2] in {
                "loopback address",
                "private address",
                "link-local address",
            }


def test_a_wrong_encoding_is_mended(meet: Callable[..., Met]) -> None:
    met = meet("bad_encoding")

    assert met.result.finished
    assert any("ñ" in text for text in met.texts)
    assert not any(sign in text for text in met.texts for sign in ("\0", "\ufffd", "Ã"))


def test_a_calendar_without_end_ends_at_the_limit_of_requests(meet: Callable[..., Met]) -> None:
    met = meet("calendar_trap", PAGE, max_requests=45)

    assert met.result.failure is Failure.SOFT
    assert met.result.reason == "it reached its limit of 45 requests"


def test_titles_without_end_are_counted_and_the_rest_is_kept(meet: Callable[..., Met]) -> None:
    met = meet("long_titles")

    assert met.texts == [WELL]
    assert met.outcomes == [Outcome.TOO_LONG] * 2
    assert met.result.rejections[0].detail.endswith("and its title 1,048,576")


def test_entities_are_not_expanded_and_no_file_is_read(meet: Callable[..., Met]) -> None:
    met = meet("entities")

    assert WELL in met.texts
    assert not any("root:" in text or len(text) > 1_000 for text in met.texts)
    assert "its XML is broken" in met.result.rejections[0].detail


def test_strange_letters_are_cleaned_or_kept(meet: Callable[..., Met]) -> None:
    met = meet("strange_letters")

    assert met.texts == [WELL, "Falta agua en Vitarte", LETTERS]


def test_dates_that_cannot_be_are_not_believed(meet: Callable[..., Met]) -> None:
    met = meet("strange_dates")

    kept = [record.external_id for record in met.result.extracted]
    assert kept == ["caos-bien", "caos-2", "caos-3"]
    assert met.outcomes == [Outcome.BAD_DATE] * 4 + [Outcome.NO_DATE]
    assert met.result.rejections[0].detail == "1900-01-01T00:00:00+00:00 is not believable"
    _, without_zone, yesterday = (record.said_at for record in met.result.extracted)
    assert without_zone == datetime(2021, 9, 15, 15, tzinfo=UTC)
    assert yesterday is not None
    read_on = met.result.extracted[2].fetched_at.astimezone(LIMA).date()
    assert yesterday.astimezone(LIMA).date() == read_on - timedelta(days=1)


def test_an_id_counts_once(meet: Callable[..., Met]) -> None:
    met = meet("repeated_ids")

    assert met.texts == [WELL, "El vecino número 0 pide agua."]
    assert met.outcomes == [Outcome.DUPLICATE] * 2


def test_a_feed_that_uses_its_ids_again_says_something_new(
    meet: Callable[..., Met], tmp_path: Path
) -> None:
    first = meet("reused_guids")
    seen = {r.fingerprint: r.said_at for r in first.result.extracted if r.fingerprint and r.said_at}
    Known(seen=seen, complete=True).save(tmp_path / "known")
    second = meet("reused_guids", known=tmp_path / "known")

    ids = [{record.external_id for record in met.result.extracted} for met in (first, second)]
    assert ids[0] == ids[1]
    assert first.texts[0] == second.texts[0] == WELL
    assert not set(first.texts[1:]) & set(second.texts[1:])


def test_items_without_end_stop_at_the_limit_of_records(meet: Callable[..., Met]) -> None:
    met = meet("many_items", max_records=1_000)

    assert met.result.failure is Failure.SOFT
    assert met.result.reason == "it gave more than its limit of 1,000 records"
    assert met.texts == [WELL]
    assert met.outcomes == [Outcome.NO_IDENTITY] * 999


def test_a_crawl_keeps_no_more_bytes_than_its_limit(meet: Callable[..., Met]) -> None:
    met = meet("reused_guids", PAGE, max_total_bytes=1_000)

    assert urlsplit(met.job.url).path == "/portal-este/noticias/"
    assert met.result.reason == "it gave more than its limit of 1,000 bytes"
    assert met.result.failure is Failure.SOFT
