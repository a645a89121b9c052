"""How much memory collecting, storing and counting need, from the town's size to a hundred times.

``python benchmarks/memory.py [--sizes 5796,57960,579600]
[--steps collect,store,languages,copies,count]``

Each step of each size is a process of its own; its peak is the memory of its own that it holds at
most, over what it needs once everything is imported. Pages of the database's file that are mapped
meanwhile, which the system takes back when it needs them, are told beside it.
``collect`` crawls a timeline that a generator writes, in the real child process, and stores it;
``store`` masks, pseudonymises and stores records as the crawls of sources give them; ``languages``
identifies the language of every stored text, page by page, as all steps read that look at the
window's texts; ``copies`` joins near-duplicates; ``count`` labels what is stored at random, as a
classifier would, and writes the insight tables.
The database is an SQLite file in a temporary folder; without the step ``store`` its rows are
written straight into the table.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from configs.schema import Limits, Municipality, Source
from crawlers.crawl import crawl
from crawlers.memory import peak_memory
from crawlers.wire import SUMMARY
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Classification, Extracted, Kind, Window, manifestation_id
from pipelines.aggregate import aggregate
from pipelines.classify import identify_window
from pipelines.collect import keep_records, make_job
from pipelines.counted import Counted
from pipelines.duplicates import update_clusters
from pipelines.privacy import Pseudonymiser
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Classified, RunStart, Store

_TOWN = Path(__file__).parents[1] / "crawlers" / "sandbox" / "texts"
_SOURCES = tuple(f"fuente-{number:02}" for number in range(25))
_CRAWL = 2_000
_FIRST = date(2021, 9, 1)
_MAPPED = 16
"""MiB of mapped files from which on they are worth telling: less are libraries."""
_MODEL, _TAXONOMY = "benchmark-1", "2026.1"


def place() -> Municipality:
    """Return a municipality with 25 sources."""
    about = {"protocol": "feed", "allow_private": True}
    return Municipality.model_validate(
        {
            "code": "medida",
            "name": "Medida",
            "country": "PE",
            "time_zone": "America/Lima",
            "contact": {"name": "Medida", "email": "medida@example.pe"},
            "sources": [
                about | {"name": name, "title": name, "url": f"http://127.0.0.1/{name}"}
                for name in _SOURCES
            ],
        }
    )


def texts() -> list[str]:
    """Return what the neighbours of the sandbox town say."""
    lines = [line for file in sorted(_TOWN.glob("posts_*.jsonl")) for line in file.open()]
    return [json.loads(line)["text"] for line in lines]


def records(source: str, count: int, seed: int) -> Iterator[Extracted]:
    """Yield what one source says in thirty days, one after the other."""
    chance, said = random.Random(seed), texts()
    start = datetime(_FIRST.year, _FIRST.month, _FIRST.day, 12, tzinfo=UTC)
    for number in range(count):
        yield Extracted(
            source=source,
            external_id=f"m-{number}",
            kind=Kind.POST,
            text=f"{chance.choice(said)} ({chance.randrange(10**9)})",
            said_at=start + timedelta(seconds=29 * 86_400 * number // count),
            fetched_at=start + timedelta(days=31),
            author=f"vecino-{chance.randrange(500)}",
        )


def shares(size: int) -> Iterator[tuple[str, int]]:
    """Share manifestations out among the sources."""
    for number, source in enumerate(_SOURCES):
        yield source, size // len(_SOURCES) + (number < size % len(_SOURCES))


def window() -> Window:
    """Return the thirty days."""
    return Window(_FIRST, _FIRST + timedelta(days=30), place().zone)


def opened(folder: Path) -> Store:
    """Open the database, and make it if it is not there."""
    engine = open_engine(f"sqlite:///{folder / 'manifiesta.db'}")
    migrate(engine)
    return Store(engine)


def store(folder: Path, size: int) -> None:
    """Store manifestations as crawls of up to two thousand records bring them."""
    municipality, kept = place(), opened(folder)
    secrets = Pseudonymiser(municipality.code, b"a key that only a benchmark uses")
    run = kept.begin_run(municipality, RunStart("run", window(), _TAXONOMY, "benchmark"))
    for seed, (source, count) in enumerate(shares(size)):
        crawled = []
        for record in records(source, count, seed):
            crawled.append(secrets.storable(record))
            if len(crawled) == _CRAWL:
                kept.save_collected(run, municipality, source, crawled)
                crawled = []
        kept.save_collected(run, municipality, source, crawled)


def fill(folder: Path, size: int) -> None:
    """Write as many manifestations straight into their table: ``store`` takes far longer."""
    from sqlalchemy import insert

    from models.tables import ManifestationRow

    municipality, kept = place(), opened(folder)
    secrets = Pseudonymiser(municipality.code, b"a key that only a benchmark uses")
    kept.begin_run(municipality, RunStart("run", window(), _TAXONOMY, "benchmark"))
    model = secrets.storable(next(records(_SOURCES[0], 1, 0)))
    for seed, (source, count) in enumerate(shares(size)):
        said = records(source, count, seed)
        while chunk := list(islice(said, _CRAWL)):
            rows = [
                asdict(model)
                | {
                    "id": manifestation_id(municipality.code, source, one.external_id),
                    "source": source,
                    "external_id": one.external_id,
                    "text": one.text,
                    "text_hash": sha256(one.text.encode()).hexdigest(),
                    "said_at": one.said_at,
                    "said_on": one.said_at.date() if one.said_at else None,
                }
                for one in chunk
            ]
            with kept.engine.begin() as connection:
                connection.execute(insert(ManifestationRow), rows)


def label(folder: Path) -> None:
    """Give every stored text labels at random, and Spanish as its language."""
    from sqlalchemy import select

    from models.tables import ManifestationRow

    kept, chance = opened(folder), random.Random(2021)
    query = select(ManifestationRow.id, ManifestationRow.text_hash)
    with kept.engine.connect() as connection:
        found = connection.execution_options(yield_per=_CRAWL).execute(query)
        chunks = [list(chunk) for chunk in found.partitions(_CRAWL)]
    for chunk in chunks:
        kept.save_classifications(
            _TAXONOMY, [Classified(row.id, row.text_hash, labelled(chance)) for row in chunk]
        )
        kept.save_languages("benchmark", {(row.id, row.text_hash): "es" for row in chunk})


def labelled(chance: random.Random) -> Classification:
    """Return a classification that is sure of labels drawn at random."""
    drawn = (
        {label: float(label == chosen) for label in labels}
        for labels in (CATEGORIES, SENTIMENTS, INTENTS)
        for chosen in (chance.choice(labels),)
    )
    return Classification(*drawn, abstained=False, model_version=_MODEL)


def count(folder: Path, size: int) -> None:
    """Write the insight tables of the thirty days."""
    municipality, kept = place(), opened(folder)
    run = kept.begin_run(municipality, RunStart("run", window(), _TAXONOMY, "benchmark"))
    subject = Counted(run, municipality, window(), _MODEL, _TAXONOMY)
    counted = aggregate(kept, subject, {})
    if counted != size:
        sys.exit(f"{counted:,} were counted, not {size:,}")


def languages(folder: Path, _size: int) -> None:
    """Identify the language of every stored text."""
    identify_window(opened(folder), place(), window())


def copies(folder: Path, _size: int) -> None:
    """Compare every stored text with all others, and join near-duplicates."""
    update_clusters(opened(folder), place())


class Timeline(BaseHTTPRequestHandler):
    """A Mastodon timeline of ``most`` statuses, forty a page; it has no robots.txt."""

    protocol_version = "HTTP/1.1"
    most = 0

    def do_GET(self) -> None:
        """Answer with the statuses before the one that is asked for, and say what is older."""
        _, _, after = self.path.partition("max_id=")
        last = int(after.partition("&")[0] or self.most + 1) - 1
        ids = range(last, max(0, last - 40), -1)
        is_timeline = self.path.startswith("/api/")
        body = json.dumps([self.status(number) for number in ids]).encode() if is_timeline else b""
        self.send_response(200 if is_timeline else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if is_timeline and ids and ids[-1] > 1:
            older = f"http://{self.headers['Host']}/api/v1/timelines/public"
            older += f"?local=true&limit=40&max_id={ids[-1]}"
            self.send_header("Link", f'<{older}>; rel="next"')
        self.end_headers()
        self.wfile.write(body)

    def status(self, number: int) -> dict[str, object]:
        """Return one status of the timeline."""
        said = datetime(2021, 9, 15, 12, tzinfo=UTC) - timedelta(seconds=self.most - number)
        return {
            "id": str(number),
            "uri": f"https://pueblo.example/{number}",
            "created_at": said.isoformat(),
            "content": f"<p>La pista número {number} sigue rota y nadie responde.</p>",
            "account": {"acct": f"vecino{number % 500}"},
        }

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def collect(folder: Path, size: int) -> int:
    """Crawl and store a timeline as long as that; return the child process's peak in bytes."""
    Timeline.most = size
    server = ThreadingHTTPServer(("127.0.0.1", 0), Timeline)
    Thread(target=server.serve_forever, daemon=True).start()
    limits = Limits(delay=0, max_requests=100_000, max_seconds=86_400, max_records=10_000_000)
    source = Source(
        name="muro",
        title="Muro",
        protocol="mastodon",
        url=f"http://127.0.0.1:{server.server_port}/",
        allow_private=True,
        limits=limits,
    )
    job = make_job(place(), source, folder / "archive", "benchmark", folder / "out")
    result = crawl(job)
    server.shutdown()
    municipality, kept = place(), opened(folder)
    secrets = Pseudonymiser(municipality.code, b"a key that only a benchmark uses")
    run = kept.begin_run(municipality, RunStart("run", window(), _TAXONOMY, "benchmark"))
    collected = keep_records(kept, run, municipality, source, secrets, result)
    if collected.saved.new != size:
        sys.exit(f"{collected.saved.new:,} were stored, not {size:,}: {result.reason}")
    return int(json.loads((job.out / SUMMARY).read_text())["peak_memory"])


_STEPS = {"store": store, "languages": languages, "copies": copies, "count": count}


class Watch(Thread):
    """Looks every 20 ms how much memory is the process's own, without files that it has mapped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.before = self.most = self._now()
        self.over = Event()

    def run(self) -> None:
        """Look until it is over."""
        while not self.over.wait(0.02):
            self.most = max(self.most, self._now())

    @staticmethod
    def _now() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


def step(name: str, folder: Path, size: int) -> None:
    """Do one step and print its peaks, over those of the imports, in bytes."""
    before, child, watch = peak_memory(), 0, Watch()
    watch.start()
    if name == "collect":
        child = collect(folder, size)
    else:
        _STEPS[name](folder, size)
    watch.over.set()
    own = watch.most - watch.before
    print(json.dumps({"own": own, "mapped": peak_memory() - before - own, "child": child}))


def measured(name: str, folder: Path, size: int) -> str:
    """Run one step in a process of its own and return its line."""
    start = time.perf_counter()
    command = [
        sys.executable,
        __file__,
        "--one",
        name,
        "--folder",
        str(folder),
        "--sizes",
        str(size),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    peak = json.loads(done.stdout.splitlines()[-1])
    child = f", its child process {peak['child'] / 2**20:,.0f} MiB" if peak["child"] else ""
    mapped = peak["mapped"] / 2**20
    files = f", and {mapped:,.0f} MiB of files mapped" if mapped > _MAPPED else ""
    seconds = time.perf_counter() - start
    return f"{name:8} {size:9,}: {peak['own'] / 2**20:7,.0f} MiB{child}{files} ({seconds:,.0f} s)"


def compare(sizes: Sequence[int], steps: Sequence[str]) -> None:
    """Measure every step at every size."""
    for size in sizes:
        with TemporaryDirectory(prefix="manifiesta-benchmark-") as name:
            if "store" not in steps and steps != ["collect"]:
                fill(Path(name), size)
            for each in steps:
                if each == "count":
                    label(Path(name))
                print(measured(each, Path(name), size), flush=True)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", default="5796,57960")
    options.add_argument("--steps", default="collect,store,languages,copies,count")
    options.add_argument("--one", help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    if given.one:
        step(given.one, given.folder, sizes[0])
        return
    print(f"python {' '.join(sys.argv)}")
    compare(sizes, given.steps.split(","))


if __name__ == "__main__":
    main()
