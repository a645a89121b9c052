"""The town as data: who said what, where and when, decided by a seed and nothing else.

The same seed, texts and window give the same town on every machine. Every text draws from its
own stream of chance, so that a text added later moves none of the others.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from crawlers.sandbox.sites import OUTLETS, PLACES, SITES, Headline, Site, site
from crawlers.sandbox.texts import Comment, Labelled, Post, Texts, Thread, load_texts
from models.records import Kind, Window

WINDOW: Final = Window(date(2021, 9, 1), date(2021, 10, 1), ZoneInfo("America/Lima"))
"""The 30 days in which the town speaks unless it is told otherwise."""

_HOURS: Final = (2, 1, 1, 1, 1, 3, 6, 9, 10, 10, 10, 10, 11, 12, 10, 9, 9, 10, 13, 15, 16, 14, 9, 5)
_OFFICE: Final = (0, 0, 0, 0, 0, 1, 6, 9, 12, 14, 14, 12, 9, 9, 10, 11, 11, 9, 6, 4, 2, 1, 0, 0)
_WEEK: Final = (10, 10, 10, 11, 11, 8, 6)
_OFFICE_WEEK: Final = (10, 11, 11, 11, 10, 5, 3)
_MEDIAN_HOURS: Final = 9.0
_TRIES: Final = 200


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment below an article, with its moment."""

    text: Comment
    said_at: datetime

    @property
    def anchor(self) -> str:
        """The fragment that points to the comment on its page."""
        return f"comment-{self.text.id}"


@dataclass(frozen=True, slots=True)
class Item:
    """One article with its comments, or one post, as its source publishes it."""

    site: Site
    text: Post | Thread
    said_at: datetime
    path: str
    title: str | None
    remarks: tuple[Remark, ...] = ()

    @property
    def kind(self) -> Kind:
        """Whether it is an article or a post."""
        return self.site.kind

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """What was said, paragraph by paragraph."""
        if isinstance(self.text, Thread):
            return self.text.paragraphs
        return tuple(line.strip() for line in self.text.text.split("\n") if line.strip())

    @property
    def changed_at(self) -> datetime:
        """The moment of the last thing said on its page."""
        return max((self.said_at, *(remark.said_at for remark in self.remarks)))

    def external_id(self, base_url: str) -> str:
        """Return the identity under which a reader of the source knows it.

        A feed names its entries by a ``tag:`` URI that no port can change. A source of pages
        alone has nothing but the page's canonical address.
        """
        if self.site.feed is None:
            return base_url.rstrip("/") + self.path
        return f"tag:{self.site.authority},2021:{self.text.id}"


@dataclass(frozen=True)
class Town:
    """Every item of every source, newest last."""

    seed: int
    window: Window
    items: tuple[Item, ...]
    _by_site: dict[str, tuple[Item, ...]] = field(init=False, repr=False, compare=False)
    _by_path: dict[str, Item] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_site = {
            each.name: tuple(item for item in self.items if item.site == each) for each in SITES
        }
        object.__setattr__(self, "_by_site", by_site)
        object.__setattr__(self, "_by_path", {item.path: item for item in self.items})

    def of(self, name: str) -> tuple[Item, ...]:
        """Return the items of one source, oldest first."""
        return self._by_site[name]

    def at(self, path: str) -> Item | None:
        """Return the item whose page has that path, if there is one."""
        return self._by_path.get(path)


def build_town(seed: int, texts: Texts | None = None, window: Window = WINDOW) -> Town:
    """Give every text a source and a moment inside the window.

    Args:
        seed: What decides; the same seed gives the same town.
        texts: What the town says; the texts that ship with the project by default.
        window: When it is said; at least three days, so that comments find room.
    """
    if texts is None:
        texts = load_texts()
    placed = [_place_post(post, seed, window) for post in texts.posts]
    placed += [_place_thread(thread, seed, window) for thread in texts.threads]
    placed.sort(key=lambda item: (item.said_at, item.text.id))
    return Town(seed, window, tuple(_number(placed)))


def slug(title: str, words: int = 9) -> str:
    """Return the opening words of a title as the part of an address.

    >>> slug("¿Qué pasa en la Av. Andrés Avelino?")
    'que-pasa-en-la-av-andres-avelino'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain)[:words]) or "nota"


def opening(text: str, width: int = 60) -> str:
    """Return the beginning of a text, cut between words, as forums title their messages."""
    line = " ".join(text.split())
    if len(line) <= width:
        return line
    return line[: width + 1].rsplit(" ", 1)[0][:width].rstrip(" ,;:.") + "…"


def _place_post(post: Post, seed: int, window: Window) -> Item:
    chance = _chance(seed, post)
    where = site(_source_of(post, chance))
    title = opening(post.text) if where.headline is Headline.OPENING else None
    said_at = _moment(chance, window, _citizen)
    return Item(where, post, said_at, f"/{where.name}/{_FOLDER[where.layout]}/{post.id}/", title)


def _place_thread(thread: Thread, seed: int, window: Window) -> Item:
    chance = _chance(seed, thread)
    where = site(OUTLETS[thread.outlet])
    room = Window(window.start, window.end - timedelta(days=2), window.zone)
    said_at = _moment(chance, room, _office)
    remarks = _place_comments(thread, said_at, seed, window)
    return Item(
        where, thread, said_at, _article_path(where, thread, said_at), thread.title, remarks
    )


def _place_comments(
    thread: Thread, published: datetime, seed: int, window: Window
) -> tuple[Remark, ...]:
    moments: dict[str, datetime] = {}
    for comment in thread.comments:
        after = published if comment.parent is None else moments[comment.parent]
        moments[comment.id] = _answer(_chance(seed, comment), after, window)
    remarks = (Remark(comment, moments[comment.id]) for comment in thread.comments)
    return tuple(sorted(remarks, key=lambda remark: (remark.said_at, remark.text.id)))


_FOLDER: Final = {"wall": "p", "forum": "mensaje", "desk": "mensaje"}


def _article_path(where: Site, thread: Thread, said_at: datetime) -> str:
    name = f"{slug(thread.title)}-{thread.id.lower()}"
    match where.layout:
        case "radio":
            return f"/{where.name}/{said_at:%Y/%m/%d}/{name}/"
        case "portal":
            return f"/{where.name}/noticias/{name}.html"
        case "muni":
            return f"/{where.name}/nota/{thread.id}"
        case _:
            return f"/{where.name}/{said_at:%Y/%m}/{name}.html"


def _number(items: list[Item]) -> Iterator[Item]:
    count = 0
    for item in items:
        if item.site.headline is Headline.NUMBER:
            count += 1
            title = f"Mensaje {count:04d}"
            yield Item(item.site, item.text, item.said_at, item.path, title, item.remarks)
        else:
            yield item


def _chance(seed: int, text: Labelled) -> Random:
    return Random(f"{seed}/{text.id}")  # noqa: S311 - decides a story, protects nothing


def _source_of(post: Post, chance: Random) -> str:
    choices = PLACES[post.place]
    drawn = chance.choice(choices)
    at_home = [name for name in choices if post.zone in site(name).zones]
    return at_home[0] if len(at_home) == 1 else drawn


def _citizen(moment: datetime) -> float:
    return _HOURS[moment.hour] / max(_HOURS) * _WEEK[moment.weekday()] / max(_WEEK)


def _office(moment: datetime) -> float:
    share = _OFFICE[moment.hour] / max(_OFFICE)
    return share * _OFFICE_WEEK[moment.weekday()] / max(_OFFICE_WEEK)


def _moment(chance: Random, window: Window, rhythm: Callable[[datetime], float]) -> datetime:
    first = datetime.combine(window.start, time(), window.zone)
    seconds = (window.end - window.start).days * 86_400
    moment = first
    for _ in range(_TRIES):
        moment = first + timedelta(seconds=chance.randrange(seconds))
        if chance.random() < rhythm(moment):
            break
    return moment


def _answer(chance: Random, after: datetime, window: Window) -> datetime:
    end = datetime.combine(window.end, time(), window.zone)
    latest = end - timedelta(hours=1)
    for _ in range(_TRIES):
        delay = timedelta(seconds=60 + round(3600 * _MEDIAN_HOURS * chance.lognormvariate(0, 1.1)))
        if after + delay < latest and chance.random() < _citizen(after + delay):
            return after + delay
    left = (end - after).total_seconds()
    return after + timedelta(seconds=max(1, int(left * chance.uniform(0.05, 0.5))))
