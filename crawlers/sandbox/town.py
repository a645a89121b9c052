"""The town as data: who said what, where and when, decided by a seed and nothing else.

The same seed, texts and window give the same town on every machine. Every text draws from its
own stream of chance, so that a text added later moves none of the others.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from crawlers.sandbox.changes import seen
from crawlers.sandbox.events import Event, planted
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.placing import place
from crawlers.sandbox.sites import SITES, Headline
from crawlers.sandbox.texts import Texts, load_texts
from crawlers.sandbox.volume import PILOT_DAYS, choose, plan, repeats
from crawlers.sandbox.wording import opening, slug
from models.records import Window

__all__ = ["WINDOW", "Item", "Remark", "Town", "build_town", "opening", "slug", "window_of"]

START: Final = date(2021, 9, 1)
ZONE: Final = ZoneInfo("America/Lima")


def window_of(days: int = PILOT_DAYS) -> Window:
    """Return the window of so many days in which the town speaks."""
    return Window(START, START + timedelta(days=days), ZONE)


WINDOW: Final = window_of()
"""The 30 days in which the town speaks unless it is told otherwise."""


@dataclass(frozen=True)
class Town:
    """Every item of every source, newest last."""

    seed: int
    window: Window
    items: tuple[Item, ...]
    _by_site: dict[str, tuple[Item, ...]] = field(init=False, repr=False, compare=False)
    _by_path: dict[str, Item] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_site: dict[str, list[Item]] = {each.name: [] for each in SITES}
        for item in self.items:
            by_site[item.site.name].append(item)
        object.__setattr__(self, "_by_site", {name: tuple(each) for name, each in by_site.items()})
        object.__setattr__(self, "_by_path", {item.path: item for item in self.items})

    def of(self, name: str) -> tuple[Item, ...]:
        """Return the items of one source, oldest first."""
        return self._by_site[name]

    def at(self, path: str) -> Item | None:
        """Return the item whose page has that path, if there is one."""
        return self._by_path.get(path)

    @property
    def size(self) -> int:
        """How many manifestations there are."""
        return sum(1 + len(item.remarks) for item in self.items)


def build_town(
    seed: int,
    texts: Texts | None = None,
    window: Window | None = None,
    scale: float = 1,
    now: datetime | None = None,
    events: Iterable[Event] = (),
) -> Town:
    """Give every text a source and a moment inside the window.

    Without ``texts`` the town says what ships with the project, repeats it as the web does and
    meets the pilot's totals, for 30 days or in proportion. With ``texts`` it says each of them
    once and nothing else.

    Args:
        seed: What decides; the same seed gives the same town.
        texts: What the town says; the texts that ship with the project by default.
        window: When it is said; at least three days, so that comments find room.
        scale: How busy the town is; 10 says ten times as much in the same time.
        now: The moment at which the town is visited: what comes later isn't there yet, and some
            of what was said has been edited or taken away. Without it the town is complete and
            as it was first said.
        events: What is planted in it, besides all the rest; not with ``texts``.

    Raises:
        ConfigError: An event lies outside the window.
    """
    window = window or WINDOW
    if texts is not None:
        placed = place(texts, (), seed, window)
    else:
        aim = plan(len(window.days), scale)
        chosen = choose(load_texts(), aim, seed)
        surges = planted(events, chosen, seed, window, scale)
        placed = place(chosen, repeats(chosen, aim, seed), seed, window, surges)
    ordered = sorted(placed, key=lambda item: (item.said_at, item.text.id))
    items = tuple(_titled(ordered))
    return Town(seed, window, items if now is None else tuple(seen(items, seed, now)))


def _titled(items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        if item.site.headline is Headline.NUMBER:
            yield replace(item, title=f"Mensaje {item.rank:04d}")
        else:
            yield item
