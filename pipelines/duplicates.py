"""Keep the clusters of near-duplicates up to date: only new and edited texts are compared."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from configs.schema import Municipality
from nlp.duplicates import DuplicateIndex, signatures
from pipelines.classify import reading
from pipelines.store.copies import (
    Member,
    Uncompared,
    compared,
    edited_clusters,
    next_position,
    save_members,
    uncompared,
)
from pipelines.store.write import Store


def update_clusters(store: Store, municipality: Municipality) -> int:
    """Compare the municipality's new and edited texts with all of its texts; return how many.

    A cluster is named after its member that was stored first, so its name stays when others
    join. The cluster that an edited text leaves is made anew from those that remain, because
    they may have resembled only that text.
    """
    engine, code = store.engine, municipality.code
    todo = uncompared(engine, code)
    if not todo:
        return 0
    shaken = edited_clusters(engine, code)
    settled, loose = _parted(compared(engine, code), shaken)
    fresh = _members(todo, code, next_position(engine, code))
    index = DuplicateIndex(municipality.duplicate_threshold)
    index.restore(
        [member.text_hash for member in settled],
        [member.signature for member in settled],
        [member.cluster_id for member in settled],
    )
    joining = [*loose, *fresh]
    index.add([member.text_hash for member in joining], [member.signature for member in joining])
    before = [*settled, *joining]
    after = _named(before, index.clusters())
    known = {item.id for item in todo if item.position is not None}
    added = {item.id for item in todo} - known
    changed = zip(before, after, strict=True)
    save_members(
        engine,
        [member for member in after if member.manifestation_id in added],
        [
            new
            for old, new in changed
            if new.manifestation_id not in added
            and (old.cluster_id != new.cluster_id or new.manifestation_id in known)
        ],
    )
    return len(todo)


def _parted(members: Iterable[Member], shaken: set[str]) -> tuple[list[Member], list[Member]]:
    settled: list[Member] = []
    loose: list[Member] = []
    for member in members:
        (loose if member.cluster_id in shaken else settled).append(member)
    return settled, loose


def _members(items: Sequence[Uncompared], municipality: str, position: int) -> list[Member]:
    signed = signatures([reading(item.title, item.text) for item in items])
    members = []
    for item, signature in zip(items, signed, strict=True):
        place = item.position
        if place is None:
            place, position = position, position + 1
        members.append(Member(item.id, municipality, item.text_hash, "", place, signature))
    return members


def _named(members: Sequence[Member], clusters: Sequence[int]) -> list[Member]:
    """Name each cluster after its member that was stored first."""
    first: dict[int, Member] = {}
    for member, cluster in zip(members, clusters, strict=True):
        founder = first.setdefault(cluster, member)
        if member.position < founder.position:
            first[cluster] = member
    return [
        replace(member, cluster_id=first[cluster].manifestation_id)
        for member, cluster in zip(members, clusters, strict=True)
    ]
