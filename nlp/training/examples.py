"""Labelled texts for fine-tuning, each with a target distribution and a weight per task."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import ModelError
from nlp.clean import clean
from nlp.tasks import TASKS
from nlp.training.found import found_rows
from nlp.training.rows import read_rows

Floats = npt.NDArray[np.float32]

WRITTEN = Path(__file__).parent / "texts"
# What the lexicon learns from. With the found texts it gained 1 point on civic and lost 2 to 3 on
# Peruvian voices (docs/model-ablation.md).
GOLD = ("civic", "civic_peru", "written")
SECOND_SHARE = 0.2
EMOJI_TASK = "emoji"
CORRECTIONS = "corrections"

_ACCENTS = str.maketrans("áéíóúÁÉÍÓÚ", "aeiouAEIOU")
_SYMBOL = re.compile(r"[^\w\s.,;:!?¡¿\[\]@'\"()%/-]")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts (n), and per task a target array (n, labels) and a weight array (n)."""

    texts: list[str]
    targets: Mapping[str, Floats]
    weights: Mapping[str, Floats]

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.texts)

    def take(self, rows: npt.NDArray[np.int64]) -> Examples:
        """Return the examples at `rows`, in that order."""
        return Examples(
            [self.texts[row] for row in rows],
            {task: target[rows] for task, target in self.targets.items()},
            {task: weight[rows] for task, weight in self.weights.items()},
        )


def join(parts: Sequence[Examples]) -> Examples:
    """Put sets of examples one after the other."""
    tasks = parts[0].targets
    return Examples(
        [text for part in parts for text in part.texts],
        {task: np.concatenate([part.targets[task] for part in parts]) for task in tasks},
        {task: np.concatenate([part.weights[task] for part in parts]) for task in tasks},
    )


def load_sets(
    data: Path, emojis: Sequence[str], corrections: Path | None = None
) -> dict[str, Examples]:
    """Read every training set that `data` and the package hold, by name.

    Names: civic, civic_peru, written, found (three labels), sentiment, emoevent, reviews
    (sentiment), emoji (the emoji that was removed), corrections (a file of labels that people
    gave, each with a `weight` if 1 is not meant). A text that is also in a dev set is left out,
    whichever set it stands in. Raises ModelError where neither civic set is there.
    """
    rows = _training_rows(data)
    if corrections is not None:
        rows[CORRECTIONS] = read_rows(corrections)
    if not rows["civic"] and not rows["civic_peru"]:
        raise ModelError(
            f"no labelled texts in {data}: expected civic/train.jsonl or civic_peru/train.jsonl; "
            "give the folder that holds them with --data"
        )
    held_out = {clean(row["text"]) for found in load_dev(data).values() for row in found}
    kept = {name: _examples(found, emojis, held_out) for name, found in rows.items()}
    return {name: found for name, found in kept.items() if len(found)}


def training_texts(data: Path) -> frozenset[str]:
    """Return every text of every training set, cleaned."""
    rows = _training_rows(data).values()
    return frozenset(clean(row["text"]) for found in rows for row in found)


def _training_rows(data: Path) -> dict[str, list[dict[str, Any]]]:
    files = {
        "civic": [data / "civic" / "train.jsonl"],
        "civic_peru": [data / "civic_peru" / "train.jsonl"],
        "written": sorted(WRITTEN.glob("*.jsonl")),
        "sentiment": [data / "sentiment" / "train.jsonl"],
        "emoevent": [data / "sentiment" / "weak_emoevent.jsonl"],
        "reviews": [data / "sentiment" / "weak_reviews.jsonl.gz"],
        "emoji": [data / "sentiment" / "weak_emoji.jsonl.gz"],
    }
    rows = {
        name: [row for path in paths if path.exists() for row in read_rows(path)]
        for name, paths in files.items()
    }
    return {**rows, "found": found_rows(data)}


def emoji_labels(data: Path) -> tuple[str, ...]:
    """Return the emojis of the weak set in a fixed order; empty where the set is absent."""
    path = data / "sentiment" / "weak_emoji.jsonl.gz"
    return tuple(sorted({row["emoji"] for row in read_rows(path)})) if path.exists() else ()


def load_dev(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Read the dev sets by name: rows with `text` and any of category, sentiment, intent."""
    found = {}
    for name in ("civic", "civic_peru", "sentiment"):
        path = data / name / "dev.jsonl"
        if path.exists():
            rows = read_rows(path)
            found[name] = [
                {**row, "sentiment": row.get("sentiment", row.get("label"))} for row in rows
            ]
    return found


def _examples(
    rows: Sequence[Mapping[str, Any]], emojis: Sequence[str], held_out: Container[str] = ()
) -> Examples:
    texts = [clean(row["text"]) for row in rows]
    free = [at for at, text in enumerate(texts) if text not in held_out]
    rows, texts = [rows[at] for at in free], [texts[at] for at in free]
    labels = {**TASKS, EMOJI_TASK: tuple(emojis)}
    size = len(rows)
    targets = {task: np.zeros((size, len(names)), np.float32) for task, names in labels.items()}
    weights = {task: np.zeros(len(rows), np.float32) for task in labels}
    for at, row in enumerate(rows):
        gold = {**row, "sentiment": row.get("sentiment", row.get("label"))}
        for task, names in labels.items():
            if gold.get(task) in names:
                targets[task][at, names.index(gold[task])] = 1
                weights[task][at] = float(row.get("weight", 1))
        second = row.get("second")
        if second and weights["category"][at]:
            targets["category"][at] *= 1 - SECOND_SHARE
            targets["category"][at, TASKS["category"].index(second)] += SECOND_SHARE
    return Examples(texts, targets, weights)


def balance(examples: Examples, power: float) -> Examples:
    """Weigh each text by its label's rarity to the `power`, per task, with mean weight 1."""
    weights = dict(examples.weights)
    for task, target in examples.targets.items():
        known = weights[task] > 0
        if not known.any():
            continue
        share = target[known].mean(0)
        rare = (1 / np.maximum(share, 1e-4)) ** power
        factor = rare[target.argmax(1)]
        weights[task] = (weights[task] * factor / factor[known].mean()).astype(np.float32)
    return Examples(examples.texts, examples.targets, weights)


def smooth(target: Floats, amount: float) -> Floats:
    """Move `amount` of each target distribution to all labels alike."""
    smoothed: Floats = (target * (1 - amount) + amount / target.shape[1]).astype(np.float32)
    return smoothed


def augment(texts: Iterable[str], share: float, rng: np.random.Generator) -> list[str]:
    """Write a share of the texts the careless way: no accents, a slip, no emojis."""
    return [_careless(text, rng) if rng.random() < share else text for text in texts]


def _careless(text: str, rng: np.random.Generator) -> str:
    how = rng.random()
    if how < 0.5:
        text = text.translate(_ACCENTS)
    if 0.35 < how < 0.75:
        text = _slip(text, rng)
    if how > 0.75:
        text = _SYMBOL.sub("", text)
    return text


def _slip(text: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(0, max(1, len(text) - 1)))
    if not text[at : at + 2].isalpha():
        return text
    how = rng.random()
    if how < 0.4:
        return text[:at] + text[at + 1 :]
    if how < 0.8:
        return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
    return text[:at] + _LETTERS[int(rng.integers(26))] + text[at + 1 :]
