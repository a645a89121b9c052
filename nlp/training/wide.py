"""Fit the lexicon: one balanced logistic regression a task over hashed n-grams."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from nlp.lexicon import Lexicon
from nlp.tasks import TASKS
from nlp.training.examples import Examples

Floats = npt.NDArray[np.float32]


def fit_lexicon(gold: Examples, strength: float, iterations: int, seed: int) -> Lexicon:
    """Fit on every text that has the task's label; texts are cleaned already."""
    rarity = Lexicon.rarity_of(gold.texts)
    features = Lexicon.features(gold.texts, rarity)
    weights, biases = {}, {}
    for task in TASKS:
        known = np.flatnonzero(gold.weights[task] > 0)
        labels = gold.targets[task][known].argmax(1)
        size = len(TASKS[task])
        weights[task], biases[task] = _fit(
            features[known], labels, size, strength, iterations, seed
        )
    return Lexicon(rarity, weights, biases)


def _fit(
    features: csr_matrix,
    labels: npt.NDArray[np.int64],
    size: int,
    strength: float,
    iterations: int,
    seed: int,
) -> tuple[Floats, Floats]:
    used = np.flatnonzero(np.asarray(features.sum(0)).ravel())
    model = LogisticRegression(
        C=strength, max_iter=iterations, tol=1e-3, class_weight="balanced", random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the steps are bounded on purpose
        model.fit(features[:, used], labels)
    weights = np.zeros((features.shape[1], size), dtype=np.float32)
    bias = np.full(size, -10.0, dtype=np.float32)
    found, start = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        found, start = np.vstack([-found, found]) / 2, np.array([-start[0], start[0]]) / 2
    weights[np.ix_(used, model.classes_)] = found.T
    bias[model.classes_] = start
    return weights, bias
