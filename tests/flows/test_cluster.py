"""A rerun on a Dask cluster of two worker processes leaves the rows of one on threads."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pandas as pd
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from crawlers.sandbox.server import serve_town
from pipelines.store.engine import open_engine
from tests.conftest import PostgresServer
from tests.flows.conftest import Said
from tests.flows.test_monitor import write_municipality
from tests.flows.test_rerun import SAME, WEEK, command

distributed = pytest.importorskip("distributed")

Manifiesta = Callable[..., Said]


@pytest.fixture
def cluster(home: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch):
    """Two worker processes that share a PostgreSQL database; (cluster, database)."""
    with postgres_server.database() as url:
        monkeypatch.setenv("MANIFIESTA_DATABASE_URL", url)
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as running:
            monkeypatch.setenv("MANIFIESTA_CLUSTER", running.scheduler_address)
            yield running, url


@pytest.fixture(scope="module")
def town() -> Iterator[str]:
    with serve_town(port=0) as base_url:
        yield base_url


def test_the_rows_are_those_of_a_local_run_also_when_a_worker_is_killed(
    cluster: tuple["distributed.LocalCluster", str],
    town: str,
    home: Path,
    tmp_path: Path,
    manifiesta: Manifiesta,
    postgres_server: PostgresServer,
    prefect_server: None,
) -> None:
    running, url = cluster
    local = tmp_path / "local"
    write_municipality(local, "prueba")
    words = ("-m", "prueba", *WEEK, "--base-url", town, "--json")
    first = command(local, "run", *words, without=("MANIFIESTA_CLUSTER", "MANIFIESTA_DATABASE_URL"))
    assert first.returncode == 0, first.stderr
    shutil.copytree(local, home, ignore=shutil.ignore_patterns("*.db*", "reports"))
    with postgres_server.database() as other:
        again = command(
            local,
            *("rerun", *words, "--replay"),
            without=("MANIFIESTA_CLUSTER",),
            MANIFIESTA_DATABASE_URL=other,
        )
        assert again.returncode == 0, again.stderr

        ended, killed = Event(), list[int]()
        killing = Thread(target=kill_a_worker, args=(running, url, ended, killed))
        killing.start()
        answer = manifiesta("rerun", *words, "--replay")
        ended.set()
        killing.join()

        assert answer.code == 0, answer.out + answer.err
        assert killed
        for query in SAME:
            pd.testing.assert_frame_equal(rows(url, query), rows(other, query))


def rows(url: str, query: str) -> pd.DataFrame:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return pd.read_sql(text(query), connection)
    finally:
        engine.dispose()


def kill_a_worker(
    running: "distributed.LocalCluster", url: str, ended: Event, killed: list[int]
) -> None:
    """Kill one of the two as soon as something is classified."""
    engine = open_engine(url)
    while not ended.wait(0.1):
        try:
            with engine.connect() as connection:
                done = connection.scalar(text("SELECT count(*) FROM classification"))
        except ProgrammingError:  # there are no tables yet
            continue
        if done:
            worker = next(iter(running.workers.values()))
            os.kill(worker.pid, signal.SIGKILL)
            killed.append(worker.pid)
            break
    engine.dispose()
