"""Sources over several runs: quarantine and the way back, and a replay without the town."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from crawlers.sandbox.server import serve_town
from tests.flows.conftest import Said
from tests.flows.test_monitor import source, table, write_municipality

Manifiesta = Callable[..., Said]
ROWS = "SELECT * FROM manifestation ORDER BY id"


def patient_with_one_failure(home: Path) -> None:
    """Let a single failed run quarantine a source."""
    path = home / "municipalities" / "prueba.yml"
    document = yaml.safe_load(path.read_text()) | {"collection": {"quarantine_after": 1}}
    path.write_text(yaml.safe_dump(document, allow_unicode=True))


def listed(manifiesta: Manifiesta, name: str) -> dict[str, object]:
    answer = manifiesta("sources", "list", "-m", "prueba", "--json")
    return next(row for row in json.loads(answer.out) if row["name"] == name)


@pytest.mark.usefixtures("prefect_server")
def test_quarantine_and_the_way_back_and_a_replay_without_the_town(
    manifiesta: Manifiesta, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_municipality(home, "prueba", source("perdida", "/no-such-feed.xml"))
    patient_with_one_failure(home)
    with serve_town(port=0) as town:
        run = ("run", "-m", "prueba", "--base-url", town)
        first = json.loads(manifiesta(*run, "--json").out)
        quarantined = listed(manifiesta, "perdida")
        second = manifiesta(*run, "--json")

    assert quarantined["health"] == "quarantined"
    assert "404" in str(quarantined["why"])
    assert quarantined["next_due"] > str(quarantined["last_success"] or "")
    lost = next(s for s in json.loads(second.out)["sources"] if s["source"] == "perdida")
    assert (second.code, lost["state"]) == (3, "failed")
    assert lost["reason"].startswith("quarantined after 1 failed runs")
    coverage = table(home, "SELECT state, reason FROM insight_source WHERE source = 'perdida'")
    assert set(coverage["state"]) == {"failed"}

    assert manifiesta("sources", "release", "-m", "prueba", "perdida").code == 0
    assert listed(manifiesta, "perdida")["health"] == "active"
    assert manifiesta("sources", "release", "-m", "prueba", "otra").code == 2

    live = table(home, ROWS)
    fresh = tmp_path / "fresh"
    for name in ("archive", "municipalities"):
        shutil.copytree(home / name, fresh / name)
    monkeypatch.setenv("MANIFIESTA_HOME", str(fresh))
    replayed = manifiesta(*run, "--replay", "--json")

    assert replayed.code == 3
    pd.testing.assert_frame_equal(table(fresh, ROWS), live)
    assert json.loads(replayed.out)["in_window"] == first["in_window"]
