"""Read what is left to do in pages, so that memory doesn't grow with the window."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import Engine, Select, func, select, tuple_

from models.tables import ManifestationRow
from pipelines.store.engine import explained

Item = TypeVar("Item")

_KEY = (ManifestationRow.said_on, ManifestationRow.said_at, ManifestationRow.id)
"""Oldest first. The day is in the index, so that a page costs no more than the day it is in."""


@dataclass(frozen=True, slots=True)
class Pending(Generic[Item]):
    """Manifestations that a step has yet to look at, oldest first.

    Each page is a query of its own, from the last one's end on: no transaction stays open while
    a step works, and what it stores meanwhile moves nothing.

    Attributes:
        engine: the database; it is only read.
        query: selects the fields of each, and says which; it has no order of its own.
        make: makes an item of the fields.
    """

    engine: Engine
    query: Select[*tuple[Any, ...]]
    make: Callable[..., Item]

    def of(self, sources: Collection[str] | None) -> "Pending[Item]":
        """Return those of the named sources; all of them where none are named."""
        if sources is None:
            return self
        return replace(self, query=self.query.where(ManifestationRow.source.in_(sources)))

    def count(self) -> int:
        """Return how many there are now."""
        query = select(func.count()).select_from(self.query.subquery())
        with explained(self.engine), self.engine.connect() as connection:
            found: int = connection.execute(query).scalar_one()
        return found

    def pages(self, size: int) -> Iterator[list[Item]]:
        """Yield those of the window as lists of at most ``size``, none of them empty."""
        query = self.query.add_columns(*_KEY).order_by(*_KEY).limit(size)
        after: tuple[Any, ...] | None = None
        while True:
            page = query if after is None else query.where(*_later(after))
            with explained(self.engine), self.engine.connect() as connection:
                rows = connection.execute(page).all()
            if rows:
                yield [self.make(*row[: -len(_KEY)]) for row in rows]
            if len(rows) < size:
                return
            after = tuple(rows[-1][-len(_KEY) :])


def _later(after: tuple[Any, ...]) -> tuple[Any, ...]:
    """Compare with the last key; the day alone once more, because an index understands that."""
    return _KEY[0] >= after[0], tuple_(*_KEY) > after
