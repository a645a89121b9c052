"""How much memory a crawl itself needs."""

from pathlib import Path

from scrapy.extensions.memusage import MemoryUsage

_STATUS = Path("/proc/self/status")


class OwnMemory(MemoryUsage):
    """Scrapy's memory limit, measured on this process alone.

    Scrapy asks ``getrusage`` for the peak, and on Linux a new process starts with the peak of
    the one that started it: beside a loaded model every crawl would seem too large.
    """

    def get_virtual_size(self) -> int:
        """Return the peak of this process's resident memory, in bytes."""
        try:
            lines = _STATUS.read_text().splitlines()
        except OSError:
            return int(super().get_virtual_size())
        peak = next((line for line in lines if line.startswith("VmHWM:")), None)
        return int(peak.split()[1]) * 1024 if peak else int(super().get_virtual_size())
