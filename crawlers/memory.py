"""How much memory a crawl itself needs."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scrapy.extensions.memusage import MemoryUsage

_STATUS = Path("/proc/self/status")


def peak_memory() -> int:
    """Return the most resident memory that this process had, in bytes; 0 if nobody says."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0
    peak = next((line for line in lines if line.startswith("VmHWM:")), None)
    return int(peak.split()[1]) * 1024 if peak else 0


class OwnMemory(MemoryUsage):
    """Scrapy's memory limit, measured on this process alone.

    Scrapy asks ``getrusage`` for the peak, and on Linux a new process starts with the peak of
    the one that started it: beside a loaded model every crawl would seem too large.
    """

    def get_virtual_size(self) -> int:
        """Return the peak of this process's resident memory, in bytes."""
        return peak_memory() or int(super().get_virtual_size())


class WithBrowser(OwnMemory):
    """The limit of a crawl with a browser, measured on this process and all that it started."""

    def get_virtual_size(self) -> int:
        """Return the resident memory of the whole family, each shared page counted once."""
        family, parents = {os.getpid()}, dict(_processes())
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        return sum(map(_own_share, family)) or super().get_virtual_size()


def _processes() -> Iterator[tuple[int, int]]:
    """Give every process and its parent; one that ends meanwhile is left out."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            yield int(folder.name), int(fields[1])


def _own_share(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
