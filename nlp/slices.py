"""Scores by what is known of a text: its origin, country, kind of difficulty, and length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from models.records import Classification
from nlp.evaluate import GoldItem, confusion_counts, macro_f1
from nlp.tasks import TASKS

LENGTHS = ((5, "1-5 words"), (15, "6-15 words"), (40, "16-40 words"))
LONGEST = "over 40 words"


@dataclass(frozen=True, slots=True)
class SliceScore:
    """One task on one group of texts: accuracy with its Wilson 95 % interval, and macro-F1.

    Macro-F1 averages over the labels that the group's gold or answers hold, so groups that hold
    other labels can't be compared by it.
    """

    n: int
    accuracy: float
    low: float
    high: float
    macro_f1: float


Slices = dict[str, dict[str, dict[str, SliceScore]]]
"""By dimension (`length`, `origin`, ...), group, and task."""


def length_class(text: str) -> str:
    """Return the length class of a text by its words, white space apart."""
    words = len(text.split())
    return next((name for most, name in LENGTHS if words <= most), LONGEST)


def slice_scores(
    texts: Sequence[str],
    gold: Sequence[GoldItem],
    predictions: Sequence[Classification],
    about: Sequence[Mapping[str, Sequence[str]]],
) -> Slices:
    """Score the answers by group.

    `about` gives, for each text, its groups by dimension, such as `{"country": ["PE"]}`; the
    length is added here. Groups stand in the order of the alphabet, lengths from short to long.
    """
    members: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for at, text in enumerate(texts):
        members["length"][length_class(text)].append(at)
        for dimension, groups in about[at].items():
            for group in groups:
                members[dimension][group].append(at)
    order = [name for _, name in LENGTHS] + [LONGEST]
    return {
        dimension: {
            group: _scores(groups[group], gold, predictions)
            for group in sorted(groups, key=lambda g: (order.index(g) if g in order else 0, g))
        }
        for dimension, groups in members.items()
    }


def _scores(
    rows: Sequence[int], gold: Sequence[GoldItem], predictions: Sequence[Classification]
) -> dict[str, SliceScore]:
    scores = {}
    for task, labels in TASKS.items():
        known = [at for at in rows if getattr(gold[at], task) is not None]
        if not known:
            continue
        right = np.array([labels.index(getattr(gold[at], task)) for at in known])
        found = np.array([labels.index(getattr(predictions[at], task)) for at in known])
        hits = int((right == found).sum())
        low, high = proportion_confint(hits, len(known), method="wilson")
        scores[task] = SliceScore(
            n=len(known),
            accuracy=hits / len(known),
            low=float(low),
            high=float(high),
            macro_f1=float(macro_f1(confusion_counts(right, found, len(labels)))),
        )
    return scores
