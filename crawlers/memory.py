"""How much memory a crawl itself needs."""

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
