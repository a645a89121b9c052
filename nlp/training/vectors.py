"""Skip-gram vectors of the subword tokens, the encoder's first embeddings.

A small encoder trained for minutes has no time to learn what words mean; skip-gram learns it
from many more tokens at a fraction of the cost (Mikolov et al. 2013, as built in gensim).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gensim.models import Word2Vec

Vectors = npt.NDArray[np.float32]


def write_sentences(documents: Iterable[Sequence[int]], path: Path) -> int:
    """Write token ids, one document a line (at most 5,000 tokens); return how many tokens."""
    total = 0
    with path.open("w", encoding="ascii") as out:
        for ids in documents:
            for at in range(0, len(ids), 5_000):
                piece = ids[at : at + 5_000]
                total += len(piece)
                out.write(" ".join(map(str, piece)) + "\n")
    return total


def skip_gram(
    sentences: Path, vocabulary: int, width: int, epochs: int, window: int, workers: int, seed: int
) -> Vectors:
    """Return an array (vocabulary, width), float32, each row scaled to the unit variance.

    Tokens that never occur get small random rows. With more than one worker the result
    differs a little from run to run; with one it is the same for a seed.
    """
    model = Word2Vec(
        corpus_file=str(sentences),
        vector_size=width,
        window=window,
        min_count=1,
        sg=1,
        negative=5,
        sample=1e-4,
        epochs=epochs,
        workers=workers,
        seed=seed,
    )
    found = np.array([int(token) for token in model.wv.index_to_key])
    learned = np.asarray(model.wv.vectors, dtype=np.float32)
    rows = np.random.default_rng(seed).normal(0, 0.1, (vocabulary, width)).astype(np.float32)
    rows[found] = (learned - learned.mean(0)) / learned.std()
    return rows
