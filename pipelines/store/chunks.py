"""Cut long lists for statements that take only so many values."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

CHUNK = 500

_Item = TypeVar("_Item")


def chunks(items: Sequence[_Item], size: int = CHUNK) -> Iterator[Sequence[_Item]]:
    """Yield the items in order, at most ``size`` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
