"""What a crawl writes down while it runs, record by record, so that a kill loses one at most."""

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from io import FileIO
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from crawlers.archive import Archive, Response
from crawlers.job import CrawlJob
from crawlers.known import Known
from crawlers.memory import peak_memory
from crawlers.rules import Draft, settle
from crawlers.wire import (
    CAPTURES,
    EXTRACTED,
    LISTINGS,
    REJECTIONS,
    SUMMARY,
    VALIDATORS,
    VANISHED,
    AnyRecord,
    Summary,
    to_line,
)
from models.reasons import Reason
from models.records import (
    Capture,
    Extracted,
    Failure,
    Listing,
    Outcome,
    Rejection,
    Validator,
    Vanished,
)

MOST_FIELDS = 500
"""Names of fields that are kept of a source; one with more makes them up as it goes."""


class Recorder:
    """The files of one crawl, its counts, and the reason for which it stops early.

    ``known`` is what earlier runs stored. ``unchanged``, ``not_modified`` and ``lacking`` count
    what was not read again, the answers that said so, and what a replay's archive lacks;
    ``bounded`` is set where something was left out because it is older than the window.

    What is old is told when the crawl is over, beside the newest of all that it met: the order
    in which answers come has no part in it.
    """

    def __init__(self, job: CrawlJob) -> None:
        self.job = job
        self.requests = 0
        self.reason = ""
        self.known = Known.load(job.known)
        self.unchanged = self.not_modified = self.lacking = 0
        self.bounded = False
        self._newest = self.known.newest
        self._rested: dict[str, datetime] = {}
        self._fields: set[str] = set()
        self._vanished: set[str] = set()
        self._failure: Failure | None = None
        self._last: Failure | None = None
        self._last_said = ""
        self._kept = self._records = self._bytes = 0
        self._unsettled: set[str] = set()
        self._source = job.source.name
        self._zone = ZoneInfo(job.time_zone)
        self._seen: set[str] = set()
        self._archive = Archive(
            job.archive, job.municipality, job.source.name, uuid4().hex, (job.since, job.until)
        )
        self._files = {
            Extracted: _open(job.out / EXTRACTED),
            Capture: _open(job.out / CAPTURES),
            Rejection: _open(job.out / REJECTIONS),
            Validator: _open(job.out / VALIDATORS),
            Vanished: _open(job.out / VANISHED),
            Listing: _open(job.out / LISTINGS),
        }

    @property
    def zone(self) -> ZoneInfo:
        """The municipality's time zone."""
        return self._zone

    def capture(self, response: Response) -> Capture:
        """Archive a response."""
        try:
            capture = self._archive.add(response)
        except OSError as error:
            self.stop(Reason.ARCHIVE_UNWRITABLE.said(detail=error.strerror))
            raise
        self._spend(capture.size)
        self._write(capture)
        return capture

    def put(self, draft: Draft) -> None:
        """Keep a draft as a record, or count why it is none; an id is taken once."""
        record = settle(draft, self._source, self._zone)
        if isinstance(record, Extracted):
            if record.external_id in self._seen:
                detail = "its id was already taken in this crawl"
                record = Rejection(self._source, Outcome.DUPLICATE, record.external_id, detail)
            else:
                self._seen.add(record.external_id)
        self._write(record)

    def keep_validator(self, validator: Validator) -> None:
        """Keep what a server said by which to ask whether an address has changed."""
        self._write(validator)

    def is_gone(self, vanished: Vanished) -> None:
        """Note that a source has taken something back; of something not stored it says nothing."""
        if vanished.external_id not in self._vanished:
            self._vanished.add(vanished.external_id)
            self._write(vanished)

    def list_whole(self, listing: Listing) -> None:
        """Keep a list that was read without a gap."""
        self._write(listing)

    def note_fields(self, names: Iterable[str]) -> None:
        """Note the names of what the source's answers hold."""
        room = MOST_FIELDS - len(self._fields)
        self._fields.update(sorted(set(names) - self._fields)[:room])

    def met(self, moments: Iterable[datetime]) -> None:
        """Note when things were said that the source lists, be they kept or not."""
        self._newest = max((*moments, *filter(None, (self._newest,))), default=None)

    def rested(self, mark: str | None) -> None:
        """Count something that has not changed; an old one has had its last look by that."""
        self.unchanged += 1
        said_at = self.known.said_at(mark)
        if mark and said_at:
            self._rested[mark] = said_at

    def reject(self, outcome: Outcome, where: str, detail: str) -> None:
        """Count something that was not read, and why."""
        if outcome.failure:
            self._last, self._last_said = outcome.failure, detail
        self._write(Rejection(self._source, outcome, where, detail))

    def unsettle(self, external_id: str) -> None:
        """Say that not everything behind a record was read, so that it is opened again."""
        self._unsettled.add(external_id)

    def stop(self, reason: str, failure: Failure | None = None) -> None:
        """Say why the crawl is cut short; the first reason counts.

        Without ``failure`` it fails the way that the last thing did which was not read.
        """
        if not self.reason:
            self.reason = reason
            self._failure = failure or self._last or Failure.SOFT

    def finish(self, settings: dict[str, object]) -> None:
        """Write the summary, whose presence says that the crawl came to its end.

        One that found nothing but what could not be read has read nothing.
        """
        if self._last and not (self._kept or self.unchanged or self.not_modified):
            self.stop(self._last_said)
        if self.lacking:
            self.stop(Reason.ARCHIVE_LACKS.said(number=f"{self.lacking:,}"))
        old_before = self._old_before()
        summary = Summary(
            finished=not self.reason,
            reason=self.reason,
            failure=self._failure or (Failure.SOFT if self._last else None),
            requests=self.requests,
            unchanged=self.unchanged,
            not_modified=self.not_modified,
            unsettled=sorted(self._unsettled),
            looked=sorted(
                mark for mark, said in self._rested.items() if old_before and said < old_before
            ),
            old_before=old_before,
            bounded=self.bounded,
            fields=sorted(self._fields),
            peak_memory=peak_memory(),
            settings=settings,
        )
        part = self.job.out / f"{SUMMARY}.part"
        part.write_text(summary.model_dump_json(), encoding="utf-8")
        part.replace(self.job.out / SUMMARY)
        for file in self._files.values():
            file.close()

    def _old_before(self) -> datetime | None:
        """Return the moment before which what was said is not looked at again for comments."""
        if not (self.job.source.comments and self._newest):
            return None
        return self._newest - timedelta(days=self.job.source.revisit_days)

    def _spend(self, size: int) -> bool:
        """Say whether there is room for so many bytes; the crawl stops when there is none."""
        limit = self.job.source.limits.max_total_bytes
        self._bytes += size
        if self._bytes > limit:
            self.stop(Reason.MOST_BYTES.said(number=f"{limit:,}"), Failure.SOFT)
        return self._bytes <= limit

    def _has_room(self, record: Extracted | Rejection, size: int) -> bool:
        limit = self.job.source.limits.max_records
        self._records += 1
        if self._records > limit:
            self.stop(Reason.MOST_RECORDS.said(number=f"{limit:,}"), Failure.SOFT)
            return False
        self._kept += isinstance(record, Extracted)
        return self._spend(size)

    def _write(self, record: AnyRecord) -> None:
        line = to_line(record)
        if isinstance(record, Extracted | Rejection) and not self._has_room(record, len(line)):
            return
        try:
            _write_all(self._files[type(record)], line)
        except OSError as error:
            why = {"detail": self.job.out, "why": error.strerror}
            self.stop(Reason.FOLDER_UNWRITABLE.said(**why))
            raise


def _open(path: Path) -> FileIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return FileIO(descriptor, "wb")


def _write_all(file: FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
