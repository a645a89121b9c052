"""Cut long lists for statements that take only so many values."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

CHUNK = 500

_Item = TypeVar("_Item")


def chunks(items: Sequence[_Item], size: int = CHUNK) -> Iterator[Sequence[_Item]]:
    """Yield the items in order, at most ``size`` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def batches(items: Iterable[_Item], size: int = CHUNK) -> Iterator[list[_Item]]:
    """Yield the items as they come, at most ``size`` at a time."""
    coming = iter(items)
    while batch := list(islice(coming, size)):
        yield batch
