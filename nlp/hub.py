"""A sequence-classification model of the Hugging Face Hub, or a folder, in place of one head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from configs.model import HubModel
from models.errors import ModelError
from nlp.tasks import TASKS

Floats = npt.NDArray[np.float64]

_BATCH = 32
_LONGEST = 512


class HubHead:
    """One task answered by another model: its labels are summed into ours by a label map."""

    def __init__(self, task: str, version: str, tokenizer: Any, model: Any, matrix: Floats) -> None:
        """Put the loaded parts together; `matrix` is (their labels, our labels), 0 or 1."""
        self.task, self.version = task, version
        self._tokenizer, self._model, self._matrix = tokenizer, model, matrix

    @classmethod
    def load(cls, task: str, named: HubModel) -> HubHead:
        """Load a model by folder or by repository and revision; safetensors, no remote code.

        Raises ModelError where it can't be loaded or the label map doesn't fit its labels.
        """
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        options = {
            "revision": named.revision or "main",
            "local_files_only": Path(named.name).is_dir(),
            "trust_remote_code": False,
        }
        try:
            tokenizer = AutoTokenizer.from_pretrained(named.name, **options)
            model = AutoModelForSequenceClassification.from_pretrained(
                named.name, use_safetensors=True, dtype=torch.float32, **options
            )
        except (OSError, ValueError, RuntimeError, KeyError) as fault:
            raise ModelError(
                f"cannot load the {task} model {named.name!r}: {fault}; check name, revision and "
                "that it holds safetensors weights"
            ) from fault
        matrix = label_matrix(task, model.config.id2label, named.labels)
        version = f"{task}={Path(named.name).name}@{named.revision or 'main'}"
        return cls(task, version, tokenizer, model.eval(), matrix)

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Return probabilities (texts, our labels) of cleaned texts, each row summing to 1.

        Texts longer than the model reads are cut into windows, averaged by tokens.
        """
        total = np.zeros((len(texts), self._matrix.shape[1]))
        order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
        for at in range(0, len(order), _BATCH):
            rows = order[at : at + _BATCH]
            owners, weights, found = self._answer([texts[row] for row in rows])
            np.add.at(total, np.array(rows)[owners], found @ self._matrix * weights[:, None])
        sums = total.sum(-1, keepdims=True)
        even = np.full_like(total, 1 / total.shape[1])
        return np.where(sums > 0, total / np.where(sums > 0, sums, 1), even)

    def _answer(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        encoded = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self._longest(),
            stride=16,
            return_overflowing_tokens=True,
            return_tensors="pt",
        )
        owners = encoded.pop("overflow_to_sample_mapping").numpy()
        with torch.inference_mode():
            logits = self._model(**encoded).logits
        weights = encoded["attention_mask"].sum(-1).double().numpy()
        return owners, weights, logits.double().softmax(-1).numpy()

    def _longest(self) -> int:
        positions = int(getattr(self._model.config, "max_position_embeddings", _LONGEST))
        return max(20, min(_LONGEST, int(self._tokenizer.model_max_length), positions - 2))


def label_matrix(task: str, theirs: Mapping[int, str], labels: Mapping[str, str]) -> Floats:
    """Return the 0/1 matrix (their labels, our labels) of a label map.

    Raises ModelError where one of their labels is not mapped, or is mapped to a label that
    isn't ours, or where the map names a label that the model doesn't have.
    """
    ours = TASKS[task]
    missing = sorted(set(theirs.values()) - set(labels))
    strange = sorted(set(labels) - set(theirs.values()))
    wrong = sorted(set(labels.values()) - set(ours))
    if missing or strange or wrong:
        raise ModelError(
            f"the label map of the {task} model doesn't fit: not mapped {missing}, not in the "
            f"model {strange}, not among our labels {wrong}; map each of "
            f"{sorted(theirs.values())} to one of {list(ours)}"
        )
    matrix = np.zeros((len(theirs), len(ours)))
    for at, label in theirs.items():
        matrix[at, ours.index(labels[label])] = 1
    return matrix
