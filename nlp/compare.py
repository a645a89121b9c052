"""Compare two models on the same gold: which labels got worse, and on which texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest  # type: ignore[import-untyped]

from models.errors import ModelError
from models.records import Classification
from nlp.evaluate import GoldItem
from nlp.tasks import TASKS

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

_DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A score before and after, and the 95 % interval of the difference (paired bootstrap)."""

    before: float
    after: float
    difference: float
    low: float
    high: float
    support: int

    @property
    def verdict(self) -> str:
        """`worse` or `better` where the whole interval says so, else `same`."""
        if self.high < 0:
            return "worse"
        return "better" if self.low > 0 else "same"


@dataclass(frozen=True, slots=True)
class Flip:
    """A text that only one of the two models got right; `at` is its place in the gold."""

    at: int
    gold: str
    before: str
    after: str
    lost: bool


@dataclass(frozen=True, slots=True)
class TaskChange:
    """What changed in one task.

    `lost` counts the texts that only the earlier model got right, `won` those that only the
    later one did; `p` is the exact McNemar test of the two (binomial, two-sided).
    """

    n: int
    macro_f1: Difference
    labels: dict[str, Difference]
    lost: int
    won: int
    p: float
    flips: list[Flip]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the verdict of every difference."""
        plain = asdict(self)
        plain["macro_f1"]["verdict"] = self.macro_f1.verdict
        for label, one in self.labels.items():
            plain["labels"][label]["verdict"] = one.verdict
        return plain


def compare(
    gold: Sequence[GoldItem],
    before: Sequence[Classification],
    after: Sequence[Classification],
    *,
    seed: int = 0,
) -> dict[str, TaskChange]:
    """Compare two models' answers to the same gold texts, per task that has gold labels.

    Raises ModelError where the lists differ in length.
    """
    if not len(gold) == len(before) == len(after):
        raise ModelError(
            f"{len(gold)} gold texts, but {len(before)} earlier and {len(after)} later answers; "
            "both models must answer the same texts"
        )
    found = {}
    for task, labels in TASKS.items():
        known = [at for at, item in enumerate(gold) if getattr(item, task) is not None]
        if known:
            numbers = [
                np.array([labels.index(getattr(items[at], task)) for at in known])
                for items in (gold, before, after)
            ]
            found[task] = _compare_task(labels, np.array(known), *numbers, seed=seed)
    return found


def _compare_task(
    labels: Sequence[str], places: Numbers, right: Numbers, old: Numbers, new: Numbers, *, seed: int
) -> TaskChange:
    size, n = len(labels), len(right)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=_DRAWS).astype(float)
    weights = np.concatenate([np.ones((1, n)), weights])  # the first row: the texts as they are
    before, after = (_label_scores(weights, right, answers, size) for answers in (old, new))
    support = np.bincount(right, minlength=size)
    lost, won = (old == right) & (new != right), (old != right) & (new == right)
    flips = [
        Flip(int(places[i]), labels[right[i]], labels[old[i]], labels[new[i]], bool(lost[i]))
        for i in np.flatnonzero(lost | won)
    ]
    return TaskChange(
        n=n,
        macro_f1=_difference(np.nanmean(before, axis=1), np.nanmean(after, axis=1), n),
        labels={
            label: _difference(before[:, at], after[:, at], int(support[at]))
            for at, label in enumerate(labels)
            if support[at]
        },
        lost=int(lost.sum()),
        won=int(won.sum()),
        p=_mcnemar(int(lost.sum()), int(won.sum())),
        flips=flips,
    )


def _label_scores(weights: Floats, right: Numbers, found: Numbers, size: int) -> Floats:
    """Return F1 (draws, labels); NaN where neither gold nor answers hold the label."""
    true, chosen = np.eye(size)[right], np.eye(size)[found]
    total = weights @ true + weights @ chosen
    scores: Floats = np.full(total.shape, np.nan)
    np.divide(2 * (weights @ (true * chosen)), total, out=scores, where=total > 0)
    return scores


def _difference(before: Floats, after: Floats, support: int) -> Difference:
    before, after = np.nan_to_num(before), np.nan_to_num(after)
    gaps = after - before
    low, high = np.quantile(gaps[1:], [0.025, 0.975])
    return Difference(
        before=float(before[0]),
        after=float(after[0]),
        difference=float(gaps[0]),
        low=float(low),
        high=float(high),
        support=support,
    )


def _mcnemar(lost: int, won: int) -> float:
    return float(binomtest(lost, lost + won).pvalue) if lost + won else 1.0


def worse(changes: Mapping[str, TaskChange]) -> list[str]:
    """Name the tasks and labels whose whole interval lies under zero."""
    found = [task for task, one in changes.items() if one.macro_f1.verdict == "worse"]
    return found + [
        f"{task}: {label}"
        for task, one in changes.items()
        for label, gap in one.labels.items()
        if gap.verdict == "worse"
    ]
