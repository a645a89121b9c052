"""Correct the shares that a classifier's counts give, with its confusion matrix.

A classifier that is right 80 % of the time gives biased shares: the common labels leak into
the rare ones. With P(predicted | true) known from labelled dev texts, the true shares s are
those whose expected counts fit the counts seen: the maximum-likelihood mixture, found by
expectation-maximisation on hard labels (Saerens et al. 2002 for the iteration; adjusted
counts, Forman 2008, for the idea). The interval resamples both sources of doubt: the rows of
the confusion matrix (Dirichlet, a smooth bootstrap of few dev texts) and the counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import ModelError

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_ITERATIONS = 400
_PRIOR = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """A corrected share of one label, between 0 and 1, and its interval."""

    share: float
    low: float
    high: float


def correct_shares(
    counts: Mapping[str, int],
    confusion: Sequence[Sequence[int]],
    labels: Sequence[str],
    *,
    draws: int = 400,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Share]:
    """Return the corrected share of every label, in the order of `labels`.

    `counts` are predicted labels among the texts counted (missing labels count 0);
    `confusion[t][p]` counts dev texts of true label t predicted as p. Without any text every
    share is 0 with the interval [0, 1]. Raises ModelError where the confusion matrix doesn't
    fit the labels, and where `counts` names an unknown or a negative label count.
    """
    matrix = _checked(confusion, labels)
    seen = _counted(counts, labels)
    if not seen.sum():
        return {label: Share(0.0, 0.0, 1.0) for label in labels}
    point = mixture_shares(seen[None], likely_rows(matrix)[None])[0]
    sampled = _bootstrap(seen, matrix, point, draws, seed)
    tail = (1 - level) / 2
    low, high = np.quantile(sampled, [tail, 1 - tail], axis=0)
    return {
        label: Share(float(point[i]), float(min(low[i], point[i])), float(max(high[i], point[i])))
        for i, label in enumerate(labels)
    }


def likely_rows(confusion: Floats) -> Floats:
    """Return P(predicted | true), each row summing to 1.

    One more text per row is spread like the matrix's own mix of hits and of mistakes, so that
    labels with few or no dev texts get sensible rows.
    """
    total = max(confusion.sum(), 1.0)
    hit = (np.trace(confusion) + 1) / (total + 1)
    wrong = confusion - np.diag(np.diag(confusion))
    mistakes = (wrong.sum(0) + 1) / (wrong.sum() + len(confusion))
    prior = np.diag(np.full(len(confusion), hit)) + (1 - hit) * mistakes
    rows: Floats = confusion + _PRIOR * prior / prior.sum(1, keepdims=True)
    rows /= rows.sum(1, keepdims=True)
    return rows


def mixture_shares(counts: Floats, rows: Floats) -> Floats:
    """Return the shares (samples, labels) of greatest likelihood, by EM, all samples at once.

    `counts` is (samples, labels), `rows` P(predicted | true) as (samples, true, predicted).
    Shares are never negative and sum to 1.
    """
    total = np.maximum(counts.sum(-1, keepdims=True), 1)
    shares: Floats = np.full(counts.shape, 1 / counts.shape[-1])
    for _ in range(_ITERATIONS):
        expected = np.einsum("bt,btp->bp", shares, rows)
        ratio = counts / np.maximum(expected, 1e-12) / total
        renewed = shares * np.einsum("bp,btp->bt", ratio, rows)
        done = np.abs(renewed - shares).max() < 1e-7
        shares = renewed
        if done:
            break
    shares /= np.maximum(shares.sum(-1, keepdims=True), 1e-12)
    return shares


def naive_shares(counts: Mapping[str, int], labels: Sequence[str]) -> Floats:
    """Return the uncorrected shares of the labels, shape (labels,)."""
    seen = _counted(counts, labels)
    shares: Floats = seen / max(seen.sum(), 1.0)
    return shares


def _bootstrap(seen: Floats, matrix: Floats, point: Floats, draws: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    rows = likely_rows(matrix)
    weight = matrix.sum(1, keepdims=True) + _PRIOR
    gamma = rng.standard_gamma(np.broadcast_to(rows * weight, (draws, *rows.shape)))
    sampled = gamma / np.maximum(gamma.sum(-1, keepdims=True), 1e-12)
    counts = rng.multinomial(int(seen.sum()), seen / seen.sum(), size=draws)
    return mixture_shares(counts.astype(float), sampled)


def _checked(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> Floats:
    matrix = np.asarray(confusion, dtype=float)
    if matrix.shape != (len(labels), len(labels)) or (matrix < 0).any():
        raise ModelError(
            f"the confusion matrix has the shape {matrix.shape}, expected "
            f"{len(labels)} x {len(labels)} counts; take it from the model's manifest"
        )
    return matrix


def _counted(counts: Mapping[str, int], labels: Sequence[str]) -> Floats:
    unknown = sorted(set(counts) - set(labels))
    if unknown or any(count < 0 for count in counts.values()):
        raise ModelError(
            f"cannot correct these counts: unknown labels {unknown} or a negative count; "
            "count predicted labels of the same task as the confusion matrix"
        )
    return np.array([counts.get(label, 0) for label in labels], dtype=float)
