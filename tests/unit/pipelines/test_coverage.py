"""How complete a window is, judged from the ledger of all runs."""

from datetime import date, datetime

import pytest
from sqlalchemy import update

from models.records import Protocol, Stage, State, Window
from models.tables import RunRow
from pipelines.coverage import Coverage, coverage
from pipelines.store.write import Partition, Store
from tests.unit.store.builders import LIMA, at, begun, municipality

VILLA = municipality()
FIRST, SECOND, THIRD = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)
THREE = Window(FIRST, date(2026, 3, 4), LIMA)


def attempt(
    store: Store,
    source: str,
    state: State = State.DONE,
    days: tuple[date, ...] = (FIRST, SECOND, THIRD),
    *,
    when: datetime | None = None,
    reason: str | None = None,
    run_id: str | None = None,
) -> str:
    """Note that a run tried to read days of a source, and return the run."""
    run_id = run_id or begun(store)
    store.save_partitions(
        run_id, [Partition(source, day, Stage.COLLECT, state, 0, reason) for day in days]
    )
    with store.engine.begin() as connection:
        started = {"started_at": when or at(10)}
        connection.execute(update(RunRow).where(RunRow.id == run_id).values(started))
    return run_id


def judged(store: Store, run_id: str = "none", window: Window = THREE) -> Coverage:
    return coverage(store.engine, VILLA, window, run_id)


def test_nothing_was_tried(store: Store) -> None:
    read = judged(store, begun(store))
    assert {name: known.state for name, known in read.sources.items()} == {
        "diario": State.UNREAD,
        "foro": State.UNREAD,
    }
    assert (read.sources_read, read.complete_days) == (0, frozenset())


@pytest.mark.parametrize(
    ("state", "days"),
    [(State.DONE, {FIRST, SECOND, THIRD}), (State.PARTIAL, set()), (State.FAILED, set())],
)
def test_a_source_is_as_this_run_found_it(store: Store, state: State, days: set[date]) -> None:
    reason = None if state is State.DONE else "se cortó"
    read = judged(store, attempt(store, "diario", state, reason=reason))
    assert read.sources["diario"].state is state
    assert read.sources["diario"].days == days
    assert read.sources["diario"].reason == reason
    assert read.sources_read == (state is State.DONE)


def test_a_day_that_was_not_over_is_not_read(store: Store) -> None:
    run_id = attempt(store, "diario", when=at(3, 23, 59, 59))
    known = judged(store, run_id).sources["diario"]
    assert (known.state, known.days) == (State.PARTIAL, {FIRST, SECOND})
    later = attempt(store, "diario", when=at(4, 0, 0, 0))
    assert judged(store, later).sources["diario"].state is State.DONE


def test_a_source_read_on_the_very_day_did_not_fail(store: Store) -> None:
    today = Window(FIRST, SECOND, LIMA)
    run_id = attempt(store, "diario", days=(FIRST,), when=at(1, 18))
    known = judged(store, run_id, today).sources["diario"]
    assert (known.state, known.days, known.reason) == (State.PARTIAL, frozenset(), None)


def test_the_failure_of_this_run_outranks_an_earlier_success(store: Store) -> None:
    earlier = attempt(store, "diario")
    now = attempt(store, "diario", State.FAILED, reason="no responde")
    known = judged(store, now).sources["diario"]
    assert (known.state, known.days, known.reason) == (State.FAILED, frozenset(), "no responde")
    assert judged(store, earlier).sources["diario"].state is State.DONE


def test_the_success_of_this_run_outranks_an_earlier_failure(store: Store) -> None:
    attempt(store, "diario", State.FAILED, reason="no responde")
    known = judged(store, attempt(store, "diario")).sources["diario"]
    assert (known.state, known.reason) == (State.DONE, None)


def test_what_this_run_did_not_try_is_as_earlier_runs_left_it(store: Store) -> None:
    attempt(store, "diario", days=(FIRST,))
    attempt(store, "diario", days=(SECOND, THIRD))
    attempt(store, "foro", days=(FIRST,))
    read = judged(store, begun(store))
    assert read.sources["diario"].state is State.DONE
    assert (read.sources["foro"].state, read.sources["foro"].days) == (State.PARTIAL, {FIRST})


def test_a_day_is_complete_only_with_every_source(store: Store) -> None:
    run_id = attempt(store, "diario")
    assert judged(store, run_id).complete_days == frozenset()
    attempt(store, "foro", days=(SECOND, THIRD), run_id=run_id)
    assert judged(store, run_id).complete_days == {SECOND, THIRD}
    attempt(store, "foro", days=(FIRST,), run_id=run_id)
    read = judged(store, run_id)
    assert (read.complete_days, read.sources_read) == ({FIRST, SECOND, THIRD}, 2)


def test_an_upload_counts_beside_the_configured_sources(store: Store) -> None:
    attempt(store, "buzon")
    read = judged(store)
    assert list(read.sources) == ["diario", "foro", "buzon"]
    assert read.sources["buzon"].state is State.DONE


def test_a_source_of_files_is_not_missed_until_one_is_imported(store: Store) -> None:
    files = VILLA.sources[1].model_copy(update={"protocol": Protocol.UPLOAD, "url": None})
    place = VILLA.model_copy(update={"sources": (VILLA.sources[0], files)})
    run_id = attempt(store, "diario")
    read = coverage(store.engine, place, THREE, run_id)
    assert (list(read.sources), len(read.complete_days)) == (["diario"], 3)

    attempt(store, files.name, days=(FIRST, SECOND))
    read = coverage(store.engine, place, THREE, run_id)
    assert (list(read.sources), len(read.complete_days)) == (["diario", files.name], 2)
    assert read.sources[files.name].state is State.PARTIAL


def test_a_source_that_is_switched_off_is_not_missed(store: Store) -> None:
    off = VILLA.sources[1].model_copy(update={"enabled": False})
    place = VILLA.model_copy(update={"sources": (VILLA.sources[0], off)})
    run_id = attempt(store, "diario")
    read = coverage(store.engine, place, THREE, run_id)
    assert (list(read.sources), len(read.complete_days)) == (["diario"], 3)
