"""Keep the clusters of near-duplicates up to date: only new and edited texts are compared."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Engine

from configs.schema import Municipality
from nlp.duplicates import DuplicateIndex, signatures
from pipelines.classify import reading
from pipelines.store.copies import (
    Member,
    compared,
    edited_clusters,
    next_position,
    save_members,
    uncompared,
)
from pipelines.store.write import Store

_BATCH = 2_000  # texts that are in memory at once


class _Known(NamedTuple):
    """What is kept in memory of a member that is not compared again."""

    manifestation_id: str
    cluster_id: str
    position: int


def update_clusters(store: Store, municipality: Municipality) -> int:
    """Compare the municipality's new and edited texts with all of its texts; return how many.

    A cluster is named after its member that was stored first, so its name stays when others
    join. The cluster that an edited text leaves is made anew from those that remain, because
    they may have resembled only that text.
    """
    engine, code = store.engine, municipality.code
    fresh, edited = _fresh(engine, code)
    if not fresh:
        return 0
    index = DuplicateIndex(municipality.duplicate_threshold)
    known: list[_Known] = []
    loose: list[Member] = []
    members, shaken = compared(engine, code), edited_clusters(engine, code)
    index.restore(_settled(members, shaken, known, loose))
    joining = [*loose, *fresh]
    index.add([member.text_hash for member in joining], [member.signature for member in joining])
    known += (_Known(one.manifestation_id, one.cluster_id, one.position) for one in joining)
    names = _names(known, index.clusters())
    placed = [
        replace(member, cluster_id=name)
        for member, name in zip(fresh, names[-len(fresh) :], strict=True)
    ]
    save_members(
        engine,
        [member for member in placed if member.manifestation_id not in edited],
        [member for member in placed if member.manifestation_id in edited],
        {
            one.manifestation_id: name
            for one, name in zip(known[: -len(fresh)], names, strict=False)
            if one.cluster_id != name
        },
    )
    return len(fresh)


def _fresh(engine: Engine, municipality: str) -> tuple[list[Member], set[str]]:
    """Return the new and the edited members, in no cluster yet, and which are edited."""
    position = next_position(engine, municipality)
    todo, members, edited = uncompared(engine, municipality), [], set()
    while batch := list(islice(todo, _BATCH)):
        signed = signatures([reading(item.title, item.text) for item in batch])
        for item, signature in zip(batch, signed, strict=True):
            place = item.position
            if place is None:
                place, position = position, position + 1
            else:
                edited.add(item.id)
            members.append(Member(item.id, municipality, item.text_hash, "", place, signature))
    return members, edited


def _settled(
    members: Iterable[Member], shaken: set[str], known: list[_Known], loose: list[Member]
) -> Iterator[tuple[str, bytes | None, str]]:
    """Yield hash, signature and cluster of those whose cluster stays, and note them as known.

    Those of shaken clusters go to ``loose``. A signature is let go once the index has it.
    """
    for one in members:
        if one.cluster_id in shaken:
            loose.append(one)
        else:
            is_founder = one.cluster_id == one.manifestation_id
            cluster = one.manifestation_id if is_founder else one.cluster_id  # one text, not two
            known.append(_Known(one.manifestation_id, cluster, one.position))
            yield one.text_hash, one.signature, cluster


def _names(members: Sequence[_Known], clusters: Sequence[int]) -> list[str]:
    """Name each member's cluster after the member of it that was stored first."""
    first: dict[int, _Known] = {}
    for member, cluster in zip(members, clusters, strict=True):
        founder = first.setdefault(cluster, member)
        if member.position < founder.position:
            first[cluster] = member
    return [first[cluster].manifestation_id for cluster in clusters]
