"""What one crawl of one source is to read, and what it brought home."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from configs.schema import Source
from crawlers.kept import KeptRecords
from models.records import Capture, Extracted, Failure, Listing, Rejection, Validator, Vanished


class CrawlJob(BaseModel):
    """What one crawl is to read, and where it leaves what it found.

    ``url`` is the absolute start address, ``out`` a folder for this crawl alone, ``archive``
    the folder of all WARC files. Dates without a zone are taken in ``time_zone``. ``known`` is
    a file of `crawlers.known`. ``replay`` is a file of captures, which then answer every request
    in place of the network; those of ``fetched`` answer what they can, and the network the rest.
    A ``look`` fetches the address alone, and reads nothing from it.
    ``since`` and ``until`` are the window: what is older is not asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    municipality: str
    source: Source
    url: str
    user_agent: str
    time_zone: str
    out: Path
    archive: Path
    known: Path | None = None
    replay: Path | None = None
    since: datetime | None = None
    until: datetime | None = None
    fetched: Path | None = None
    look: bool = False


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """What a crawl brought home; ``reason`` says why it was cut short, if it was.

    ``failure`` says how it went wrong, ``unchanged`` how many things were as they are stored and
    not read again, ``not_modified`` how many answers said just that. ``validators`` are to be
    kept once the records are stored. ``vanished`` and ``listings`` tell what is gone; ``bounded``
    says that nothing was asked for beyond the window; ``fields`` are what the answers hold;
    ``looked`` are the fingerprints of old pages that had not changed when they were asked. The
    records of a large crawl stay in their file, until it is closed.
    """

    extracted: Sequence[Extracted]
    captures: list[Capture]
    rejections: list[Rejection]
    finished: bool
    reason: str
    failure: Failure | None = None
    unchanged: int = 0
    not_modified: int = 0
    validators: tuple[Validator, ...] = ()
    vanished: tuple[Vanished, ...] = ()
    listings: tuple[Listing, ...] = ()
    bounded: bool = False
    fields: tuple[str, ...] = ()
    looked: tuple[str, ...] = ()

    @property
    def missed(self) -> bool:
        """Whether another try may bring what this one could not read."""
        return not self.finished or any(
            rejection.outcome.failure is Failure.TEMPORARY for rejection in self.rejections
        )

    def close(self) -> None:
        """Let go of the file of its records, if they are in one: they have been stored."""
        if isinstance(self.extracted, KeptRecords):
            self.extracted.close()
