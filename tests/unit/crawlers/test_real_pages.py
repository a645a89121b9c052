"""Real saved pages, served on loopback as a site with a feed, against their gold.

The pages are not part of the project. The test runs where ``MANIFIESTA_DATA`` names a folder
with ``pages/*.html``, ``pages/expected.json`` (title, author, date, segments that must and must
not be in the body) and ``pages/es__*.json`` (title, authors, date, paragraphs). Ours must be at
least trafilatura's own result on the same pages, for every field, and at least what it once was:
``extraction_floors.json`` pins that together with the checksum of the pages.

``pytest tests/unit/crawlers/test_real_pages.py --pin-floors`` pins a better result;
``--lower-floors`` beside it lets a floor sink, or takes other pages.
"""

import json
import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import pytest

from crawlers.crawl import crawl
from crawlers.job import CrawlJob
from models.records import Extracted
from tests.unit.crawlers.floors import Floors, checksum

DATA = os.environ.get("MANIFIESTA_DATA", "")
PAGES = Path(DATA) / "pages"

pytestmark = pytest.mark.skipif(
    not (DATA and (PAGES / "expected.json").is_file()),
    reason="real pages are not part of the project: set MANIFIESTA_DATA to a folder that has them",
)

ZONES = {
    "ARG": "America/Argentina/Buenos_Aires",
    "BOL": "America/La_Paz",
    "CHL": "America/Santiago",
    "COL": "America/Bogota",
    "PRY": "America/Asuncion",
    "URY": "America/Montevideo",
    "VEN": "America/Caracas",
}
FIELDS = ("wanted segments", "unwanted segments", "title", "date", "author")


@dataclass(frozen=True)
class Gold:
    """What people or a publisher's own parser say about a page; what is empty is not compared."""

    file: str
    path: str
    wanted: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    title: str = ""
    date: str = ""
    authors: frozenset[str] = frozenset()
    zone: str = "Europe/Madrid"


@dataclass(frozen=True)
class Reading:
    """A page as somebody read it; title and text together are what a record says."""

    title: str = ""
    text: str = ""
    date: str = ""
    authors: frozenset[str] = frozenset()


def norm(text: str | None) -> str:
    return " ".join(unicodedata.normalize("NFC", text or "").split())


def names(text: str | None) -> frozenset[str]:
    """Return authors as a set, without the points that some drop from initials."""
    parts = re.split(r"[;,/]| y ", (text or "").replace(".", "").casefold())
    return frozenset(norm(part) for part in parts if part.strip())


def golds() -> list[Gold]:
    return [*_annotated(), *_parsed()]


def _annotated() -> Iterator[Gold]:
    told = json.loads((PAGES / "expected.json").read_text(encoding="utf-8"))
    for number, (url, gold) in enumerate(told.items()):
        path = urlsplit(url).path if url.startswith("http") else "/" + gold["file"]
        yield Gold(
            file=gold["file"],
            path=f"/a{number}{quote(path)}",
            wanted=gold["with"],
            unwanted=gold["without"],
            title=gold.get("title", ""),
            date=gold.get("date", ""),
            authors=names(gold.get("author")),
            zone=ZONES.get(gold.get("region", ""), "Europe/Madrid"),
        )


def _parsed() -> Iterator[Gold]:
    about = json.loads((PAGES / "es__meta.info").read_text(encoding="utf-8"))
    for number, (name, meta) in enumerate(about.items()):
        file = f"es__{name.removesuffix('.gz')}"
        page = (PAGES / file).read_text(encoding="utf-8", errors="replace")
        publisher = name.partition("_")[0]
        versions = json.loads((PAGES / f"es__{publisher}.json").read_text(encoding="utf-8"))
        gold = max(versions.values(), key=lambda version: _shared(version, page))
        yield Gold(
            file=file,
            path=f"/b{number}{quote(urlsplit(meta['url']).path)}",
            wanted=_paragraphs(gold),
            title=gold["title"],
            date=gold["publishing_date"][:10],
            authors=frozenset().union(*(names(author) for author in gold["authors"])),
        )


def _paragraphs(version: dict[str, Any]) -> list[str]:
    return [text for part in version["body"]["sections"] for text in part["paragraphs"]]


def _shared(version: dict[str, Any], page: str) -> int:
    return sum(text[:30] in page for text in _paragraphs(version))


def by_trafilatura(gold: Gold, url: str) -> Reading:
    from trafilatura import bare_extraction

    body = (PAGES / gold.file).read_bytes()
    found = bare_extraction(body, url=url + gold.path, with_metadata=True)
    if found is None or isinstance(found, dict):
        return Reading()
    return Reading(
        title=norm(found.title),
        text=norm(found.text),
        date=found.date or "",
        authors=names(found.author),
    )


def by_us(gold: Gold, record: Extracted | None) -> Reading:
    if record is None:
        return Reading()
    assert isinstance(record.said_at, datetime)
    return Reading(
        title=norm(record.title),
        text=norm(record.text),
        date=record.said_at.astimezone(ZoneInfo(gold.zone)).date().isoformat(),
        authors=names(record.author),
    )


def score(gold: Gold, reading: Reading) -> Counter[str]:
    """Count what is right, per field, where the gold has it."""
    said = f"{reading.title} {reading.text}"
    right: Counter[str] = Counter()
    right["wanted segments"] = sum(norm(segment) in said for segment in gold.wanted)
    right["unwanted segments"] = sum(norm(segment) not in said for segment in gold.unwanted)
    right["title"] = bool(gold.title) and reading.title == norm(gold.title)
    right["date"] = bool(gold.date) and reading.date == gold.date
    right["author"] = bool(gold.authors) and reading.authors == gold.authors
    return right


def possible(gold: Gold) -> Counter[str]:
    counts = (len(gold.wanted), len(gold.unwanted), bool(gold.title), bool(gold.date))
    return Counter(dict(zip(FIELDS, (*counts, bool(gold.authors)), strict=True)))


@dataclass(frozen=True)
class Scores:
    """How many are right, per field."""

    ours: Counter[str]
    theirs: Counter[str]
    total: Counter[str]
    records: int

    def lines(self) -> str:
        rows = (
            f"  {name}: {self.ours[name]} of {self.total[name]};"
            f" trafilatura alone {self.theirs[name]}"
            for name in FIELDS
        )
        return "\n".join((f"\n{self.records} records of real pages", *rows, ""))


def crawled(
    told: list[Gold],
    site: Any,
    make_job: Callable[..., CrawlJob],
    feed: Callable[..., str],
    entry: Callable[..., str],
) -> dict[str, Extracted]:
    """Serve the pages behind a feed and return the record of each."""
    for gold in told:
        site.page(gold.path, (PAGES / gold.file).read_bytes(), content_type="text/html")
    # the feed dates only the pages whose own date is not compared
    entries = (
        entry(gold.file, link=site.url + gold.path, **({"date": ""} if gold.date else {}))
        for gold in told
    )
    url = site.page("/feed", feed(*entries), content_type="application/rss+xml")

    result = crawl(make_job(url, follow=True, limits={"max_seconds": 900, "timeout": 60}))

    assert (result.finished, result.reason) == (True, "")
    records = {record.external_id: record for record in result.extracted}
    assert len(records) + len(result.rejections) == len(told)
    return records


def compared(told: list[Gold], records: dict[str, Extracted], url: str) -> Scores:
    ours, theirs, total = Counter[str](), Counter[str](), Counter[str]()
    for gold in told:
        ours += score(gold, by_us(gold, records.get(gold.file)))
        theirs += score(gold, by_trafilatura(gold, url))
        total += possible(gold)
    return Scores(ours, theirs, total, len(records))


def test_ours_is_at_least_trafilaturas_own_and_what_it_once_was(
    site: Any,
    make_job: Callable[..., CrawlJob],
    feed: Callable[..., str],
    entry: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    told, corpus = golds(), checksum(PAGES)

    scores = compared(told, crawled(told, site, make_job, feed, entry), site.url)

    with capsys.disabled():
        sys.stdout.write(scores.lines())
    if request.config.getoption("--pin-floors"):
        may_lower = request.config.getoption("--lower-floors")
        right = {name: scores.ours[name] for name in FIELDS}
        Floors.read().raised(corpus, right, may_lower=may_lower).write()
    floors = Floors.read()
    assert corpus == floors.corpus, "the pages are not those of the floors: see this file's head"
    assert floors.missed(scores.ours) == ""
    assert all(scores.ours[name] >= scores.theirs[name] for name in FIELDS)
