"""Keep a run in the ledger from its start to its end, however it ends."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from configs.schema import Municipality
from models.errors import StoreError
from models.reasons import Reason
from models.records import State
from pipelines.lease import leased
from pipelines.store.audit import Event, actor, record
from pipelines.store.leases import Lease
from pipelines.store.write import RunStart, Store

_LOG = logging.getLogger(__name__)

ZOMBIE, STOPPED = Reason.KILLED.said(), Reason.STOPPED_SAFELY.said()


@dataclass
class OpenRun:
    """A run under way; set ``state`` before it ends.

    ``zombies`` are runs of the municipality that this one found dead and closed.
    """

    id: str
    lease: Lease
    state: State = State.DONE
    zombies: tuple[str, ...] = ()


@contextmanager
def recorded_run(
    store: Store, municipality: Municipality, start: RunStart, *, resumed: str | None = None
) -> Iterator[OpenRun]:
    """Open a run, hand it over, and close it with its state.

    While it is open no other process runs for the municipality. Runs of dead processes are
    closed first. An error, an interruption or a termination closes it as failed, with the reason,
    and goes on to the caller.

    Args:
        store: where the ledger is.
        municipality: whose run it is.
        start: what is known of it.
        resumed: a run that ended early, to be opened again in place of a new one.

    Raises:
        BusyError: another process runs for the municipality.
    """
    lane = "import" if start.command == "import" else "run"  # an import may go beside a run
    with leased(store, municipality.code, lane) as lease:
        zombies = store.close_zombies(municipality.code, ZOMBIE, imports=lane == "import")
        if resumed is None:
            opened = store.begin_run(municipality, start)
        else:
            opened = store.reopen_run(municipality, resumed)
        window = {"from": f"{start.window.start}", "to": f"{start.window.end}"}
        done = {"run": opened, "resumed": resumed is not None, **window}
        record(store.engine, Event(start.command, municipality.code, done), actor())
        run = OpenRun(opened, lease, zombies=tuple(zombies))
        for zombie in zombies:
            _LOG.warning("run %s of %s was dead and is closed", zombie, municipality.code)
        _LOG.info("run %s of %s began", opened, municipality.code, extra=done)
        try:
            yield run
        except BaseException as error:
            told = f"{type(error).__name__}: {error}".strip(": ")
            if not isinstance(error, Exception):  # an interruption, or Prefect's word for SIGTERM
                told = STOPPED
            try:
                store.end_run(run.id, State.FAILED, told)
            except StoreError as unnoted:  # what ended the run matters more
                error.add_note(str(unnoted))
            raise
        store.end_run(run.id, run.state)
        _LOG.info("run %s of %s ended: %s", run.id, municipality.code, run.state)
