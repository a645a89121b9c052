"""The collector against a Scrapy spider that only downloads, and a second run against the first.

``python benchmarks/crawl.py [--sources radio-huaycan,portal-este] [--rounds 3]``

Both read the same addresses of the sandbox town in a process of their own, without delay, one
request at a time. The pages a second of a round go from the first answer to the last, so that the
start of the process does not count; of several rounds the fastest counts. The second run knows
what the first one stored, as the runs of a municipality do. Processor seconds are those of the
whole process; our crawls are forked from a server, whose start counts to the first of them. A
small town measures the fixed cost of a crawl; ``--scale 10`` measures the pages. With
``--at-once`` all sources are read side by side, as a run does, against one spider that downloads
the same addresses; the clock then goes from the start of collecting to its end. ``--delay 2``
takes the clock of a first and a second run as a municipality's go: all sources, so many side by
side as a run reads, and that many seconds between two requests to the same one.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.load import load_municipality
from configs.schema import Limits, Municipality, Source
from crawlers.crawl import crawl
from crawlers.forked import FORKS
from crawlers.job import CrawlJob, CrawlResult
from crawlers.known import Known
from crawlers.sandbox.server import serve_town
from flows.monitor import CRAWLS_AT_ONCE
from pipelines.collect import make_job

_BARE = """
import json, sys, time
from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess

class Bare(Spider):
    name, arrived = "bare", []

    async def start(self):
        for source, url in json.load(open(sys.argv[1])):
            yield Request(url, dont_filter=True, meta={"download_slot": source})

    def parse(self, response):
        self.arrived.append(time.time())

process = CrawlerProcess({
    "LOG_ENABLED": False, "CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 0,
    "TELNETCONSOLE_ENABLED": False, "HTTPERROR_ALLOW_ALL": True,
})
process.crawl(Bare)
process.start()
print(json.dumps(Bare.arrived))
"""


@dataclass(frozen=True)
class Round:
    """How long some pages took: ``wall`` from the first to the last, ``cpu`` of the process."""

    pages: int
    wall: float
    cpu: float
    result: CrawlResult | None = None

    @property
    def rate(self) -> float:
        """Pages a second."""
        return (self.pages - 1) / self.wall if self.wall else 0.0


def children_cpu() -> float:
    """Return the processor seconds of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def crawls_cpu() -> float:
    """Return the processor seconds of the crawls that have ended and of their server."""
    stat = Path(f"/proc/{FORKS.pid}/stat").read_text() if FORKS.pid else ""
    ticks = sum(int(field) for field in stat.rpartition(")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def ours(job: CrawlJob) -> Round:
    """Read a source with the collector."""
    before = crawls_cpu()
    result = crawl(job)
    cpu = crawls_cpu() - before
    if result.reason:
        sys.exit(f"{job.source.name}: {result.reason}")
    moments = sorted(capture.fetched_at for capture in result.captures)
    wall = (moments[-1] - moments[0]).total_seconds() if moments else 0.0
    return Round(len(moments), wall, cpu, result)


def bare(results: Sequence[CrawlResult], folder: Path) -> Round:
    """Download what crawls have read, with a spider that does nothing else."""
    asked = folder / "addresses.json"
    addresses = [
        (str(number), capture.url)
        for number, result in enumerate(results)
        for capture in result.captures
    ]
    asked.write_text(json.dumps(addresses))
    before = children_cpu()
    command = [sys.executable, "-c", _BARE, str(asked)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    moments = sorted(json.loads(done.stdout))
    return Round(len(moments), moments[-1] - moments[0], children_cpu() - before)


def known_from(result: CrawlResult) -> Known:
    """Return what a municipality would know after a crawl."""
    seen = {
        record.fingerprint: record.said_at or datetime.now(UTC)
        for record in result.extracted
        if record.fingerprint
    }
    validators = {validator.url: validator for validator in result.validators}
    return Known(validators=validators, seen=seen, complete=not result.missed)


def measure(place: Municipality, source: Source, rounds: int) -> tuple[Round, Round, Round]:
    """Return the fastest of the collector's, the bare spider's and the second run's rounds."""
    first, plain, second = [], [], []
    for _ in range(rounds):
        with TemporaryDirectory(prefix="manifiesta-benchmark-") as name:
            folder = Path(name)
            first.append(ours(job_of(place, source, folder)))
            result = first[-1].result
            if result is None:
                raise ValueError("a crawl without a result")
            plain.append(bare([result], folder))
            second.append(ours(job_of(place, source, folder, known_from(result))))
    return (
        max(first, key=lambda round_: round_.rate),
        max(plain, key=lambda round_: round_.rate),
        min(second, key=lambda round_: round_.cpu),
    )


@dataclass(frozen=True)
class Whole:
    """What all sources took together: ``clock`` and ``cpu`` are seconds, starts included."""

    pages: int
    clock: float
    cpu: float


def side_by_side(jobs: Sequence[CrawlJob]) -> tuple[Whole, list[CrawlResult]]:
    """Crawl as many sources at once as a run does."""
    before, start = crawls_cpu(), time.perf_counter()
    with ThreadPoolExecutor(CRAWLS_AT_ONCE) as crawls:
        results = list(crawls.map(crawl, jobs))
    clock, cpu = time.perf_counter() - start, crawls_cpu() - before
    if broken := [result.reason for result in results if result.reason]:
        sys.exit("; ".join(broken))
    return Whole(sum(len(result.captures) for result in results), clock, cpu), results


def together(place: Municipality, sources: Sequence[Source], folder: Path) -> tuple[Whole, Whole]:
    """Read all sources side by side, as a run does, and download their pages with one spider.

    The spider sends one request at a time to each source, as we do, and to all of them at once;
    where we ask a source's address for what comes next, it knows all of them from the start.
    """
    FORKS.close()
    own, results = side_by_side([job_of(place, source, folder) for source in sources])
    start = time.perf_counter()
    plain = bare(results, folder)
    return own, Whole(plain.pages, time.perf_counter() - start, plain.cpu)


def patiently(place: Municipality, sources: Sequence[Source], folder: Path) -> tuple[Whole, Whole]:
    """Read all sources side by side, and then again, knowing what the first time brought."""
    first, results = side_by_side([job_of(place, source, folder) for source in sources])
    read = zip(sources, results, strict=True)
    second, _ = side_by_side(
        [job_of(place, source, folder, known_from(result)) for source, result in read]
    )
    return first, second


def job_of(
    place: Municipality, source: Source, folder: Path, known: Known | None = None
) -> CrawlJob:
    """Return the job that reads a source for the first time, or knowing what an earlier one did."""
    out = folder / source.name / ("first" if known is None else "second")
    out.mkdir(parents=True)
    return make_job(place, source, folder / "archive", "benchmark", out, known)


def compare_whole(place: Municipality, sources: Sequence[Source], rounds: int) -> None:
    """Print the pages a second of all sources at once."""
    for _ in range(rounds):
        with TemporaryDirectory(prefix="manifiesta-benchmark-") as name:
            own, plain = together(place, sources, Path(name))
        print(
            f"all at once: {own.pages} pages; ours {own.clock:.1f} s"
            f" ({own.pages / own.clock:.0f}/s), one bare spider {plain.clock:.1f} s"
            f" ({plain.pages / plain.clock:.0f}/s):"
            f" {plain.clock / own.clock:.0%}; processor {own.cpu:.1f} s against {plain.cpu:.1f} s",
            flush=True,
        )


def compare_runs(place: Municipality, sources: Sequence[Source], delay: float) -> None:
    """Print how long a first and a second run take that wait between requests."""
    polite = [source.model_copy(update={"limits": Limits(delay=delay)}) for source in sources]
    with TemporaryDirectory(prefix="manifiesta-benchmark-") as name:
        first, second = patiently(place, polite, Path(name))
    for which, run in (("first", first), ("second", second)):
        print(
            f"{which} run, {delay:g} s between requests: {run.pages} pages, {run.clock:.1f} s by"
            f" the clock, {run.cpu:.1f} s of the processor"
        )
    print(f"the second takes {second.clock / first.clock:.1%} of the first")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sources", default="", help="names, with commas; all without it")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--at-once", action="store_true", help="all sources side by side")
    options.add_argument("--delay", type=float, help="seconds between requests, of two runs")
    options.add_argument("--scale", type=float, default=1, help="how busy the town is")
    given = options.parse_args()
    os.environ.setdefault("MANIFIESTA_SANDBOX_TOKEN", "pueblo-simulado")
    shipped = load_municipality("sandbox")
    names = (
        given.sources.split(",") if given.sources else [source.name for source in shipped.crawled]
    )
    chosen = [source for source in shipped.crawled if source.name in names]
    print(f"python {' '.join(sys.argv)}")
    if given.delay is not None:
        with serve_town(0, scale=given.scale) as url:
            compare_runs(shipped.with_base_url(url), chosen, given.delay)
        return
    if given.at_once:
        with serve_town(0, scale=given.scale) as url:
            compare_whole(shipped.with_base_url(url), chosen, given.rounds)
        return
    print(
        f"{'source':20} {'pages':>5} {'ours/s':>7} {'bare/s':>7} {'share':>6}"
        f" {'cpu':>6} {'bare':>6} | 2nd: {'pages':>5} {'cpu':>6}"
    )
    totals = [0.0] * 7
    start = time.perf_counter()
    with serve_town(0, scale=given.scale) as url:
        place = shipped.with_base_url(url)
        for source in chosen:
            first, plain, second = measure(place, source, given.rounds)
            print(
                f"{source.name:20} {first.pages:5} {first.rate:7.1f} {plain.rate:7.1f}"
                f" {first.rate / plain.rate if plain.rate else 1:6.0%} {first.cpu:6.2f}"
                f" {plain.cpu:6.2f} |      {second.pages:5} {second.cpu:6.2f}",
                flush=True,
            )
            row = (
                first.pages,
                first.wall,
                first.cpu,
                plain.wall,
                plain.cpu,
                second.pages,
                second.cpu,
            )
            totals = [total + value for total, value in zip(totals, row, strict=True)]
    pages, wall, cpu, bare_wall, bare_cpu, again, again_cpu = totals
    print(
        f"all: {pages:.0f} pages; ours {pages / wall:.1f}/s, bare {pages / bare_wall:.1f}/s:"
        f" {bare_wall / wall:.0%}; processor {cpu:.1f} s against {bare_cpu:.1f} s;"
        f" second run {again:.0f} pages, {again / pages:.1%}, {again_cpu:.1f} s of the processor"
    )
    delay = Limits().delay
    print(
        f"a real source is asked every {delay:g} s: {pages * delay:.0f} s of waiting in the first"
        f" run, {again * delay:.0f} s in the second"
    )
    print(f"{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
