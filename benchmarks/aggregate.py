"""Aggregation of four months of a million manifestations; the same count by DuckDB and Polars.

``python benchmarks/aggregate.py [--rows 1000000] [--days 120] [--folder DIR]``

Prints, in seconds of a clock and of a processor: the first aggregation, which reads every
partition from SQLite; the next, which reads none; those after corrections all over the window and
after a change to one day of all sources; how much of it is counting; and the same series of the
same records by DuckDB and by Polars, with the ratios. Then the same for windows of 30 days of towns
of 5,796 and 22,000 manifestations, each beside the 30 days before it.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from rows import FIRST, LIMA, MODEL, TAXONOMY, counted_up, fill, town

from models.labels import CATEGORIES
from models.records import Stage, State, Window
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.coverage import coverage
from pipelines.facts import frame, up_to_date
from pipelines.series import GRAINS, PAIRS, SINGLES, Counting
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Correction, Partition, RunStart, Store

PLACE = town()
TOWNS = (5_796, 22_000)
"""A window of 2021 that was published, and a town that is listened to in more places."""
SIXTY = Window(FIRST, FIRST + timedelta(days=60), LIMA)
LAST_THIRTY = Window(FIRST + timedelta(days=30), SIXTY.end, LIMA)


@contextmanager
def timed(what: str) -> Iterator[dict[str, float]]:
    """Print how long something takes."""
    spent: dict[str, float] = {}
    clock, work = time.perf_counter(), time.process_time()
    yield spent
    spent["wall"], spent["cpu"] = time.perf_counter() - clock, time.process_time() - work
    print(f"{what:58} {spent['wall']:7.2f} s wall {spent['cpu']:7.2f} s cpu", flush=True)


@contextmanager
def watched() -> Iterator[None]:
    """Print the most memory of this process's own: mapped pages of a file are the system's."""
    over, seen = Event(), [0]

    def watch() -> None:
        while not over.wait(0.02):
            status = Path("/proc/self/status").read_text(encoding="ascii")
            seen.append(int(status.partition("RssAnon:")[2].split()[0]))

    watcher = Thread(target=watch)
    watcher.start()
    yield
    over.set()
    watcher.join()
    print(f"{'peak memory':58} {max(seen) / 1024:7.0f} MiB")


def _prepared(facts: pd.DataFrame, first: date) -> pd.DataFrame:
    """Give every row a date, its voice, and whom nobody knows a number of their own."""
    author, day, row = pd.factorize(facts["author"])[0], facts["day"], np.arange(len(facts))
    known = facts["author"].to_numpy() > 0
    topic = author * len(CATEGORIES) + facts["category"].cat.codes
    return facts.assign(
        day=pd.to_datetime(first) + pd.to_timedelta(day, unit="D"),
        author=np.where(known, author, -1 - row),
        voice=np.where(known, topic * (day.max() + 1) + day, -1 - row),
        anonymous=~known,
    )


def by_duckdb(said: pd.DataFrame) -> int:
    """Count the series' cells by grouping sets, with distinct copies, voices and authors."""
    cells = ["()", *(f"({name})" for name in SINGLES)]
    pairs = [f"({', '.join(pair)})" for pair in PAIRS]
    connection = duckdb.connect(config={"threads": 2})
    connection.register("said", said)
    groups = ", ".join(SINGLES)
    total = 0
    for grain in GRAINS:
        period = "1" if grain == "window" else f"date_trunc('{grain}', day)"
        wanted = ", ".join(cells if grain == "day" else [*cells, *pairs])
        total += len(
            connection.execute(
                f"SELECT p, {groups}, count(*), count(DISTINCT cluster), count(DISTINCT voice),"
                " count(DISTINCT author), count(*) FILTER (anonymous),"
                " count(*) FILTER (sentiment = 'negative'),"
                " count(*) FILTER (sentiment = 'positive')"
                f" FROM (SELECT {period} AS p, * FROM said) GROUP BY p, GROUPING SETS ({wanted})"
            ).fetchall()
        )
    return total


def by_polars(said: pd.DataFrame) -> int:
    """Count the same cells by one lazy query each, all of them collected together."""
    table = pl.from_pandas(said).lazy()
    every = {"day": "1d", "week": "1w", "month": "1mo"}
    counts = [
        pl.len(),
        pl.col("cluster", "voice", "author").n_unique().name.suffix("_distinct"),
        pl.col("anonymous").sum().alias("unknown"),
        (pl.col("sentiment") == "negative").sum().alias("negative"),
        (pl.col("sentiment") == "positive").sum().alias("positive"),
    ]
    queries = []
    for grain in GRAINS:
        period = pl.col("day").dt.truncate(every[grain]) if grain in every else pl.lit(1)
        spans = table.with_columns(period.alias("p"))
        for columns in ((), *((name,) for name in SINGLES), *(PAIRS if grain != "day" else ())):
            queries.append(spans.group_by("p", *columns).agg(*counts))
    return sum(found.height for found in pl.collect_all(queries))


def main() -> None:
    """Run it and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--folder", type=Path, help="keep the database here, and use it again")
    given = parser.parse_args()
    window = Window(FIRST, FIRST + timedelta(days=given.days), LIMA)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        compare(prepared(folder, given.rows, window, window))
        for rows in TOWNS:
            print(f"\n{rows:,} manifestations of 30 days, and as many of the 30 before")
            measure(prepared(Path(temporary), 2 * rows, SIXTY, LAST_THIRTY))


@dataclass(frozen=True, slots=True)
class Bench:
    """A database, and the window of it that is counted."""

    file: Path
    store: Store
    window: Window

    def subject(self) -> Counted:
        """Begin a run: each counts into rows of its own."""
        run_id = self.store.begin_run(PLACE, RunStart("aggregate", self.window, TAXONOMY, "bench"))
        return Counted(run_id, PLACE, self.window, MODEL, TAXONOMY)

    def count(self, what: str) -> None:
        """Count the window, and print how long it takes."""
        subject = self.subject()
        with timed(what):
            aggregate(self.store, subject, {})

    def change_a_day(self) -> None:
        """Have the last day of every source read again."""
        last = str(self.window.days[-1])
        with sqlite3.connect(self.file) as connection:
            connection.execute(
                "UPDATE partition_version SET version = version + 1 WHERE day = ?", [last]
            )


def prepared(folder: Path, rows: int, written: Window, counted: Window) -> Bench:
    """Write the manifestations, unless they are there, and that all their days were read."""
    file = folder / f"aggregate-{rows}.db"
    there = file.exists()
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    store = Store(engine)
    if not there:
        with timed(f"writing {rows:,} manifestations"):
            fill(file, PLACE, rows, len(written.days))
        run_id = store.begin_run(PLACE, RunStart("run", written, TAXONOMY, "bench"))
        every = [source.name for source in PLACE.sources]
        store.save_partitions(
            run_id,
            [
                Partition(one, day, Stage.COLLECT, State.DONE, 1)
                for one in every
                for day in written.days
            ],
        )
    return Bench(file, store, counted)


def measure(bench: Bench) -> None:
    """Aggregate again and again."""
    with sqlite3.connect(bench.file) as connection:
        connection.execute("DELETE FROM partition_facts")
    with watched():
        bench.count("first aggregation (every partition read)")
        bench.count("next aggregation (nothing changed)")
        bench.change_a_day()
        bench.count("aggregation after a day of every source changed")


def compare(bench: Bench) -> None:
    """Aggregate again and again, and by DuckDB and Polars."""
    measure(bench)
    bench.store.save_corrections(
        [
            Correction(counted_up(number), f"{number:064x}", "x", datetime.now(UTC), "health")
            for number in range(300)
        ]
    )
    bench.count("aggregation after 300 corrections all over the window")
    bench.change_a_day()
    subject, window = bench.subject(), bench.window
    with timed("of that: making the day's facts, reading the others"):
        parts = up_to_date(bench.store, subject.recipe, window)
        facts = frame(parts, subject.recipe, window)
    read = coverage(bench.store.engine, PLACE, window, subject.run_id)
    with timed("of that: counting the series") as ours:
        counted = sum(count > 0 for count in Counting(facts, read).series()["count"])
    said = _prepared(facts, FIRST)
    for name, count in (("DuckDB", by_duckdb), ("Polars", by_polars)):
        with timed(f"{name}: the same series") as theirs:
            other = count(said)
        print(f"cells counted: {counted:,} and {other:,}")
        print(f"ratio to {name}: {ours['cpu'] / theirs['cpu']:.2f} cpu")


if __name__ == "__main__":
    main()
