"""`manifiesta status` says in ten lines what runs, what ran, what failed and what to do."""

from datetime import UTC, datetime

from models.records import Condition, Health, Stage, State
from pipelines.ledger import recorded_run
from pipelines.standing import standing
from pipelines.store.leases import take
from pipelines.store.write import Partition, Store
from tests.unit.store.builders import MARCH, begun, municipality, start

VILLA = municipality()
NOW = datetime.now(UTC)


def test_before_anything_ran_it_says_how_to_begin(store: Store) -> None:
    found = standing(store.engine, None, NOW)
    assert found.lines()[0] == "Nothing is running."
    assert found.lines()[-1] == "→ manifiesta sandbox run"


def test_a_run_under_way_is_running_and_one_whose_process_is_gone_is_dead(store: Store) -> None:
    with recorded_run(store, VILLA, start()) as run:
        (running,) = standing(store.engine, "villa", datetime.now(UTC)).running
        assert running.startswith("Running: villa (run) on ")
        assert "last sign of life" in running
    dead = begun(store)
    found = standing(store.engine, "villa", datetime.now(UTC))
    assert found.running == ["Nothing is running."]
    assert found.failed[0].startswith(f"Dead: villa: run {dead}")
    assert found.todo == ["manifiesta resume -m villa"]
    assert run.id in found.latest[0]


def test_a_holder_elsewhere_lives_as_long_as_it_beats(store: Store) -> None:
    take(store.engine, "villa", "run", "far, process 7", None)
    now = datetime.now(UTC)
    assert "far, process 7" in standing(store.engine, None, now).running[0]
    late = now.replace(year=now.year + 1)
    assert standing(store.engine, None, late).running == ["Nothing is running."]


def test_what_was_done_in_part_and_what_is_in_quarantine_comes_with_what_to_do(
    store: Store,
) -> None:
    with recorded_run(store, VILLA, start()) as run:
        day = MARCH.days[0]
        lost = Partition("diario", day, Stage.COLLECT, State.FAILED, 0, "HTTP 503")
        store.save_partitions(run.id, [lost])
        store.save_health("villa", "diario", Health(state=Condition.QUARANTINED, failures=5))
        run.state = State.PARTIAL
    found = standing(store.engine, None, NOW)
    assert found.failed == [
        f"In part: villa: run {run.id}: 1 partitions of diario",
        "In quarantine: villa: diario",
    ]
    assert "sources list -m villa" in found.todo[0]
    assert "sources release -m villa diario" in found.todo[1]


def test_however_much_happened_it_says_it_in_ten_lines(store: Store) -> None:
    for _ in range(15):
        with recorded_run(store, VILLA, start()) as run:
            run.state = State.FAILED
    lines = standing(store.engine, None, NOW).lines()
    assert len(lines) == 10
    assert lines[-1] == "→ manifiesta resume -m villa"
