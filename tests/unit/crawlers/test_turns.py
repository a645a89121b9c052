"""Two sources on one host are read one after the other, those on two side by side."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from crawlers import crawl as crawl_module
from crawlers.crawl import crawl
from crawlers.job import CrawlJob
from crawlers.turns import apart

TOGETHER = 2


class Children:
    """Stands in for the processes of crawls: each ends when another host's is under way too."""

    def __init__(self) -> None:
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._barrier = Barrier(TOGETHER, timeout=20)

    @contextmanager
    def start(self, path: Path, *_: object) -> Iterator["Children"]:
        host = CrawlJob.model_validate_json(path.read_bytes()).url.split("/")[2]
        self.under_way[host] += 1
        self.most[host] = max(self.most[host], self.under_way[host])
        self._barrier.wait()
        yield self
        self.under_way[host] -= 1

    def wait(self, _: float) -> int:
        return 0


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    children = Children()
    monkeypatch.setattr(crawl_module, "FORKS", children)
    return children


def crawl_all(make_job: Callable[..., CrawlJob], *urls: str, **about: Any) -> None:
    jobs = [make_job(url, out=f"out-{n}", **about) for n, url in enumerate(urls)]
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(crawl, jobs))


def test_one_crawl_of_a_host_at_a_time(
    children: Children, make_job: Callable[..., CrawlJob]
) -> None:
    a, b = "https://a.example/uno", "https://b.example/uno"
    crawl_all(make_job, a, a, a, b, b, b, allow_private=False)

    assert children.most == {"a.example": 1, "b.example": 1}


def test_a_server_of_one_s_own_may_be_asked_for_several_sources_at_once(
    children: Children, make_job: Callable[..., CrawlJob]
) -> None:
    a = "http://127.0.0.1:8765/uno"
    crawl_all(make_job, a, a, allow_private=True)

    assert children.most == {"127.0.0.1:8765": TOGETHER}


def test_sources_of_one_host_are_put_apart() -> None:
    urls = ["https://x/1", "https://www.X/2", "https://x/3", "https://y/1", "https://z/1"]
    assert apart("abcde", urls) == ["a", "d", "e", "b", "c"]
