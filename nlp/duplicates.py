"""Find texts that say the same: copies, syndicated pieces, forwarded messages.

A text that equals another but for case, accents and punctuation has the same hash, so it is the
same text. Others are compared by MinHash (Broder, A., 1997, «On the resemblance and containment
of documents», SEQUENCES) over runs of characters, and only those that share a band of their
signature (locality-sensitive hashing). The signature estimates their Jaccard similarity; whoever
reaches the threshold is joined, and joined texts form clusters. Which texts are joined depends
on the two texts alone, so the clusters don't depend on the order or the batches they come in.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b, shake_128
from pathlib import Path
from secrets import token_bytes
from shutil import rmtree
from tempfile import mkdtemp
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

SIGNATURE_SIZE = 125
THRESHOLD = 0.6
MIN_LETTERS = 30
"""Shorter texts are only compared by their hash: «buen trabajo, alcalde» is nobody's copy."""

_RUN = 4  # characters of one shingle
_BAND = 5  # numbers of a signature that two texts must share to be compared
_CHUNK = 1 << 17  # characters hashed at once: they stay in the processor's cache
_PAIRS = 1 << 14
_AT_ONCE = 1 << 14  # signatures that are in memory at once
_TABLE = 1 << 20  # bits of a table of the new texts' keys
_MARKS = re.compile("[\u0300-\u036f]+")
_WORD = re.compile(r"\w+")
_MULTIPLY, _ADD = (
    np.frombuffer(shake_128(name).digest(4 * SIGNATURE_SIZE), dtype="<u4").astype(np.uint32)
    for name in (b"multiply", b"add")
)
_MULTIPLY = _MULTIPLY | np.uint32(1)

Signatures = NDArray[np.uint32]
Places = NDArray[np.intp]
Keys = NDArray[np.uint64]


def fold(text: str) -> str:
    """Return a text without case, accents, punctuation and spacing, its words one blank apart."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return " ".join(_WORD.findall(plain))


def signatures(texts: Sequence[str]) -> list[bytes | None]:
    """Return the signature of each text, or None for one that is too short to have any."""
    folded = [fold(text) for text in texts]
    found: list[bytes | None] = [None] * len(folded)
    long = [place for place, text in enumerate(folded) if len(text) >= MIN_LETTERS]
    for places in _portions(long, [len(folded[place]) for place in long]):
        rows = _minhash([folded[place] for place in places])
        for place, row in zip(places, rows, strict=True):
            found[place] = row.astype("<u4").tobytes()
    return found


def _portions(places: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    portion: list[int] = []
    total = 0
    for place, size in zip(places, sizes, strict=True):
        portion.append(place)
        total += size
        if total >= _CHUNK:
            yield portion
            portion, total = [], 0
    if portion:
        yield portion


def _minhash(texts: Sequence[str]) -> Signatures:
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    sizes = np.array([len(text) for text in texts])
    shingles = _mixed(letters)[_whole(sizes)]
    starts = np.concatenate(([0], np.cumsum(sizes - _RUN + 1)[:-1]))
    rows = np.empty((len(texts), SIGNATURE_SIZE), dtype=np.uint32)
    for column in range(SIGNATURE_SIZE):
        hashed = shingles * _MULTIPLY[column] + _ADD[column]
        rows[:, column] = np.minimum.reduceat(hashed, starts)
    return rows


def _mixed(letters: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return a well-mixed number for the run of characters that starts at each place."""
    count = len(letters) - _RUN + 1
    run = np.zeros(count, dtype=np.uint64)
    for place in range(_RUN):
        run = run * np.uint64(0x100000001B3) + letters[place : place + count]
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
        run = (run ^ (run >> np.uint64(shift))) * np.uint64(factor)
    return (run >> np.uint64(32)).astype(np.uint32)


def _whole(sizes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Mark the runs that lie within one text."""
    whole = np.ones(int(sizes.sum()), dtype=np.bool_)
    ends = np.cumsum(sizes)
    for back in range(1, _RUN):
        whole[ends - back] = False
    return whole[: len(whole) - _RUN + 1]


class _Numbers:
    """A number for each different hash, in the order in which they came.

    A hash is kept as 64 bits under a key that nobody knows, so that no two texts can be made to
    share them, and it takes 16 bytes: they lie sorted, but for the latest.
    """

    def __init__(self) -> None:
        self._secret = token_bytes(16)
        self._keys: Keys = np.empty(0, np.uint64)
        self._numbers = np.empty(0, np.intp)
        self._latest: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._keys) + len(self._latest)

    def of(self, text_hash: str) -> int:
        """Return the number of a hash; a new one has the next."""
        said = text_hash.encode("utf-8", "surrogatepass")
        key = int.from_bytes(blake2b(said, digest_size=8, key=self._secret).digest())
        place = int(self._keys.searchsorted(np.uint64(key)))
        if place < len(self._keys) and int(self._keys[place]) == key:
            return int(self._numbers[place])
        number = self._latest.setdefault(key, len(self))
        if len(self._latest) >= _AT_ONCE:
            self._sort()
        return number

    def _sort(self) -> None:
        keys = np.fromiter(self._latest.keys(), np.uint64, len(self._latest))
        numbers = np.fromiter(self._latest.values(), np.intp, len(self._latest))
        order = np.argsort(keys)
        places = self._keys.searchsorted(keys[order])
        self._keys = np.insert(self._keys, places, keys[order])
        self._numbers = np.insert(self._numbers, places, numbers[order])
        self._latest = {}


class DuplicateIndex:
    """Clusters of texts. Members are numbered in the order in which they were added.

    Signatures lie in a temporary folder, 700 bytes for each text, so that memory holds some
    40 bytes of each.
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self.threshold = threshold
        self._units = _Numbers()
        self._members = array("q")
        self._signed = array("q")
        self._parent = array("q")
        self._fresh: list[bytes] = []
        self._folder = Path(mkdtemp(prefix="manifiesta-duplicates-"))
        finalize(self, rmtree, self._folder, ignore_errors=True)

    def restore(self, members: Iterable[tuple[str, bytes | None, str]]) -> None:
        """Add members whose clusters are known: they are not compared with each other again.

        Each is given by its text's hash, signature and cluster.
        """
        names, first = _Numbers(), array("q")
        for text_hash, signature, cluster in members:
            unit = self._unit(text_hash, signature)
            name = names.of(cluster)
            if name == len(first):
                first.append(unit)
            self._join(unit, first[name])
            if len(self._fresh) >= _AT_ONCE:
                self._write()
        self._write()

    def add(self, hashes: Sequence[str], signed: Sequence[bytes | None]) -> None:
        """Add members, and join each to those that it resembles."""
        known = len(self._signed)
        for text_hash, signature in zip(hashes, signed, strict=True):
            self._unit(text_hash, signature)
        if len(self._signed) > known:
            self._compare(known)

    def clusters(self) -> Places:
        """Return a number for each member, equal within a cluster: shape (members,)."""
        roots = np.array(self._parent, dtype=np.intp)
        while np.any(roots[roots] != roots):
            roots = roots[roots]
        return roots[np.array(self._members, dtype=np.intp)]

    def _unit(self, text_hash: str, signature: bytes | None) -> int:
        """Note a member and return the number of its text, which its exact copies share."""
        unit = self._units.of(text_hash)
        if unit == len(self._parent):
            self._parent.append(unit)
            if signature is not None:
                self._fresh.append(signature)
                self._signed.append(unit)
        self._members.append(unit)
        return unit

    def _root(self, unit: int) -> int:
        parent = self._parent
        while parent[unit] != unit:
            parent[unit] = parent[parent[unit]]
            unit = parent[unit]
        return unit

    def _join(self, one: int, other: int) -> None:
        one, other = self._root(one), self._root(other)
        self._parent[max(one, other)] = min(one, other)

    def _write(self) -> None:
        """Write the new signatures down, and apart from them the keys of their bands."""
        for start in range(0, len(self._fresh), _AT_ONCE):
            written = b"".join(self._fresh[start : start + _AT_ONCE])
            with (self._folder / "rows").open("ab") as file:
                file.write(written)
            rows = np.frombuffer(written, dtype="<u4").reshape(-1, SIGNATURE_SIZE)
            for band in range(0, SIGNATURE_SIZE, _BAND):
                with (self._folder / f"keys-{band}").open("ab") as file:
                    file.write(_band_keys(rows[:, band : band + _BAND]).tobytes())
        self._fresh = []

    def _compare(self, known: int) -> None:
        """Join the texts from ``known`` on with each other and with those before them."""
        self._write()
        for band in range(0, SIGNATURE_SIZE, _BAND):
            keys, texts = _with_fresh_keys(self._folder / f"keys-{band}", known)
            for one, other in self._sharing(keys, texts, known):
                self._join_similar(one, other)

    def _sharing(self, keys: Keys, texts: Places, known: int) -> Iterator[tuple[Places, Places]]:
        """Yield pairs of texts with the same key, one of them new and not all of them joined."""
        order = np.argsort(keys, kind="stable")
        keys, texts = keys[order], texts[order]
        starts, distance = np.arange(len(keys)), 1
        while len(starts := _same(keys, starts, distance)):
            if distance.bit_count() == 1:
                starts = starts[self._divided(texts, keys)[starts]]
            one, other = texts[starts], texts[starts + distance]
            fresh = other >= known
            yield one[fresh], other[fresh]
            distance += 1

    def _divided(self, texts: Places, keys: Keys) -> NDArray[np.bool_]:
        """Say for each place whether the texts with its key are in more than one cluster."""
        begins = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        roots = self._roots(texts)
        least, most = (extreme.reduceat(roots, begins) for extreme in (np.minimum, np.maximum))
        divided: NDArray[np.bool_] = np.repeat(least != most, np.diff(np.r_[begins, len(keys)]))
        return divided

    def _roots(self, texts: Places) -> Places:
        parent = np.frombuffer(self._parent, np.int64)
        roots = parent[np.frombuffer(self._signed, np.int64)[texts]]
        while np.any((above := parent[roots]) != roots):
            roots = above
        return roots

    def _join_similar(self, one: Places, other: Places) -> None:
        """Join the pairs that reach the threshold; those in one cluster are not compared."""
        for start in range(0, len(one), _PAIRS):
            left, right = one[start : start + _PAIRS], other[start : start + _PAIRS]
            apart = self._roots(left) != self._roots(right)
            left, right = left[apart], right[apart]
            rows, place = self._read(np.concatenate((left, right)))
            similar = (rows[place[: len(left)]] == rows[place[len(left) :]]).mean(axis=1)
            joined = similar >= self.threshold
            for a, b in zip(left[joined].tolist(), right[joined].tolist(), strict=True):
                self._join(self._signed[a], self._signed[b])

    def _read(self, texts: Places) -> tuple[Signatures, Places]:
        """Return the signatures of some texts, each read once, and the row of each text.

        Mapping the file instead would bring most of it into this process's memory.
        """
        wanted, place = np.unique(texts, return_inverse=True)
        rows = np.empty((len(wanted), SIGNATURE_SIZE), dtype="<u4")
        with (self._folder / "rows").open("rb", buffering=0) as file:
            for row, text in zip(rows, wanted.tolist(), strict=True):
                file.seek(text * rows.itemsize * SIGNATURE_SIZE)
                file.readinto(row.data)
        return rows, place


def _with_fresh_keys(path: Path, known: int) -> tuple[Keys, Places]:
    """Return the keys of a band that a text from ``known`` on has, and the texts that have them.

    A table of their lowest bits leaves most of the others out, a part of the file at a time.
    """
    fresh = np.fromfile(path, np.uint64, offset=known * np.uint64().itemsize)
    last = np.uint64(_TABLE - 1)
    table = np.zeros(_TABLE, np.bool_)
    table[fresh & last] = True
    keys, texts = [], []
    for start in range(0, known, _AT_ONCE):
        count = min(_AT_ONCE, known - start)
        part = np.fromfile(path, np.uint64, count, offset=start * fresh.itemsize)
        likely = np.flatnonzero(table[part & last])
        found = likely[np.isin(part[likely], fresh)]
        keys.append(part[found])
        texts.append(found + start)
    return (
        np.concatenate((*keys, fresh)),
        np.concatenate((*texts, np.arange(known, known + len(fresh)))),
    )


def _same(keys: Keys, starts: Places, distance: int) -> Places:
    """Keep the places whose key stands again that many places further on."""
    starts = starts[starts < len(keys) - distance]
    again: Places = starts[keys[starts] == keys[starts + distance]]
    return again


def _band_keys(band: Signatures) -> Keys:
    keys = np.zeros(len(band), dtype=np.uint64)
    for column in band.T:
        keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys
