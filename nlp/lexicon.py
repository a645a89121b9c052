"""The wide part beside the encoder: linear scores from hashed word and character n-grams.

A small encoder trained for minutes learns the drift of a sentence; a linear model over word
pairs and pieces of words knows the telling expressions. Their weighted sum is better than
either. The weights are one table per block of features, read by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.feature_extraction.text import HashingVectorizer

from models.errors import ModelError
from nlp.encoder import TASKS

Floats = npt.NDArray[np.float32]

FILE = "lexicon.safetensors"
BUCKETS = 1 << 17
_WORD = r"(?u)\w+|[^\w\s]"
_LEAST = (2, 3)


def count_grams(texts: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
    """Count word 1-2-grams and character 2-5-grams of cleaned texts, lower-cased, hashed.

    Returns two matrices (texts, 131,072) whose entries are 1 + log(count).
    """
    options = {"n_features": BUCKETS, "alternate_sign": False, "norm": None, "dtype": np.float32}
    words = HashingVectorizer(ngram_range=(1, 2), token_pattern=_WORD, **options)
    pieces = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), **options)
    return _damped(words.transform(texts)), _damped(pieces.transform(texts))


def _damped(counts: csr_matrix) -> csr_matrix:
    counts = csr_matrix(counts)
    counts.data = 1 + np.log(counts.data)
    return counts


class Lexicon:
    """Linear scores of each task's labels; `rarity` (features,), `weights` (features, labels)."""

    def __init__(
        self, rarity: Floats, weights: Mapping[str, Floats], biases: Mapping[str, Floats]
    ) -> None:
        """Keep the tables: the words' features first, then the characters'."""
        self.rarity, self.weights, self.biases = rarity, dict(weights), dict(biases)

    @staticmethod
    def rarity_of(texts: Sequence[str]) -> Floats:
        """Return the inverse document frequency of every feature; 0 where too few texts have it."""
        parts = []
        for counts, least in zip(count_grams(texts), _LEAST, strict=True):
            seen = np.bincount(counts.indices, minlength=BUCKETS)
            idf = np.log((1 + len(texts)) / (1 + seen)) + 1
            parts.append(np.where(seen >= least, idf, 0))
        return np.concatenate(parts).astype(np.float32)

    @staticmethod
    def features(texts: Sequence[str], rarity: Floats) -> csr_matrix:
        """Return the weighted features (texts, 262,144); each block of a row has length 1."""
        blocks = []
        for number, counts in enumerate(count_grams(texts)):
            scaled = counts @ diags(rarity[number * BUCKETS : (number + 1) * BUCKETS])
            norm = np.sqrt(np.asarray(scaled.multiply(scaled).sum(1)).ravel())
            blocks.append(diags(1 / np.maximum(norm, 1e-9)) @ scaled)
        return csr_matrix(hstack(blocks, format="csr"), dtype=np.float32)

    def scores(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Return the scores (texts, labels) of each task for cleaned texts."""
        found = self.features(texts, self.rarity)
        return {task: found @ self.weights[task] + self.biases[task] for task in TASKS}

    def save(self, folder: Path) -> Path:
        """Write the tables in half precision to `folder`; return the file."""
        tensors = {"rarity": self.rarity.astype(np.float16)}
        for task in TASKS:
            tensors[f"{task}.weight"] = self.weights[task].astype(np.float16)
            tensors[f"{task}.bias"] = self.biases[task].astype(np.float16)
        save_file(tensors, folder / FILE)
        return folder / FILE

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """Read the tables from `folder`; raises ModelError where they don't fit."""
        path = folder / FILE
        try:
            tensors = {name: one.astype(np.float32) for name, one in load_file(path).items()}
            weights = {task: tensors[f"{task}.weight"] for task in TASKS}
            return cls(tensors["rarity"], weights, {t: tensors[f"{t}.bias"] for t in TASKS})
        except (OSError, KeyError, SafetensorError) as fault:
            raise ModelError(f"cannot read {path}: {fault}; copy the folder again") from fault
