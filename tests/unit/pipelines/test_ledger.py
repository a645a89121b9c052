"""A run is closed in the ledger however it ends."""

import pytest
from sqlalchemy import text

from models.errors import SourceError
from models.records import State
from pipelines.ledger import STOPPED, recorded_run
from pipelines.store.read import find_run, latest_runs
from pipelines.store.write import Store
from tests.unit.store.builders import municipality, start

VILLA = municipality()


@pytest.mark.parametrize("state", [State.DONE, State.PARTIAL, State.FAILED])
def test_a_run_ends_in_the_state_that_it_was_given(store: Store, state: State) -> None:
    with recorded_run(store, VILLA, start()) as run:
        assert find_run(store.engine, run.id).state == State.RUNNING
        run.state = state
    closed = find_run(store.engine, run.id)
    assert (closed.state, closed.error) == (state, None)
    assert closed.finished_at is not None


@pytest.mark.parametrize(
    ("error", "noted"),
    [
        (SourceError("no responde"), "SourceError: no responde"),
        (KeyboardInterrupt(), STOPPED),
        (SystemExit(3), STOPPED),
        (
            ZeroDivisionError("división por cero: 1 / 0"),
            "ZeroDivisionError: división por cero: 1 / 0",
        ),
    ],
)
def test_what_stops_a_run_is_noted_and_goes_on(
    store: Store, error: BaseException, noted: str
) -> None:
    with pytest.raises(type(error)) as caught, recorded_run(store, VILLA, start()):
        raise error
    assert caught.value is error
    (closed,) = latest_runs(store.engine, "villa", 5)
    assert (closed.state, closed.error) == ("failed", noted)
    assert closed.finished_at is not None


def test_what_stopped_a_run_is_told_even_where_it_cannot_be_noted(store: Store) -> None:
    def lose_the_database() -> None:
        with recorded_run(store, VILLA, start()):
            with store.engine.begin() as connection:
                connection.execute(text("ALTER TABLE run RENAME TO lost"))
            raise SourceError("no responde")

    with pytest.raises(SourceError, match="no responde") as caught:
        lose_the_database()
    (note,) = caught.value.__notes__
    assert "manifiesta init" in note
