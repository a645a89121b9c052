"""Classify citizens' texts: category, sentiment and intent with calibrated probabilities."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers.utils.logging import disable_progress_bar

from configs.model import ModelSpec
from models.errors import ModelError
from models.records import Classification
from nlp.clean import clean
from nlp.encoder import TASKS, ManifestationModel
from nlp.hub import HubHead
from nlp.lexicon import Lexicon
from nlp.manifest import SHIPPED, Manifest, check_files, read_manifest

Floats = npt.NDArray[np.float64]

TOKENS_PER_BATCH = 4_096
OVERLAP = 16
_START, _END = 2, 3


class Classifier:
    """The three heads over one encoder, or models of the Hub in their place.

    Made with `Classifier.load`. The same text always gets the same answer in one process.
    """

    def __init__(
        self,
        model: ManifestationModel,
        tokenizer: Tokenizer,
        lexicon: Lexicon,
        manifest: Manifest,
        hub: Mapping[str, HubHead],
    ) -> None:
        """Put the loaded parts together; use `load`."""
        self._model, self._tokenizer, self._lexicon = model, tokenizer, lexicon
        self._hub = dict(hub)
        self.manifest = manifest
        parts = [f"{manifest.name}-{manifest.version}", *(h.version for h in self._hub.values())]
        self.model_version = "+".join(parts)

    @classmethod
    def load(cls, spec: ModelSpec | None = None) -> Classifier:
        """Load the model that `spec` names; None means the shipped weights.

        Uses as many threads as this process may use cores. Raises ModelError where a file is
        missing, damaged or doesn't fit, saying which and what to do.
        """
        spec = spec or ModelSpec()
        folder = spec.path or SHIPPED
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        hub: dict[str, HubHead] = {}
        for task, named in spec.tasks.items():
            hub[task] = HubHead.load(task, named)
        model = load_model(folder)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return cls(model, tokenizer, Lexicon.load(folder), manifest, hub)

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Classify raw texts; the answers stand in the order of the texts.

        Identical texts (after cleaning) are classified once. A text longer than the model reads
        is cut into overlapping windows whose probabilities are averaged, weighted by tokens. A
        text that is empty after cleaning is answered with uniform probabilities, abstained.
        """
        cleaned = [clean(text) for text in texts]
        distinct = list(dict.fromkeys(text for text in cleaned if text))
        chances = self._probabilities(distinct) if distinct else {}
        answers = {
            text: self._answer({task: found[at] for task, found in chances.items()})
            for at, text in enumerate(distinct)
        }
        return [answers[text] if text else self._nothing() for text in cleaned]

    def _probabilities(self, texts: Sequence[str]) -> dict[str, Floats]:
        chances: dict[str, Floats] = {}
        if set(self._hub) != set(TASKS):
            chances = self._own_heads(texts)
        for task, head in self._hub.items():
            chances[task] = head.probabilities(texts)
        return chances

    def _own_heads(self, texts: Sequence[str]) -> dict[str, Floats]:
        windows, owners, weights = self._windows(texts)
        wide = self._lexicon.scores(texts)
        totals = {task: np.zeros((len(texts), len(labels))) for task, labels in TASKS.items()}
        with torch.inference_mode():
            for rows in batches(windows):
                logits = self._model(*pad_batch([windows[row] for row in rows]))
                for task, total in totals.items():
                    deep = getattr(logits, task).double() / self.manifest.temperatures[task]
                    lexical = self.manifest.lexical[task] * wide[task][owners[rows]]
                    found = (deep + torch.from_numpy(lexical)).softmax(-1).numpy()
                    np.add.at(total, owners[rows], found * weights[rows, None])
        return {task: total / total.sum(-1, keepdims=True) for task, total in totals.items()}

    def _windows(
        self, texts: Sequence[str]
    ) -> tuple[list[list[int]], npt.NDArray[np.int64], Floats]:
        windows, owners, weights = [], [], []
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        for owner, found in enumerate(encoded):
            for piece in split_windows(found.ids, self.manifest.max_tokens - 2):
                windows.append([_START, *piece, _END])
                owners.append(owner)
                weights.append(max(1, len(piece)))
        return windows, np.array(owners), np.array(weights, dtype=float)

    def _answer(self, chances: Mapping[str, Floats]) -> Classification:
        named = {
            task: dict(zip(labels, chances[task].tolist(), strict=True))
            for task, labels in TASKS.items()
        }
        return Classification(
            categories=named["category"],
            sentiments=named["sentiment"],
            intents=named["intent"],
            abstained=max(named["category"].values()) < self.manifest.threshold,
            model_version=self.model_version,
        )

    def _nothing(self) -> Classification:
        even = {task: {one: 1 / len(labels) for one in labels} for task, labels in TASKS.items()}
        return Classification(
            categories=even["category"],
            sentiments=even["sentiment"],
            intents=even["intent"],
            abstained=True,
            model_version=self.model_version,
        )


def load_model(folder: Path) -> ManifestationModel:
    """Load encoder and heads in single precision, ready to answer.

    Raises ModelError where the files are no such model.
    """
    disable_progress_bar()
    try:
        model: ManifestationModel = ManifestationModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError, RuntimeError, KeyError) as fault:
        raise ModelError(f"cannot load the model in {folder}: {fault}; copy it again") from fault
    model.train(False)
    return model


def split_windows(ids: Sequence[int], longest: int, overlap: int = OVERLAP) -> list[Sequence[int]]:
    """Cut token ids into windows of at most `longest` that share `overlap` tokens.

    The windows cover every token, are about equally long, and there is always one.
    """
    if len(ids) <= longest:
        return [ids]
    overlap = min(overlap, longest // 2)
    count = -(-(len(ids) - overlap) // (longest - overlap))
    last = len(ids) - longest
    return [ids[at : at + longest] for at in (round(i * last / (count - 1)) for i in range(count))]


def batches(windows: Sequence[Sequence[int]]) -> list[npt.NDArray[np.int64]]:
    """Group window numbers by length so that a padded batch stays under the token budget."""
    size = np.array([len(window) for window in windows])
    order = np.argsort(-size, kind="stable")
    groups, at = [], 0
    while at < len(order):
        count = max(1, TOKENS_PER_BATCH // int(size[order[at]]))
        groups.append(order[at : at + count])
        at += count
    return groups


def pad_batch(windows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and mask of shape (windows, longest), int64."""
    longest = max(map(len, windows))
    ids = np.zeros((len(windows), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window
        mask[row, : len(window)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)
