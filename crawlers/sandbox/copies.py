"""The repetitions of a window: which source each goes to, by whom, and in which words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from random import Random
from typing import Final

from crawlers.sandbox.moments import chance_of
from crawlers.sandbox.names import neighbour
from crawlers.sandbox.retell import echoed, retold, syndicated
from crawlers.sandbox.sites import OUTLETS, Shape, Site, site
from crawlers.sandbox.texts import Comment, Labelled, Noise, Post, Thread

OPENERS: Final = {
    "x-ate": 34,
    "facebook-ate": 12,
    "telegram-ate": 10,
    "masto-lima": 8,
    "central-telefonica": 7,
    "muro-vitarte": 5,
    "muro-huaycan": 5,
    "encuesta-vecinal": 4,
    "reddit-ate": 4,
    "debate-ate": 3,
    "foro-vitarte": 3,
    "foro-salamanca": 2,
    "foro-santa-clara": 2,
    "reporta-ate": 2,
    "buzon-vecinal": 2,
    "participa-ate": 1,
}
"""How often each source is where somebody repeats a post."""

ANSWERS: Final = {
    "facebook-ate": 30,
    "youtube-ate": 20,
    "x-ate": 8,
    "reddit-ate": 8,
    "foro-vitarte": 8,
    "debate-ate": 6,
    "masto-lima": 4,
    "participa-ate": 4,
    "diario-este": 4,
    "revista-carretera": 4,
    "radio-huaycan": 3,
    "portal-este": 3,
    "muni-noticias": 2,
    "semanario-quebrada": 2,
    "blog-mercado-ceres": 1,
}
"""How often each source is where somebody repeats a comment below something else."""

ARTICLES: Final = {
    "agregador-noticias": 26,
    "youtube-ate": 22,
    "diario-este": 14,
    "revista-carretera": 12,
    "semanario-quebrada": 10,
    "radio-huaycan": 6,
    "portal-este": 6,
    "blog-mercado-ceres": 2,
}
"""How often each source takes over an article."""

FULL: Final = 400
"""Repetitions that a source without pages to turn holds at most; the rest goes elsewhere."""

_BELOW: Final = 0.45
_WITHOUT_PAGING: Final = frozenset(
    {Shape.RSS_TEXT, Shape.RSS_CONTENT, Shape.JSON_TEXT, Shape.ATOM, Shape.NEWS}
)


def copies(origins: Iterable[Labelled], seed: int) -> list[tuple[Post | Thread | Comment, Site]]:
    """Return every repetition as a text of its own, with the source where it is said."""
    desk = _Desk(seed)
    return [desk.copy(origin) for origin in origins]


class _Desk:
    """Hands out repetitions one by one, and remembers what went where."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._times: Counter[str] = Counter()
        self._load: Counter[str] = Counter()
        self._taken: set[tuple[str, str]] = set()

    def copy(self, origin: Labelled) -> tuple[Post | Thread | Comment, Site]:
        """Return one repetition of a text."""
        self._times[origin.id] += 1
        name = f"{origin.id}-r{self._times[origin.id]}"
        chance = chance_of(self._seed, name)
        if isinstance(origin, Thread):
            where = self._outlet(origin, chance)
            return _article(origin, name, where, chance), where
        below = isinstance(origin, Comment) or chance.random() < _BELOW
        if origin.noise in {"greeting", "bump"}:
            below = True
        where = self._source(ANSWERS if below else OPENERS, chance)
        return _message(origin, name, where, chance, below=below), where

    def _source(self, weights: dict[str, int], chance: Random) -> Site:
        for _ in range(20):
            where = _drawn(weights, chance)
            if where.shape not in _WITHOUT_PAGING or self._load[where.name] < FULL:
                break
        self._load[where.name] += 1
        return where

    def _outlet(self, origin: Thread, chance: Random) -> Site:
        homes = OUTLETS[origin.outlet]
        for _ in range(12):
            where = self._source(ARTICLES, chance)
            if where.name not in homes and (origin.id, where.name) not in self._taken:
                break
        self._taken.add((origin.id, where.name))
        return where


def _drawn(weights: dict[str, int], chance: Random) -> Site:
    names: Sequence[str] = list(weights)
    return site(chance.choices(names, cum_weights=list(accumulate(weights.values())))[0])


def _article(origin: Thread, name: str, where: Site, chance: Random) -> Thread:
    outlet = site(OUTLETS[origin.outlet][0]).title
    title, paragraphs = syndicated(origin, outlet, chance)
    author = f"Redacción {where.title}" if chance.random() < 0.6 else neighbour(chance)
    changes = {"title": title, "paragraphs": paragraphs, "comments": ()}
    return origin.model_copy(update={"id": name, "copy_of": origin.id, "author": author, **changes})


def _message(
    origin: Labelled, name: str, where: Site, chance: Random, *, below: bool
) -> Post | Comment:
    if not isinstance(origin, Post | Comment | Noise):
        raise TypeError(f"{origin.id} has no text to repeat")
    text = _words(origin, where, chance, below=below)
    labels = {
        field: getattr(origin, field)
        for field in ("category", "second", "sentiment", "intent", "zone", "noise")
    }
    common = {"id": name, "author": neighbour(chance), "text": text, "copy_of": origin.id, **labels}
    if below:
        return Comment.model_construct(parent=None, **common)
    place = origin.place if isinstance(origin, Post) else "muro"
    return Post.model_construct(place=place, **common)


def _words(origin: Post | Comment | Noise, where: Site, chance: Random, *, below: bool) -> str:
    if isinstance(origin, Noise):
        return origin.text
    if below:
        return echoed(origin.text, chance)
    return retold(origin.text, origin.author, where, chance)
