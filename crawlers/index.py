"""What the archive holds of a source: its crawls, oldest first, and the answers of each."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from crawlers.archive import CRAWL, SENT, SINCE, STATUS, UNTIL, Exchange
from crawlers.wire import to_line
from models.records import Capture

_URN = "<urn:uuid:"
_KEPT = ("response", "revisit", "resource")

_Crawl = tuple[str, datetime | None, datetime | None]
"""What tells one crawl from another: its id, and the window that it was to read."""


@dataclass(frozen=True, slots=True)
class Archived:
    """One crawl as it lies in the archive: its exchanges in the order in which they ended.

    ``since`` and ``until`` are the window that it was to read, if it was told of one.
    """

    exchanges: tuple[Exchange, ...]
    since: datetime | None = None
    until: datetime | None = None

    @property
    def captures(self) -> tuple[Capture, ...]:
        """Its responses."""
        return tuple(exchange.capture for exchange in self.exchanges)

    @property
    def ended_at(self) -> datetime:
        """When its last response came."""
        return self.exchanges[-1].capture.fetched_at


def archived_crawls(archive: Path, municipality: str, source: str) -> list[Archived]:
    """Return the crawls of a source that the archive holds, oldest first.

    What a killed writer left half done at the end of a file is no response.
    """
    crawls: dict[_Crawl, list[Exchange]] = {}
    folder = archive / municipality / source
    for path in sorted(folder.glob("*.warc.gz")):
        for crawl, exchange in _exchanges(path, archive):
            crawls.setdefault(crawl, []).append(exchange)
    found = [
        Archived(tuple(exchanges), since, until) for (_, since, until), exchanges in crawls.items()
    ]
    return sorted(found, key=lambda crawl: crawl.exchanges[0].capture.fetched_at)


def archive_state(archive: Path, municipality: str, source: str) -> list[str]:
    """Return what tells whether the archive of a source has changed: names and sizes of files."""
    files = sorted((archive / municipality / source).glob("*.warc.gz"))
    return [f"{path.name} {path.stat().st_size}" for path in files]


def write_answers(crawls: Sequence[Archived], number: int, path: Path) -> None:
    """Write the file of exchanges that replays one of the crawls.

    What it did not ask, because an earlier run had read it, is answered as it last was before.
    """
    own = crawls[number].exchanges
    asked = {(exchange.capture.url, exchange.sent) for exchange in own}
    earlier = {
        (exchange.capture.url, exchange.sent): exchange
        for crawl in crawls[:number]
        for exchange in crawl.exchanges
        if exchange.capture.status < 400 and exchange.capture.status != 304
    }
    before = [exchange for key, exchange in earlier.items() if key not in asked]
    path.write_bytes(b"".join(to_line(exchange) for exchange in (*before, *own)))
    path.chmod(0o600)


def _exchanges(path: Path, archive: Path) -> Iterator[tuple[_Crawl, Exchange]]:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    with path.open("rb") as file:
        records = ArchiveIterator(file)
        try:
            for record in records:
                body = record.raw_stream.read()
                if record.rec_type in _KEPT:
                    place = path.relative_to(archive).as_posix(), records.get_record_offset()
                    sent = record.rec_headers.get_header(SENT) or ""
                    yield _crawl(record), Exchange(_capture(record, body, *place), sent)
        except (EOFError, ValueError, zlib.error, ArchiveLoadFailed):
            return


def _crawl(record: Any) -> _Crawl:
    head = record.rec_headers
    since, until = (head.get_header(name) for name in (SINCE, UNTIL))
    return (
        head.get_header(CRAWL) or "",
        datetime.fromisoformat(since) if since else None,
        datetime.fromisoformat(until) if until else None,
    )


def _capture(record: Any, body: bytes, file: str, offset: int) -> Capture:
    head, about = record.http_headers, record.rec_headers
    rendered = about.get_header(STATUS)  # a page that a browser made has no headers of its own
    identity: str = about.get_header("WARC-Record-ID")
    moment = datetime.fromisoformat(about.get_header("WARC-Date")).astimezone(UTC)
    return Capture(
        id=identity.removeprefix(_URN).removesuffix(">"),
        url=about.get_header("WARC-Target-URI"),
        status=int(rendered or head.get_statuscode()),
        fetched_at=moment,
        content_type=(record.content_type if rendered else head.get_header("content-type")) or "",
        size=len(body),
        sha256=sha256(body).hexdigest(),
        warc_file=file,
        warc_offset=offset,
    )
