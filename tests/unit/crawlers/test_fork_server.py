"""Crawls are forked from one process; whoever dies takes no other along and leaves no orphan."""

import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from crawlers import crawl as crawl_module
from crawlers.crawl import crawl
from crawlers.forked import Forked, Forks
from crawlers.job import CrawlJob, CrawlResult
from models.records import Failure, Outcome

Job = Callable[..., CrawlJob]
Feed = Callable[..., str]
Serve = Callable[[str], Forks]

PATIENT = {"timeout": 60, "max_seconds": 600}

READING = """
import sys
from pathlib import Path
from crawlers.crawl import crawl
from crawlers.forked import FORKS
from crawlers.job import CrawlJob
from threading import Timer
Timer(0, lambda: crawl(CrawlJob.model_validate_json(Path(sys.argv[1]).read_bytes()))).start()
for line in sys.stdin:
    print(FORKS.pid, flush=True)
"""


def gone(pid: int) -> None:
    """Wait until a process is gone; one that nobody has asked for yet counts as gone."""
    descriptor = os.pidfd_open(pid) if Path(f"/proc/{pid}").exists() else None
    if descriptor is not None:
        with os.fdopen(descriptor) as file:
            assert select.select([file], [], [], 30)[0], f"{pid} still runs"


class Hanging:
    """A page that is asked for and never answers, and the crawl that asks."""

    def __init__(self, site: Any) -> None:
        self.asked = threading.Event()
        self.over = site.over
        site.pages["/feed"] = self.hang
        self.url = site.url + "/feed"

    def hang(self, _: BaseHTTPRequestHandler) -> None:
        self.asked.set()
        self.over.wait()


@pytest.fixture
def hanging(site: Any) -> Hanging:
    return Hanging(site)


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forks]:
    """A server for one test alone."""
    own = Forks()
    monkeypatch.setattr(crawl_module, "FORKS", own)
    yield own
    own.close()


@pytest.fixture
def started(forks: Forks, monkeypatch: pytest.MonkeyPatch) -> list[Forked]:
    """The crawls that were started."""
    start, found = forks.start, list[Forked]()

    def remember(*args: Any) -> Forked:
        found.append(start(*args))
        return found[-1]

    monkeypatch.setattr(forks, "start", remember)
    return found


def during(hanging: Hanging, job: CrawlJob, act: Callable[[], None]) -> CrawlResult:
    """Do something while a crawl waits for its page."""
    results: list[CrawlResult] = []
    reading = threading.Thread(target=lambda: results.append(crawl(job)))
    reading.start()
    assert hanging.asked.wait(60)
    act()
    reading.join(60)
    return results[0]


def test_a_crawl_is_a_process_of_its_own_group_without_secrets(
    hanging: Hanging, make_job: Job, started: list[Forked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANIFIESTA_PSEUDONYM_KEY", "llave-de-la-casa")
    monkeypatch.setenv("CLAVE_DE_OTRA_FUENTE", "llave-ajena")
    seen: dict[str, Any] = {}

    def look() -> None:
        pid = started[0].pid
        seen["group"] = os.getpgid(pid) == pid
        seen["environment"] = Path(f"/proc/{pid}/environ").read_bytes()
        os.kill(pid, signal.SIGKILL)

    result = during(hanging, make_job(hanging.url, limits=PATIENT), look)

    assert seen["group"]
    assert b"PATH=" in seen["environment"]
    assert b"llave" not in seen["environment"]
    assert result.reason.startswith(f"the crawl of {hanging.url} broke off (signal SIGKILL)")
    assert result.failure is Failure.TEMPORARY


def test_one_server_starts_many_crawls(
    site: Any, make_job: Job, feed: Feed, entry: Feed, forks: Forks
) -> None:
    url = site.page("/feed", feed(entry("n1", "T", "Falta agua.")))

    found = [crawl(make_job(url, "one")), crawl(make_job(url, "two"))]
    server = forks.pid

    assert [len(result.extracted) for result in found] == [1, 1]
    assert server is not None
    assert crawl(make_job(url, "three")).finished
    assert forks.pid == server


def test_a_crawl_dies_with_its_server_and_the_next_starts_another(
    hanging: Hanging, site: Any, make_job: Job, feed: Feed, forks: Forks, started: list[Forked]
) -> None:
    def kill() -> None:
        assert forks.pid is not None
        os.kill(forks.pid, signal.SIGKILL)

    result = during(hanging, make_job(hanging.url, limits=PATIENT), kill)

    assert (result.finished, result.reason) == (False, "the process that starts crawls is gone")
    assert result.failure is Failure.OWN
    gone(started[0].pid)
    assert crawl(make_job(site.page("/otro", feed()), "next")).finished


def test_server_and_crawl_die_with_their_owner(
    hanging: Hanging, make_job: Job, tmp_path: Path
) -> None:
    file = tmp_path / "order.json"
    file.write_text(make_job(hanging.url, limits=PATIENT).model_dump_json(exclude_unset=True))
    owner = subprocess.Popen(
        [sys.executable, "-c", READING, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    assert hanging.asked.wait(60)
    owner.stdin.write(b"\n")
    owner.stdin.flush()
    server = int(owner.stdout.readline())
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()

    with owner:
        owner.kill()

    assert len(children) == 1
    gone(server)
    gone(int(children[0]))


def test_an_idle_server_ends_and_the_next_crawl_starts_another(
    site: Any, make_job: Job, feed: Feed, served_by: Serve
) -> None:
    forks = served_by(
        "from crawlers.fork_server import ForkServer as F\nF.serve.__defaults__ = (0.001,)"
    )
    url = site.page("/feed", feed())
    assert crawl(make_job(url)).finished
    first = forks.pid
    assert first is not None
    gone(first)

    assert crawl(make_job(url)).finished
    assert forks.pid != first


def test_a_server_that_cannot_start_says_why(make_job: Job, served_by: Serve) -> None:
    served_by("raise SystemExit('falta Scrapy')")

    result = crawl(make_job("http://127.0.0.1:1/feed"))

    assert result.reason == "no crawl can be started: falta Scrapy"
    assert (result.finished, result.failure) == (False, Failure.OWN)


def test_a_crawl_that_we_broke_is_our_failure_and_quotes_nobody(
    make_job: Job, served_by: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    served_by(
        "from crawlers import child\n"
        "def broken(*_): raise KeyError('Rosa Quispe, DNI 45678912')\n"
        "child._run = broken"
    )
    url = "http://127.0.0.1:1/feed"

    with caplog.at_level(logging.ERROR):
        result = crawl(make_job(url))

    assert result.failure is Failure.OWN
    assert result.reason.startswith(f"Manifiesta itself broke while it read {url}")
    assert "KeyError" in result.reason
    assert "child.py" in caplog.text
    assert "Rosa" not in result.reason + caplog.text


def test_a_reader_that_we_broke_is_our_failure(
    site: Any, make_job: Job, feed: Feed, served_by: Serve
) -> None:
    served_by(
        "from crawlers.spiders import feed\n"
        "def broken(*_): return {}['Rosa Quispe']\n"
        "feed.read_feed = broken"
    )
    url = site.page("/feed", feed())

    result = crawl(make_job(url))

    assert result.failure is Failure.OWN
    assert result.reason.startswith(f"{url}: Manifiesta failed to read it (KeyError at ")
    assert [rejection.outcome for rejection in result.rejections] == [Outcome.FAULT]
    assert "Rosa" not in result.reason


def test_too_much_memory_is_the_source_s_fault(make_job: Job, served_by: Serve) -> None:
    served_by(
        "from crawlers import child\ndef greedy(*_): return bytearray(4 << 30)\nchild._run = greedy"
    )
    url = "http://127.0.0.1:1/feed"

    result = crawl(make_job(url))

    assert result.reason == f"the crawl of {url} needed too much memory"
    assert result.failure is Failure.TEMPORARY


def test_no_server_is_left_when_it_is_closed(site: Any, make_job: Job, feed: Feed) -> None:
    forks = Forks()
    job = make_job(site.page("/feed", feed()))
    crawl_module.prepare(job)
    with (job.out / "log").open("wb") as log, forks.start(job.out / "job.json", log, "") as child:
        assert child.wait(60) == 0
    server = forks.pid
    assert server is not None
    forks.close()

    assert not Path(f"/proc/{server}").exists()
    assert json.loads((job.out / "summary.json").read_text())["finished"]
