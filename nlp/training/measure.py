"""Add to a manifest what the model card needs: the data it rests on, and scores on the gold."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from configs.model import ModelSpec
from models.records import Classification
from nlp.classifier import Classifier
from nlp.clean import clean
from nlp.evaluate import GoldItem, evaluate
from nlp.manifest import Measured, Point, TextSet
from nlp.training.examples import emoji_labels, load_dev, load_sets, training_texts
from nlp.training.rows import read_rows

_ACCEPTED = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def measure(data: Path, gold: Path, folder: Path) -> Measured:
    """Measure the model in `folder`, write it into its manifest, and return it.

    Dev texts that a training set also holds are left out. Raises ModelError where the weights
    or the data can't be read.
    """
    classifier = Classifier.load(ModelSpec(path=folder))
    trained = training_texts(data)
    dev = {
        name: [row for row in rows if clean(row["text"]) not in trained]
        for name, rows in load_dev(data).items()
    }
    sets = load_sets(data, emoji_labels(data))
    judged = [row for rows in dev.values() for row in rows if row.get("category")]
    rows = read_rows(gold)
    answers = classifier.classify([row["text"] for row in rows])
    items = [GoldItem(row["category"], row["sentiment"], row["intent"]) for row in rows]
    found = Measured(
        on=datetime.now(UTC).date(),
        commit=_commit(folder),
        trained_on={name: text_set(examples.texts) for name, examples in sorted(sets.items())},
        dev={name: text_set([clean(row["text"]) for row in some]) for name, some in dev.items()},
        gold=text_set([clean(row["text"]) for row in rows]),
        gold_scores={
            task: score.summary() for task, score in evaluate(items, answers).tasks.items()
        },
        abstention={
            "dev": curve(judged, classifier.classify([row["text"] for row in judged])),
            "gold": curve(rows, answers),
        },
    )
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["measured"] = found.model_dump(mode="json")
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return found


def text_set(texts: Sequence[str]) -> TextSet:
    """Return the number of texts and the SHA-256 over them, each ended by a zero byte."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return TextSet(n=len(texts), sha256=digest.hexdigest())


def curve(rows: Sequence[Mapping[str, Any]], answers: Sequence[Classification]) -> list[Point]:
    """Return how right the surest shares of the texts are in their category."""
    confidence = np.array([answer.confidence for answer in answers])
    right = np.array(
        [answer.category == row["category"] for row, answer in zip(rows, answers, strict=True)]
    )
    order: npt.NDArray[np.int64] = np.argsort(-confidence, kind="stable")
    points = []
    for accepted in _ACCEPTED if len(order) else ():
        kept = order[: max(1, round(accepted * len(order)))]
        points.append(
            Point(
                threshold=round(float(confidence[kept[-1]]), 4),
                accepted=accepted,
                precision=round(float(right[kept].mean()), 4),
                n=len(kept),
            )
        )
    return points


def _commit(folder: Path) -> str | None:
    """Return the commit of the repository that holds the folder, where there is one."""
    asked = subprocess.run(  # noqa: S603 - fixed arguments
        ["git", "-C", str(folder), "rev-parse", "HEAD"],  # noqa: S607 - git of the PATH
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() if asked.returncode == 0 else None
