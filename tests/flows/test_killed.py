"""A run that is killed or finds the disk full, then once more: the rows of an undisturbed run."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL

from benchmarks.faults import contents, differences
from crawlers.sandbox.server import serve_town
from pipelines.store.engine import open_engine
from tests.conftest import PostgresServer
from tests.flows.test_monitor import SOURCES, write_municipality

# Runs the command line, and kills its own process the moment the store has taken the given number
# of batches: no handler runs, nothing is closed. A signal other than SIGKILL is in FATAL.
SUICIDE = """
import os, signal, sys
from pipelines.store.write import Store
name, left = sys.argv[1], int(sys.argv[2])
whole = getattr(Store, name)
def fatal(self, *args, **more):
    global left
    result = whole(self, *args, **more)
    left -= 1
    if not left:
        os.kill(os.getpid(), int(os.environ.get("FATAL", signal.SIGKILL)))
    return result
setattr(Store, name, fatal)
sys.argv = ["manifiesta", *sys.argv[3:]]
from flows.cli import main
main()
"""


Contents = dict[str, list[tuple[Any, ...]]]
RUN = ("from flows.cli import main; main()",)


@pytest.fixture(scope="module")
def town() -> Iterator[str]:
    """The simulated town on a free port."""
    with serve_town(port=0) as base_url:
        yield base_url


WEEK = ("--from", "2021-09-01", "--to", "2021-09-08")


def run(
    home: Path, town: str, url: str | None, *program: str
) -> "subprocess.CompletedProcess[bytes]":
    return command(home, url, *program, "run", "-m", "prueba", *WEEK, "--base-url", town)


def command(home: Path, url: str | None, *words: str) -> "subprocess.CompletedProcess[bytes]":
    database = {"MANIFIESTA_DATABASE_URL": url} if url else {}
    surroundings = {
        "MANIFIESTA_HOME": str(home),
        "MANIFIESTA_PSEUDONYM_KEY": "a key that only the tests use",
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
    }
    return subprocess.run(
        [sys.executable, "-c", *words],
        env=os.environ | surroundings | database,
        capture_output=True,
        check=False,
    )


def left_in(home: Path, url: str | None) -> Contents:
    engine = open_engine(url or f"sqlite:///{home / 'manifiesta.db'}")
    try:
        return contents(engine)
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def undisturbed(
    town: str, tmp_path_factory: pytest.TempPathFactory, prefect_server: None
) -> Contents:
    """What a run leaves that nothing disturbs."""
    home = tmp_path_factory.mktemp("undisturbed")
    write_municipality(home, "prueba")
    ended = run(home, town, None, *RUN)
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    return left_in(home, None)


@pytest.mark.parametrize(
    ("database", "step", "times"),
    [
        ("postgresql", "save_collected", 2),
        ("sqlite", "save_classifications", 1),
        ("postgresql", "save_insights", 1),
    ],
    ids=["collecting", "classifying", "counting"],
)
def test_after_a_kill_the_next_run_gives_the_rows_of_an_undisturbed_one(
    database: str,
    step: str,
    times: int,
    town: str,
    home: Path,
    undisturbed: Contents,
    request: pytest.FixtureRequest,
) -> None:
    write_municipality(home, "prueba")
    with database_of(database, request) as url:
        killed = run(home, town, url, SUICIDE, step, str(times))
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
        again = run(home, town, url, *RUN)
        assert again.returncode == 0, again.stderr.decode()[-2000:]
        found = left_in(home, url)
    assert {dict(row)["source"] for row in found["manifestation"]} == set(SOURCES)
    assert differences(undisturbed, found) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 48 MiB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_on_a_full_disk_a_run_says_what_to_do_and_is_resumed_once_there_is_space(
    small_disk: Path, town: str, undisturbed: Contents
) -> None:
    home = small_disk / "home"
    write_municipality(home, "prueba")
    assert command(home, None, *RUN, "init").returncode == 0
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(small_disk).free - 300_000)

    full = run(home, town, None, *RUN)

    told = full.stderr.decode()
    assert full.returncode == 1, told[-2000:]
    assert "the disk is full" in told
    assert "Free some space" in told
    assert "Traceback" not in told
    ballast.unlink()
    resumed = command(home, None, *RUN, "resume", "-m", "prueba")
    assert resumed.returncode == 0, resumed.stderr.decode()[-2000:]
    assert differences(undisturbed, left_in(home, None)) == []


@contextmanager
def database_of(kind: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Give the address of a database on PostgreSQL, or nothing: a file in the home."""
    if kind == "sqlite":
        yield None
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url
