"""When a source is read: failing ones rest and come back, idle ones are asked less often."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from configs.schema import Collection, Source
from models.records import Condition, Failure, Health, State, Window
from models.tables import ManifestationRow, PartitionRow
from pipelines.collect import leave_alone, store_crawl
from pipelines.coverage import coverage
from pipelines.health import Reading, after_crawl, is_due, released, why_resting
from pipelines.privacy import Pseudonymiser
from pipelines.store.crawled import source_health
from pipelines.store.write import Store
from tests.unit.pipelines.test_collect import crawled
from tests.unit.store.builders import LIMA, at, begun, extracted, municipality, rows

RULES = Collection(quarantine_after=3, quarantine_hours=24, quarantine_days=7, idle_hours=20)
VILLA = municipality(collection=RULES)
DIARIO = VILLA.sources[0]
IDLE = DIARIO.model_copy(update={"poll": "adaptive"})
SECRET = Pseudonymiser("villa", b"a secret of sixteen")
THREE = Window(date(2026, 3, 1), date(2026, 3, 4), LIMA)
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
DOWN = Reading(State.FAILED, Failure.TEMPORARY, "no contesta", is_new=False, is_complete=False)
NEWS = Reading(State.DONE, None, "", is_new=True, is_complete=True)
NOTHING = Reading(State.DONE, None, "", is_new=False, is_complete=True)


def after(health: Health, *readings: Reading, source: Source = DIARIO) -> Health:
    for reading in readings:
        health = after_crawl(health, source, RULES, reading, NOW)
    return health


def test_a_failing_source_is_quarantined_for_ever_longer_but_never_for_good() -> None:
    rests = [after(Health(), *[DOWN] * failures) for failures in range(1, 9)]

    assert [health.state for health in rests[:3]] == [
        Condition.FAILING,
        Condition.FAILING,
        Condition.QUARANTINED,
    ]
    assert [h.next_due and (h.next_due - NOW) / timedelta(days=1) for h in rests] == [
        None, None, 1, 2, 4, 7, 7, 7,
    ]  # fmt: skip
    assert after(Health(), *[DOWN] * 500).next_due == NOW + timedelta(days=7)
    assert {health.reason for health in rests} == {"no contesta"}


def test_success_brings_it_back() -> None:
    found = after(Health(), *[DOWN] * 4, NEWS)
    assert found == Health(complete=True, last_success=NOW)
    assert is_due(found, NOW)


@pytest.mark.parametrize("failure", [Failure.SOFT, None])
def test_what_is_no_fault_of_the_source_leaves_it_as_it_was(failure: Failure | None) -> None:
    full = Reading(State.FAILED, failure, "disco lleno", is_new=False, is_complete=False)
    assert after(Health(failures=2, state=Condition.FAILING), full).failures == 2


def test_a_source_that_was_read_in_part_is_alive() -> None:
    part = Reading(State.PARTIAL, Failure.TEMPORARY, "429", is_new=True, is_complete=False)
    found = after(Health(), DOWN, DOWN, part)
    assert (found.state, found.failures, found.complete) == (Condition.ACTIVE, 0, False)


def test_the_way_back_by_hand() -> None:
    resting = after(Health(last_success=NOW), *[DOWN] * 5)
    assert not is_due(resting, NOW)
    back = released(resting)
    assert is_due(back, NOW)
    assert (back.state, back.failures, back.last_success) == (Condition.ACTIVE, 0, NOW)


def test_when_a_source_is_due() -> None:
    assert is_due(None, NOW)
    assert is_due(Health(), NOW)
    assert is_due(Health(next_due=NOW), NOW)
    assert not is_due(Health(next_due=NOW + timedelta(seconds=1)), NOW)


def test_only_an_adaptive_source_is_asked_less_often() -> None:
    hours = [
        found.next_due and (found.next_due - NOW) / timedelta(hours=1)
        for found in (after(Health(), *[NOTHING] * runs, source=IDLE) for runs in range(1, 8))
    ]
    assert hours == [None, None, 6, 12, 20, 20, 20]
    assert after(Health(), *[NOTHING] * 900, source=IDLE).next_due == NOW + timedelta(hours=20)
    assert after(Health(), *[NOTHING] * 9).next_due is None
    assert after(Health(), *[NOTHING] * 9, NEWS, source=IDLE).next_due is None


# --- in the store and in the ledger ----------------------------------------------------------


def keep(store: Store, source: Source = DIARIO, **about: Any) -> Health:
    records = about.pop("records", ())
    result = crawled(*records, **about)
    store_crawl(store, begun(store, VILLA), VILLA, source, THREE, SECRET, result)
    return source_health(store.engine, "villa")["diario"]


def test_runs_remember_how_a_source_fares(store: Store) -> None:
    down = {"finished": False, "reason": "503", "failure": Failure.TEMPORARY}
    states = [keep(store, **down).state for _ in range(3)]
    assert states == [Condition.FAILING, Condition.FAILING, Condition.QUARANTINED]

    resting = source_health(store.engine, "villa")["diario"]
    assert (resting.failures, resting.reason) == (3, "503")
    assert resting.next_due is not None
    assert resting.next_due.tzinfo is not None

    back = keep(store, records=[extracted(1, when=at(1))])
    assert (back.state, back.failures, back.unchanged) == (Condition.ACTIVE, 0, 0)
    assert keep(store, records=[extracted(1, when=at(1))]).unchanged == 1
    assert keep(store, records=[extracted(1, "Otro texto", when=at(1))]).unchanged == 0


def test_a_quarantined_source_is_never_left_out_silently(store: Store) -> None:
    run_id = begun(store, VILLA)
    due = datetime(2026, 3, 8, 20, tzinfo=UTC)
    health = Health(Condition.QUARANTINED, failures=5, reason="503", next_due=due)

    left = leave_alone(store, run_id, VILLA, DIARIO, THREE, health)

    said = "quarantined after 5 failed runs (503); it is due again after 2026-03-08 15:00"
    assert (left.state, left.reason) == (State.FAILED, said)
    lines = rows(store.engine, PartitionRow)
    assert {(row["state"], row["error"]) for row in lines} == {(State.FAILED, said)}
    assert len(lines) == 3
    found = coverage(store.engine, VILLA, THREE, run_id).sources["diario"]
    assert (found.state, found.reason) == (State.FAILED, said)


def test_an_idle_source_that_is_not_due_is_judged_by_the_runs_that_read_it(store: Store) -> None:
    keep(store, IDLE, records=[extracted(1, when=at(1))])
    run_id = begun(store, VILLA)
    health = Health(unchanged=4, next_due=NOW)

    left = leave_alone(store, run_id, VILLA, IDLE, THREE, health)

    assert (left.state, left.reason) == (State.UNREAD, why_resting(health, VILLA))
    assert "nothing new in 4 runs" in str(left.reason)
    assert not [row for row in rows(store.engine, PartitionRow) if row["run_id"] == run_id]


def test_health_and_records_are_stored_together_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> Health:
        raise KeyboardInterrupt

    news = crawled(extracted(1, when=at(1)))
    monkeypatch.setattr("pipelines.collect.after_crawl", killed)
    with pytest.raises(KeyboardInterrupt):
        store_crawl(store, begun(store), VILLA, DIARIO, THREE, SECRET, news)
    assert rows(store.engine, ManifestationRow) == []
    assert source_health(store.engine, "villa") == {}

    monkeypatch.undo()
    again = store_crawl(store, begun(store), VILLA, DIARIO, THREE, SECRET, news)
    assert again.saved.new == 1
    assert source_health(store.engine, "villa")["diario"].unchanged == 0
