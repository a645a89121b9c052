"""The owner's side of `crawlers.fork_server`: starts a crawl as a fork, waits for it, ends it."""

import atexit
import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from types import TracebackType
from typing import IO, Self

from crawlers.fork_server import NUMBER

SERVER = (sys.executable, "-m", "crawlers.fork_server")
"""The command of the server; the descriptor of its socket is its argument."""

STARTING = 120.0
"""Seconds that a server may take for its imports, on a busy machine."""

_ENDING = 5.0
_TRIES = 3
"""An idle server may be ending just when it is asked."""

_KEPT = frozenset(
    {
        "DISPLAY",
        "HOME",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "PATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
        "USER",
    }
)
_KEPT_FAMILIES = ("COVERAGE_", "LC_", "PLAYWRIGHT_", "PYTHON", "XDG_")


class ServerLostError(Exception):
    """The process that starts crawls is gone, and with it the crawl."""


class Forked:
    """One crawl that was forked; leaving its context ends it."""

    def __init__(self, order: int, status: socket.socket) -> None:
        self._order, self._status = order, status
        try:
            self.pid = self._number(STARTING)
        except TimeoutError:
            raise ServerLostError("the process that starts crawls does not start") from None

    def wait(self, seconds: float) -> int | None:
        """Return its exit code, minus the signal's number if it was killed; nothing if it runs.

        Raises:
            ServerLostError: its server has died, which ends the crawl too.
        """
        try:
            return self._number(seconds)
        except TimeoutError:
            return None

    def _number(self, seconds: float) -> int:
        self._status.settimeout(max(seconds, 0.001))
        try:
            said = self._status.recv(NUMBER.size)
        except ConnectionError:
            said = b""
        if not said:
            raise ServerLostError("the process that starts crawls is gone")
        number: int = NUMBER.unpack(said)[0]
        return number

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the crawl if it still runs."""
        self._status.close()
        os.close(self._order)


class Forks:
    """A server of this process, started when it is needed and again when it is gone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._said: IO[bytes] | None = None

    def start(self, job: Path, log: IO[bytes], token: str) -> Forked:
        """Start the crawl of a job file.

        Raises:
            ServerLostError: no server could be started, and why.
        """
        order = json.dumps({"job": str(job.resolve()), "folder": str(Path.cwd()), "token": token})
        for _ in range(_TRIES):
            with suppress(ServerLostError):
                return self._fork(order.encode() + b"\n", log)
        raise ServerLostError(f"no crawl can be started: {self._last_words()}")

    def _fork(self, order: bytes, log: IO[bytes]) -> Forked:
        theirs, ours = os.pipe()
        status, far = socket.socketpair()
        try:
            with self._lock, far:
                self._send([theirs, far.fileno(), log.fileno()])
            os.write(ours, order)
            return Forked(ours, status)
        except BaseException:
            status.close()
            os.close(ours)
            raise
        finally:
            os.close(theirs)

    def _send(self, descriptors: list[int]) -> None:
        if self._control is None or self._server is None or self._server.poll() is not None:
            self._end()
            self._control = self._begin()
        try:
            socket.send_fds(self._control, [b"+"], descriptors)
        except ConnectionError as error:
            self._end()
            raise ServerLostError("the process that starts crawls is gone") from error

    def _begin(self) -> socket.socket:
        near, far = socket.socketpair()
        if self._said is not None:
            self._said.close()
        self._said = TemporaryFile()  # noqa: SIM115 - read when the server is gone
        with far:
            self._server = subprocess.Popen(  # noqa: S603 - our own module, and no shell
                [*SERVER, str(far.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=[far.fileno()],
                env=environment(),
                cwd="/",
                start_new_session=True,
            )
        return near

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            try:
                self._server.wait(_ENDING)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        self._control = self._server = None

    def _last_words(self) -> str:
        if self._said is None:
            return "it did not start"
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return " / ".join(line.strip() for line in lines[-3:]) or "it did not start in time"

    @property
    def pid(self) -> int | None:
        """The server's process id, while there is one."""
        return self._server.pid if self._server is not None else None

    def close(self) -> None:
        """End the server, and with it every crawl that still runs."""
        with self._lock:
            self._end()

    def forget(self) -> None:
        """Leave the server to the process that started it, in a fork of that process."""
        self._lock = Lock()
        self._control = self._server = None


def environment() -> dict[str, str]:
    """Return what a crawl may know of this process's environment: where things lie, no secret."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(_KEPT_FAMILIES)
    }
    here = str(Path(__file__).resolve().parent.parent)
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (here, kept.get("PYTHONPATH"))))
    return kept | {"OPENBLAS_NUM_THREADS": "1"}  # a fork has one thread, whatever it was made from


FORKS = Forks()
atexit.register(FORKS.close)
os.register_at_fork(after_in_child=FORKS.forget)
