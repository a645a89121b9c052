"""Correct the shares that a classifier's counts give, with its confusion matrix.

A classifier that is right 80 % of the time gives biased shares: the common labels leak into
the rare ones. With P(predicted | true) known from labelled dev texts, the true shares s are
those whose expected counts fit the counts seen: the maximum-likelihood mixture, found by
expectation-maximisation on hard labels (Saerens et al. 2002 for the iteration; adjusted
counts, Forman 2008, for the idea).

That correction trusts a matrix that was measured elsewhere. How it varies from one domain (tweets
to a town hall, proposals, comments) to the next is estimated too: each domain's rows are taken as
drawn from a Dirichlet distribution around the common rows, whose concentration is fitted by the
likelihood of the domains' counts (Dirichlet-multinomial, Minka 2000) and taken at the cautious end
of what that likelihood allows, because domains are few. The interval resamples all of it: the
common rows, a new domain's rows, and the counts; rows that can't give the counts seen, whatever the
shares, are drawn no more often than that is likely (sampling-importance resampling, Rubin 1987).
The corrected shares are drawn back toward the uncorrected ones (positive-part James-Stein, 1961),
and are these where what the correction moves, squared, is not twice its variance: a correction that
might be chance is not made. Whether it holds for the texts counted is not known, so the interval
covers both readings: what the draws give, and the same width about the share that is told.
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
_DRAWN_ITERATIONS = 100
_TOLERANCE = 1e-5
_PRIOR = 1.0
_JEFFREYS = 0.5  # texts added to each label's count where the counts are drawn anew
_GRID = np.exp(np.linspace(np.log(1.5), np.log(1_000), 40))
_EVIDENCE = 2.0  # times its variance that a correction must move (squared), where domains differ
_TEXTS = 1_000  # as whose counts a misfit is judged, at most: the iteration stops about there
_CAUTION = 0.025  # point of the likelihood at which the concentration is taken


@dataclass(frozen=True, slots=True)
class Share:
    """A corrected share of one label, between 0 and 1, and its interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Errors:
    """What is known of a classifier's errors in one task.

    `counts[t][p]` counts labelled texts of true label t predicted as p. `concentration` is that
    of the Dirichlet distribution of a domain's rows (small: domains differ much), `effective[t]`
    how many independent texts the row of label t is worth. Both are empty where the domains are
    not known.
    """

    counts: Sequence[Sequence[int]]
    concentration: float | None = None
    effective: Sequence[float] = ()


Confusion = Sequence[Sequence[int]] | Errors
"""Counts of labelled texts by true (row) and predicted label, or all that is known of errors."""


def correct_shares(
    counts: Mapping[str, int],
    confusion: Confusion,
    labels: Sequence[str],
    *,
    draws: int = 300,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Share]:
    """Return the corrected share of every label, in the order of `labels`.

    `counts` are predicted labels among the texts counted (missing labels count 0). The interval
    is of the share among these very texts, so its ends are whole texts. Without any text every
    share is 0 with the interval [0, 1]. Raises ModelError where the confusion matrix doesn't
    fit the labels, and where `counts` names an unknown or a negative label count.
    """
    errors = confusion if isinstance(confusion, Errors) else Errors(confusion)
    matrix = _checked(errors.counts, labels)
    seen = _counted(counts, labels)
    total = seen.sum()
    if not total:
        return {label: Share(0.0, 0.0, 1.0) for label in labels}
    naive = seen / total
    corrected = mixture_shares(seen[None], likely_rows(matrix)[None])[0]
    sampled = _bootstrap(seen, matrix, errors, draws, seed)
    evidence = 1.0 if errors.concentration is None else _EVIDENCE
    point = _drawn_back(naive, corrected, sampled, evidence)
    tail = (1 - level) / 2
    low, high = np.quantile(sampled, [tail, 1 - tail], axis=0)
    moved = point - sampled.mean(0)
    low = np.clip(np.minimum(low, low + moved), 0, point)
    high = np.clip(np.maximum(high, high + moved), point, 1)
    low = np.floor(low * total + 1e-6) / total
    high = np.ceil(high * total - 1e-6) / total
    return {
        label: Share(float(point[i]), float(min(low[i], point[i])), float(max(high[i], point[i])))
        for i, label in enumerate(labels)
    }


def fit_errors(domains: Sequence[Sequence[Sequence[int]]]) -> Errors:
    """Pool the confusion counts of several domains, and estimate how much domains differ.

    With a single domain nothing is known of others, and `concentration` is None.
    """
    matrices = [np.asarray(one, dtype=float) for one in domains]
    pooled = np.sum(matrices, axis=0)
    counts = pooled.astype(int).tolist()
    if len([one for one in matrices if one.any()]) < 2:
        return Errors(counts)
    rows = likely_rows(pooled)
    fit = np.array([_likelihood(matrices, rows, one) for one in _GRID])
    weights = np.exp(fit - fit.max())
    climbing = np.cumsum(weights / weights.sum())
    found = float(_GRID[np.searchsorted(climbing, _CAUTION)])
    totals = [one.sum(1) for one in matrices]
    effective = np.sum([n * (1 + found) / (n + found) for n in totals], axis=0)
    return Errors(counts, round(found, 2), [round(float(one), 2) for one in effective])


def _likelihood(matrices: Sequence[Floats], rows: Floats, concentration: float) -> float:
    """Return the log likelihood of the domains' counts (Dirichlet-multinomial)."""
    from scipy.special import gammaln  # type: ignore[import-untyped]  # classifying needs no scipy

    prior = rows * concentration
    return float(
        sum(
            (gammaln(concentration) - gammaln(concentration + one.sum(1))).sum()
            + (gammaln(prior + one) - gammaln(prior)).sum()
            for one in matrices
        )
    )


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


def mixture_shares(counts: Floats, rows: Floats, iterations: int = _ITERATIONS) -> Floats:
    """Return the shares (samples, labels) of greatest likelihood, by EM, all samples at once.

    `counts` is (samples, labels), `rows` P(predicted | true) as (samples, true, predicted).
    Shares are never negative and sum to 1.
    """
    total = np.maximum(counts.sum(-1, keepdims=True), 1)
    shares: Floats = np.full(counts.shape, 1 / counts.shape[-1])
    for _ in range(iterations):
        expected = np.matmul(shares[:, None, :], rows)[:, 0]
        ratio = counts / np.maximum(expected, 1e-12) / total
        renewed = shares * np.matmul(rows, ratio[:, :, None])[:, :, 0]
        done = np.abs(renewed - shares).max() < _TOLERANCE
        shares = renewed
        if done:
            break
    shares /= np.maximum(shares.sum(-1, keepdims=True), 1e-12)
    return shares


def _drawn_back(naive: Floats, corrected: Floats, sampled: Floats, evidence: float) -> Floats:
    moved = ((corrected - naive) ** 2).sum()
    doubt = sampled.var(0).sum()
    trust = max(0.0, 1 - evidence * doubt / moved) if moved else 0.0
    point: Floats = naive + trust * (corrected - naive)
    return point


def _bootstrap(seen: Floats, matrix: Floats, errors: Errors, draws: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    rows = likely_rows(matrix)
    worth = np.array(errors.effective) if errors.effective else matrix.sum(1)
    sampled = _dirichlet(
        rng, np.broadcast_to(rows * (worth[:, None] + _PRIOR), (draws, *rows.shape))
    )
    if errors.concentration is not None:
        sampled = _dirichlet(rng, sampled * errors.concentration)
    counts = rng.dirichlet(seen + _JEFFREYS, size=draws) * seen.sum()
    shares = mixture_shares(counts, sampled, _DRAWN_ITERATIONS)
    fits = _fits(counts, np.matmul(shares[:, None, :], sampled)[:, 0])
    kept: Floats = shares[rng.choice(draws, draws, p=fits / fits.sum())]
    return kept


def _fits(counts: Floats, expected: Floats) -> Floats:
    """Return the likelihood of each row of counts by the shares expected, 1 for the best row."""
    total = counts.sum(-1, keepdims=True)
    seen = counts / total
    ratio = np.log(np.maximum(expected, 1e-12) / np.maximum(seen, 1e-12))
    likelihood = (np.minimum(total, _TEXTS) * seen * ratio).sum(-1)
    found: Floats = np.exp(likelihood - likelihood.max())
    return found


def _dirichlet(rng: np.random.Generator, parameters: Floats) -> Floats:
    gamma = rng.standard_gamma(np.maximum(parameters, 1e-6))
    drawn: Floats = gamma / np.maximum(gamma.sum(-1, keepdims=True), 1e-12)
    return drawn


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
