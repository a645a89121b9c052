"""Collect one source: crawl it, mask what it gave, store it, and write the ledger."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.schema import Municipality, Source, absolute_url
from crawlers.crawl import crawl
from crawlers.job import CrawlJob, CrawlResult
from crawlers.known import MOST_OPENERS, Known, last_look
from models.errors import SourceError
from models.reasons import Reason
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
)
from pipelines.expectations import new_fields, unmet
from pipelines.gone import find_gone
from pipelines.health import Reading, after_crawl, why_resting
from pipelines.privacy import Pseudonymiser
from pipelines.spool import Spool
from pipelines.store.collecting import Learnt, Saved
from pipelines.store.crawled import (
    Tombstone,
    gone_fingerprints,
    known_validators,
    openers,
    seen_fingerprints,
    source_fields,
    source_health,
    tombstones,
)
from pipelines.store.erase import ERASED
from pipelines.store.read import manifestations_per_day
from pipelines.store.write import Partition, Store


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
    """What one source gave in one run; ``not_modified`` answers said that nothing has changed.

    ``gone`` were seen to be taken back; ``warnings`` are for a person to look at.
    """

    source: str
    state: State
    saved: Saved
    rejected: int
    ignored: int
    reason: str | None = None
    not_modified: int = 0
    gone: int = 0
    warnings: tuple[str, ...] = ()


def user_agent(municipality: Municipality, version: str) -> str:
    """Return the honest user agent: which software, for whom, and whom to write to."""
    contact = municipality.contact
    owner = contact.name.encode("ascii", "ignore").decode()
    return f"Manifiesta/{version} ({owner}; +mailto:{contact.email})"


def known_of(
    store: Store, municipality: Municipality, source: Source, window: Window | None = None
) -> Known:
    """Return what is stored of a source, so that a crawl of a window need not read it again."""
    health = source_health(store.engine, municipality.code).get(source.name)
    validators = known_validators(store.engine, municipality.code, source.name)
    return Known(
        validators={validator.url: validator for validator in validators},
        seen=seen_fingerprints(store.engine, municipality.code, source.name),
        complete=health is not None and _reaches(health, window),
        openers=tuple(openers(store.engine, municipality.code, source.name, MOST_OPENERS)),
        gone=tuple(gone_fingerprints(store.engine, municipality.code, source.name)),
    )


def _reaches(health: Health, window: Window | None) -> bool:
    """Say whether a source was read completely back to the beginning of a window."""
    if not health.complete or health.reach is None:
        return health.complete
    return window is not None and health.reach <= _midnight(window.start, window)


def _midnight(day: date, window: Window) -> datetime:
    return datetime.combine(day, time(), window.zone).astimezone(UTC)


def read_source(
    municipality: Municipality,
    source: Source,
    archive: Path,
    software_version: str,
    known: Known | None = None,
    window: Window | None = None,
) -> CrawlResult:
    """Crawl a source; nothing is stored but the raw responses in the archive.

    Args:
        municipality: whose source it is.
        source: the source.
        archive: the folder of WARC files.
        software_version: for the user agent.
        known: what is stored of it; without it everything is read.
        window: what was said before it is not asked for; without it all there is.

    Raises:
        SourceUnreadError: its first address could not be read, or the crawl died with nothing.
    """
    with TemporaryDirectory(prefix="manifiesta-crawl-") as folder:
        job = make_job(municipality, source, archive, software_version, Path(folder), known)
        result = crawl(job if window is None else within(job, window))
    if not result.finished and not result.extracted:
        raise SourceUnreadError(result)
    return result


def within(job: CrawlJob, window: Window) -> CrawlJob:
    """Return a job that asks for nothing from before a window."""
    bounds = {"since": _midnight(window.start, window), "until": _midnight(window.end, window)}
    return job.model_copy(update=bounds)


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

    What it says of the source's health decides when the source is read next, and is stored
    together with the records: a run that is killed leaves both as they were.
    """
    now = datetime.now(UTC)
    before = source_health(store.engine, municipality.code).get(source.name, Health())
    reach = _midnight(window.start, window) if result.bounded else None
    reach = before.reach if _reaches(before, window) else reach

    def health(saved: Saved) -> Health:
        reading = Reading(
            state=_state(result),
            failure=result.failure,
            reason=result.reason,
            is_new=bool(saved.new or saved.changed),
            is_complete=not result.missed,
            reach=reach,
        )
        return after_crawl(before, source, municipality.collection, reading, now)

    with closing(result):
        collected = keep_records(store, run_id, municipality, source, pseudonymiser, result, health)
        said = result.extracted
        return conclude(store, run_id, municipality, source, window, collected, said, now)


def keep_records(
    store: Store,
    run_id: str,
    municipality: Municipality,
    source: Source,
    pseudonymiser: Pseudonymiser,
    result: CrawlResult,
    health: Callable[[Saved], Health] | None = None,
) -> Collected:
    """Store the records of a crawl, and with them what tells the next one to leave them."""
    engine, code = store.engine, municipality.code
    gone = find_gone(engine, code, source.name, result)
    fields = new_fields(source_fields(engine, code).get(source.name), result.fields)
    with closing(Spool()) as spool:
        left_out = _mask(result.extracted, pseudonymiser, tombstones(engine, code), spool)
        rejections = [*result.rejections, *left_out]
        learnt = Learnt(
            seen=spool.marks(),
            validators=() if result.missed else result.validators,
            gone=gone.moments,
            looked={mark: last_look(mark) for mark in result.looked},
            fields=fields,
            health=health,
        )
        said = spool.manifestations()
        saved = store.save_collected(
            run_id, municipality, source.name, said, rejections, result.captures, learnt
        )
    ignored = sum(rejection.outcome.ignored for rejection in rejections)
    later = sorted(name for name, came_later in fields.items() if came_later)
    told = (f"new in its answers: {', '.join(later)}",) if later else ()
    return Collected(
        source.name,
        _state(result),
        saved + Saved(known=result.unchanged),
        len(rejections) - ignored,
        ignored,
        result.reason or None,
        result.not_modified,
        len(gone.moments),
        (*gone.warnings, *told),
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
    cut = Reason.LAST_READ.said(day=last)
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


def _mask(
    records: Iterable[Extracted],
    pseudonymiser: Pseudonymiser,
    buried: Mapping[str, Tombstone],
    spool: Spool,
) -> list[Rejection]:
    """Write the masked records into a spool, with their fingerprints; return those left out."""
    rejections = []
    for record in records:
        made = make_storable(record, pseudonymiser, buried)
        if isinstance(made, Rejection):
            rejections.append(made)
        else:
            spool.add(made, record.fingerprint)
    return rejections


def make_storable(
    record: Extracted, pseudonymiser: Pseudonymiser, buried: Mapping[str, Tombstone]
) -> Manifestation | Rejection:
    """Mask and pseudonymise a record; one without a date is rejected, never dated by guess.

    What was purged is left out, under the reason for which it was, and without its name.
    """
    digests = pseudonymiser.digests(record.source, record.external_id, record.author)
    found = [buried[digest] for digest in digests if digest in buried]
    if found:
        why = f"purged by {found[0].reason} on {found[0].purged_at:%Y-%m-%d}"
        return Rejection(record.source, Outcome.PURGED, ERASED, why)
    if record.said_at is None:
        where = record.url or record.external_id
        why = "the source does not say when it was published"
        return Rejection(record.source, Outcome.NO_DATE, where, why)
    return pseudonymiser.storable(record)


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
