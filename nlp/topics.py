"""Topics that nobody named beforehand: clusters of the encoder's vectors, labelled by their words.

The vectors of one window are spread out (mean and first components removed: Mu and Viswanath 2018,
«All-but-the-top», ICLR), reduced, and clustered by density (HDBSCAN: Campello, Moulavi and Sander
2013, PAKDD), so that what resembles nothing stays without a topic. Labels are class-based TF-IDF
(Grootendorst 2022, BERTopic). A topic that lies where one of an earlier window lay keeps its id.
Nothing is drawn by chance, and the order of the texts does not matter.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from nlp.terms import terms_of

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

LEAST_TEXTS = 8
"""A topic holds at least so many distinct texts; more in a large window."""
MOST_FITTED = 8_000
"""Density is measured on at most so many texts; the others join the topic they lie in."""
SAME = 0.8
"""Cosine similarity from which a topic is one of an earlier window; news of which less was alike
were about something else (`docs/benchmarks.md`)."""

_COMMON = 3  # components that all texts share and that tell nothing apart
_KEPT = 15
_TERMS = 6
_LARGE = 200  # texts of the window for each further text that a topic needs


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a window.

    ``members`` are rows of the texts given, the most central first; ``centroid`` is the mean of
    their vectors as the encoder gave them. ``known`` tells whether an earlier window had it.
    """

    id: str
    terms: tuple[str, ...]
    members: tuple[int, ...]
    centroid: Floats
    known: bool


def find_topics(
    ids: Sequence[str],
    texts: Sequence[str],
    vectors: Floats,
    earlier: Mapping[str, Floats] | None = None,
) -> list[Topic]:
    """Return the topics of distinct texts, the largest first.

    Args:
        ids: the texts' ids; they decide the ids of new topics.
        texts: what they say.
        vectors: of length 1, shape (texts, width), as `Classifier.embed` gives them.
        earlier: centroids of an earlier window's topics, by id, from the same encoder.
    """
    order = sorted(range(len(ids)), key=lambda row: sha256(ids[row].encode()).digest())
    order = [row for row in order if vectors[row].any()]
    if len(order) < 2 * LEAST_TEXTS or len(order) <= _KEPT:
        return []
    space = _Space.of(vectors[order])
    places = space.places(vectors[order])
    labels = _cluster(places)
    words = _label([texts[row] for row in order], labels)
    found = []
    for label in sorted(set(labels.tolist()) - {-1}):
        mine = np.flatnonzero(labels == label)
        centre = places[mine].mean(axis=0)
        near = mine[np.argsort(-(places[mine] @ centre), kind="stable")]
        members = tuple(order[row] for row in near)
        found.append((words[label], members, vectors[list(members)].mean(axis=0)))
    names = _names(found, ids, space, earlier or {})
    topics = [
        Topic(name, terms, members, centroid, known)
        for (name, known), (terms, members, centroid) in zip(names, found, strict=True)
    ]
    return sorted(topics, key=lambda topic: (-len(topic.members), topic.id))


@dataclass(frozen=True, slots=True)
class _Space:
    """The directions in which the texts of one window differ."""

    mean: Floats
    common: Floats
    kept: Floats

    @classmethod
    def of(cls, vectors: Floats) -> "_Space":
        mean = vectors.mean(axis=0)
        centred = _thin(vectors) - mean
        axes = np.linalg.eigh(centred.T @ centred)[1].T[::-1]
        signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
        axes = axes * signs[:, None]  # a decomposition leaves them open
        return cls(mean, axes[:_COMMON], axes[_COMMON : _COMMON + _KEPT])

    def places(self, vectors: Floats) -> Floats:
        """Return where vectors lie: shape (texts, kept), of the length that is left of 1."""
        centred = vectors - self.mean
        centred = centred - centred @ self.common.T @ self.common
        centred = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
        return np.asarray(centred @ self.kept.T)


def _thin(vectors: Floats) -> Floats:
    return vectors[:MOST_FITTED]


def _cluster(places: Floats) -> Labels:
    """Return the topic of each place, -1 for none."""
    from sklearn.cluster import HDBSCAN

    fitted = _thin(places)
    least = max(LEAST_TEXTS, len(fitted) // _LARGE)
    model = HDBSCAN(
        min_cluster_size=least, min_samples=2, cluster_selection_method="leaf", copy=True
    )
    labels = np.asarray(model.fit_predict(fitted), dtype=np.int64)
    rest = places[len(fitted) :]
    if not len(rest) or labels.max() < 0:
        return np.concatenate([labels, np.full(len(rest), -1)])
    centres = np.array([fitted[labels == at].mean(axis=0) for at in range(labels.max() + 1)])
    reach = np.array(
        [
            np.quantile(np.linalg.norm(fitted[labels == at] - centre, axis=1), 0.9)
            for at, centre in enumerate(centres)
        ]
    )
    distance = np.linalg.norm(rest[:, None] - centres[None], axis=2)
    nearest = distance.argmin(axis=1)
    inside = distance[np.arange(len(rest)), nearest] <= reach[nearest]
    return np.concatenate([labels, np.where(inside, nearest, -1)])


def _label(texts: Sequence[str], labels: Labels) -> dict[int, tuple[str, ...]]:
    """Return the words of each topic by class-based TF-IDF, the most telling first."""
    found, written = terms_of(texts)
    counts = [Counter[str]() for _ in range(labels.max() + 2)]  # the last: without topic
    everywhere = Counter[str]()
    for terms, label in zip(found, labels.tolist(), strict=True):
        counts[label].update(terms)
        everywhere.update(terms)
    mean = sum(max(mine.total(), 1) for mine in counts) / len(counts)
    words = {}
    for label, mine in enumerate(counts[:-1]):
        size = mine.total()
        weight = {t: n / size * np.log1p(mean / everywhere[t]) for t, n in mine.items() if n >= 2}
        best = sorted(weight, key=lambda term: (-weight[term], term))
        words[label] = tuple(written[term] for term in _distinct(best))
    return words


def _distinct(best: Sequence[str]) -> list[str]:
    """Keep the first terms that say no word again."""
    chosen: list[str] = []
    said: set[str] = set()
    for term in best:
        words = {word for word in term.split() if len(word) > 3}
        if not words & said:
            chosen.append(term)
            said |= words
        if len(chosen) == _TERMS:
            break
    return chosen


def _names(
    found: Sequence[tuple[tuple[str, ...], tuple[int, ...], Floats]],
    ids: Sequence[str],
    space: _Space,
    earlier: Mapping[str, Floats],
) -> list[tuple[str, bool]]:
    """Give each topic the id of the earlier one that lies where it does, or one of its own.

    Each of the two must be nearest to the other: of two like topics the farther is a new one.
    """
    names: dict[int, str] = {}
    if earlier and found:
        known = sorted(earlier)
        here = _unit(space.places(np.array([centroid for *_, centroid in found])))
        there = _unit(space.places(np.array([earlier[name] for name in known])))
        alike = here @ there.T
        for mine, theirs in enumerate(alike.argmax(axis=1).tolist()):
            if alike[mine, theirs] >= SAME and alike[:, theirs].argmax() == mine:
                names[mine] = known[theirs]
    return [
        (names[at], True) if at in names else (_own_name(members, ids, set(earlier)), False)
        for at, (_, members, _) in enumerate(found)
    ]


def _own_name(members: Sequence[int], ids: Sequence[str], taken: set[str]) -> str:
    """Return an id made of the texts that a topic was first found in; not one that is taken."""
    inside = "\n".join(sorted(ids[row] for row in members))
    while (name := f"t-{sha256(inside.encode()).hexdigest()[:10]}") in taken:
        inside += "\n"
    return name


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
