"""What an archive answers where one address has many answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from scrapy import Request

from crawlers.archive import Archive, Response, digest
from crawlers.crawl import prepare
from crawlers.index import archived_crawls, write_answers
from crawlers.job import CrawlJob
from crawlers.recorder import Recorder
from crawlers.replaying import NotArchived, Replayer

URL = "https://participa.example/api"
BEGAN = datetime(2026, 5, 1, 12, tzinfo=UTC)


def archived(job: CrawlJob, crawl: str, minutes: int, said: bytes, sent: bytes) -> None:
    moment = BEGAN + timedelta(minutes=minutes)
    archive = Archive(job.archive, job.municipality, job.source.name, crawl)
    archive.add(Response(URL, 200, [], said, moment, sent=digest(sent)))


def replayer(job: CrawlJob, number: int) -> Replayer:
    """Return what replays one crawl of an archive."""
    crawls = archived_crawls(job.archive, job.municipality, job.source.name)
    job = job.model_copy(update={"replay": job.out / "answers.jsonl"})
    prepare(job)
    write_answers(crawls, number, job.out / "answers.jsonl")
    return Replayer(Recorder(job))


def asked(of: Replayer, sent: bytes) -> bytes:
    answer = of.process_request(Request(URL, method="POST" if sent else "GET", body=sent))
    assert answer is not None
    body: bytes = answer.body
    return body


def test_an_address_that_is_sent_different_things_answers_each(
    make_job: Callable[..., CrawlJob],
) -> None:
    job = make_job(URL)
    for minute, name in enumerate((b"uno", b"dos", b"uno")):
        archived(job, "first", minute, b"%s-%d" % (name, minute), name)

    found = replayer(job, 0)

    assert [asked(found, sent) for sent in (b"dos", b"uno", b"uno")] == [
        b"dos-1",
        b"uno-0",
        b"uno-2",
    ]
    with pytest.raises(NotArchived):
        asked(found, b"tres")


def test_what_a_crawl_did_not_ask_is_answered_as_before(make_job: Callable[..., CrawlJob]) -> None:
    job = make_job(URL)
    archived(job, "first", 0, b"uno-0", b"uno")
    archived(job, "first", 1, b"dos-1", b"dos")
    archived(job, "second", 60, b"uno-60", b"uno")

    found = replayer(job, 1)

    assert [asked(found, sent) for sent in (b"dos", b"uno")] == [b"dos-1", b"uno-60"]


def test_an_archive_from_before_digests_answers_in_order(make_job: Callable[..., CrawlJob]) -> None:
    job = make_job(URL)
    archived(job, "first", 0, b"uno", b"")
    archived(job, "first", 1, b"dos", b"")

    found = replayer(job, 0)

    assert [asked(found, b"x"), asked(found, b"y")] == [b"uno", b"dos"]
