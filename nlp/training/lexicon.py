"""Fit the weights of the lexical head: logistic regression over token n-grams (scikit-learn)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

from nlp.lexical import gram_buckets

Floats = npt.NDArray[np.float32]


def gram_counts(tokenizer: Tokenizer, texts: Sequence[str], buckets: int) -> csr_matrix:
    """Count the token n-grams of cleaned texts: (texts, vocabulary + buckets)."""
    vocabulary = tokenizer.get_vocab_size()
    columns, ends = [], [0]
    for found in tokenizer.encode_batch_fast(list(texts)):
        grams = gram_buckets(torch.tensor([found.ids]), vocabulary, buckets).flatten().numpy()
        columns.append(grams)
        ends.append(ends[-1] + len(grams))
    flat = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)
    shape = (len(texts), vocabulary + buckets)
    counts = csr_matrix((np.ones(len(flat), np.float32), flat, np.array(ends)), shape=shape)
    counts.sum_duplicates()
    return counts


def rarity_of(counts: csr_matrix, least: int) -> Floats:
    """Return the inverse document frequency of each n-gram; 0 where under `least` texts."""
    seen = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((1 + counts.shape[0]) / (1 + seen)) + 1
    return np.where(seen >= least, idf, 0).astype(np.float32)


def scale_counts(counts: csr_matrix, rarity: Floats) -> csr_matrix:
    """Weigh counts as `nlp.lexical.LexicalHead` does; rows are divided by their length."""
    scaled = counts.multiply(rarity).tocsr()
    norm = np.sqrt(np.asarray(counts.multiply(rarity**2).sum(1)).ravel())
    return csr_matrix(scaled.multiply(1 / np.maximum(norm, 1e-6)[:, None]))


def fit_weights(
    features: csr_matrix,
    labels: npt.NDArray[np.int64],
    sample_weight: Floats,
    classes: int,
    strength: float,
    seed: int,
) -> tuple[Floats, Floats]:
    """Fit a balanced logistic regression; return weights (columns, classes) and bias."""
    used = np.flatnonzero(np.asarray(features.sum(0)).ravel())
    model = LogisticRegression(
        C=strength, max_iter=60, tol=1e-3, class_weight="balanced", random_state=seed
    )
    model.fit(features[:, used], labels, sample_weight=sample_weight)
    weights = np.zeros((features.shape[1], classes), dtype=np.float32)
    bias = np.full(classes, -20.0, dtype=np.float32)
    weights[np.ix_(used, model.classes_)] = model.coef_.T
    bias[model.classes_] = model.intercept_
    return weights, bias
