"""The small encoder and its three heads, as `transformers` classes.

`ManifestationModel` is a ModernBERT encoder (Warner et al. 2024, the classes of
`transformers`, a small configuration), mean pooling over the tokens, and one linear head a
task. It is saved and loaded with `save_pretrained` and `from_pretrained`, safetensors only.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from transformers import ModernBertConfig, ModernBertModel
from transformers.models.modernbert.modeling_modernbert import ModernBertPreTrainedModel

from nlp.tasks import TASKS


class TaskLogits(NamedTuple):
    """Logits (texts, labels of the task) of each head, in the order of `models.labels`."""

    category: torch.Tensor
    sentiment: torch.Tensor
    intent: torch.Tensor


def encoder_config(
    vocabulary: int,
    layers: int,
    width: int,
    heads: int,
    feed_forward: int,
    dropout: float = 0.0,
    positions: int = 512,
) -> ModernBertConfig:
    """Return a small ModernBERT configuration: every layer sees the whole text."""
    return ModernBertConfig(
        vocab_size=vocabulary,
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=heads,
        intermediate_size=feed_forward,
        max_position_embeddings=positions,
        layer_types=["full_attention"] * layers,
        pad_token_id=0,
        cls_token_id=2,
        bos_token_id=2,
        sep_token_id=3,
        eos_token_id=3,
        embedding_dropout=dropout,
        mlp_dropout=dropout,
        sparse_prediction=True,
    )


class ManifestationModel(ModernBertPreTrainedModel):  # type: ignore[no-untyped-call]
    """Encoder, mean pooling, and the heads category (16), sentiment (3) and intent (8)."""

    def __init__(self, config: ModernBertConfig) -> None:
        """Build with random weights; `config.classifier_dropout` acts on the pooled vector."""
        super().__init__(config)
        self.model = ModernBertModel(config)
        self.drop = nn.Dropout(config.classifier_dropout)
        self.heads = nn.ModuleDict(
            {task: nn.Linear(config.hidden_size, len(labels)) for task, labels in TASKS.items()}
        )
        self.post_init()  # type: ignore[no-untyped-call]

    def pool(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return the mean of the token vectors of each text, shape (texts, width)."""
        hidden = self.model(input_ids=input_ids, attention_mask=attention_mask)[0]
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        total: torch.Tensor = (hidden * mask).sum(1)
        return total / mask.sum(1).clamp(min=1)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TaskLogits:
        """Return the logits of each task for token ids and mask of shape (texts, tokens)."""
        pooled = self.drop(self.pool(input_ids, attention_mask))
        return TaskLogits(*(self.heads[task](pooled) for task in TASKS))
