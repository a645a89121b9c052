"""Scheduled monitoring: one deployment a municipality; what is late or overlaps does nothing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.flows import load_flow_from_entrypoint

from configs.load import load_municipality
from configs.schema import Schedule
from configs.settings import Settings
from flows.clock import appoint
from flows.house import open_store
from flows.schedule import deployments, on_schedule, schedule_of
from models.errors import ConfigError
from pipelines.lease import leased
from tests.flows.conftest import Said
from tests.flows.test_monitor import table, write_municipality

pytestmark = pytest.mark.usefixtures("prefect_server")

Manifiesta = Callable[..., Said]
ROOT = Path(__file__).parents[2]


def place(home: Path, **more: object) -> None:
    write_municipality(home, "prueba")
    path = home / "municipalities" / "prueba.yml"
    document = yaml.safe_load(path.read_text()) | more
    document["base_url"] = "http://127.0.0.1:9"  # nobody listens there
    for source in document["sources"]:
        source["limits"] = {"delay": 0, "retries": 0}
    path.write_text(yaml.safe_dump(document, allow_unicode=True))


def test_a_municipality_is_deployed_with_its_own_clock_and_a_limit_of_one(home: Path) -> None:
    place(home, schedule={"cron": "30 5 * * *"})
    ate = load_municipality("prueba", home / "municipalities")
    (found,) = deployments([("prueba", ate)])
    assert found.name == "prueba"
    assert found.concurrency_limit == 1
    assert found.concurrency_options.collision_strategy == "CANCEL_NEW"
    (schedule,) = found.schedules
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("30 5 * * *", "America/Lima")
    assert found.entrypoint == "flows.schedule.on_schedule"
    assert load_flow_from_entrypoint(found.entrypoint).name == "on-schedule"


@pytest.mark.parametrize(
    "schedule", [None, Schedule(cron="99 99 * * *")], ids=["none", "no such minute"]
)
def test_a_schedule_that_cannot_be_kept_is_refused(home: Path, schedule: Schedule | None) -> None:
    place(home)
    ate = load_municipality("prueba", home / "municipalities")
    with pytest.raises(ConfigError, match="schedule"):
        schedule_of(ate.model_copy(update={"schedule": schedule}))


def test_the_shipped_deployments_name_flows_that_exist() -> None:
    document = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    for deployment in document["deployments"]:
        assert load_flow_from_entrypoint(deployment["entrypoint"]).name == "on-schedule"
        assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
        assert load_municipality(deployment["parameters"]["municipality"])


def test_a_run_that_is_due_runs_and_those_that_were_late_with_it_collapse(
    home: Path, manifiesta: Manifiesta, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(home)
    due = datetime.now(UTC) - timedelta(hours=3)
    monkeypatch.setattr("flows.schedule.flow_run.get_scheduled_start_time", lambda: due)
    first = on_schedule("prueba", return_state=True)
    assert first.is_failed()  # no source answers
    store = open_store(Settings.load())
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE run SET state = 'partial'")
    late = on_schedule("prueba", return_state=True)
    assert (late.name, late.is_completed()) == ("Collapsed", True)
    assert len(table(home, "SELECT id FROM run")) == 1


def test_a_run_beside_another_is_cancelled_and_writes_nothing(home: Path) -> None:
    place(home)
    store = open_store(Settings.load())
    with leased(store, "prueba"):
        state = on_schedule("prueba", return_state=True)
    assert state.is_cancelled()
    assert "being worked on" in str(state.message)
    assert len(table(home, "SELECT id FROM run")) == 0


def test_a_run_leaves_its_summary_and_its_report_in_prefect(
    home: Path, manifiesta: Manifiesta
) -> None:
    place(home)
    said = json.loads(manifiesta("run", "-m", "prueba", "--json").out)
    with get_client(sync_client=True) as client:
        found = {
            key: client.request(
                "POST", "/artifacts/filter", json={"artifacts": {"key": {"any_": [key]}}}
            ).json()
            for key in ("run-prueba", "report-prueba")
        }
    assert any(said["run_id"] in one["description"] for one in found["run-prueba"])
    assert any("failed" in str(one["data"]) for one in found["run-prueba"])
    assert any(said["run_id"] in one["data"] for one in found["report-prueba"])


def test_our_own_clock_appoints_each_run_once(home: Path) -> None:
    place(home, schedule={"every_hours": 6})
    ate = load_municipality("prueba", home / "municipalities")
    (found,) = deployments([("prueba", ate)], timed=False)
    assert not found.schedules
    deployment = found.apply()
    now = datetime(2031, 1, 1, 12, 1, tzinfo=UTC)  # 07:01 in Lima
    with get_client(sync_client=True) as client:
        for late in (0, 20, 40):
            when = appoint(client, ate, now + timedelta(seconds=late))
            assert when.astimezone(UTC) == datetime(2031, 1, 1, 17, 0, tzinfo=UTC)  # noon
        asked = {"deployments": {"id": {"any_": [str(deployment)]}}}
        runs = client.request("POST", "/flow_runs/filter", json=asked).json()
    assert [one["state"]["type"] for one in runs] == ["SCHEDULED"]
