"""Dev-set work after training: temperature per head, abstention threshold, confusion, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
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
_LEAST_ACCEPTED = 50


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the dev sets taught: all of it goes into the manifest."""

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


def fit_mix(logits: Floats, scores: Floats, gold: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return temperature and lexical weight of the least negative log-likelihood (grid).

    The mixed logits are logits / temperature + lexical weight x scores of the lexicon.
    """
    if not len(gold):
        return 1.0, 0.0
    temperatures = np.exp(np.linspace(np.log(0.3), np.log(5), 40))
    lexical = np.linspace(0, 1.5, 16)
    rows = np.arange(len(gold))
    losses = [
        (-log_softmax(logits / one + other * scores)[rows, gold].mean(), one, other)
        for one in temperatures
        for other in lexical
    ]
    _, best, share = min(losses)
    return round(float(best), 4), round(float(share), 4)


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
    mixes = {}
    for task in TASKS:
        inner, right = _pooled(deep, gold, task)
        mixes[task] = fit_mix(inner, _pooled(wide, gold, task)[0], right)
    logits = {
        name: {
            task: deep[name][task] / mixes[task][0] + mixes[task][1] * wide[name][task]
            for task in TASKS
        }
        for name in dev
    }
    pooled = {task: _pooled(logits, gold, task) for task in TASKS}
    found, right = pooled["category"]
    chances = np.exp(log_softmax(found))
    confidence, correct = chances.max(-1), chances.argmax(-1) == right
    threshold = fit_threshold(confidence, correct, recipe.target_precision)
    kept = confidence >= threshold
    errors = {task: _errors(logits, gold, dev, task) for task in TASKS}
    return Calibration(
        temperatures={task: mix[0] for task, mix in mixes.items()},
        lexical={task: mix[1] for task, mix in mixes.items()},
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


def _errors(
    logits: Mapping[str, Mapping[str, Floats]],
    gold: Mapping[str, Mapping[str, npt.NDArray[np.int64]]],
    dev: Mapping[str, Sequence[Mapping[str, Any]]],
    task: str,
) -> Errors:
    """Return the errors of a task over the domains of the dev sets, such as `civic/votain`."""
    size = len(TASKS[task])
    nothing = np.zeros((size, size), np.int64)  # where no dev set has the task
    domains: dict[str, npt.NDArray[np.int64]] = {"": nothing}
    for name, rows in dev.items():
        right, found = gold[name][task], logits[name][task].argmax(-1)
        names = np.array([domain_of(name, row) for row in rows])
        for one in sorted(set(names)):
            mine = (names == one) & (right >= 0)
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
