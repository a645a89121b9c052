"""Keep the clusters of near-duplicates up to date: only new and edited texts are compared."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from configs.schema import Municipality
from nlp.duplicates import DuplicateIndex, signatures
from pipelines.classify import reading
from pipelines.store.chunks import chunks
from pipelines.store.copies import (
    Member,
    compared,
    edited_clusters,
    next_position,
    save_members,
    to_compare,
    uncompared,
)
from pipelines.store.write import Store

_BATCH = 2_000  # texts that are in memory at once
_ROUND = 10_000  # texts that are compared, and saved, at once
_ID = np.dtype("V16")  # an id's 32 hexadecimal digits
_SEPARATOR = " "


class _Known:
    """What is kept in memory of every member: 40 bytes, its id and its cluster's name packed."""

    def __init__(self) -> None:
        self._ids, self._names, self._positions = bytearray(), bytearray(), array("q")

    def add(self, member: Member) -> None:
        """Keep a member and the name of its cluster, which is empty for one that has none yet."""
        self._ids += bytes.fromhex(member.manifestation_id)
        self._names += bytes.fromhex(member.cluster_id) or bytes(_ID.itemsize)
        self._positions.append(member.position)

    def rename(self, clusters: NDArray[np.intp]) -> dict[str, str]:
        """Name each cluster after its member that was stored first; return the names that change.

        Args:
            clusters: a number for each member, equal within a cluster: shape (members,).
        """
        ids, names = np.frombuffer(self._ids, _ID), np.frombuffer(self._names, _ID)
        order = np.lexsort((np.array(self._positions), clusters))
        begins = np.diff(clusters[order], prepend=-1) != 0
        founders = np.empty_like(order)
        founders[order] = order[begins][np.cumsum(begins) - 1]
        changed = np.flatnonzero(names != ids[founders])
        names[changed] = ids[founders[changed]]
        return {
            ids[place].tobytes().hex(): ids[founders[place]].tobytes().hex()
            for place in changed.tolist()
        }


def update_clusters(store: Store, municipality: Municipality) -> int:
    """Compare the municipality's new and edited texts with all of its texts; return how many.

    A cluster is named after its member that was stored first, so its name stays when others
    join. The cluster that an edited text leaves is made anew from those that remain, because
    they may have resembled only that text. Every round of texts is saved before the next.
    """
    engine, code = store.engine, municipality.code
    todo = b"".join(map(bytes.fromhex, uncompared(engine, code)))
    if not todo:
        return 0
    index, known, count = DuplicateIndex(municipality.duplicate_threshold), _Known(), 0
    loose: list[Member] = []
    position, shaken = next_position(engine, code), edited_clusters(engine, code)
    index.restore(_settled(compared(engine, code), shaken, known, loose))
    for start in range(0, len(todo), _ROUND * _ID.itemsize):
        ids = todo[start : start + _ROUND * _ID.itemsize].hex(_SEPARATOR, _ID.itemsize)
        fresh, edited = _signed(engine, code, ids.split(_SEPARATOR), position)
        position += len(fresh) - len(edited)
        joining = [*loose, *fresh]
        index.add([one.text_hash for one in joining], [one.signature for one in joining])
        for one in joining:
            known.add(one)
        names = known.rename(index.clusters())
        placed = [replace(one, cluster_id=names.pop(one.manifestation_id)) for one in fresh]
        save_members(
            engine,
            [one for one in placed if one.manifestation_id not in edited],
            [one for one in placed if one.manifestation_id in edited],
            names,
        )
        count, loose = count + len(fresh), []
    return count


def _signed(
    engine: Engine, municipality: str, ids: Sequence[str], position: int
) -> tuple[list[Member], set[str]]:
    """Return members for texts, in no cluster yet, and which of them are edited.

    The new ones are numbered from ``position`` on in the order of storing.
    """
    members, edited = [], set()
    for batch in chunks(ids, _BATCH):
        items = to_compare(engine, batch)
        signed = signatures([reading(item.title, item.text) for item in items])
        for item, signature in zip(items, signed, strict=True):
            place = item.position
            if place is None:
                place, position = position, position + 1
            else:
                edited.add(item.id)
            members.append(Member(item.id, municipality, item.text_hash, "", place, signature))
    return members, edited


def _settled(
    members: Iterable[Member], shaken: set[str], known: _Known, loose: list[Member]
) -> Iterator[tuple[str, bytes | None, str]]:
    """Yield hash, signature and cluster of those whose cluster stays, and note them as known.

    Those of shaken clusters go to ``loose``. A signature is let go once the index has it.
    """
    for one in members:
        if one.cluster_id in shaken:
            loose.append(one)
        else:
            known.add(one)
            yield one.text_hash, one.signature, one.cluster_id
