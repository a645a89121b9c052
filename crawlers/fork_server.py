"""The process from which every crawl is forked: ``python -m crawlers.fork_server DESCRIPTOR``.

Importing Scrapy and the readers of pages takes longer than the crawl of a source that has nothing
new; here it is done once. This process has one thread, no reactor and no secret, and reads
nothing that a source wrote: it forks, waits and kills. It ends with its owner, or when nobody
asked it for anything in a while, and no crawl outlives it.

The descriptor is a stream socket. Each byte on it brings three descriptors: a pipe on which the
crawl is given its order, and which closes when its owner dies; a socket on which this process
says the crawl's id and then how it ended, and whose other end is closed to have it killed; and
the file of its log.
"""

import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

IDLE = 300.0
"""Seconds without a crawl after which the process ends; the next crawl starts another."""

NUMBER = struct.Struct("<i")
"""How a process id and an exit code, minus the signal's number for a killed one, are sent."""

FAULT, TOO_MUCH_MEMORY = os.EX_SOFTWARE, os.EX_OSERR
"""Exit codes of a crawl that this software broke, and of one that needed more than its limit."""

DESCRIPTORS = 3

_PRELOADED = (
    "crawlers.child",
    "crawlers.keyed",
    "crawlers.memory",
    "crawlers.middlewares",
    "crawlers.politeness",
    "crawlers.replaying",
    "crawlers.resolver",
    "crawlers.shared_settings",
    "crawlers.spiders.feed",
    "crawlers.spiders.interface",
    "crawlers.spiders.look",
    "crawlers.spiders.pages",
    "dateparser",
    "feedparser",
    "htmldate",
    "scrapy.core.downloader.contextfactory",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.crawler",
    "scrapy.dupefilters",
    "scrapy.logformatter",
    "scrapy.pipelines",
    "scrapy.pqueues",
    "scrapy.squeues",
    "scrapy.statscollectors",
    "trafilatura",
    "warcio",
)
"""What a crawl imports, beside the parts of Scrapy that its own settings name."""

_DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class ForkServer:
    """Forks, waits and kills, one event after the other."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, socket.socket] = {}
        self._events = selectors.DefaultSelector()
        self._is_over = False

    def serve(self, idle: float = IDLE) -> None:
        """Serve until the owner is gone, or nobody has asked for anything in ``idle`` seconds."""
        woken, wake = socket.socketpair()
        wake.setblocking(False)
        woken.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._on(self._control, self._start)
        self._on(woken, lambda: self._reap(woken))
        while not self._is_over:
            events = self._events.select(idle)
            if not events and not self._children:
                return
            for key, _ in events:
                key.data()
        for pid in self._children:
            _kill(pid)

    def _on(self, file: socket.socket, act: Callable[[], None]) -> None:
        self._events.register(file, selectors.EVENT_READ, act)

    def _start(self) -> None:
        message, descriptors, *_ = socket.recv_fds(self._control, 1, DESCRIPTORS)
        if not message:
            self._is_over = True
            return
        order, status, log = descriptors
        pid = os.fork()
        if pid == 0:
            _become_a_crawl(order, log)
        os.close(order)
        os.close(log)
        owner = socket.socket(fileno=status)
        self._children[pid] = owner
        self._on(owner, lambda: _kill(pid))  # the owner says nothing there, it hangs up
        _tell(owner, pid)

    def _reap(self, woken: socket.socket) -> None:
        with suppress(BlockingIOError):
            woken.recv(4096)
        for pid in list(self._children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # whatever it left behind
            owner = self._children.pop(pid)
            self._events.unregister(owner)
            _tell(owner, os.waitstatus_to_exitcode(status))
            owner.close()


def _tell(owner: socket.socket, number: int) -> None:
    with suppress(OSError):  # nobody is there any more
        owner.send(NUMBER.pack(number))


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def _become_a_crawl(order: int, log: int) -> None:
    """Turn a fork of this process into a crawl, and end it; this never returns."""
    code = FAULT
    try:
        server = os.getppid()
        os.setsid()
        _end_with(server)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for place, descriptor in enumerate((order, log, log)):
            os.dup2(descriptor, place)
        os.closerange(DESCRIPTORS, os.sysconf("SC_OPEN_MAX"))
        code = _crawl(json.loads(_first_line()))
    except MemoryError:
        code = TOO_MUCH_MEMORY
    except Exception as error:  # noqa: BLE001 - the end of a process, told by its exit code
        traceback.print_tb(error.__traceback__)
        sys.stderr.write(f"{type(error).__name__}\n")  # its words may quote what was read
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _crawl(order: dict[str, str]) -> int:
    from crawlers import child

    os.chdir(order["folder"])
    return child.main(Path(order["job"]), order["token"])


def _first_line() -> bytes:
    said = b""
    while not said.endswith(b"\n"):
        more = os.read(0, 1 << 16)
        if not more:
            raise EOFError("the owner of this crawl is gone")
        said += more
    return said


def _end_with(server: int) -> None:
    """Have the kernel kill this process when the server dies, in the middle of whatever it does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_OF_PARENT, signal.SIGKILL)
    if os.getppid() != server:
        raise ProcessLookupError("the server of this crawl is gone")


def preload() -> None:
    """Import what every crawl needs, and load what the readers load at their first page."""
    from scrapy.settings import default_settings

    named = (
        default_settings.DOWNLOADER_MIDDLEWARES_BASE,
        default_settings.EXTENSIONS_BASE,
        default_settings.SPIDER_MIDDLEWARES_BASE,
    )
    for name in [*_PRELOADED, *(path.rpartition(".")[0] for paths in named for path in paths)]:
        importlib.import_module(name)
    _read_one_page()
    if "twisted.internet.reactor" in sys.modules:
        raise RuntimeError("a preloaded module has installed a reactor")
    gc.collect()
    gc.freeze()  # so that a fork shares these pages for good


def _read_one_page() -> None:
    """Have the readers load what they put off until their first page and their first date."""
    from crawlers.extract.dates import moment
    from crawlers.extract.page import read_page

    said = "<p>Falta agua en el jirón y nadie responde a los vecinos.</p>" * 5
    read_page(f"<html><body><article>{said}</article></body></html>".encode(), "")
    moment("hace 2 horas", ZoneInfo("America/Lima"), datetime(2021, 9, 1, tzinfo=UTC))


def main(argv: list[str]) -> int:
    """Serve the owner of a socket."""
    control = socket.socket(fileno=int(argv[1]))
    preload()
    ForkServer(control).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
