"""Derive everything again from the archive, with no network: the rows of the runs of a window."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.schema import Municipality, Source
from crawlers.crawl import crawl
from crawlers.index import Archived, archived_crawls, write_answers
from crawlers.job import CrawlResult
from crawlers.known import MOST_OPENERS, Known, last_look
from models.records import Extracted, Opener, State, Window
from pipelines.collect import Collected, collect_partitions, conclude, keep_records, make_job
from pipelines.privacy import Pseudonymiser
from pipelines.store.collecting import Saved
from pipelines.store.write import Store

NOTHING = "the archive holds nothing of it for this window"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one archived crawl gives when it is read again, and when it once ended."""

    result: CrawlResult
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """The fingerprint under which something is stored, and when it was said."""

    fingerprint: str
    said_at: datetime


def replay_source(
    municipality: Municipality,
    source: Source,
    archive: Path,
    window: Window,
    software_version: str,
) -> Iterator[Replayed]:
    """Read a source's archived crawls again, oldest first, each as it once went.

    Those that ended before the window began are left out: nothing of it had been said. Each
    crawl knows what those before it stored, as it did then, so it asks for the same pages.
    """
    crawls = archived_crawls(archive, municipality.code, source.name)
    marks: dict[str, Mark] = {}
    openers: dict[str, Opener] = {}
    complete = False
    for number, archived in enumerate(crawls):
        if window.day_of(archived.ended_at) < window.start:
            continue
        newest = sorted(openers.values(), key=lambda o: (-o.said_at.timestamp(), o.external_id))
        seen = {mark.fingerprint: mark.said_at for mark in marks.values()}
        known = Known(seen=seen, complete=complete, openers=tuple(newest[:MOST_OPENERS]))
        result = _again(municipality, source, archive, software_version, crawls, number, known)
        marks = _marks(marks, result)
        openers = _openers(openers, result)
        complete = not result.missed if result.finished or result.extracted else complete
        yield Replayed(result, archived.ended_at)


def _again(
    municipality: Municipality,
    source: Source,
    archive: Path,
    software_version: str,
    crawls: Sequence[Archived],
    number: int,
    known: Known,
) -> CrawlResult:
    with TemporaryDirectory(prefix="manifiesta-replay-") as folder:
        out = Path(folder)
        answers = out / "answers.jsonl"
        write_answers(crawls, number, answers)
        job = make_job(municipality, source, archive, software_version, out, known, answers)
        bounds = {"since": crawls[number].since, "until": crawls[number].until}
        result = crawl(job.model_copy(update=bounds))
    # validators are for the network; what was captured then is noted again, as it lies there
    return replace(result, captures=list(crawls[number].captures), validators=())


def _marks(known: Mapping[str, Mark], result: CrawlResult) -> dict[str, Mark]:
    """Return by external id what told the crawl after this one to leave things as they are."""
    new = {
        record.external_id: Mark(record.fingerprint, record.said_at)
        for record in result.extracted
        if record.fingerprint and record.said_at is not None
    }
    looked = frozenset(result.looked)
    old = {
        key: replace(mark, fingerprint=last_look(mark.fingerprint))
        if mark.fingerprint in looked
        else mark
        for key, mark in known.items()
    }
    return old | new


def _openers(known: Mapping[str, Opener], result: CrawlResult) -> dict[str, Opener]:
    """Return the openers that the store held after a crawl."""
    gone = {vanished.external_id for vanished in result.vanished}
    new = {
        record.external_id: Opener(record.external_id, record.url, record.said_at)
        for record in result.extracted
        if record.url and record.said_at and record.thread_external_id is None
    }
    return {key: opener for key, opener in {**known, **new}.items() if key not in gone}


def store_replay(
    store: Store,
    run_id: str,
    municipality: Municipality,
    source: Source,
    window: Window,
    pseudonymiser: Pseudonymiser,
    replayed: Iterable[Replayed],
) -> Collected:
    """Store what a source's archived crawls gave, and note in the ledger what they cover.

    A day counts as read if the last of them came after it; the source's health stays as it is.
    Crawls are stored one by one, so that a long archive needs no more memory than its largest.
    """
    total = Collected(source.name, State.FAILED, Saved(), 0, 0)
    last = None
    records: Sequence[Extracted] = []
    with ExitStack() as open_file:
        for each in replayed:
            one = keep_records(store, run_id, municipality, source, pseudonymiser, each.result)
            total = replace(
                one,
                saved=total.saved + one.saved,
                rejected=total.rejected + one.rejected,
                ignored=total.ignored + one.ignored,
                not_modified=total.not_modified + one.not_modified,
                gone=total.gone + one.gone,
                warnings=tuple(dict.fromkeys((*total.warnings, *one.warnings))),
            )
            last = each.ended_at
            if each.result.extracted:
                open_file.close()  # of the crawl before it
                open_file.callback(each.result.close)
                records = each.result.extracted
        if last is not None:
            return conclude(store, run_id, municipality, source, window, total, records, last)
    nothing = Collected(source.name, State.FAILED, Saved(), 0, 0, NOTHING)
    store.save_partitions(
        run_id,
        collect_partitions(store, municipality, source.name, window, State.FAILED, NOTHING),
    )
    return nothing
