"""Work on a municipality alone: hold its lease, keep it alive, take that of a dead process.

No clock of two machines is ever compared: whoever waits sees whether the holder's beats go up.
"""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from sqlalchemy import Engine

from models.errors import BusyError, StoreError
from pipelines.store.leases import Held, Lease, beat, held, release, take
from pipelines.store.write import Store

BEAT = 5.0
"""Seconds between two signs of life."""

PATIENCE = 30.0
"""Seconds without one after which a holder that cannot be looked for is taken for dead."""

_LOG = logging.getLogger(__name__)
_PROC = Path("/proc")
_TRIES = 3


@contextmanager
def leased(
    store: Store,
    municipality: str,
    lane: str = "run",
    *,
    every: float = BEAT,
    patience: float = PATIENCE,
) -> Iterator[Lease]:
    """Hold the lease of a municipality; meanwhile the store writes only as long as it is held.

    Args:
        store: whose writes are refused once another process has taken the work over.
        municipality: its code.
        lane: what is exclusive.
        every: seconds between two beats.
        patience: seconds to watch a holder on another machine before it is taken for dead.

    Raises:
        BusyError: another process that lives holds it.
    """
    lease = _obtain(store.engine, municipality, lane, every, patience)
    ended = Event()
    heart = Thread(target=_keep_alive, args=(store.engine, lease, ended, every), daemon=True)
    heart.start()
    try:
        with store.fenced(lease):
            yield lease
    finally:
        ended.set()
        heart.join(every)
        try:
            release(store.engine, lease)
        except StoreError as error:  # the next one finds this process gone
            _LOG.warning("the lease of %s could not be given back: %s", municipality, error)


def _obtain(engine: Engine, municipality: str, lane: str, every: float, patience: float) -> Lease:
    host, process = f"{socket.gethostname()}, process {os.getpid()}", identity()
    for _ in range(_TRIES):
        now = next(iter(held(engine, municipality, lane)), None)
        if now is not None and not _is_dead(engine, now, every, patience):
            raise BusyError(
                f"{municipality} is being worked on by {now.host}, since "
                f"{now.taken_at:%Y-%m-%d %H:%M} UTC. Wait for it to end; `manifiesta status` "
                "shows it."
            )
        lease = take(engine, municipality, lane, host, process, now)
        if lease is not None:
            return lease
    raise BusyError(f"{municipality}: other processes were faster. Wait for them to end.")


def _is_dead(engine: Engine, holder: Held, every: float, patience: float) -> bool:
    known = is_running(holder.process)
    if known is not None:
        return not known
    watch, deadline = Event(), monotonic() + patience
    while monotonic() < deadline:
        watch.wait(min(every, patience / 3))
        now = held(engine, holder.lease.municipality, holder.lease.lane)
        if not now or now[0].lease != holder.lease:
            return False
        if now[0].beats != holder.beats:
            return False
    return True


def _keep_alive(engine: Engine, lease: Lease, ended: Event, every: float) -> None:
    while not ended.wait(every):
        try:
            if not beat(engine, lease):
                return
        except StoreError as error:  # the database may be back before anybody takes it for dead
            _LOG.warning("no sign of life could be given: %s", error)


def identity(pid: int | None = None) -> str | None:
    """Name a process of this machine so that no later one has the same name; None elsewhere.

    It is made of the boot, the process namespace, the number and the start in ticks since the
    boot (proc(5)): none of them moves when the clock is set.
    """
    number = pid or os.getpid()
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = (_PROC / "self/ns/pid").readlink()
        stat = (_PROC / str(number) / "stat").read_text()
    except OSError:
        return None
    state, *numbers = stat.rpartition(")")[2].split()
    return f"{boot} {namespace} {number} {numbers[18]}" if state != "Z" else None


def is_running(process: str | None) -> bool | None:
    """Say whether a process that `identity` named lives; None if it cannot be seen from here."""
    mine = identity()
    if process is None or mine is None:
        return None
    *here, number, _ = process.split(" ")
    if here != mine.split(" ")[:2]:
        return None
    return identity(int(number)) == process
