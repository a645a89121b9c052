"""Keep a run in the ledger from its start to its end, however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from configs.schema import Municipality
from models.errors import StoreError
from models.records import State
from pipelines.store.write import RunStart, Store


@dataclass
class OpenRun:
    """A run under way; set ``state`` before it ends."""

    id: str
    state: State = State.DONE


@contextmanager
def recorded_run(store: Store, municipality: Municipality, start: RunStart) -> Iterator[OpenRun]:
    """Open a run, hand it over, and close it with its state.

    An error, an interruption or a termination closes it as failed, with the reason, and goes on
    to the caller.
    """
    run = OpenRun(store.begin_run(municipality, start))
    try:
        yield run
    except BaseException as error:
        try:
            store.end_run(run.id, State.FAILED, f"{type(error).__name__}: {error}".strip(": "))
        except StoreError as unnoted:  # what ended the run matters more than that it is not noted
            error.add_note(str(unnoted))
        raise
    store.end_run(run.id, run.state)
