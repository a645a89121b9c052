"""A model of the Hugging Face Hub, or of a folder, in place of one head.

It classifies sequences into labels of its own, or infers which of our phrases follows from a text
(zero-shot classification: Yin, Hay and Roth 2019, «Benchmarking zero-shot text classification»).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from configs.model import HubModel
from models.errors import ModelError
from nlp.checksum import file_sha256
from nlp.softmax import softmax
from nlp.tasks import TASKS

Floats = npt.NDArray[np.float64]

_BATCH = 32
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Inference:
    """What to ask a model of natural language inference, and which answer says yes."""

    hypotheses: tuple[str, ...]
    entailed: int

    @classmethod
    def of(cls, task: str, theirs: Mapping[int, str], named: HubModel) -> Inference:
        """Return the hypotheses of a label map; raises ModelError where no label says yes."""
        entailed = [at for at, label in theirs.items() if label.lower().startswith("entail")]
        if len(entailed) != 1 or named.hypothesis is None:
            raise ModelError(
                f"the {task} model {named.name!r} infers nothing: none of its labels "
                f"{sorted(theirs.values())} is «entailment»; leave «hypothesis» out and map them"
            )
        phrases = (named.hypothesis.replace("{}", phrase) for phrase in named.labels)
        return cls(tuple(phrases), entailed[0])


class HubHead:
    """One task answered by another model: its labels are summed into ours by a label map."""

    def __init__(
        self,
        task: str,
        version: str,
        tokenizer: Any,
        model: Any,
        matrix: Floats,
        inference: Inference | None = None,
    ) -> None:
        """Put the loaded parts together; `matrix` is (their labels, our labels), 0 or 1."""
        self.task, self.version = task, version
        self._tokenizer, self._model, self._matrix = tokenizer, model, matrix
        self._inference = inference

    @classmethod
    def load(cls, task: str, named: HubModel) -> HubHead:
        """Load a model by folder or by repository and revision; safetensors, no remote code.

        Raises ModelError where it can't be loaded, a repository has no revision, the label map
        doesn't fit its labels, or it infers nothing although a hypothesis is given.
        """
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        folder = Path(named.name)
        if not folder.is_dir() and named.revision is None:
            raise ModelError(
                f"the {task} model {named.name!r} is no folder here, and a model of the Hub needs "
                "the revision that was tried: write the commit's hash in «revision»"
            )
        options = {
            "revision": named.revision or "main",
            "local_files_only": folder.is_dir(),
            "trust_remote_code": False,
        }
        try:
            tokenizer = AutoTokenizer.from_pretrained(named.name, **options)
            model = AutoModelForSequenceClassification.from_pretrained(
                named.name, use_safetensors=True, dtype=torch.float32, **options
            )
            mark = _mark(folder) if folder.is_dir() else named.revision
        except (OSError, ValueError, RuntimeError, KeyError) as fault:
            raise ModelError(
                f"cannot load the {task} model {named.name!r}: {fault}; check name, revision and "
                "that it holds safetensors weights"
            ) from fault
        theirs, inference = model.config.id2label, None
        if named.hypothesis is not None:
            inference = Inference.of(task, theirs, named)
            theirs = dict(enumerate(named.labels))
        matrix = label_matrix(task, theirs, named.labels)
        version = f"{task}={folder.name}@{mark}"
        return cls(task, version, tokenizer, model.eval(), matrix, inference)

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
        """Return the owner, the tokens and the probabilities of their labels of each window."""
        if self._inference is None:
            owners, weights, logits = self._logits(list(texts))
            return owners, weights, softmax(logits)
        entailed = []
        for hypothesis in self._inference.hypotheses:
            owners, weights, logits = self._logits(list(texts), [hypothesis] * len(texts))
            total = np.bincount(owners, weights * logits[:, self._inference.entailed])
            entailed.append(total / np.bincount(owners, weights))
        return np.arange(len(texts)), np.ones(len(texts)), softmax(np.stack(entailed, 1))

    def _logits(
        self, texts: list[str], hypotheses: list[str] | None = None
    ) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        encoded = self._tokenizer(
            texts,
            hypotheses,
            padding=True,
            truncation="only_first",
            max_length=self._longest(),
            stride=16,
            return_overflowing_tokens=True,
            return_tensors="pt",
        )
        owners = encoded.pop("overflow_to_sample_mapping").numpy()
        with torch.inference_mode():
            logits = self._model(**encoded).logits
        weights = encoded["attention_mask"].sum(-1).double().numpy()
        return owners, weights, logits.double().numpy()

    def _longest(self) -> int:
        positions = int(getattr(self._model.config, "max_position_embeddings", _LONGEST))
        return max(20, min(_LONGEST, int(self._tokenizer.model_max_length), positions - 2))


def _mark(folder: Path) -> str:
    """Return the beginning of the SHA-256 of a folder's weights, which change with its answers."""
    parts = [file_sha256(part) for part in sorted(folder.glob("*.safetensors"))]
    return sha256("".join(parts).encode()).hexdigest()[:12]


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
