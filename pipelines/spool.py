"""Masked records on their way to the store, in a temporary file: memory holds an id of each."""

import pickle
from collections.abc import Iterator
from itertools import zip_longest
from tempfile import TemporaryFile

from models.records import Manifestation

_PLACE = 8  # bytes of a place in the file


class Spool:
    """Manifestations and the marks of those whose pages were read, given back ordered by id.

    Of one id that comes twice the last is given back. The file has no name; it ends with `close`.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._keys: list[bytes] = []

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def add(self, item: Manifestation, mark: str | None) -> None:
        """Write one down, with the fingerprint of the page it came from, if that has one."""
        place = self._file.tell()
        pickle.dump((item, mark), self._file, pickle.HIGHEST_PROTOCOL)
        self._keys.append(bytes.fromhex(item.id) + place.to_bytes(_PLACE))

    def manifestations(self) -> Iterator[Manifestation]:
        """Yield them in the order of their ids, each id once."""
        for item, _ in self._all():
            yield item

    def marks(self) -> Iterator[tuple[str, str]]:
        """Yield the ids of those that have a mark, in order, and their marks."""
        for item, mark in self._all():
            if mark:
                yield item.id, mark

    def _all(self) -> Iterator[tuple[Manifestation, str | None]]:
        self._keys.sort()
        for key, following in zip_longest(self._keys, self._keys[1:], fillvalue=b""):
            if key[:-_PLACE] != following[:-_PLACE]:
                self._file.seek(int.from_bytes(key[-_PLACE:]))
                yield pickle.load(self._file)  # noqa: S301 - written by this process
