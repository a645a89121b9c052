"""Aggregation of four months of a million manifestations; the same count by DuckDB and Polars.

``python benchmarks/aggregate.py [--rows 1000000] [--days 120] [--folder DIR]``

Prints, in seconds of a clock and of a processor: the first aggregation, which reads every
partition from SQLite; the next, which reads none; those after corrections all over the window and
after a change to one day of all sources; how much of it is counting; and the same series of the
same records by DuckDB and by Polars, with the ratios.
"""

import argparse
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
from rows import FIRST, LIMA, MODEL, TAXONOMY, counted_up, fill, town

from models.records import Stage, State, Window
from nlp.language import HOME
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.coverage import coverage
from pipelines.facts import frame, up_to_date
from pipelines.series import GRAINS, PAIRS, SINGLES, Counting
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Correction, Partition, RunStart, Store


@contextmanager
def timed(what: str) -> Iterator[dict[str, float]]:
    """Print how long something takes."""
    spent: dict[str, float] = {}
    clock, work = time.perf_counter(), time.process_time()
    yield spent
    spent["wall"], spent["cpu"] = time.perf_counter() - clock, time.process_time() - work
    print(f"{what:58} {spent['wall']:7.2f} s wall {spent['cpu']:7.2f} s cpu", flush=True)


def _prepared(facts: pd.DataFrame, first: date) -> pd.DataFrame:
    """Give every row a date, and what comes once a number of its own, as a query needs it."""
    said = facts.drop(columns="day").assign(
        day=pd.to_datetime(first) + pd.to_timedelta(facts["day"], unit="D"),
        row=range(len(facts)),
    )
    said["copied"] = said["copy"].where(said["copy"] >= 0, -2 - said["row"])
    said["voice"] = said["speaker"].where(said["speaker"] >= 0, -2 - said["row"])
    said["author"] = said["author"].where(said["author"] >= 0, -2 - said["row"])
    return said


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
                f"SELECT p, {groups}, count(*), count(DISTINCT copied), count(DISTINCT voice),"
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
        pl.col("copied", "voice", "author").n_unique().name.suffix("_distinct"),
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
    with tempfile.TemporaryDirectory() as temporary:
        measure(given.folder or Path(temporary), given.rows, given.days)


def measure(folder: Path, rows: int, days: int) -> None:
    """Aggregate again and again, and by DuckDB."""
    place, file = town(), folder / f"aggregate-{rows}.db"
    window = Window(FIRST, FIRST + timedelta(days=days), LIMA)
    there = file.exists()
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    store = Store(engine)
    if not there:
        with timed(f"writing {rows:,} manifestations"):
            fill(file, place, rows, days)
    run_id = store.begin_run(place, RunStart("aggregate", window, TAXONOMY, "bench"))
    every = [source.name for source in place.sources]
    store.save_partitions(
        run_id,
        [Partition(s, day, Stage.COLLECT, State.DONE, 1) for s in every for day in window.days],
    )
    subject = Counted(run_id, place, window, MODEL, TAXONOMY)

    def again() -> None:
        aggregate(store, subject, {})

    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM partition_facts")
    _timed("first aggregation (every partition read)", again)
    _timed("next aggregation (nothing changed)", again)
    store.save_corrections(
        [
            Correction(counted_up(number), f"{number:064x}", "x", datetime.now(UTC), "health")
            for number in range(300)
        ]
    )
    _timed("aggregation after 300 corrections all over the window", again)
    _change_a_day(file)
    _timed("aggregation after a day of every source changed", again)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory':58} {peak:7.0f} MiB")
    _change_a_day(file)
    with timed("of that: making the day's facts, reading the others"):
        parts = up_to_date(store, subject.recipe, window)
        facts = frame(parts, subject.recipe, window)
    facts = facts[facts["language"].isin(HOME)]
    read = coverage(engine, place, window, run_id)
    with timed("of that: counting the series") as ours:
        counted = sum(count > 0 for count in Counting(facts, read).series()["count"])
    said = _prepared(facts, FIRST)
    for name, count in (("DuckDB", by_duckdb), ("Polars", by_polars)):
        with timed(f"{name}: the same series") as theirs:
            other = count(said)
        print(f"cells counted: {counted:,} and {other:,}")
        print(f"ratio to {name}: {ours['cpu'] / theirs['cpu']:.2f} cpu")


def _change_a_day(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(
            "UPDATE partition_version SET version = version + 1 WHERE day = ?", [str(FIRST)]
        )


def _timed(what: str, act: Callable[[], None]) -> None:
    with timed(what):
        act()


if __name__ == "__main__":
    main()
