"""One process at a time works on a municipality; a dead one's work is taken over, once."""

import os
import subprocess
import sys
from functools import partial
from queue import Queue

import pytest
from sqlalchemy import Engine

from models.errors import BusyError
from models.records import State
from pipelines.lease import identity, is_running, leased
from pipelines.ledger import ZOMBIE, recorded_run
from pipelines.store.engine import open_engine
from pipelines.store.leases import Lease, beat, held, release, take
from pipelines.store.read import find_run
from pipelines.store.write import Store
from tests.unit.store.builders import begun, municipality, start

VILLA = municipality()
ELSEWHERE = "another-boot pid:[1] 7 7"


def dead_process() -> str:
    """Name a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        name = identity(child.pid)
        child.communicate(b"\n")
    assert name is not None
    return name


def test_a_second_run_of_the_municipality_is_refused_and_told_who_is_at_work(store: Store) -> None:
    with recorded_run(store, VILLA, start()) as run:
        with (
            pytest.raises(BusyError, match=f"process {os.getpid()}"),
            recorded_run(Store(store.engine), VILLA, start()),
        ):
            pytest.fail("two runs at once")
        assert find_run(store.engine, run.id).state == State.RUNNING
    with recorded_run(store, VILLA, start()) as after:
        assert after.zombies == ()


def test_a_run_whose_process_is_dead_is_closed_by_the_next(store: Store) -> None:
    dead = begun(store)
    assert take(store.engine, "villa", "run", "vm, process 7", dead_process())
    with recorded_run(store, VILLA, start()) as run:
        assert run.zombies == (dead,)
    closed = find_run(store.engine, dead)
    assert (closed.state, closed.error) == (State.FAILED, ZOMBIE)


def test_on_another_machine_a_silent_holder_is_dead_and_one_that_beats_is_not(
    store: Store,
) -> None:
    lease = take(store.engine, "villa", "run", "far, process 7", ELSEWHERE)
    assert lease is not None
    with leased(store, "villa", every=0.01, patience=0.05) as mine:
        assert not beat(store.engine, lease)
        assert [one.lease for one in held(store.engine, "villa")] == [mine]
    assert held(store.engine) == []


def test_a_holder_that_beats_while_it_is_watched_keeps_its_lease(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = take(store.engine, "villa", "run", "far, process 7", ELSEWHERE)
    assert lease is not None

    def seen(engine: Engine, *place: str) -> object:
        beat(engine, lease)  # it lives between two looks
        return held(engine, *place)

    monkeypatch.setattr("pipelines.lease.held", seen)
    with pytest.raises(BusyError, match="far, process 7"), leased(store, "villa", patience=5):
        pytest.fail("it was taken from somebody who lives")


def test_a_run_whose_lease_was_taken_over_writes_nothing_more(store: Store) -> None:
    runs = []

    def overtaken() -> None:
        with recorded_run(store, VILLA, start()) as run:
            runs.append(run.id)
            release(store.engine, run.lease)
            take(store.engine, "villa", "run", "other", None)
            store.set_model(run.id, "late")

    with pytest.raises(BusyError, match="taken over"):
        overtaken()
    found = find_run(store.engine, runs[0])
    assert (found.model_version, found.state) == (None, State.RUNNING)
    assert [one.host for one in held(store.engine)] == ["other"]
    assert Store(store.engine).close_zombies("villa", ZOMBIE, imports=False) == runs


def test_of_two_that_find_the_same_dead_holder_one_takes_its_lease(store: Store) -> None:
    take(store.engine, "villa", "run", "dead", dead_process())
    (dead,) = held(store.engine, "villa")
    first = take(store.engine, "villa", "run", "a", None, dead)
    assert first is not None
    assert take(store.engine, "villa", "run", "b", None, dead) is None
    assert take(store.engine, "villa", "run", "c", None) is None


def test_an_import_may_go_beside_a_run(store: Store) -> None:
    with recorded_run(store, VILLA, start()), leased(Store(store.engine), "villa", "import"):
        assert len(held(store.engine, "villa")) == 2


def test_a_process_is_told_from_a_later_one_of_the_same_number() -> None:
    mine = identity()
    assert mine is not None
    assert is_running(mine) is True
    assert is_running(mine.rpartition(" ")[0] + " 1") is False
    assert is_running(dead_process()) is False
    assert is_running(ELSEWHERE) is None
    assert is_running(None) is None


def test_missed_heartbeats_neither_end_nor_mark_a_run(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = open_engine(f"{sqlite_engine.url}", busy_seconds=0.01)
    beats: Queue[bool] = Queue()

    def told(engine: Engine, lease: Lease) -> bool:
        given = False
        try:
            given = beat(engine, lease)
        finally:
            beats.put(given)
        return given

    monkeypatch.setattr("pipelines.lease.beat", told)
    monkeypatch.setattr("pipelines.ledger.leased", partial(leased, every=0.01))
    with recorded_run(Store(engine), VILLA, start()) as run:
        with sqlite_engine.connect().execution_options(writes=True) as other, other.begin():
            while beats.get(timeout=60):
                pass
            assert not beats.get(timeout=60)
            with pytest.raises(BusyError), leased(Store(sqlite_engine), "villa"):
                pytest.fail("a holder that lives was taken for dead")
        while not beats.get(timeout=60):
            pass
        assert "is locked by another process" in caplog.text
    engine.dispose()
    ended = find_run(sqlite_engine, run.id)
    assert (ended.state, ended.error) == (State.DONE, None)
    assert held(sqlite_engine) == []
