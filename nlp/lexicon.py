"""The wide part beside the encoder: linear scores from hashed word and character n-grams.

A small encoder trained for minutes learns the drift of a sentence; a linear model over word
pairs and pieces of words knows the telling expressions. Their weighted sum is better than
either. The weights are one table per block of features, read by position.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from models.errors import ModelError
from nlp.tasks import TASKS

if TYPE_CHECKING:  # answering does without scipy, which takes longer to import than to use
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

Floats = npt.NDArray[np.float32]
Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

FILE = "lexicon.safetensors"
BUCKETS = 1 << 17
PIECES = (2, 3, 4, 5)
_WORD = re.compile(r"\w+|[^\w\s]")
_LEAST = (2, 3)
_TEXTS_AT_ONCE = 256
_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(int(_BASE), -1, 1 << 64))
_MIX = np.uint64(0xFF51AFD7ED558CCD)


def count_grams(texts: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
    """Count word 1-2-grams and character 2-5-grams of cleaned texts, lower-cased, hashed.

    Character n-grams stay inside a word and the blanks around it. Returns two matrices
    (texts, 131,072) whose entries are 1 + log(count).
    """
    from scipy.sparse import csr_matrix

    words, pieces = (
        csr_matrix((values, (rows, buckets)), shape=(len(texts), BUCKETS))
        for rows, buckets, values in _counted_grams(texts)
    )
    return words, pieces


def _counted_grams(texts: Sequence[str]) -> list[tuple[Rows, Rows, Floats]]:
    """Return text, bucket and 1 + log(count) of each n-gram, ordered: words, then characters.

    The n-grams of all texts are hashed at once: polynomial hashes modulo 2^64, spread over the
    buckets by a multiplication.
    """
    lowered = [f" {text.lower()} " for text in texts]
    ends = np.cumsum([len(text) for text in lowered], dtype=np.int64)
    joined = "".join(lowered)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(lowered)), np.diff(ends, prepend=0))
    words = _word_grams(joined, codes.astype(np.uint64), owner)
    pieces = _piece_grams(codes.astype(np.uint64), owner)
    return [_count(*words), _count(*pieces)]


def _word_grams(joined: str, codes: Hashes, owner: Rows) -> tuple[Rows, Hashes]:
    """Return the text and the hash of each word and each pair of neighbouring words."""
    spans = np.array([found.span() for found in _WORD.finditer(joined)], np.int64).reshape(-1, 2)
    powers = np.cumprod(np.full(len(codes) + 1, _BASE))
    undo = np.cumprod(np.full(len(codes) + 1, _INVERSE))
    sums = np.concatenate([[np.uint64(0)], np.cumsum((codes + np.uint64(1)) * powers[:-1])])
    start, end = spans[:, 0], spans[:, 1]
    single = (sums[end] - sums[start]) * undo[start]
    pair = single[:-1] * _MIX + single[1:] + np.uint64(7)
    rows = owner[start]
    inside = rows[:-1] == rows[1:]
    return np.concatenate([rows, rows[1:][inside]]), np.concatenate([single, pair[inside]])


def _piece_grams(codes: Hashes, owner: Rows) -> tuple[Rows, Hashes]:
    """Return the text and the hash of each character n-gram without an inner blank."""
    blanks = np.concatenate([[0], np.cumsum(codes == ord(" "))])
    rows, hashes = [], []
    for size in PIECES:
        first = np.arange(max(0, len(codes) - size + 1))
        inner = blanks[first + size - 1] - blanks[first + 1]
        first = first[(inner == 0) & (owner[first] == owner[first + size - 1])]
        found = np.full(len(first), size, np.uint64)
        for offset in range(size):
            found = found * _BASE + codes[first + offset]
        rows.append(owner[first])
        hashes.append(found)
    return np.concatenate(rows), np.concatenate(hashes)


def _count(rows: Rows, hashes: Hashes) -> tuple[Rows, Rows, Floats]:
    mixed = (hashes ^ (hashes >> np.uint64(29))) * _MIX
    places = rows * BUCKETS + (mixed >> np.uint64(64 - 17)).astype(np.int64)
    places, counts = np.unique(places, return_counts=True)
    return places // BUCKETS, places % BUCKETS, 1 + np.log(counts.astype(np.float32))


class Lexicon:
    """Linear scores of each task's labels; `rarity` (features,), `weights` (features, labels)."""

    def __init__(
        self, rarity: Floats, weights: Mapping[str, Floats], biases: Mapping[str, Floats]
    ) -> None:
        """Keep the tables: the words' features first, then the characters'."""
        self.rarity, self.biases = rarity, dict(biases)
        self._table = np.concatenate([weights[task] for task in TASKS], axis=1)
        self._bias = np.concatenate([biases[task] for task in TASKS])
        self.weights = self._by_task(self._table)

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
        from scipy.sparse import csr_matrix, diags, hstack

        blocks = []
        for number, counts in enumerate(count_grams(texts)):
            scaled = counts @ diags(rarity[number * BUCKETS : (number + 1) * BUCKETS])
            norm = np.sqrt(np.asarray(scaled.multiply(scaled).sum(1)).ravel())
            blocks.append(diags(1 / np.maximum(norm, 1e-9)) @ scaled)
        return csr_matrix(hstack(blocks, format="csr"), dtype=np.float32)

    def scores(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Return the scores (texts, labels) of each task for cleaned texts."""
        totals = np.tile(self._bias, (len(texts), 1))
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            self._add_scores(texts[start : start + _TEXTS_AT_ONCE], totals[start:])
        return self._by_task(totals)

    def _add_scores(self, texts: Sequence[str], totals: Floats) -> None:
        """Add `features` times `weights` to `totals`, without building the matrix."""
        for number, (rows, buckets, counts) in enumerate(_counted_grams(texts)):
            places = buckets + number * BUCKETS
            rarity = self.rarity[places]
            known = np.flatnonzero(rarity)
            values, owner = (counts * rarity)[known], rows[known]
            norms = np.sqrt(np.bincount(owner, values**2, len(texts)))
            values = values / np.maximum(norms, 1e-9)[owner]
            products = self._table[places[known]] * values[:, None].astype(np.float32)
            scored, starts = np.unique(owner, return_index=True)
            if len(scored):
                totals[scored] += np.add.reduceat(products, starts)

    def _by_task(self, numbers: Floats) -> dict[str, Floats]:
        ends = list(accumulate(len(labels) for labels in TASKS.values()))
        parts = np.split(numbers, ends[:-1], axis=1)
        return dict(zip(TASKS, parts, strict=True))

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
