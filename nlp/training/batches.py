"""Batches of texts of similar length under a token budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from nlp.training.vocabulary import END_ID

_POOL = 40


def encode_cut(tokenizer: Tokenizer, texts: Sequence[str], longest: int) -> list[list[int]]:
    """Return token ids with `[CLS]` and `[SEP]`, cut to `longest` (training only)."""
    found = tokenizer.encode_batch_fast(list(texts))
    return [
        one.ids if len(one.ids) <= longest else [*one.ids[: longest - 1], END_ID] for one in found
    ]


def by_length(
    lengths: Sequence[int], budget: int, rng: np.random.Generator | None
) -> list[npt.NDArray[np.int64]]:
    """Group row numbers so that rows x longest stays under `budget` tokens a batch.

    With `rng` the rows are shuffled, sorted only inside pools of about 40 batches, and the
    batches come in random order; without, they come longest first.
    """
    size = np.asarray(lengths)
    order = np.argsort(-size, kind="stable") if rng is None else rng.permutation(len(size))
    pool = len(size)
    if rng is not None:
        pool = max(1, int(_POOL * budget / max(1.0, float(size.mean()))))
    batches: list[npt.NDArray[np.int64]] = []
    for at in range(0, len(order), pool):
        part = order[at : at + pool]
        batches += _cut(part[np.argsort(-size[part], kind="stable")], size, budget)
    if rng is not None:
        batches = [batches[at] for at in rng.permutation(len(batches))]
    return batches


def _cut(
    rows: npt.NDArray[np.int64], size: npt.NDArray[np.int64], budget: int
) -> list[npt.NDArray[np.int64]]:
    batches = []
    at = 0
    while at < len(rows):
        count = max(1, budget // max(1, int(size[rows[at]])))
        batches.append(rows[at : at + count])
        at += count
    return batches


def pad(ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and mask, both (texts, longest), int64, padded with 0."""
    longest = max(map(len, ids))
    tokens = torch.zeros(len(ids), longest, dtype=torch.long)
    mask = torch.zeros(len(ids), longest, dtype=torch.long)
    for row, one in enumerate(ids):
        tokens[row, : len(one)] = torch.tensor(one)
        mask[row, : len(one)] = 1
    return tokens, mask
