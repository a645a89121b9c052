"""A document that keeps a parser busy is given up, and the others are read."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from crawlers.crawl import crawl
from crawlers.forked import Forks
from crawlers.job import CrawlJob
from crawlers.patience import patience
from models.records import Failure, Outcome

QUADRATIC = b"<html><body><table>" + b"<tr><td>a<td>b" * 150_000
"""Two megabytes that trafilatura needs minutes for."""

IMPATIENT = """
from crawlers import patience
patience.patience.__wrapped__.__defaults__ = (1.0,)
"""


STUBBORN = """
from crawlers.patience import TookTooLongError, patience

def stubborn():
    while True:
        try:
            sum(range(10_000))
        except Exception:  # as parsers do
            continue

try:
    with patience(0.1):
        stubborn()
except TookTooLongError as given_up:
    print(given_up)
"""


def test_what_takes_too_long_is_given_up_though_it_catches_everything() -> None:
    """In a process of its own, as a crawl is: the timer counts and may wake any other thread."""
    done = subprocess.run(
        [sys.executable, "-c", STUBBORN], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "reading it took more than 0.1 seconds"


def test_what_is_quick_is_let_be() -> None:
    with patience(30):
        said = sum(range(10))

    assert said == 45


def test_a_page_that_takes_too_long_is_counted_and_the_others_are_read(
    site: Any,
    make_job: Callable[..., CrawlJob],
    feed: Callable[..., str],
    entry: Callable[..., str],
    served_by: Callable[[str], Forks],
) -> None:
    served_by(IMPATIENT)
    slow = site.page("/lenta", QUADRATIC)
    good = site.page("/buena", "<html><body><article><p>Falta agua.</p></article></body></html>")
    entries = (entry("n1", "T", "Uno.", slow), entry("n2", "T", "Dos.", good))

    result = crawl(make_job(site.page("/feed", feed(*entries)), follow=True))

    assert result.finished
    assert sorted(record.external_id for record in result.extracted) == ["n1", "n2"]
    failed = [r for r in result.rejections if r.outcome is Outcome.UNREADABLE]
    assert [(r.where, r.detail) for r in failed] == [(slow, "reading it took more than 1 seconds")]


def test_a_source_whose_own_page_takes_too_long_has_failed(
    site: Any, make_job: Callable[..., CrawlJob], served_by: Callable[[str], Forks]
) -> None:
    served_by(IMPATIENT)
    attributes = " ".join(f'a{number}="1"' for number in range(60_000))
    body = f'<rss version="2.0"><channel><item {attributes}></item></channel></rss>'
    url = site.page("/feed", body)

    result = crawl(make_job(url))

    assert result.failure is Failure.HARD
    assert result.reason == f"{url}: reading it took more than 1 seconds"
