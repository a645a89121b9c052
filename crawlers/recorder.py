"""What a crawl writes down while it runs, record by record, so that a kill loses one at most."""

import os
from io import FileIO
from pathlib import Path
from zoneinfo import ZoneInfo

from crawlers.archive import Archive, Response
from crawlers.job import CrawlJob
from crawlers.rules import Draft, settle
from crawlers.wire import CAPTURES, EXTRACTED, REJECTIONS, SUMMARY, Summary, to_line
from models.records import Capture, Extracted, Outcome, Rejection


class Recorder:
    """The files of one crawl, its counts, and the reason for which it stops early."""

    def __init__(self, job: CrawlJob) -> None:
        self.job = job
        self.requests = 0
        self.reason = ""
        self._source = job.source.name
        self._zone = ZoneInfo(job.time_zone)
        self._seen: set[str] = set()
        self._archive = Archive(job.archive, job.municipality, job.source.name)
        self._files = {
            Extracted: _open(job.out / EXTRACTED),
            Capture: _open(job.out / CAPTURES),
            Rejection: _open(job.out / REJECTIONS),
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
            self.stop(f"the archive cannot be written: {error.strerror}")
            raise
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

    def reject(self, outcome: Outcome, where: str, detail: str) -> None:
        """Count something that was not read, and why."""
        self._write(Rejection(self._source, outcome, where, detail))

    def stop(self, reason: str) -> None:
        """Say why the crawl is cut short; the first reason counts."""
        self.reason = self.reason or reason

    def finish(self, settings: dict[str, object]) -> None:
        """Write the summary, whose presence says that the crawl came to its end."""
        summary = Summary(
            finished=not self.reason,
            reason=self.reason,
            requests=self.requests,
            settings=settings,
        )
        part = self.job.out / f"{SUMMARY}.part"
        part.write_text(summary.model_dump_json(), encoding="utf-8")
        part.replace(self.job.out / SUMMARY)
        for file in self._files.values():
            file.close()

    def _write(self, record: Extracted | Capture | Rejection) -> None:
        try:
            _write_all(self._files[type(record)], to_line(record))
        except OSError as error:
            self.stop(f"the folder {self.job.out} cannot be written: {error.strerror}")
            raise


def _open(path: Path) -> FileIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return FileIO(descriptor, "wb")


def _write_all(file: FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
