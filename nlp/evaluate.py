"""Compare predictions with gold labels: scores, calibration, and the error of the shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import ModelError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Classification
from nlp.quantify import Confusion, correct_shares

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

BINS = 15
_DRAWS = 1_000
_CHANCES = 200
_TASKS = {
    "category": ("categories", CATEGORIES),
    "sentiment": ("sentiments", SENTIMENTS),
    "intent": ("intents", INTENTS),
}


@dataclass(frozen=True, slots=True)
class GoldItem:
    """The labels that a person gave to one text; a task without label is None."""

    category: str | None = None
    sentiment: str | None = None
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Precision, recall and F1 of one label, and how many gold texts have it."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class TaskScore:
    """The scores of one task over its `n` labelled texts.

    `macro_f1` averages over the labels that gold or prediction hold; `macro_f1_low` and
    `_high` are its 95 % bootstrap interval over texts. `ece` is the expected calibration error
    of the top label (15 equal bins), `ece_by_chance` what it would be on average if every
    confidence were true: a few hundred texts never show 0 (Roelofs et al. 2022). The share
    errors are mean absolute differences to the
    gold shares over all labels, in shares (0 to 1); the corrected one is None without a
    confusion matrix.
    """

    n: int
    macro_f1: float
    macro_f1_low: float
    macro_f1_high: float
    accuracy: float
    ece: float
    ece_by_chance: float
    labels: dict[str, LabelScore]
    share_error: float
    share_error_corrected: float | None = None

    def summary(self) -> dict[str, Any]:
        """Return the numbers without the single labels, rounded for a manifest."""
        fields = asdict(self)
        del fields["labels"], fields["share_error_corrected"]
        return {key: round(value, 4) for key, value in fields.items()}


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """The scores per task that has gold labels, and how many texts the model abstained on."""

    n: int
    abstained: int
    tasks: dict[str, TaskScore]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return asdict(self)


def evaluate(
    gold: Sequence[GoldItem],
    predictions: Sequence[Classification],
    confusion: Mapping[str, Confusion] | None = None,
    *,
    seed: int = 0,
) -> EvaluationReport:
    """Score predictions against gold, item by item.

    `confusion` (from the model's manifest, per task) allows the corrected shares. Raises
    ModelError where the two lists differ in length or a gold label is unknown.
    """
    if len(gold) != len(predictions):
        raise ModelError(
            f"{len(gold)} gold items but {len(predictions)} predictions; give one a text"
        )
    tasks = {}
    for task, (field, labels) in _TASKS.items():
        named = [getattr(item, task) for item in gold]
        known = [at for at, label in enumerate(named) if label is not None]
        if not known:
            continue
        right = np.array([_number(named[at], labels, task, at) for at in known])
        chances = np.array(
            [[getattr(predictions[at], field)[label] for label in labels] for at in known]
        )
        rows = confusion.get(task) if confusion else None
        tasks[task] = score_labels(right, chances, labels, rows, seed=seed)
    return EvaluationReport(len(gold), sum(one.abstained for one in predictions), tasks)


def score_labels(
    right: Numbers,
    chances: Floats,
    labels: Sequence[str],
    confusion: Confusion | None = None,
    *,
    seed: int = 0,
) -> TaskScore:
    """Score one task: gold label numbers (n,), probabilities (n, labels)."""
    predicted = chances.argmax(-1)
    counts = confusion_counts(right, predicted, len(labels))
    low, high = macro_interval(right, predicted, len(labels), seed)
    shares = counts.sum(1) / len(right)
    return TaskScore(
        n=len(right),
        macro_f1=float(macro_f1(counts)),
        macro_f1_low=low,
        macro_f1_high=high,
        accuracy=float(np.trace(counts) / len(right)),
        ece=calibration_error(chances, right),
        ece_by_chance=calibration_by_chance(chances, seed),
        labels={label: _label_score(counts, at) for at, label in enumerate(labels)},
        share_error=float(np.abs(counts.sum(0) / len(right) - shares).mean()),
        share_error_corrected=_corrected_error(counts, shares, labels, confusion),
    )


def confusion_counts(right: Numbers, predicted: Numbers, size: int) -> Numbers:
    """Return the counts (size, size) of texts by true label (row) and predicted (column)."""
    flat = np.bincount(right * size + predicted, minlength=size * size)
    return flat.reshape(size, size).astype(np.int64)


def macro_f1(counts: Numbers) -> Floats:
    """Return the mean F1 over labels present in gold or prediction; `counts` is (..., k, k)."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    total = counts.sum(-1) + counts.sum(-2)
    scores = 2 * hits / np.maximum(total, 1)
    mean: Floats = scores.sum(-1) / np.maximum((total > 0).sum(-1), 1)
    return mean


def macro_interval(right: Numbers, predicted: Numbers, size: int, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of macro-F1 by resampling texts (1,000 draws, seeded)."""
    cells = np.bincount(right * size + predicted, minlength=size * size)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(right), cells / len(right), size=_DRAWS)
    found = macro_f1(drawn.reshape(_DRAWS, size, size))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def calibration_error(chances: Floats, right: Numbers) -> float:
    """Return the expected calibration error of the top label: 15 bins of equal width."""
    return _calibration_error(chances.max(-1), chances.argmax(-1) == right)


def calibration_by_chance(chances: Floats, seed: int) -> float:
    """Return the mean calibration error of answers that are right as often as they say.

    Drawn 200 times, seeded. Subtracting it gives an error without the bias of few texts.
    """
    confidence, rng = chances.max(-1), np.random.default_rng(seed)
    drawn = (rng.random(len(confidence)) < confidence for _ in range(_CHANCES))
    return float(np.mean([_calibration_error(confidence, hit) for hit in drawn]))


def _calibration_error(confidence: Floats, hit: npt.NDArray[np.bool_]) -> float:
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gap = np.bincount(place, confidence - hit, minlength=BINS)
    return float(np.abs(gap).sum() / len(confidence))


def _label_score(counts: Numbers, at: int) -> LabelScore:
    hit = int(counts[at, at])
    support, chosen = int(counts[at].sum()), int(counts[:, at].sum())
    return LabelScore(
        precision=hit / chosen if chosen else 0.0,
        recall=hit / support if support else 0.0,
        f1=2 * hit / (support + chosen) if support + chosen else 0.0,
        support=support,
    )


def _corrected_error(
    counts: Numbers,
    shares: Floats,
    labels: Sequence[str],
    confusion: Confusion | None,
) -> float | None:
    if confusion is None:
        return None
    seen = dict(zip(labels, map(int, counts.sum(0)), strict=True))
    corrected = correct_shares(seen, confusion, labels)
    found = np.array([corrected[label].share for label in labels])
    return float(np.abs(found - shares).mean())


def _number(label: str, labels: Sequence[str], task: str, at: int) -> int:
    if label not in labels:
        raise ModelError(
            f"gold item {at + 1}: unknown {task} {label!r}; use one of {', '.join(labels)}"
        )
    return labels.index(label)
