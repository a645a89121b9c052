"""Collect one source: crawl it, mask what it gave, store it, and write the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.schema import Municipality, Source, absolute_url
from crawlers.job import CrawlJob, CrawlResult, crawl
from crawlers.known import Known
from models.errors import SourceError
from models.records import (
    Condition,
    Extracted,
    Failure,
    Health,
    Manifestation,
    Outcome,
    Rejection,
    Stage,
    State,
    Window,
    manifestation_id,
)
from pipelines.expectations import unmet
from pipelines.health import Reading, after_crawl, why_resting
from pipelines.privacy import Pseudonymiser
from pipelines.store.read import (
    known_validators,
    manifestations_per_day,
    seen_fingerprints,
    source_health,
)
from pipelines.store.write import Partition, Saved, Store


class SourceUnreadError(SourceError):
    """A source gave nothing at all; ``result`` says what was tried."""

    def __init__(self, result: CrawlResult) -> None:
        super().__init__(result.reason)
        self.result = result

    @property
    def lasting(self) -> bool:
        """Whether another try would meet the same: the source forbids it, or is no such thing."""
        return self.result.failure is Failure.HARD


@dataclass(frozen=True, slots=True)
class Collected:
    """What one source gave in one run; ``not_modified`` answers said that nothing has changed."""

    source: str
    state: State
    saved: Saved
    rejected: int
    ignored: int
    reason: str | None = None
    not_modified: int = 0


def user_agent(municipality: Municipality, version: str) -> str:
    """Return the honest user agent: which software, for whom, and whom to write to."""
    contact = municipality.contact
    owner = contact.name.encode("ascii", "ignore").decode()
    return f"Manifiesta/{version} ({owner}; +mailto:{contact.email})"


def known_of(store: Store, municipality: Municipality, source: Source) -> Known:
    """Return what is stored of a source, so that a crawl need not read it again."""
    health = source_health(store.engine, municipality.code).get(source.name)
    validators = known_validators(store.engine, municipality.code, source.name)
    return Known(
        validators={validator.url: validator for validator in validators},
        seen=seen_fingerprints(store.engine, municipality.code, source.name),
        complete=health is not None and health.complete,
    )


def read_source(
    municipality: Municipality,
    source: Source,
    archive: Path,
    software_version: str,
    known: Known | None = None,
) -> CrawlResult:
    """Crawl a source; nothing is stored but the raw responses in the archive.

    Args:
        municipality: whose source it is.
        source: the source.
        archive: the folder of WARC files.
        software_version: for the user agent.
        known: what is stored of it; without it everything is read.

    Raises:
        SourceUnreadError: its first address could not be read, or the crawl died with nothing.
    """
    with TemporaryDirectory(prefix="manifiesta-crawl-") as folder:
        result = crawl(
            make_job(municipality, source, archive, software_version, Path(folder), known)
        )
    if not result.finished and not result.extracted:
        raise SourceUnreadError(result)
    return result


def make_job(
    municipality: Municipality,
    source: Source,
    archive: Path,
    software_version: str,
    out: Path,
    known: Known | None = None,
    replay: Path | None = None,
) -> CrawlJob:
    """Return the job that reads a source, and write what is known of it into its folder."""
    path = None
    if known is not None:
        path = out / "known.json.gz"
        known.save(path)
    return CrawlJob(
        municipality=municipality.code,
        source=source,
        url=absolute_url(municipality, source),
        user_agent=user_agent(municipality, software_version),
        time_zone=municipality.time_zone,
        out=out,
        archive=archive,
        known=path,
        replay=replay,
    )


def store_crawl(
    store: Store,
    run_id: str,
    municipality: Municipality,
    source: Source,
    window: Window,
    pseudonymiser: Pseudonymiser,
    result: CrawlResult,
) -> Collected:
    """Store what a crawl gave and note in the ledger how far each day of the window got.

    What it says of the source's health decides when the source is read next.
    """
    now = datetime.now(UTC)
    collected = keep_records(store, run_id, municipality, source, pseudonymiser, result)
    health = source_health(store.engine, municipality.code).get(source.name, Health())
    reading = Reading(
        state=collected.state,
        failure=result.failure,
        reason=result.reason,
        is_new=bool(collected.saved.new or collected.saved.changed),
        is_complete=not result.missed,
    )
    store.save_health(
        municipality.code,
        source.name,
        after_crawl(health, source, municipality.collection, reading, now),
    )
    return conclude(store, run_id, municipality, source, window, collected, result.extracted, now)


def keep_records(
    store: Store,
    run_id: str,
    municipality: Municipality,
    source: Source,
    pseudonymiser: Pseudonymiser,
    result: CrawlResult,
) -> Collected:
    """Store the records of a crawl, and with them what tells the next one to leave them."""
    manifestations, undated = make_storable(result.extracted, pseudonymiser)
    rejections = [*result.rejections, *undated]
    saved = store.save_collected(
        run_id,
        municipality,
        source.name,
        manifestations,
        rejections,
        result.captures,
        seen=_marks(municipality.code, result.extracted),
        validators=() if result.missed else result.validators,
    )
    ignored = sum(rejection.outcome.ignored for rejection in rejections)
    return Collected(
        source.name,
        _state(result),
        saved + Saved(known=result.unchanged),
        len(rejections) - ignored,
        ignored,
        result.reason or None,
        result.not_modified,
    )


def conclude(
    store: Store,
    run_id: str,
    municipality: Municipality,
    source: Source,
    window: Window,
    collected: Collected,
    records: Sequence[Extracted],
    read_at: datetime,
) -> Collected:
    """Compare a source with what is expected of it, and note in the ledger how it was read.

    A day that is over by now, but was not yet at ``read_at``, is not read to its end.
    """
    if collected.state is not State.FAILED and (
        changed := unmet(store.engine, municipality, source, window, records, read_at)
    ):
        reason = f"{collected.reason}; {changed}" if collected.reason else changed
        collected = replace(collected, state=State.PARTIAL, reason=reason)
    lines = collect_partitions(
        store, municipality, source.name, window, collected.state, collected.reason
    )
    last, today = window.day_of(read_at), window.day_of(datetime.now(UTC))
    cut = f"it was last read on {last}"
    store.save_partitions(
        run_id,
        [
            replace(line, state=State.PARTIAL, error=line.error or cut)
            if line.state is State.DONE and last <= line.day < today
            else line
            for line in lines
        ],
    )
    return collected


def leave_alone(
    store: Store,
    run_id: str,
    municipality: Municipality,
    source: Source,
    window: Window,
    health: Health,
) -> Collected:
    """Note that a run does not read a source which is not due.

    A quarantined one is failed in the ledger, for its reason. One that is only idle leaves no
    line there: its days are judged by the runs that read it.
    """
    reason = why_resting(health, municipality)
    if health.state is not Condition.QUARANTINED:
        return Collected(source.name, State.UNREAD, Saved(), 0, 0, reason)
    store.save_partitions(
        run_id,
        collect_partitions(store, municipality, source.name, window, State.FAILED, reason),
    )
    return Collected(source.name, State.FAILED, Saved(), 0, 0, reason)


def _marks(municipality: str, records: Iterable[Extracted]) -> dict[str, str]:
    """Return the fingerprints of the records that are stored, by the id they are stored under."""
    return {
        manifestation_id(municipality, record.source, record.external_id): record.fingerprint
        for record in records
        if record.fingerprint and record.said_at is not None
    }


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
