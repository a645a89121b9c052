"""Classify citizens' texts: category, sentiment and intent with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from configs.model import ModelSpec
from models.records import Classification
from nlp.clean import clean
from nlp.inference import Engine
from nlp.lexicon import Lexicon
from nlp.manifest import SHIPPED, Manifest, check_files, read_manifest
from nlp.softmax import softmax
from nlp.tasks import TASKS

if TYPE_CHECKING:
    from nlp.hub import HubHead

Floats = npt.NDArray[np.float64]

OVERLAP = 16
REMEMBERED = 16_384  # answers kept; about 50 MiB
_START, _END = 2, 3
_CHARACTERS = 12  # a token seldom has as many: the first window of a text lies in so many a token


class Classifier:
    """The three heads over one encoder, or models of the Hub in their place.

    Made with `Classifier.load`. Which texts are asked together changes a probability by less than
    a thousandth: rounding sees sums whose last bits differ.
    """

    def __init__(
        self,
        model: Engine,
        tokenizer: Tokenizer,
        lexicon: Lexicon,
        manifest: Manifest,
        hub: Mapping[str, HubHead],
        remembered: int = REMEMBERED,
    ) -> None:
        """Put the loaded parts together; use `load`."""
        self._model, self._tokenizer, self._lexicon = model, tokenizer, lexicon
        self._remembered = remembered
        self._hub = dict(hub)
        self._known: dict[str, Classification] = {}
        self.manifest = manifest
        parts = [f"{manifest.name}-{manifest.version}", *(h.version for h in self._hub.values())]
        self.model_version = "+".join(parts)

    @classmethod
    def load(cls, spec: ModelSpec | None = None, remembered: int = REMEMBERED) -> Classifier:
        """Load the model that `spec` names; None means the shipped weights.

        With `remembered` 0 it keeps no answers: each depends only on what is asked with it.
        It answers with as many threads as this process may use cores. Raises ModelError where
        a file is missing, damaged or doesn't fit, saying which and what to do.
        """
        spec = spec or ModelSpec()
        folder = spec.path or SHIPPED
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        hub = _load_hub(spec) if spec.tasks else {}
        model = Engine.load(folder)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return cls(model, tokenizer, Lexicon.load(folder), manifest, hub, remembered)

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Classify raw texts; the answers stand in the order of the texts.

        Identical texts (after cleaning) are classified once, also over several calls. A text
        longer than the model reads is cut into overlapping windows whose probabilities are
        averaged, weighted by tokens. A text that is empty after cleaning is answered with
        uniform probabilities, abstained.
        """
        cleaned = [clean(text) for text in texts]
        answers = {text: self._known[text] for text in cleaned if text in self._known}
        fresh = list(dict.fromkeys(text for text in cleaned if text and text not in answers))
        chances = self._probabilities(fresh) if fresh else {}
        for at, text in enumerate(fresh):
            answers[text] = self._answer({task: found[at] for task, found in chances.items()})
        self._remember({text: answers[text] for text in fresh})
        return [answers[text] if text else self._nothing() for text in cleaned]

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the encoder's vectors of raw texts, shape (texts, width), each of length 1.

        Of a long text the first window is read, which is its title and what an article opens with:
        what is read grows with the texts, and not with their length. An empty one is all zeros.
        """
        longest = self.manifest.max_tokens - 2
        cleaned = [clean(text[: longest * _CHARACTERS]) for text in texts]
        distinct = list(dict.fromkeys(text for text in cleaned if text))
        encoded = self._tokenizer.encode_batch_fast(distinct, add_special_tokens=False)
        windows = [[_START, *one.ids[:longest], _END] for one in encoded]
        vectors = self._model.pooled(windows).astype(float)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        found = dict(zip(distinct, vectors, strict=True)) | {"": np.zeros(self._model.width)}
        return np.array([found[text] for text in cleaned]).reshape(-1, self._model.width)

    def reads_whole(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Say of each raw text whether `embed` reads all of it, shape (texts,)."""
        longest = self.manifest.max_tokens - 2
        whole = np.array([len(text) <= longest * _CHARACTERS for text in texts], dtype=bool)
        cleaned = {row: clean(texts[row]) for row in np.flatnonzero(whole).tolist()}
        doubtful = [row for row, text in cleaned.items() if len(text) > longest]
        encoded = self._tokenizer.encode_batch_fast(
            [cleaned[row] for row in doubtful], add_special_tokens=False
        )
        whole[doubtful] = [len(one.ids) <= longest for one in encoded]
        return whole

    def _remember(self, answers: Mapping[str, Classification]) -> None:
        if self._remembered:
            self._known = dict([*self._known.items(), *answers.items()][-self._remembered :])

    def _probabilities(self, texts: Sequence[str]) -> dict[str, Floats]:
        chances: dict[str, Floats] = {}
        if set(self._hub) != set(TASKS):
            chances = self._own_heads(texts)
        for task, head in self._hub.items():
            chances[task] = head.probabilities(texts)
        return chances

    def _own_heads(self, texts: Sequence[str]) -> dict[str, Floats]:
        windows, owners, weights = self._windows(texts)
        with ThreadPoolExecutor(1) as beside:  # fills the cores where the encoder waits
            scored = beside.submit(self._lexicon.scores, texts)
            logits = self._model.logits(self._model.pooled(windows))
        wide = scored.result()
        chances = {}
        for task, labels in TASKS.items():
            deep = logits[task].astype(float) / self.manifest.temperatures[task]
            found = softmax(deep + self.manifest.lexical[task] * wide[task][owners])
            total = np.zeros((len(texts), len(labels)))
            np.add.at(total, owners, found * weights[:, None])
            chances[task] = total / total.sum(-1, keepdims=True)
        return chances

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
        return windows, np.array(owners, dtype=np.int64), np.array(weights, dtype=float)

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


def _load_hub(spec: ModelSpec) -> dict[str, HubHead]:
    from nlp.hub import HubHead  # torch is heavy: only models of the Hub wait for it

    return {task: HubHead.load(task, named) for task, named in spec.tasks.items()}


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
