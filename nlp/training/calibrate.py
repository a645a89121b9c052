"""Dev-set work after training: temperature per head, abstention threshold, confusion, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from nlp.clean import clean
from nlp.encoder import ManifestationModel
from nlp.evaluate import confusion_counts, score_labels
from nlp.lexicon import Lexicon
from nlp.quantify import Errors, fit_errors
from nlp.tasks import TASKS
from nlp.training.batches import by_length, encode_cut, pad
from nlp.training.recipes import FinetuneRecipe

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]
_Parts = dict[str, dict[str, Floats]]
_LEAST_ACCEPTED = 50
_SHARPNESS = (-np.log(5), -np.log(0.3))  # logarithm of 1 / temperature
_LEXICAL = (0.0, 1.5)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the dev sets taught: all of it goes into the manifest.

    Threshold, confusion and scores are of probabilities that a mix fitted on other domains gave.
    """

    temperatures: dict[str, float]
    lexical: dict[str, float]
    threshold: float
    confusion: dict[str, list[list[int]]]
    domains: dict[str, dict[str, Any]]
    scores: dict[str, dict[str, dict[str, Any]]]
    accepted: dict[str, float]


def logits_of(
    model: ManifestationModel, tokenizer: Tokenizer, texts: Sequence[str], recipe: FinetuneRecipe
) -> dict[str, Floats]:
    """Return the logits (texts, labels) of each task for raw texts, cut to `max_tokens`."""
    ids = encode_cut(tokenizer, [clean(text) for text in texts], recipe.max_tokens)
    found = {task: np.zeros((len(ids), len(labels))) for task, labels in TASKS.items()}
    with torch.inference_mode():
        for rows in by_length([len(one) for one in ids], recipe.tokens_per_batch, None):
            logits = model(*pad([ids[row] for row in rows]))
            for task in TASKS:
                found[task][rows] = getattr(logits, task).double().numpy()
    return found


def log_softmax(logits: Floats) -> Floats:
    """Return log probabilities over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result


class Mix(NamedTuple):
    """How logits become probabilities: softmax(logits / temperature + lexical x scores)."""

    temperature: float = 1.0
    lexical: float = 0.0

    def mixed(self, logits: Floats, scores: Floats) -> Floats:
        """Return the mixed logits (texts, labels) of the encoder's and of the lexicon's."""
        found: Floats = logits / self.temperature + self.lexical * scores
        return found


def fit_mix(logits: Floats, scores: Floats, gold: Numbers, domains: Names) -> Mix:
    """Return temperature and lexical weight of the least negative log-likelihood.

    A domain of n texts weighs as the square root of n, so that a large one does not decide for
    all. A bias per label (vector scaling, Guo et al. 2017) was tried and left out: it does not
    carry over to a domain that it was not fitted on.
    """
    if not len(gold):
        return Mix()
    _, owner, sizes = np.unique(domains, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(sizes[owner])
    weight /= weight.sum()
    rows = np.arange(len(gold))

    def loss(values: Floats) -> tuple[float, Floats]:
        sharp = np.exp(values[0])
        log_chances = log_softmax(sharp * logits + values[1] * scores)
        error = np.exp(log_chances)
        error[rows, gold] -= 1
        error *= weight[:, None]
        slope = [sharp * (error * logits).sum(), (error * scores).sum()]
        return -float(weight @ log_chances[rows, gold]), np.array(slope)

    start, bounds = np.array([0.0, 0.5]), [_SHARPNESS, _LEXICAL]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Mix(round(float(np.exp(-found[0])), 4), round(float(found[1]), 4))


def held_out(logits: Floats, scores: Floats, gold: Numbers, domains: Names) -> Floats:
    """Return log probabilities (texts, labels) of each domain by a mix fitted on the others."""
    found = np.zeros(logits.shape)
    for one in np.unique(domains):
        mine = domains == one
        mix = fit_mix(logits[~mine], scores[~mine], gold[~mine], domains[~mine])
        found[mine] = log_softmax(mix.mixed(logits[mine], scores[mine]))
    return found


def fit_threshold(confidence: Floats, right: npt.NDArray[np.bool_], precision: float) -> float:
    """Return the least confidence from which the accepted are right at `precision` or more.

    At least 50 texts must be accepted (or a tenth, if that is fewer); where no threshold
    reaches the target, the one of the best precision is returned.
    """
    if not len(confidence):
        return 0.0
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    least = min(_LEAST_ACCEPTED, max(1, len(order) // 10))
    good = np.flatnonzero(share[least - 1 :] >= precision) + least - 1
    last = int(good[-1]) if len(good) else least - 1 + int(np.argmax(share[least - 1 :]))
    return round(float(confidence[order][last]), 4)


def calibrate(
    model: ManifestationModel,
    tokenizer: Tokenizer,
    lexicon: Lexicon,
    dev: Mapping[str, Sequence[Mapping[str, Any]]],
    recipe: FinetuneRecipe,
) -> Calibration:
    """Fit mixture and threshold on all dev sets together, and score each of them."""
    texts = {name: [row["text"] for row in rows] for name, rows in dev.items()}
    deep = {name: logits_of(model, tokenizer, texts[name], recipe) for name in dev}
    wide = {name: _lexical(lexicon, texts[name]) for name in dev}
    gold = {name: {task: gold_numbers(rows, task) for task in TASKS} for name, rows in dev.items()}
    mixes: dict[str, Mix] = {}
    logits: _Parts = {name: {} for name in dev}
    for task in TASKS:
        inner, right = _pooled(deep, gold, task)
        outer = _pooled(wide, gold, task)[0]
        domains = _domains(dev, gold, task)
        mixes[task] = fit_mix(inner, outer, right, domains)
        _share_out(held_out(inner, outer, right, domains), logits, gold, task)
    pooled = {task: _pooled(logits, gold, task) for task in TASKS}
    found, right = pooled["category"]
    chances = np.exp(log_softmax(found))
    confidence, correct = chances.max(-1), chances.argmax(-1) == right
    threshold = fit_threshold(confidence, correct, recipe.target_precision)
    kept = confidence >= threshold
    errors = {task: _errors(logits, gold, dev, task) for task in TASKS}
    return Calibration(
        temperatures={task: mix.temperature for task, mix in mixes.items()},
        lexical={task: mix.lexical for task, mix in mixes.items()},
        threshold=threshold,
        confusion={task: [list(row) for row in one.counts] for task, one in errors.items()},
        domains={
            task: {"concentration": one.concentration, "effective": one.effective}
            for task, one in errors.items()
            if one.concentration is not None
        },
        scores={name: _scores(logits[name], gold[name]) for name in dev},
        accepted={
            "share": round(float(kept.mean()), 4) if len(kept) else 0.0,
            "precision": round(float(correct[kept].mean()), 4) if kept.any() else 0.0,
        },
    )


def _lexical(lexicon: Lexicon, texts: Sequence[str]) -> dict[str, Floats]:
    scores = lexicon.scores([clean(text) for text in texts])
    return {task: found.astype(np.float64) for task, found in scores.items()}


def gold_numbers(rows: Sequence[Mapping[str, Any]], task: str) -> npt.NDArray[np.int64]:
    """Return the label number of each row, -1 where the task has no label."""
    labels = TASKS[task]
    return np.array([labels.index(row[task]) if row.get(task) in labels else -1 for row in rows])


def _pooled(
    logits: Mapping[str, Mapping[str, Floats]],
    gold: Mapping[str, Mapping[str, npt.NDArray[np.int64]]],
    task: str,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    empty = np.zeros((0, len(TASKS[task])))
    found = np.concatenate([empty, *(logits[name][task] for name in logits)])
    right = np.concatenate([np.zeros(0, np.int64), *(gold[name][task] for name in gold)])
    return found[right >= 0], right[right >= 0]


def _domains(
    dev: Mapping[str, Sequence[Mapping[str, Any]]],
    gold: Mapping[str, Mapping[str, Numbers]],
    task: str,
) -> Names:
    """Return the domain of each text that the task has a label of, in the order of `_pooled`."""
    return np.array(
        [
            domain_of(name, row)
            for name, rows in dev.items()
            for row, label in zip(rows, gold[name][task], strict=True)
            if label >= 0
        ],
        dtype=np.str_,
    )


def _share_out(
    found: Floats,
    logits: _Parts,
    gold: Mapping[str, Mapping[str, Numbers]],
    task: str,
) -> None:
    """Give each dev set the rows of a task's pooled logits; zeros where a text has no label."""
    start = 0
    for name in logits:
        known = gold[name][task] >= 0
        part = np.zeros((len(known), found.shape[1]))
        part[known] = found[start : start + known.sum()]
        logits[name][task] = part
        start += int(known.sum())


def _errors(
    logits: Mapping[str, Mapping[str, Floats]],
    gold: Mapping[str, Mapping[str, npt.NDArray[np.int64]]],
    dev: Mapping[str, Sequence[Mapping[str, Any]]],
    task: str,
) -> Errors:
    """Return the errors of a task over the domains of the dev sets, such as `civic/votain`.

    Texts without a category are left out: posts about anything are no manifestations, and the
    sentiment of theirs is read worse than that of those.
    """
    size = len(TASKS[task])
    nothing = np.zeros((size, size), np.int64)  # where no dev set has the task
    domains: dict[str, npt.NDArray[np.int64]] = {"": nothing}
    for name, rows in dev.items():
        right, found = gold[name][task], logits[name][task].argmax(-1)
        names = np.array([domain_of(name, row) for row in rows])
        for one in sorted(set(names)):
            mine = (names == one) & (right >= 0) & (gold[name]["category"] >= 0)
            domains[one] = confusion_counts(right[mine], found[mine], size)
    return fit_errors([one.tolist() for one in domains.values()])


def domain_of(name: str, row: Mapping[str, Any]) -> str:
    """Return the domain of a dev text: its set, and the part of its origin before a dash."""
    return f"{name}/{str(row.get('origin', '')).split('-')[0]}"


def _scores(
    logits: Mapping[str, Floats],
    gold: Mapping[str, npt.NDArray[np.int64]],
) -> dict[str, dict[str, Any]]:
    scores = {}
    for task, labels in TASKS.items():
        known = gold[task] >= 0
        if known.any():
            chances = np.exp(log_softmax(logits[task][known]))
            scores[task] = score_labels(gold[task][known], chances, labels).summary()
    return scores
