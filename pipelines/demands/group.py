"""Which texts ask for the same: copies, one thread, or the same words in one place and time.

Copies of one text first agree on its category and zone. Texts are taken in the order in which they
were said and join the demand that fits best, or found one (leader clustering: Hartigan, J. A.,
1975, «Clustering Algorithms», ch. 3). What has been grouped stays, so grouping again changes
nothing, and what comes later only adds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256

import numpy as np

from nlp.likeness import word_vectors
from pipelines.store.demand_texts import Asked, Ended

SPAN = timedelta(days=14)
"""Texts that lie further apart in time do not ask for the same, copies included."""

ALIKE_HERE = 0.2
"""Likeness from which on two texts of one category and zone ask for the same."""

ALIKE_ANYWHERE = 0.3
"""The same, where neither says where."""


class Why(StrEnum):
    """What made a text part of a demand."""

    FOUNDER = "founder"
    COPY = "copy"
    THREAD = "thread"
    ALIKE = "alike"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Part:
    """A text's place in a demand."""

    manifestation_id: str
    demand: str
    why: Why


@dataclass(slots=True)
class Grouped:
    """What grouping adds: texts that join waiting demands, and new demands with their texts."""

    joined: list[Part] = field(default_factory=list)
    founded: dict[str, Asked] = field(default_factory=dict)
    follows: dict[str, str] = field(default_factory=dict)


def demand_id(municipality: str, *founders: str) -> str:
    """Derive the stable id of a demand from what founded it: 32 hexadecimal digits."""
    identity = "\x1f".join(("demand", municipality, *founders))
    return sha256(identity.encode()).hexdigest()[:32]


def group(municipality: str, texts: Sequence[Asked], ended: Iterable[Ended] = ()) -> Grouped:
    """Group texts into demands.

    Args:
        municipality: whose they are.
        texts: those that are to be grouped, and those that are part of a waiting demand, whose
            category and zone they are given with.
        ended: texts of demands that have ended, by which a new one can name the one it follows.
    """
    members = [text for text in texts if text.demand is not None]
    new = _agreed([text for text in texts if text.demand is None])
    ordered = [*_in_order(members), *_in_order(new)]
    finder = _Finder(ordered)
    before = {one.cluster: one.demand for one in ended}
    found = Grouped()
    for place, text in enumerate(ordered):
        if text.demand is not None:
            finder.add(place, text.demand)
            continue
        known = finder.find(place)
        demand, why = known or (demand_id(municipality, text.id), Why.FOUNDER)
        if known is None:
            found.founded[demand] = text
            if text.cluster in before:
                found.follows[demand] = before[text.cluster]
        found.joined.append(Part(text.id, demand, why))
        finder.add(place, demand)
    return found


def _agreed(texts: Sequence[Asked]) -> list[Asked]:
    """Give the copies of one text the category and the zone that most of them have.

    Each copy votes with the weight of its category, and with one vote for its zone or for none;
    of equals the one that was said first wins. The model reads copies that were cut or shouted
    differently, and an answer takes over the zone of what it answers.
    """
    categories: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    zones: dict[str, Counter[str | None]] = defaultdict(Counter)
    for text in _in_order(texts):
        categories[text.cluster][text.category] += text.weight
        zones[text.cluster][text.zone] += 1
    return [
        replace(
            text,
            category=max(categories[text.cluster], key=categories[text.cluster].__getitem__),
            zone=max(zones[text.cluster], key=zones[text.cluster].__getitem__),
        )
        for text in texts
    ]


def _in_order(texts: Iterable[Asked]) -> list[Asked]:
    return sorted(texts, key=lambda text: (text.day, text.id))


class _Finder:
    """Finds the demand that a text belongs to, among the texts placed so far."""

    def __init__(self, texts: Sequence[Asked]) -> None:
        self._texts = texts
        once = {text.cluster: text.text for text in reversed(texts)}
        self._vectors = word_vectors([text.text for text in texts], list(once.values()))
        self._demand: dict[int, str] = {}
        self._cell: dict[str, tuple[str, str | None]] = {}
        self._copies: dict[str, list[int]] = defaultdict(list)
        self._threads: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._places: dict[tuple[str, str | None], list[int]] = defaultdict(list)

    def add(self, place: int, demand: str) -> None:
        """Note that a text is part of a demand; the first one says what and where it is."""
        text = self._texts[place]
        if demand not in self._cell:  # only the first one's thread: threads would chain otherwise
            self._cell[demand] = (text.category, text.zone)
            self._threads[text.thread, text.category].append(place)
        cell = self._cell[demand]
        self._demand[place] = demand
        self._copies[text.cluster].append(place)
        self._places[cell].append(place)

    def find(self, place: int) -> tuple[str, Why] | None:
        """Return the demand that a text joins, and why: a copy before a thread before words."""
        text = self._texts[place]
        if copies := self._near(place, self._copies.get(text.cluster, ())):
            return self._demand[copies[0]], Why.COPY
        same_thread = self._near(place, self._threads.get((text.thread, text.category), ()))
        for other in same_thread:
            if self._cell[self._demand[other]][1] == text.zone:
                return self._demand[other], Why.THREAD
        near = self._near(place, self._places.get((text.category, text.zone), ()))
        if not near:
            return None
        likeness = (self._vectors[near] @ self._vectors[place].T).toarray().ravel()
        best = int(np.argmax(likeness))
        enough = ALIKE_ANYWHERE if text.zone is None else ALIKE_HERE
        return (self._demand[near[best]], Why.ALIKE) if likeness[best] >= enough else None

    def _near(self, place: int, others: Sequence[int]) -> list[int]:
        day = self._texts[place].day
        return [other for other in others if abs(self._texts[other].day - day) <= SPAN]
