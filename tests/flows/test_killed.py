"""A killed run, then the same command again: the rows equal those of an undisturbed run."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from prefect.settings import PREFECT_API_URL

from crawlers.sandbox.server import serve_town
from tests.flows.conftest import Said
from tests.flows.test_monitor import SOURCES, insights, table, write_municipality

Manifiesta = Callable[..., Said]

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


@pytest.fixture(scope="module")
def town() -> Iterator[str]:
    """The simulated town on a free port."""
    with serve_town(port=0) as base_url:
        yield base_url


@pytest.mark.parametrize(
    ("step", "times"),
    [("save_collected", 2), ("save_classifications", 1), ("save_insights", 1)],
    ids=["collecting", "classifying", "counting"],
)
def test_after_a_kill_the_next_run_gives_the_rows_of_an_undisturbed_one(
    step: str,
    times: int,
    town: str,
    tmp_path: Path,
    manifiesta: Manifiesta,
    home: Path,
    prefect_server: None,
) -> None:
    write_municipality(home, "prueba")
    command = ["run", "-m", "prueba", "--base-url", town, "--json"]
    assert manifiesta(*command).code == 0

    hurt = tmp_path / "hurt"
    surroundings = os.environ | {
        "MANIFIESTA_HOME": str(hurt),
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
    }
    write_municipality(hurt, "prueba")
    killed = subprocess.run(
        [sys.executable, "-c", SUICIDE, step, str(times), *command],
        env=surroundings,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    again = subprocess.run(
        [sys.executable, "-c", "from flows.cli import main; main()", *command],
        env=surroundings,
        capture_output=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr.decode()[-2000:]

    assert len(table(hurt, "SELECT DISTINCT source FROM manifestation")) == len(SOURCES)
    rows = "SELECT id, text, said_at, author FROM manifestation ORDER BY id"
    pd.testing.assert_frame_equal(table(home, rows), table(hurt, rows))
    undisturbed, after = (insights(place, last_run(place)) for place in (home, hurt))
    for name, expected in undisturbed.items():
        pd.testing.assert_frame_equal(expected, after[name])


def last_run(home: Path) -> str:
    runs = table(home, "SELECT max(run_id) AS id FROM insight_overview")
    return str(runs["id"].iloc[0])
