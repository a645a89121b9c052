"""The forward pass of `nlp.encoder.ManifestationModel` in OpenVINO, for answering.

The same weights and files as the `transformers` classes, and nearly the same results (tests
compare them): the matrices of the layers are rounded to 8 bits, one scale a row, and what they
multiply is rounded to 8 bits as it comes, one scale for every 64 numbers of a token. That is
faster than single precision, and loads in a fraction of the time that importing torch takes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from models.errors import ModelError
from nlp.tasks import TASKS

# OpenVINO's converter reports every import to its maker over the network. It isn't needed here.
sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import opset13 as op  # noqa: E402

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Tensors = dict[str, Floats]

TOKENS_PER_BATCH = 1_024
_GROUP = 64  # numbers of a token that share a scale
_HIDDEN = -1e9  # added to the attention scores of padding


class Engine:
    """Encoder, mean pooling and heads over a folder of weights. Made with `Engine.load`.

    Different threads may ask at the same time.
    """

    def __init__(self, config: dict[str, Any], tensors: Tensors, *, rounded: bool) -> None:
        """Compile the encoder; raises KeyError where the configuration or a tensor is missing."""
        if (
            set(config["layer_types"]) != {"full_attention"}
            or config["hidden_activation"] != "gelu"
        ):
            raise KeyError("only encoders with full attention and gelu can be read")
        self.width = int(config["hidden_size"])
        self._heads = {
            task: (tensors[f"heads.{task}.weight"].T, tensors[f"heads.{task}.bias"])
            for task in TASKS
        }
        self._streams = len(os.sched_getaffinity(0))
        self._encoder = ov.Core().compile_model(
            _Graph(config, tensors, rounded=rounded).model(),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "f32",
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": str(_GROUP if rounded else 0),
                "INFERENCE_NUM_THREADS": str(self._streams),
                "NUM_STREAMS": str(self._streams),  # the matrices are too small to share one
                "ENABLE_CPU_PINNING": "NO",  # other programs run here too
            },
        )

    @classmethod
    def load(cls, folder: Path, *, rounded: bool = True) -> Engine:
        """Read config.json and model.safetensors; in single precision where not `rounded`.

        Raises ModelError where they can't be read or are no such model.
        """
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            stored = load_file(folder / "model.safetensors")
            tensors = {name: one.astype(np.float32) for name, one in stored.items()}
            return cls(config, tensors, rounded=rounded)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as fault:
            raise ModelError(
                f"cannot load the model in {folder}: {fault}; copy the folder of weights again"
            ) from fault

    def pooled(self, windows: Sequence[Sequence[int]]) -> Floats:
        """Return the mean vector (windows, width) of the tokens of each window of token ids."""
        found = np.empty((len(windows), self.width), dtype=np.float32)

        def answer(rows: Rows) -> None:
            request = self._encoder.create_infer_request()
            found[rows] = request.infer(pad_batch([windows[row] for row in rows]))[0]

        with ThreadPoolExecutor(self._streams) as pool:
            list(pool.map(answer, batches(windows)))
        return found

    def logits(self, pooled: Floats) -> Tensors:
        """Return the logits (windows, labels) of each task for the windows' mean vectors."""
        return {task: pooled @ weight + bias for task, (weight, bias) in self._heads.items()}


class _Graph:
    """Writes the encoder as a graph from ids and mask (texts, tokens) to mean vectors."""

    def __init__(self, config: dict[str, Any], tensors: Tensors, *, rounded: bool) -> None:
        self._tensors, self._rounded = tensors, rounded
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._eps = float(config["norm_eps"])
        self._width = int(config["hidden_size"])
        self._inner = int(config["intermediate_size"])
        self._ids = op.parameter([-1, -1], np.int64, name="ids")
        self._mask = op.parameter([-1, -1], np.float32, name="mask")
        theta = float(config["rope_parameters"]["full_attention"]["rope_theta"])
        self._cos, self._sin = self._turns(theta, int(config["max_position_embeddings"]))

    def model(self) -> ov.Model:
        table = _numbers(self._tensors["model.embeddings.tok_embeddings.weight"])
        hidden = self._norm(op.gather(table, self._ids, _whole(0)), "model.embeddings.norm")
        unseen = op.multiply(op.subtract(_numbers(1), self._mask), _numbers(_HIDDEN))
        unseen = op.unsqueeze(unseen, _whole([1, 2]))
        for number in range(self._layers):
            hidden = self._layer(hidden, f"model.layers.{number}", unseen)
        hidden = self._norm(hidden, "model.final_norm")
        total = op.reduce_sum(op.multiply(hidden, op.unsqueeze(self._mask, _whole(2))), _whole(1))
        pooled = op.divide(total, op.reduce_sum(self._mask, _whole(1), keep_dims=True))
        return ov.Model([pooled], [self._ids, self._mask], "encoder")

    def _layer(self, hidden: ov.Node, name: str, unseen: ov.Node) -> ov.Node:
        normed = self._norm(hidden, f"{name}.attn_norm")
        query, key, value = (
            self._split_heads(self._linear(normed, f"{name}.attn.Wqkv", at, self._width))
            for at in (0, self._width, 2 * self._width)
        )
        attended = op.scaled_dot_product_attention(
            self._rotate(query), self._rotate(key), value, unseen
        )
        attended = op.reshape(
            op.transpose(attended, _whole([0, 2, 1, 3])),
            _whole([0, 0, self._width]),
            special_zero=True,
        )
        hidden = op.add(hidden, self._linear(attended, f"{name}.attn.Wo"))
        normed = self._norm(hidden, f"{name}.mlp_norm")
        inner = self._linear(normed, f"{name}.mlp.Wi", 0, self._inner)
        gate = self._linear(normed, f"{name}.mlp.Wi", self._inner, self._inner)
        gated = op.multiply(op.gelu(inner, "erf"), gate)
        return op.add(hidden, self._linear(gated, f"{name}.mlp.Wo"))

    def _linear(
        self, values: ov.Node, name: str, start: int = 0, count: int | None = None
    ) -> ov.Node:
        """Multiply by `count` rows of a matrix: splitting a product would copy it."""
        weight = self._tensors[f"{name}.weight"][start:][:count]
        if not self._rounded:
            return op.matmul(values, _numbers(weight), False, True)
        scale = np.maximum(np.abs(weight).max(1, keepdims=True), 1e-12) / 127
        rounded = op.convert(op.constant(np.rint(weight / scale).astype(np.int8)), "f32")
        return op.matmul(values, op.multiply(rounded, _numbers(scale)), False, True)

    def _norm(self, values: ov.Node, name: str) -> ov.Node:
        weight = self._tensors.get(f"{name}.weight")  # the first layer has no attn_norm
        if weight is None:
            return values
        return op.multiply(
            op.mvn(values, _whole([-1]), True, self._eps, "inside_sqrt"), _numbers(weight)
        )

    def _split_heads(self, values: ov.Node) -> ov.Node:
        shape = _whole([0, 0, self._heads, self._width // self._heads])
        return op.transpose(op.reshape(values, shape, special_zero=True), _whole([0, 2, 1, 3]))

    def _turns(self, theta: float, positions: int) -> tuple[ov.Node, ov.Node]:
        """Return cosine and sine (1, 1, tokens, head's width) of the rotary embedding."""
        size = self._width // self._heads
        speeds = 1.0 / theta ** (np.arange(0, size, 2) / size)
        angles = np.tile(np.arange(positions)[:, None] * speeds, 2)
        tokens = op.gather(op.shape_of(self._ids), _whole([1]), _whole(0))
        cos, sin = (
            op.unsqueeze(
                op.slice(_numbers(table), _whole([0]), tokens, _whole([1]), _whole([0])),
                _whole([0, 1]),
            )
            for table in (np.cos(angles), np.sin(angles))
        )
        return cos, sin

    def _rotate(self, values: ov.Node) -> ov.Node:
        """Turn queries or keys; OpenVINO knows this form, axis 3 and all, as one operation."""
        half = self._width // self._heads // 2
        one, other = op.variadic_split(values, _whole(3), _whole([half, half])).outputs()
        turned = op.concat([op.multiply(other, _numbers(-1)), one], -1)
        return op.add(op.multiply(values, self._cos), op.multiply(turned, self._sin))


def _numbers(values: npt.ArrayLike) -> ov.Node:
    return op.constant(np.ascontiguousarray(values, dtype=np.float32))


def _whole(values: npt.ArrayLike) -> ov.Node:
    return op.constant(np.asarray(values, dtype=np.int64))


def batches(windows: Sequence[Sequence[int]]) -> list[Rows]:
    """Group window numbers by length so that a padded batch stays under the token budget."""
    size = np.array([len(window) for window in windows])
    order = np.argsort(-size, kind="stable")
    groups, at = [], 0
    while at < len(order):
        count = max(1, TOKENS_PER_BATCH // int(size[order[at]]))
        groups.append(order[at : at + count])
        at += count
    return groups


def pad_batch(windows: Sequence[Sequence[int]]) -> tuple[Rows, Floats]:
    """Return token ids and mask of shape (windows, longest)."""
    longest = max(map(len, windows))
    ids = np.zeros((len(windows), longest), dtype=np.int64)
    mask = np.zeros_like(ids, dtype=np.float32)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window
        mask[row, : len(window)] = 1
    return ids, mask
