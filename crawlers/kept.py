"""The records of a large crawl, which stay in their file: read one by one, as often as asked."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, overload

from crawlers.known import last_look
from crawlers.wire import parse_line, read_lines
from models.records import Extracted

IN_MEMORY = 1 << 20
"""Bytes of a file up to which its records are read at once."""

_CHUNK = 1 << 16


class KeptRecords(Sequence[Extracted]):
    """Records that lie in a file, which may be removed from its folder meanwhile.

    ``unsettled`` are the external ids of those that count as not read to the end, so that the
    next crawl reads them again; without it none was. Those said ``old_before`` a moment were read
    when no more was awaited behind them, which was their last look. Pickled, they are a list.
    """

    def __init__(
        self, path: Path, unsettled: Collection[str] | None, old_before: datetime | None = None
    ) -> None:
        self._file = path.open("rb", buffering=0)
        self._unsettled = unsettled
        self._old_before = old_before
        self._count = sum(1 for _ in self)

    def __iter__(self) -> Iterator[Extracted]:
        for line in self._lines():
            record = parse_line(line, Extracted)
            if record is not None:
                yield settled(record, self._unsettled, self._old_before)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Extracted: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Extracted]: ...

    def __getitem__(self, place: int | slice) -> Extracted | Sequence[Extracted]:
        """Read the file up to there."""
        if isinstance(place, slice):
            start, stop, step = place.indices(self._count)
            return list(islice(self, start, stop, step)) if step > 0 else list(self)[place]
        if not -self._count <= place < self._count:
            raise IndexError(place)
        return next(islice(self, place % self._count, None))

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return list, (list(self),)

    def close(self) -> None:
        """Let go of the file: nothing can be read any more."""
        self._file.close()

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines; two that read at once do not move each other's place."""
        place, rest = 0, b""
        while chunk := os.pread(self._file.fileno(), _CHUNK, place):
            place += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        if rest:
            yield rest


def read_records(
    path: Path, unsettled: Collection[str] | None, old_before: datetime | None = None
) -> Sequence[Extracted]:
    """Return the records of a crawl; those of a large file stay in it.

    Args:
        path: the file; without it there are none.
        unsettled: see `KeptRecords`.
        old_before: see `KeptRecords`.
    """
    if path.exists() and path.stat().st_size > IN_MEMORY:
        return KeptRecords(path, unsettled, old_before)
    return [settled(record, unsettled, old_before) for record in read_lines(path, Extracted)]


def settled(
    record: Extracted, unsettled: Collection[str] | None, old_before: datetime | None = None
) -> Extracted:
    """Return a record with the mark that it has now that the crawl is over.

    One that was not read to its end has none, one that was old has that of a last look.
    """
    if not record.fingerprint:
        return record
    if unsettled is None or record.external_id in unsettled:
        return replace(record, fingerprint=None)
    if old_before and record.said_at and record.said_at < old_before:
        return replace(record, fingerprint=last_look(record.fingerprint))
    return record
