"""Several sources of the whole town misbehave at once; the others give what they always give."""

import socket
from pathlib import Path

import pandas as pd
import pytest
import yaml

from configs.schema import SHIPPED
from crawlers.sandbox.town import build_town
from crawlers.sandbox.truth import truth
from tests.flows.planted import Finished, finished_run

pytestmark = pytest.mark.usefixtures("prefect_server")

SCALE = 0.1
CHAOS = {
    "muro-huaycan": "hang",
    "muro-vitarte": "drip",
    "buzon-vecinal": "gzip_bomb",
    "radio-huaycan": "redirect_private",
    "foro-salamanca": "captcha",
    "telegram-ate": "endless",
    "reddit-ate": "deep_nesting",
    "x-ate": "error500",
}
SAYS = {
    "muro-huaycan": "did not answer within 0.5 seconds",
    "muro-vitarte": "did not answer within 0.5 seconds",
    "buzon-vecinal": "once unpacked",
    "radio-huaycan": "may not be read",
    "foro-salamanca": "asks to solve a captcha",
    "telegram-ate": "is larger than the limit of",
    "reddit-ate": "is nested too deeply",
    "x-ate": "answered 500",
}
UNDELIVERED = "encuesta-vecinal"


@pytest.fixture(scope="module")
def port() -> int:
    """A free port: identities hold the town's address, so all runs find it at the same one."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def run(home: Path, port: int, *more: str) -> Finished:
    """Run on the whole town, with little patience for the sources that will not answer."""
    sandbox = yaml.safe_load((SHIPPED / "municipalities" / "sandbox.yml").read_text())
    for source in sandbox["sources"]:
        if source["name"] in CHAOS:
            never_answers = CHAOS[source["name"]] in {"hang", "drip"}
            timeout = 0.5 if never_answers else 30
            source["limits"] = {"delay": 0, "retries": 0, "timeout": timeout}
    folder = home / "municipalities"
    folder.mkdir(parents=True)
    (folder / "sandbox.yml").write_text(yaml.safe_dump(sandbox, allow_unicode=True))
    return finished_run(home, "sandbox", "run", "--port", str(port), "--scale", str(SCALE), *more)


@pytest.fixture(scope="module")
def undisturbed(
    prefect_server: None, port: int, tmp_path_factory: pytest.TempPathFactory
) -> Finished:
    """A run of the town as it is."""
    return run(tmp_path_factory.mktemp("undisturbed"), port)


def stored(finished: Finished) -> pd.DataFrame:
    """Return what a run stored, but for when it was read and where that lies."""
    with finished.engine.connect() as connection:
        rows = pd.read_sql("SELECT * FROM manifestation ORDER BY id", connection)
    return rows.drop(columns=["fetched_at", "capture_id"])


def covered(finished: Finished) -> dict[str, str]:
    """Return how far each source was read."""
    with finished.engine.connect() as connection:
        rows = pd.read_sql("SELECT source, state FROM insight_source WHERE lens = ''", connection)
    return dict(rows.itertuples(index=False, name=None))


def test_a_run_on_the_town_reads_its_25_sources_files_included(
    undisturbed: Finished, port: int
) -> None:
    town = truth(base_url=f"http://127.0.0.1:{port}", town=build_town(2021, scale=SCALE))

    assert undisturbed.code == 0
    rows = stored(undisturbed)
    found = set(rows[["source", "external_id"]].itertuples(index=False, name=None))
    assert found == {(row.source, row.external_id) for row in town}
    assert undisturbed.summary["in_window"] == len(rows) == len(found)
    assert undisturbed.summary["sources_read"] == 25
    assert undisturbed.summary["sources_configured"] == 25
    assert set(covered(undisturbed).values()) == {"done"}


def test_hostile_sources_stop_none_of_the_others(
    undisturbed: Finished, port: int, tmp_path: Path
) -> None:
    ways = [f"--chaos={name}={way}" for name, way in {**CHAOS, UNDELIVERED: "error500"}.items()]

    disturbed = run(tmp_path, port, *ways)

    assert disturbed.code == 3
    assert disturbed.summary["state"] == "partial"
    reasons = {each["source"]: each["reason"] or "" for each in disturbed.summary["sources"]}
    assert {name for name, reason in reasons.items() if reason} == set(CHAOS)
    for name, words in SAYS.items():
        assert words in reasons[name]
    before = stored(undisturbed)
    well = before[~before["source"].isin([*CHAOS, UNDELIVERED])].reset_index(drop=True)
    pd.testing.assert_frame_equal(stored(disturbed), well)
    states = covered(undisturbed) | dict.fromkeys(CHAOS, "failed")
    del states[UNDELIVERED]  # a file that nobody brought is no source of the window
    assert covered(disturbed) == states
    assert disturbed.summary["sources_read"] == 24 - len(CHAOS)
    assert disturbed.summary["sources_configured"] == 24
