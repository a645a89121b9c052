"""Erase responses from the archive, and leave the others where they lie.

A record is replaced by an empty one of the same length, so every other stays at its offset. The
file is written anew beside the old one and put in its place in one step: a killed erasure leaves
the old file whole, and its half-written copy is removed by the next.
"""

import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from struct import pack
from typing import Any

from crawlers.archive import MAX_BODY, _committed, _locked, _member, _sound_end, _unpack, _write_all
from models.errors import InputError

_HALF = ".erasing"
_BLOCK = 65_535  # most bytes of one stored block (RFC 1951)
_COPY = 1 << 20


@dataclass(frozen=True, slots=True)
class ArchivedResponse:
    """One archived response; ``body`` is None where it cannot be read."""

    id: str
    url: str
    fetched_at: datetime
    body: bytes | None


def erase_responses(
    archive: Path,
    municipality: str,
    source: str,
    doomed: Callable[[ArchivedResponse], bool],
    *,
    dry_run: bool = False,
) -> list[ArchivedResponse]:
    """Erase the responses of a source that are doomed; return them, without their bodies.

    A record that cannot be read at all is erased too: what it holds cannot be known.
    """
    erased = []
    for path in sorted((archive / municipality / source).glob("*.warc.gz")):
        path.with_name(path.name + _HALF).unlink(missing_ok=True)
        erased += _erase_in(path, doomed, dry_run=dry_run)
    return erased


def _erase_in(
    path: Path, doomed: Callable[[ArchivedResponse], bool], *, dry_run: bool
) -> list[ArchivedResponse]:
    with _locked(path) as (file, ledger):
        end = _sound_end(file, _committed(ledger))
        found: dict[int, tuple[int, ArchivedResponse]] = {}
        for offset, size in _members(file, end):
            response = _response(os.pread(file, size, offset))
            if response is not None and doomed(response):
                slim = ArchivedResponse(response.id, response.url, response.fetched_at, None)
                found[offset] = (size, slim)
        if not dry_run and (found or os.fstat(file).st_size > end):
            _replace(path, file, end, {offset: size for offset, (size, _) in found.items()})
            os.pwrite(ledger, f"{end:020d}\n".encode(), 0)
    return [response for _, response in found.values()]


def _members(file: int, end: int) -> Iterator[tuple[int, int]]:
    offset = 0
    while offset < end:
        size = _member(file, offset) or end - offset
        yield offset, size
        offset += size


def _response(member: bytes) -> ArchivedResponse | None:
    """Read one record; None for one that holds no response."""
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    try:
        record = next(iter(ArchiveIterator(BytesIO(member))))
        if record.rec_type not in ("response", "revisit", "resource"):
            return None
        return _described(record)
    except (StopIteration, EOFError, ValueError, OSError, zlib.error, ArchiveLoadFailed):
        return ArchivedResponse("", "", datetime.max.replace(tzinfo=UTC), None)


def _described(record: Any) -> ArchivedResponse:
    about = record.rec_headers
    body = record.raw_stream.read()
    head = record.http_headers  # a rendered page has none
    encoding = (head.get_header("content-encoding") if head is not None else "") or ""
    try:
        plain: bytes | None = _unpack(body, encoding, MAX_BODY)
    except InputError:
        plain = None
    identity = str(about.get_header("WARC-Record-ID") or "")
    return ArchivedResponse(
        id=identity.removeprefix("<urn:uuid:").removesuffix(">"),
        url=str(about.get_header("WARC-Target-URI") or ""),
        fetched_at=datetime.fromisoformat(about.get_header("WARC-Date")).astimezone(UTC),
        body=plain,
    )


def _replace(path: Path, file: int, end: int, doomed: dict[int, int]) -> None:
    """Write the file anew with the doomed records blank, and put it in its place."""
    half = path.with_name(path.name + _HALF)
    copy = os.open(half, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        place = 0
        for offset, size in sorted(doomed.items()):
            _copy(file, copy, place, offset)
            _write_all(copy, _blank(size), offset)
            place = offset + size
        _copy(file, copy, place, end)
        os.fsync(copy)
    finally:
        os.close(copy)
    half.replace(path)


def _copy(file: int, copy: int, start: int, end: int) -> None:
    while start < end and (chunk := os.pread(file, min(_COPY, end - start), start)):
        _write_all(copy, chunk, start)
        start += len(chunk)


def _blank(size: int) -> bytes:
    """Return a gzip member of exactly that size: a record of blanks, stored uncompressed."""
    blocks = -(-(size - 18) // (_BLOCK + 5))
    length = size - 18 - 5 * blocks
    head = (
        "WARC/1.1\r\nWARC-Type: metadata\r\n"
        "WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000000>\r\n"
        "WARC-Date: 1970-01-01T00:00:00Z\r\nContent-Length: %010d\r\n\r\n"
    )
    room = length - len(head % 0) - 4
    record = ((head % room).encode() + b" " * room + b"\r\n\r\n") if room >= 0 else b" " * length
    parts = [record[start : start + _BLOCK] for start in range(0, length, _BLOCK)] or [b""]
    body = b"".join(
        pack("<BHH", number == len(parts) - 1, len(part), len(part) ^ 0xFFFF) + part
        for number, part in enumerate(parts)
    )
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return header + body + pack("<II", zlib.crc32(record), len(record) & 0xFFFFFFFF)
