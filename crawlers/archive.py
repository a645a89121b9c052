"""The archive of raw responses: gzip WARC files, from which everything can be derived again.

It holds personal data: folders have mode 0700 and files 0600.
"""

import fcntl
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from models.errors import InputError
from models.records import Capture

MAX_BODY = 100_000_000
"""The most bytes that one archived body is unpacked to, the ceiling of ``limits.max_bytes``."""

CRAWL = "X-Manifiesta-Crawl"
"""The WARC header that says which responses were fetched together."""

SINCE, UNTIL = "X-Manifiesta-Since", "X-Manifiesta-Until"
"""The WARC headers of the window that a crawl read; a replay has to ask for the same."""
STATUS = "X-Manifiesta-Status"
"""The WARC header with the status of a page that was rendered."""

SENT = "X-Manifiesta-Sent"
"""The WARC header with the digest of what a request sent, where one address has many answers."""

_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
_CHUNK = 1 << 16
_GZIP = 16  # zlib's way to say that it is to write a gzip member
_LEVEL = 5  # 2.5 % larger than warcio's 9, in less than half of the time


@dataclass(frozen=True, slots=True)
class Response:
    """What came over the wire for one request; ``body`` is still compressed if it was.

    A ``rendered`` one never came so: it is what a browser made of a page. ``sent`` is the
    `digest` of what the request sent, if it sent anything.
    """

    url: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    fetched_at: datetime
    rendered: bool = False
    sent: str = ""

    def header(self, name: str) -> str:
        """Return the first header of that name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A response that lies in the archive, and the `digest` of what was sent for it."""

    capture: Capture
    sent: str = ""


def digest(sent: bytes) -> str:
    """Return what tells one request to an address from another; of one without a body nothing."""
    return sha256(sent).hexdigest() if sent else ""


class Archive:
    """The WARC files of one source: ``root/municipality/source/YYYY-MM.warc.gz``.

    Every record names the crawl that fetched it, so that a replay can tell them apart, and the
    window that the crawl was to read.
    """

    def __init__(
        self,
        root: Path,
        municipality: str,
        source: str,
        crawl: str = "",
        window: tuple[datetime | None, datetime | None] = (None, None),
    ) -> None:
        self._root = root
        self._folder = root / municipality / source
        named = {CRAWL: crawl} if crawl else {}
        moments = zip((SINCE, UNTIL), window, strict=True)
        self._headers = named | {name: when.isoformat() for name, when in moments if when}

    def add(self, response: Response) -> Capture:
        """Append one response and return where it lies.

        The file is locked while it is written, and what a killed writer left half done at its
        end is cut off first, so every record that was once returned stays readable.

        Raises:
            OSError: the archive cannot be written; nothing of the record is left behind.
        """
        identity = str(uuid4())
        path = self._folder / f"{response.fetched_at.astimezone(UTC):%Y-%m}.warc.gz"
        if not self._folder.is_dir():
            _private_folders(self._root, self._folder)
        offset = _append(path, _record(response, identity, self._headers))
        return Capture(
            id=identity,
            url=response.url,
            status=response.status,
            fetched_at=response.fetched_at.astimezone(UTC),
            content_type=response.header("content-type"),
            size=len(response.body),
            sha256=sha256(response.body).hexdigest(),
            warc_file=path.relative_to(self._root).as_posix(),
            warc_offset=offset,
        )


def read_capture(capture: Capture, archive: Path, max_bytes: int = MAX_BODY) -> bytes:
    """Return the body of an archived response, unpacked if it came compressed.

    Args:
        capture: which response.
        archive: the folder of WARC files.
        max_bytes: the most bytes it may unpack to.

    Raises:
        InputError: the record is missing, damaged or too large.
    """
    response = read_response(capture, archive)
    return _unpack(response.body, response.header("content-encoding"), max_bytes)


def read_response(capture: Capture, archive: Path) -> Response:
    """Return an archived response as it came, still compressed if it was.

    Raises:
        InputError: the record is missing or damaged.
    """
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    place = f"{capture.warc_file} at byte {capture.warc_offset}"
    try:
        with (archive / capture.warc_file).open("rb") as file:
            file.seek(capture.warc_offset)
            record = next(iter(ArchiveIterator(file)), None)
            body = record.raw_stream.read() if record is not None else None
    except (OSError, EOFError, ValueError, zlib.error, ArchiveLoadFailed) as error:
        kind = type(error).__name__
        raise InputError(f"the archived response in {place} cannot be read ({kind}).") from error
    if record is None or body is None or sha256(body).hexdigest() != capture.sha256:
        raise InputError(f"the archived response in {place} is not the one that was captured.")
    head = record.http_headers
    rendered = record.rec_type == "resource"
    headers = [("Content-Type", record.content_type)] if rendered else head.headers if head else []
    return Response(capture.url, capture.status, headers, body, capture.fetched_at, rendered)


def _unpack(body: bytes, encoding: str, max_bytes: int) -> bytes:
    from warcio.bufferedreaders import DecompressingBufferedReader

    for name in reversed([part.strip().lower() for part in encoding.split(",") if part.strip()]):
        kind = {"x-gzip": "gzip"}.get(name, name)
        if kind not in DecompressingBufferedReader.DECOMPRESSORS:
            return body
        reader = DecompressingBufferedReader(BytesIO(body), decomp_type=kind)
        body = b"".join(_bounded(reader, max_bytes))
    return body


def _bounded(reader: BytesIO, max_bytes: int) -> Iterator[bytes]:
    size = 0
    try:
        while chunk := reader.read(_CHUNK):
            size += len(chunk)
            if size > max_bytes:
                raise InputError(f"an archived response unpacks to more than {max_bytes:,} bytes.")
            yield chunk
    except (OSError, zlib.error) as error:
        raise InputError(f"an archived response cannot be unpacked: {error}") from error


def _record(response: Response, identity: str, headers: Mapping[str, str]) -> bytes:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    buffer = BytesIO()
    writer = WARCWriter(buffer, gzip=False, warc_version="1.1")
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    about = {
        "WARC-Record-ID": f"<urn:uuid:{identity}>",
        "WARC-Date": f"{response.fetched_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    about |= headers
    if response.sent:
        about[SENT] = response.sent
    if response.rendered:  # WARC 1.1, 6.5: a resource that no protocol sent as it is
        record = writer.create_warc_record(
            response.url,
            "resource",
            payload=BytesIO(response.body),
            warc_content_type=response.header("content-type") or "text/html; charset=utf-8",
            warc_headers_dict=about | {STATUS: str(response.status)},
        )
        writer.write_record(record)
        return _packed(buffer)
    unchanged = response.status == HTTPStatus.NOT_MODIFIED
    if unchanged:
        about["WARC-Profile"] = _NOT_MODIFIED
    record = writer.create_warc_record(
        response.url,
        "revisit" if unchanged else "response",
        payload=BytesIO(response.body),
        http_headers=StatusAndHeaders(
            f"{response.status} {phrase}", list(response.headers), "HTTP/1.1"
        ),
        warc_headers_dict=about,
    )
    writer.write_record(record)
    return _packed(buffer)


def _packed(record: BytesIO) -> bytes:
    return zlib.compress(record.getbuffer(), _LEVEL, wbits=zlib.MAX_WBITS | _GZIP)


def _private_folders(root: Path, folder: Path) -> None:
    """Make the folders from the root down, each for the owner alone."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    step = root
    for part in folder.relative_to(root).parts:
        step = step / part
        step.mkdir(mode=0o700, exist_ok=True)


def _append(path: Path, data: bytes) -> int:
    """Append bytes under the file's lock and return the offset at which they lie."""
    with _locked(path) as (file, ledger):
        offset = _sound_end(file, _committed(ledger))
        try:
            os.ftruncate(file, offset)
            _write_all(file, data, offset)
        except OSError:
            os.ftruncate(file, offset)
            raise
        os.pwrite(ledger, f"{offset + len(data):020d}\n".encode(), 0)
    return offset


@contextmanager
def _locked(path: Path) -> Iterator[tuple[int, int]]:
    """Open a WARC file and the file that says how long its sound part is, and lock them."""
    ledger = os.open(path.with_name(path.name + ".end"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(ledger, fcntl.LOCK_EX)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield file, ledger
        finally:
            os.close(file)
    finally:
        os.close(ledger)


def _committed(ledger: int) -> int:
    written = os.pread(ledger, 32, 0).strip()
    return int(written) if written.isdigit() else 0


def _write_all(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(file, view, offset)
        view, offset = view[count:], offset + count


def _sound_end(file: int, committed: int) -> int:
    """Return where the last whole record ends; only what is not known to be sound is read."""
    size = os.fstat(file).st_size
    end = committed if committed <= size else 0
    while end < size and (length := _member(file, end)):
        end += length
    return end


def _member(file: int, start: int) -> int:
    """Return the length of the gzip member at an offset, or 0 if it is not whole."""
    unpacker = zlib.decompressobj(wbits=31)
    position = start
    while chunk := os.pread(file, _CHUNK, position):
        position += len(chunk)
        try:
            while chunk and not unpacker.eof:
                unpacker.decompress(chunk, _CHUNK)
                chunk = unpacker.unconsumed_tail
        except zlib.error:
            return 0
        if unpacker.eof:
            return position - len(unpacker.unused_data) - start
    return 0
