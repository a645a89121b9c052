"""Which lists of a source were read without a gap, so that what is missing from them is gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from models.records import Listing

LOOKED_FOR = "?"
"""The name of a list that is no proof: what it lacks is looked for at its own address."""


@dataclass
class _Scope:
    """A list that is being read: what it held so far, and whether all of it was had."""

    began_at: datetime | None = None
    name: str = ""
    ids: set[str] = field(default_factory=set)
    oldest: datetime | None = None
    open: int = 0
    broken: bool = False
    cut: bool = False
    in_order: bool = True
    partial: bool = False


class Listings:
    """Follows the lists of one crawl: each is a number of answers that belong together.

    One that lacks an answer, or of whose items one cannot be told apart, proves nothing. One
    that was not followed further back speaks of what is younger than the oldest that it gave,
    and only if it goes from the newest to the oldest: something old may be pinned to its top. So
    does a ``partial`` one, in whatever order it is: a page may leave out what is older.
    """

    def __init__(self) -> None:
        self._scopes: dict[str, _Scope] = {}

    def asked(self, names: Iterable[str]) -> None:
        """Expect one more answer for each of the lists."""
        for name in names:
            self._scope(name).open += 1

    def answered(
        self,
        names: Iterable[str],
        fetched_at: datetime,
        ids: Iterable[str] = (),
        moments: Sequence[datetime] = (),
        thread: str = "",
        *,
        partial: bool = False,
    ) -> None:
        """Take one answer in: the ids that it holds, and when they were said, as it lists them."""
        held = tuple(ids)
        in_order = all(one >= two for one, two in pairwise(moments))
        for name in names:
            scope = self._scope(name)
            scope.open -= 1
            scope.began_at = min(scope.began_at or fetched_at, fetched_at)
            scope.ids.update(held)
            scope.name = thread or scope.name
            scope.in_order &= in_order
            scope.partial |= partial
            scope.oldest = min((m for m in (*moments, scope.oldest) if m), default=None)

    def broken(self, names: Iterable[str]) -> None:
        """Note that something of the lists cannot be read."""
        for name in names:
            self._scope(name).broken = True

    def cut(self, names: Iterable[str]) -> None:
        """Note that the lists were not followed to what is older."""
        for name in names:
            self._scope(name).cut = True

    def holds(self, name: str) -> frozenset[str] | None:
        """Return what a list held, once nothing of it is expected any more."""
        scope = self._scopes.get(name)
        if scope is None or scope.open or scope.broken:
            return None
        return frozenset(scope.ids)

    def whole(self, since: datetime | None) -> list[Listing]:
        """Return the lists that prove something, of what was said after ``since``."""
        found = []
        for name, scope in self._scopes.items():
            if scope.open or scope.broken or scope.began_at is None:
                continue
            is_short = scope.cut or scope.partial
            if name == LOOKED_FOR or (is_short and scope.oldest is None):
                continue
            if scope.cut and not scope.in_order:
                continue
            limits = [since, scope.oldest if is_short else None]
            found.append(
                Listing(
                    of=scope.name or name,
                    ids=tuple(sorted(scope.ids)),
                    began_at=scope.began_at,
                    since=max((limit for limit in limits if limit is not None), default=None),
                )
            )
        return found

    def _scope(self, name: str) -> _Scope:
        return self._scopes.setdefault(name, _Scope())
