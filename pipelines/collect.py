"""Collect one source: crawl it, mask what it gave, store it, and write the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.schema import Municipality, Source, absolute_url
from crawlers.job import CrawlJob, CrawlResult, crawl
from models.errors import SourceError
from models.records import (
    Extracted,
    Manifestation,
    Outcome,
    Rejection,
    Stage,
    State,
    Window,
)
from pipelines.privacy import Pseudonymiser
from pipelines.store.read import manifestations_per_day
from pipelines.store.write import Partition, Saved, Store

_LASTING = frozenset({Outcome.ROBOTS_DENIED, Outcome.NOT_ALLOWED, Outcome.UNREADABLE})


class SourceUnreadError(SourceError):
    """A source gave nothing at all; ``result`` says what was tried."""

    def __init__(self, result: CrawlResult) -> None:
        super().__init__(result.reason)
        self.result = result

    @property
    def lasting(self) -> bool:
        """Whether another try would meet the same: the source forbids it, or is no such thing."""
        return any(rejection.outcome in _LASTING for rejection in self.result.rejections)


@dataclass(frozen=True, slots=True)
class Collected:
    """What one source gave in one run."""

    source: str
    state: State
    saved: Saved
    rejected: int
    ignored: int
    reason: str | None = None


def user_agent(municipality: Municipality, version: str) -> str:
    """Return the honest user agent: which software, for whom, and whom to write to."""
    contact = municipality.contact
    owner = contact.name.encode("ascii", "ignore").decode()
    return f"Manifiesta/{version} ({owner}; +mailto:{contact.email})"


def read_source(
    municipality: Municipality, source: Source, archive: Path, software_version: str
) -> CrawlResult:
    """Crawl a source; nothing is stored but the raw responses in the archive.

    Raises:
        SourceUnreadError: its first address could not be read, or the crawl died with nothing.
    """
    with TemporaryDirectory(prefix="manifiesta-crawl-") as folder:
        job = CrawlJob(
            municipality=municipality.code,
            source=source,
            url=absolute_url(municipality, source),
            user_agent=user_agent(municipality, software_version),
            time_zone=municipality.time_zone,
            out=Path(folder),
            archive=archive,
        )
        result = crawl(job)
    if not result.finished and not result.extracted:
        raise SourceUnreadError(result)
    return result


def store_crawl(
    store: Store,
    run_id: str,
    municipality: Municipality,
    source: Source,
    window: Window,
    pseudonymiser: Pseudonymiser,
    result: CrawlResult,
) -> Collected:
    """Store what a crawl gave and note in the ledger how far each day of the window got."""
    manifestations, undated = make_storable(result.extracted, pseudonymiser)
    rejections = [*result.rejections, *undated]
    saved = store.save_collected(
        run_id, municipality, source.name, manifestations, rejections, result.captures
    )
    state = _state(result)
    reason = result.reason or None
    store.save_partitions(
        run_id, collect_partitions(store, municipality, source.name, window, state, reason)
    )
    ignored = sum(rejection.outcome.ignored for rejection in rejections)
    return Collected(source.name, state, saved, len(rejections) - ignored, ignored, reason)


def make_storable(
    records: Iterable[Extracted], pseudonymiser: Pseudonymiser
) -> tuple[list[Manifestation], list[Rejection]]:
    """Mask and pseudonymise records; one without a date is rejected, never dated by guess."""
    manifestations, rejections = [], []
    for record in records:
        if record.said_at is None:
            rejections.append(
                Rejection(
                    record.source,
                    Outcome.NO_DATE,
                    record.url or record.external_id,
                    "the source does not say when it was published",
                )
            )
        else:
            manifestations.append(pseudonymiser.storable(record))
    return manifestations, rejections


def collect_partitions(
    store: Store,
    municipality: Municipality,
    source: str,
    window: Window,
    state: State,
    reason: str | None,
) -> list[Partition]:
    """Return the ledger lines of a source's collection: one for each day of the window."""
    counts = manifestations_per_day(store.engine, municipality.code, window)
    return [
        Partition(source, day, Stage.COLLECT, state, counts.get((source, day), 0), reason)
        for day in window.days
    ]


def _state(result: CrawlResult) -> State:
    if result.finished:
        return State.DONE
    return State.PARTIAL if result.extracted else State.FAILED
