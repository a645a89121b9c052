"""The forward pass of `nlp.encoder.ManifestationModel` in plain torch, for answering.

The same weights, files and results as the `transformers` classes (a test compares them);
importing those takes longer than classifying some thousand texts, and a run that only
classifies has no use for them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.nn import functional

from models.errors import ModelError
from nlp.tasks import TASKS

Tensors = dict[str, torch.Tensor]


class Engine:
    """Encoder, mean pooling and heads over tensors read from a folder of weights."""

    def __init__(self, config: dict[str, Any], tensors: Tensors) -> None:
        """Keep the tensors; raises KeyError where the configuration lacks a field."""
        self._tensors = tensors
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._eps = float(config["norm_eps"])
        self.width = int(config["hidden_size"])
        width = self.width // self._heads
        theta = float(config["rope_parameters"]["full_attention"]["rope_theta"])
        self._inverse = 1.0 / theta ** (torch.arange(0, width, 2, dtype=torch.float) / width)
        if (
            set(config["layer_types"]) != {"full_attention"}
            or config["hidden_activation"] != "gelu"
        ):
            raise KeyError("only encoders with full attention and gelu can be read")
        for task in TASKS:
            tensors[f"heads.{task}.weight"], tensors[f"heads.{task}.bias"]

    @classmethod
    def load(cls, folder: Path) -> Engine:
        """Read config.json and model.safetensors, in single precision.

        Raises ModelError where they can't be read or are no such model.
        """
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            stored = load_file(folder / "model.safetensors")
            return cls(config, {name: tensor.float() for name, tensor in stored.items()})
        except (OSError, ValueError, KeyError, SafetensorError) as fault:
            raise ModelError(
                f"cannot load the model in {folder}: {fault}; copy the folder of weights again"
            ) from fault

    @torch.inference_mode()
    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> Tensors:
        """Return the logits (texts, labels) of each task for ids and mask (texts, tokens)."""
        pooled = self.pooled(ids, mask)
        return {
            task: functional.linear(
                pooled, self._tensors[f"heads.{task}.weight"], self._tensors[f"heads.{task}.bias"]
            )
            for task in TASKS
        }

    @torch.inference_mode()
    def pooled(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the mean vector (texts, width) of each text's tokens, which the heads read."""
        hidden = self._norm(
            self._tensors["model.embeddings.tok_embeddings.weight"][ids], "model.embeddings.norm"
        )
        turn = self._rotation(ids.shape[1])
        seen = None if bool(mask.all()) else mask.bool()[:, None, None, :]
        for layer in range(self._layers):
            hidden = self._layer(hidden, f"model.layers.{layer}", turn, seen)
        hidden = self._norm(hidden, "model.final_norm") * mask.unsqueeze(-1)
        return hidden.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)

    def _layer(
        self,
        hidden: torch.Tensor,
        name: str,
        turn: tuple[torch.Tensor, torch.Tensor],
        seen: torch.Tensor | None,
    ) -> torch.Tensor:
        texts, tokens, width = hidden.shape
        normed = self._norm(hidden, f"{name}.attn_norm")
        mixed = self._linear(normed, f"{name}.attn.Wqkv").view(texts, tokens, 3, self._heads, -1)
        query, key, value = (one.transpose(1, 2) for one in mixed.unbind(2))
        attended = functional.scaled_dot_product_attention(
            _rotate(query, turn), _rotate(key, turn), value, attn_mask=seen
        )
        attended = attended.transpose(1, 2).reshape(texts, tokens, width)
        hidden = hidden + self._linear(attended, f"{name}.attn.Wo")
        inner, gate = self._linear(self._norm(hidden, f"{name}.mlp_norm"), f"{name}.mlp.Wi").chunk(
            2, dim=-1
        )
        return hidden + self._linear(functional.gelu(inner) * gate, f"{name}.mlp.Wo")

    def _linear(self, values: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(values, self._tensors[f"{name}.weight"])

    def _norm(self, values: torch.Tensor, name: str) -> torch.Tensor:
        weight = self._tensors.get(f"{name}.weight")  # the first layer has no attn_norm
        if weight is None:
            return values
        return functional.layer_norm(values, weight.shape, weight, None, self._eps)

    def _rotation(self, tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
        angles = torch.arange(tokens, dtype=torch.float)[:, None] * self._inverse
        both = torch.cat((angles, angles), dim=-1)
        return both.cos(), both.sin()


def _rotate(values: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    one, other = values.chunk(2, dim=-1)
    return values * turn[0] + torch.cat((-other, one), dim=-1) * turn[1]
