"""Classify citizens' texts: category, sentiment and intent with calibrated probabilities."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from configs.model import ModelSpec
from models.records import Classification
from nlp.clean import clean
from nlp.hub import HubHead
from nlp.inference import Engine
from nlp.lexicon import Lexicon
from nlp.manifest import SHIPPED, Manifest, check_files, read_manifest
from nlp.tasks import TASKS

Floats = npt.NDArray[np.float64]
Answer = TypeVar("Answer")

TOKENS_PER_BATCH = 2_048
OVERLAP = 16
_START, _END = 2, 3


class Classifier:
    """The three heads over one encoder, or models of the Hub in their place.

    Made with `Classifier.load`. The same text always gets the same answer in one process.
    """

    def __init__(
        self,
        model: Engine,
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

        It answers with as many threads as this process may use cores. Raises ModelError where
        a file is missing, damaged or doesn't fit, saying which and what to do.
        """
        spec = spec or ModelSpec()
        folder = spec.path or SHIPPED
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        torch.set_num_threads(1)
        hub: dict[str, HubHead] = {}
        for task, named in spec.tasks.items():
            hub[task] = HubHead.load(task, named)
        model = Engine.load(folder)
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

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the encoder's vectors of raw texts, shape (texts, width), each of length 1.

        A long text is the mean of its windows, weighted by tokens; an empty one is all zeros.
        """
        cleaned = [clean(text) for text in texts]
        distinct = list(dict.fromkeys(text for text in cleaned if text))
        if not distinct:
            return np.zeros((len(cleaned), self._model.width))
        windows, owners, weights = self._windows(distinct)
        totals = np.zeros((len(distinct), self._model.width))
        groups = batches(windows)
        for rows, pooled in zip(groups, _each(self._model.pooled, windows, groups), strict=True):
            np.add.at(totals, owners[rows], pooled.double().numpy() * weights[rows, None])
        totals /= np.maximum(np.linalg.norm(totals, axis=1, keepdims=True), 1e-12)
        place = {text: at for at, text in enumerate(distinct)}
        nothing = np.zeros(self._model.width)
        return np.array([totals[place[text]] if text else nothing for text in cleaned])

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
        groups = batches(windows)
        for rows, logits in zip(groups, _each(self._model, windows, groups), strict=True):
            for task, total in totals.items():
                deep = logits[task].double() / self.manifest.temperatures[task]
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


def _each(
    ask: Callable[[torch.Tensor, torch.Tensor], Answer],
    windows: Sequence[Sequence[int]],
    groups: Sequence[npt.NDArray[np.int64]],
) -> list[Answer]:
    """Ask for each batch in one thread a core: the matrices are too small to share one."""

    def answer(rows: npt.NDArray[np.int64]) -> Answer:
        return ask(*pad_batch([windows[row] for row in rows]))

    if len(groups) < 2:
        return [answer(rows) for rows in groups]
    cores = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(answer, groups))


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
