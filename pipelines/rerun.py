"""Derive a window again, in partitions (source, day, stage) of which only what is due is done.

What a run planned and how far it got is in the ledger, and nowhere else: a run that was killed
goes on from there, and leaves the rows of one that was not.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from configs.model import ModelSpec
from configs.schema import Municipality, Source
from crawlers.index import archive_state
from crawlers.job import CrawlResult
from models.errors import BusyError, ManifiestaError, StoreError
from models.records import Stage, State, Window
from pipelines.classify import classify_window
from pipelines.collect import Collected, conclude, keep_records
from pipelines.privacy import Pseudonymiser
from pipelines.replay import replay_source, store_replay
from pipelines.store.leases import Lease
from pipelines.store.ledger import (
    Line,
    classified_digests,
    collected_digests,
    lines_of,
    made_with,
    settled_days,
)
from pipelines.store.partitions import Facts, Key
from pipelines.store.read import manifestations_per_day
from pipelines.store.write import Partition, Store

if TYPE_CHECKING:
    from nlp.classifier import Classifier

TRIES = 3
"""A partition that was under way so often when its process died is not begun again."""

FATAL = f"it was under way {TRIES} times when the process died: look at what this day holds"

_LOADING = Lock()


class How(StrEnum):
    """From where days are collected."""

    MISSING = "missing"
    """From the sources, and only the days that no run has settled."""
    REPLAY = "replay"
    """From the archive, the whole window."""
    RECRAWL = "recrawl"
    """From the sources, the whole window."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a rerun is asked to do; without ``only`` all stages, without ``sources`` all of them."""

    how: How = How.MISSING
    only: Stage | None = None
    sources: tuple[str, ...] = ()

    def wants(self, stage: Stage) -> bool:
        """Say whether a stage is to be done."""
        return self.only in (None, stage)


@dataclass(frozen=True, slots=True)
class Work:
    """What the partitions of one rerun share; it travels to workers, and holds no secret."""

    run_id: str
    lease: Lease | None
    municipality: Municipality
    window: Window
    taxonomy_version: str
    software_version: str


def plan_collection(
    store: Store, work: Work, wish: Wish, archive: Path, now: datetime
) -> dict[str, list[date]]:
    """Return the days of each source that are to be collected.

    Days that have not begun are left out. What is settled is due again only if the archive is to
    be read and it, the source's configuration or the software has changed since.
    """
    today = work.window.day_of(now)
    days = [day for day in work.window.days if day <= today]
    lookback = timedelta(days=work.municipality.collection.lookback_days)
    engine, code = store.engine, work.municipality.code
    settled = settled_days(engine, code, work.window, lookback)
    due: dict[str, list[date]] = {}
    for source in work.municipality.crawled:
        if wish.sources and source.name not in wish.sources:
            continue
        if wish.how is How.REPLAY:
            version = version_of(work, source, wish.how, archive)
            same = made_with(engine, code, work.window, Stage.COLLECT, source.name, version)
            theirs = [day for day in days if day not in same]
        elif wish.how is How.RECRAWL:
            theirs = days
        else:
            theirs = [day for day in days if (source.name, day) not in settled]
        if theirs:
            due[source.name] = theirs
    return due


def plan_classification(
    store: Store, work: Work, wish: Wish, model_version: str
) -> dict[date, list[str]]:
    """Return the sources, by day, with texts that the model has not classified."""
    engine, code, window = store.engine, work.municipality.code, work.window
    stored = manifestations_per_day(engine, code, window)
    done = classified_digests(engine, code, window, model_version, work.taxonomy_version)
    due: dict[date, list[str]] = {}
    for source, day in sorted(stored, key=lambda key: (key[1], key[0])):
        if wish.sources and source not in wish.sources:
            continue
        if stored[source, day] > done.get((source, day), (0, ""))[0]:
            due.setdefault(day, []).append(source)
    return due


def note_plan(store: Store, work: Work, stage: Stage, keys: Iterable[Key]) -> None:
    """Write what is due into the ledger; what is there of an earlier try stays."""
    store.plan_partitions(
        work.run_id, [Partition(source, day, stage, State.PENDING, 0) for source, day in keys]
    )


def left_of(store: Store, work: Work, stage: Stage) -> list[Line]:
    """Return the planned partitions that are not done; close those that kill their process."""
    lines = [one for one in lines_of(store.engine, work.run_id, stage) if _is_open(one)]
    fatal = [one for one in lines if one.state is State.RUNNING and one.attempts >= TRIES]
    store.save_partitions(
        work.run_id, [Partition(o.source, o.day, stage, State.FAILED, 0, FATAL) for o in fatal]
    )
    return [one for one in lines if one not in fatal]


def _is_open(line: Line) -> bool:
    finished = line.state is State.DONE and line.version is not None
    return not finished and line.error != FATAL


def collect_again(
    store: Store,
    work: Work,
    source: Source,
    days: Sequence[date],
    archive: Path,
    masked: Pseudonymiser,
) -> Collected:
    """Derive days of a source again from the archive."""
    window = span_of(work.window, days)
    begin_collection(store, work, source, days)
    place, software = work.municipality, work.software_version
    replayed = replay_source(place, source, archive, window, software)
    found = store_replay(store, work.run_id, place, source, window, masked, replayed)
    version = version_of(work, source, How.REPLAY, archive)
    _stamp(store, work, source, window, version)
    return found


def begin_collection(store: Store, work: Work, source: Source, days: Sequence[date]) -> None:
    """Note that days of a source are begun, once more if a process has died over them."""
    store.begin_partitions(work.run_id, Stage.COLLECT, [(source.name, day) for day in days])
    store.forget_rejections(work.run_id, source.name)


def keep_crawl(
    store: Store,
    work: Work,
    source: Source,
    days: Sequence[date],
    masked: Pseudonymiser,
    result: CrawlResult,
    how: How,
) -> Collected:
    """Store what a crawl of days gave; the health of the source stays as its runs left it."""
    window, place = span_of(work.window, days), work.municipality
    now = datetime.now(UTC)
    found = keep_records(store, work.run_id, place, source, masked, result)
    found = conclude(store, work.run_id, place, source, window, found, result.extracted, now)
    result.close()
    _stamp(store, work, source, window, version_of(work, source, how))
    return found


def _stamp(store: Store, work: Work, source: Source, window: Window, version: str) -> None:
    left = collected_digests(store.engine, work.municipality.code, window, [source.name])
    digests = {day: left.get((source.name, day), (0, None))[1] for day in window.days}
    store.stamp_partitions(work.run_id, Stage.COLLECT, source.name, version, digests)


def version_of(work: Work, source: Source, how: How, archive: Path | None = None) -> str:
    """Return what names the way in which a source is collected: equal ones give equal rows."""
    parts = [work.software_version, source.model_dump_json(exclude={"limits"})]
    if archive is not None:
        parts += archive_state(archive, work.municipality.code, source.name)
    digest = blake2b("\x1f".join(parts).encode(), digest_size=8).hexdigest()
    return f"{how} {work.software_version} {digest}"


def classify_again(store: Store, work: Work, day: date, sources: Sequence[str]) -> int:
    """Classify what the sources' day holds unclassified; return how many texts that was."""
    store.begin_partitions(work.run_id, Stage.CLASSIFY, [(source, day) for source in sources])
    return classify_window(
        store,
        work.run_id,
        work.municipality,
        span_of(work.window, [day]),
        work.taxonomy_version,
        classifier_of(work.municipality.model),
        lambda _done, _total: None,
        sources,
    )


def classifier_of(spec: ModelSpec) -> "Classifier":
    """Return the model, loaded once in a process; what it answers depends on nothing before."""
    with _LOADING:
        return _load(spec.model_dump_json())


@lru_cache(maxsize=1)
def _load(spec: str) -> "Classifier":
    from nlp.classifier import Classifier  # heavy: only who classifies waits

    return Classifier.load(ModelSpec.model_validate_json(spec), remembered=0)


def quarantine(store: Store, work: Work, stage: Stage, keys: Iterable[Key], why: Exception) -> None:
    """Note that partitions failed, so that the others go on without them.

    Raises:
        BusyError: the run is no longer ours.
        StoreError: the database fails; that is no partition's fault.
    """
    if isinstance(why, BusyError | StoreError):
        raise why
    told = str(why) if isinstance(why, ManifiestaError) else type(why).__name__  # it may quote
    store.save_partitions(
        work.run_id,
        [Partition(source, day, stage, State.FAILED, 0, told) for source, day in keys],
    )


def note_counted(store: Store, work: Work, parts: Sequence[Facts]) -> None:
    """Write which partitions were counted, by which recipe, and what they held."""
    store.save_partitions(
        work.run_id,
        [
            Partition(
                one.source,
                one.day,
                Stage.COUNT,
                State.DONE,
                one.rows,
                None,
                one.recipe,
                f"{one.texts}{one.labels}",
            )
            for one in parts
        ],
    )


def judged(lines: Collection[Line]) -> State:
    """Judge a rerun by its partitions: partial where one failed, failed where all did."""
    states = Counter(line.state for line in lines)
    if set(states) <= {State.DONE}:
        return State.DONE
    return State.FAILED if set(states) == {State.FAILED} else State.PARTIAL


def span_of(window: Window, days: Sequence[date]) -> Window:
    """Return the window from the first to the last of some days."""
    return replace(window, start=min(days), end=max(days) + timedelta(days=1))
