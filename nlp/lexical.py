"""The wide part beside the encoder: weights for hashed n-grams of tokens.

A short encoder trained on little text knows the drift of a sentence, but not every telling
word pair. A linear model over unigrams, bigrams and trigrams of tokens does; its weights are
one table that is read by position, so it costs next to nothing at inference.
"""

from __future__ import annotations

import torch
from torch import nn



def gram_buckets(input_ids: torch.Tensor, vocabulary: int, buckets: int) -> torch.Tensor:
    """Return the bucket of every n-gram that ends at each token, shape (texts, tokens, 3).

    Unigrams keep their own id; bigrams and trigrams are hashed to `buckets` places after the
    vocabulary. At the start of a text the missing tokens count as id 0.
    """
    ids = input_ids.long()
    previous = nn.functional.pad(ids, (1, 0))[:, :-1]
    before = nn.functional.pad(ids, (2, 0))[:, :-2]
    two = (ids * 1_000_003 + previous * 8_191 + 17) % 2_147_483_647
    three = (two * 69_069 + before * 131_071 + 29) % 2_147_483_647
    return torch.stack((ids, vocabulary + two % buckets, vocabulary + three % buckets), dim=-1)


class LexicalHead(nn.Module):
    """Linear scores of a text from its token n-grams.

    Each n-gram adds its row of `weight`, scaled by its rarity (`rarity`, an inverse document
    frequency; 0 for n-grams never seen); the sum is divided by the length of the rarity
    vector, so that long and short texts score alike.
    """

    weight: torch.Tensor
    rarity: torch.Tensor

    def __init__(self, vocabulary: int, buckets: int, outputs: int) -> None:
        """Make an empty table for `vocabulary` + `buckets` n-grams and `outputs` scores."""
        super().__init__()
        self.vocabulary, self.buckets = vocabulary, buckets
        rows = vocabulary + buckets
        self.weight = nn.Parameter(torch.zeros(rows, outputs), requires_grad=False)
        self.rarity = nn.Parameter(torch.zeros(rows), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(outputs), requires_grad=False)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return scores (texts, outputs) for token ids and mask of shape (texts, tokens)."""
        grams = gram_buckets(input_ids, self.vocabulary, self.buckets)
        rarity = self.rarity[grams] * attention_mask.unsqueeze(-1)
        flat, scale = grams.flatten(1), rarity.flatten(1)
        norm = scale.square().sum(1, keepdim=True).sqrt().clamp(min=1e-6)
        scores = nn.functional.embedding_bag(
            flat, self.weight, per_sample_weights=scale / norm, mode="sum"
        )
        return scores + self.bias
