"""Who says what where: texts become items of a source, with the answers below them."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from crawlers.sandbox.copies import copies
from crawlers.sandbox.identity import identify
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.moments import chance_of, citizen, draw_answer, draw_moment, office
from crawlers.sandbox.sites import OUTLETS, PLACES, SITES, Headline, Shape, Site, site
from crawlers.sandbox.texts import Comment, Labelled, Post, Texts, Thread
from crawlers.sandbox.wording import TAG, opening, slug
from models.records import Window

_REPLY: Final = 0.3
_RECENT: Final = 4
_DEEPEST: Final = 4
_NEAR: Final = 30
_DESCRIPTION: Final = 150
_FRESH: Final = timedelta(days=2)
_ANYWHERE: Final = "facebook-ate"
_NESTED: Final = {
    Shape.FACEBOOK: 1,
    Shape.YOUTUBE: 1,
    Shape.FORUM: 0,
    Shape.X: 0,
    Shape.MASTODON: 0,
}
_BELOW_OTHERS: Final = {
    Shape.DISCOURSE: 0.55,
    Shape.FORUM: 0.55,
    Shape.REDDIT: 0.5,
    Shape.FACEBOOK: 0.4,
    Shape.DECIDIM: 0.3,
    Shape.X: 0.12,
    Shape.MASTODON: 0.12,
}
"""On which sources a post may be an answer to another, and how often it is."""

_TITLED: Final = frozenset({Shape.DISCOURSE, Shape.FORUM, Shape.REDDIT, Shape.DECIDIM})
_FOLDER: Final = {"wall": "p", "forum": "mensaje", "desk": "mensaje"}


@dataclass(frozen=True, slots=True)
class Saying:
    """A text with its source and its moment, before it is known what it stands below."""

    text: Post | Thread | Comment
    where: Site
    said_at: datetime
    below: bool
    after: datetime | None = None


@dataclass(slots=True)
class _Topic:
    item: Item
    remarks: list[Remark] = field(default_factory=list)
    depths: dict[str, int] = field(default_factory=dict)


def place(
    texts: Texts,
    origins: Iterable[Labelled],
    seed: int,
    window: Window,
    planted: Iterable[Saying] = (),
) -> Iterator[Item]:
    """Give every text, and every repetition, a source and a moment inside the window.

    What is planted has both already; nobody answers it, so that it moves nothing else.
    """
    articles = [_written_article(thread, seed, window) for thread in texts.threads]
    sayings = [_written_post(post, seed, window) for post in texts.posts]
    moments = {item.text.id: item.said_at for item in articles}
    moments |= {each.text.id: each.said_at for item in articles for each in item.remarks}
    moments |= {each.text.id: each.said_at for each in sayings}
    for text, where in copies(origins, seed):
        sayings.append(_repeated(text, where, moments, seed, window))
    yield from _published(articles, sayings, seed, window, planted)


def _published(
    articles: list[Item],
    sayings: list[Saying],
    seed: int,
    window: Window,
    planted: Iterable[Saying],
) -> Iterator[Item]:
    homes = {item.text.id: item for item in articles}
    boards = {each.name: _Board(each, seed, window) for each in SITES}
    for item in articles:
        boards[item.site.name].add(item)
    answers = [each for each in sayings if each.below]
    for each in sorted((s for s in sayings if not s.below), key=_order):
        boards[each.where.name].open(each, homes)
    for each in sorted(answers, key=_order):
        board = boards[each.where.name]
        (board if board.topics else boards[_ANYWHERE]).answer(each)
    for each in planted:
        boards[each.where.name].open(replace(each, text=_tagged(each.text, each.where)), homes)
    for board in boards.values():
        yield from board.items()


def _order(each: Saying) -> tuple[datetime, str]:
    return each.said_at, each.text.id


def _opened_at(topic: _Topic) -> datetime:
    return topic.item.said_at


def _before(topics: list[_Topic], moment: datetime) -> list[_Topic]:
    end = bisect_left(topics, moment, key=_opened_at)
    return topics[max(0, end - _RECENT) : end]


class _Board:
    """One source while it fills."""

    def __init__(self, where: Site, seed: int, window: Window) -> None:
        self.where = where
        self.topics: list[_Topic] = []
        self._seed = seed
        self._window = window
        self._sorted: dict[str, list[_Topic]] = {}

    def add(self, item: Item) -> None:
        """Publish something that stands for itself."""
        self.topics.append(_Topic(item, list(item.remarks)))

    def open(self, each: Saying, homes: dict[str, Item]) -> None:
        """Publish a saying."""
        self.add(_opened(each, self.where, homes))

    def answer(self, each: Saying) -> None:
        """Put a saying below something that was said before it, on the same matter if it can."""
        said_at, timeline = each.said_at, self._timelines()
        is_first = not self.topics or timeline[""][0].item.said_at >= said_at
        if not self.topics or (is_first and isinstance(each.text, Post)):
            self.add(_opened(replace(each, text=_as_post(each.text)), self.where, {}))
            return
        chance = chance_of(self._seed, f"below/{each.text.id}")
        if is_first:
            said_at = draw_answer(chance, timeline[""][0].item.said_at, self._window, 4)
        recent = _before(timeline.get(each.text.category, []), said_at)
        topic = chance.choice(recent or _before(timeline[""], said_at))
        self._put(topic, each.text, self._sooner(topic, each, said_at, chance), chance)

    def _sooner(self, topic: _Topic, each: Saying, said_at: datetime, chance: Random) -> datetime:
        """Return an earlier moment for an answer to something old, never before its original."""
        opened = topic.item.said_at
        if said_at - opened < _FRESH:
            return said_at
        sooner = draw_answer(chance, opened, self._window, 14)
        is_late_enough = each.after is None or sooner > each.after
        return sooner if sooner < said_at and is_late_enough else said_at

    def _timelines(self) -> dict[str, list[_Topic]]:
        """Return the topics in the order of time: all of them, and by category."""
        if len(self._sorted.get("", ())) != len(self.topics):
            self._sorted = {"": sorted(self.topics, key=_opened_at)}
            for topic in self._sorted[""]:
                self._sorted.setdefault(topic.item.text.category, []).append(topic)
        return self._sorted

    def items(self) -> tuple[Item, ...]:
        """Return everything that was published, numbered."""
        return identify(self.where, map(self._closed, self.topics))

    def _closed(self, topic: _Topic) -> Item:
        remarks = sorted(topic.remarks, key=lambda remark: (remark.said_at, remark.text.id))
        return replace(topic.item, remarks=tuple(remarks))

    def _put(
        self, topic: _Topic, text: Post | Thread | Comment, said_at: datetime, chance: Random
    ) -> None:
        deepest = _NESTED.get(self.where.shape, _DEEPEST)
        parent = None
        if chance.random() < _REPLY:
            candidates = [
                remark.text.id
                for remark in topic.remarks[-_NEAR:]
                if remark.said_at < said_at and topic.depths.get(remark.text.id, 1) <= deepest
            ]
            parent = chance.choice(candidates) if candidates else None
        topic.depths[text.id] = topic.depths.get(parent or "", 0) + 1
        topic.remarks.append(Remark(_as_comment(text, parent), said_at))


def _as_comment(text: Post | Thread | Comment, parent: str | None) -> Comment:
    if isinstance(text, Comment):
        return text if parent is None else text.model_copy(update={"parent": parent})
    if isinstance(text, Thread):
        raise TypeError(f"{text.id} is an article and answers nobody")
    return Comment.model_construct(
        **{name: getattr(text, name) for name in Comment.model_fields if name != "parent"},
        parent=parent,
    )


def _as_post(text: Post | Thread | Comment) -> Post | Thread:
    if not isinstance(text, Comment):
        return text
    return Post.model_construct(
        **{name: getattr(text, name) for name in Post.model_fields if name != "place"},
        place="muro",
    )


def _written_post(post: Post, seed: int, window: Window) -> Saying:
    chance = chance_of(seed, post.id)
    where = site(_source_of(post, chance))
    said_at = draw_moment(chance, window, citizen)
    below = chance.random() < _BELOW_OTHERS.get(where.shape, 0)
    return Saying(_tagged(post, where), where, said_at, below)


def _tagged(text: Post | Comment | Thread, where: Site) -> Post | Comment | Thread:
    if where.shape is not Shape.MASTODON or isinstance(text, Thread):
        return text
    return text.model_copy(update={"text": f"{text.text}\n\n{TAG}"})


def _source_of(post: Post, chance: Random) -> str:
    choices = PLACES[post.place]
    drawn = chance.choice(choices)
    if post.place == "buzon" and post.intent == "proposal" and chance.random() < 0.6:
        return "participa-ate"
    at_home = [name for name in choices if post.zone in site(name).zones]
    return at_home[0] if len(at_home) == 1 and site(drawn).zones else drawn


def _repeated(
    text: Post | Thread | Comment,
    where: Site,
    moments: dict[str, datetime],
    seed: int,
    window: Window,
) -> Saying:
    chance = chance_of(seed, f"when/{text.id}")
    before = moments.get(text.copy_of or "")
    if before is None:
        said_at = draw_moment(chance, window, citizen)
    else:
        said_at = draw_answer(chance, before, window, 30)
    return Saying(_tagged(text, where), where, said_at, isinstance(text, Comment), before)


def _written_article(thread: Thread, seed: int, window: Window) -> Item:
    chance = chance_of(seed, thread.id)
    where = site(chance.choice(OUTLETS[thread.outlet]))
    room = Window(window.start, window.end - timedelta(days=2), window.zone)
    said_at = draw_moment(chance, room, office)
    remarks = _written_comments(thread, said_at, seed, window)
    path = _article_path(where, thread, said_at)
    return Item(where, thread, said_at, path, thread.title, remarks)


def _written_comments(
    thread: Thread, published: datetime, seed: int, window: Window
) -> tuple[Remark, ...]:
    moments: dict[str, datetime] = {}
    for comment in thread.comments:
        after = published if comment.parent is None else moments[comment.parent]
        moments[comment.id] = draw_answer(chance_of(seed, comment.id), after, window)
    return tuple(Remark(comment, moments[comment.id]) for comment in thread.comments)


def _opened(each: Saying, where: Site, homes: dict[str, Item]) -> Item:
    text = each.text
    if isinstance(text, Comment):
        text = _as_post(text)
    if isinstance(text, Thread):
        return _taken_over(text, where, each.said_at, homes)
    titled = where.headline is Headline.OPENING or where.shape in _TITLED
    title = opening(text.text) if titled else None
    path = f"/{where.name}/{_FOLDER.get(where.layout, 'p')}/{text.id}/"
    return Item(where, text, each.said_at, path, title)


def _taken_over(text: Thread, where: Site, said_at: datetime, homes: dict[str, Item]) -> Item:
    home = homes.get(text.copy_of or "")
    if where.shape is Shape.YOUTUBE:
        lead = opening(text.paragraphs[0], _DESCRIPTION)
        text = text.model_copy(update={"paragraphs": (lead,)})
    if where.shape is not Shape.NEWS or home is None:
        return Item(where, text, said_at, _article_path(where, text, said_at), text.title)
    outlet = home.site.title
    line = text.model_copy(
        update={
            "title": home.title,
            "paragraphs": (f"{home.title} {outlet}",),
            "author": outlet,
        }
    )
    path = f"/{where.name}/articulo/{text.id}/"
    title = f"{home.title} - {outlet}"
    return Item(where, line, said_at, path, title, link=home.path, via=home.site.name)


def _article_path(where: Site, thread: Thread, said_at: datetime) -> str:
    name = f"{slug(thread.title)}-{thread.id.lower()}"
    if where.shape is Shape.SITEMAP:
        return f"/{where.name}/nota/{name}/"
    match where.layout:
        case "radio":
            return f"/{where.name}/{said_at:%Y/%m/%d}/{name}/"
        case "portal":
            return f"/{where.name}/noticias/{name}.html"
        case "muni":
            return f"/{where.name}/nota/{thread.id}"
        case _:
            return f"/{where.name}/{said_at:%Y/%m}/{name}.html"
