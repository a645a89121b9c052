"""How long reading one answer may take: hostile markup keeps a parser busy for hours."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LONGEST = 30.0
"""Seconds of the processor's time; waiting for a busy machine does not count."""

_AGAIN = 1.0


class TookTooLongError(Exception):
    """Reading an answer was given up."""


class _Alarm(BaseException):
    """Rings in the middle of a parser, where any `Exception` might be caught and forgotten."""


@contextmanager
def patience(seconds: float = LONGEST) -> Iterator[None]:
    """Let what runs inside use the processor for so long and no longer.

    For the main thread of a crawl's own process: the timer counts the time of all threads, and
    its signal may reach any of them.

    Raises:
        TookTooLongError: it used it for longer.
    """

    def ring(*_: Any) -> None:
        raise _Alarm

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)
    try:
        yield
    except _Alarm:
        raise TookTooLongError(f"reading it took more than {seconds:g} seconds") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
