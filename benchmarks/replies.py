"""Replies of the town, read alone and read with what they answer.

``python benchmarks/replies.py``

Each reply of the sandbox town that is no noise is classified alone and as «parent [SEP] reply»; a
text that is said several times counts once for each parent. *Gated* reads it joined only where the
reply alone is less sure of its category than the gate; the first gate is the weights' threshold of
abstention, which is what `pipelines/classify.py` does for the category. Cells are macro-F1 over the
labels that are there, and accuracy.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, f1_score

from crawlers.sandbox.truth import TruthRow, truth
from models.records import Classification
from nlp.classifier import Classifier
from nlp.tasks import TASKS
from pipelines.classify import joined

SHORT = 12  # words
LATER = 0.6  # a gate that lets more replies be read joined


@dataclass(frozen=True, slots=True)
class Read:
    """Replies as the truth has them, and what was answered alone and joined."""

    rows: list[TruthRow]
    alone: list[Classification]
    joined: list[Classification]

    def of(self, kept: npt.NDArray[np.bool_]) -> "Read":
        """Return some of the replies."""
        at = np.flatnonzero(kept)
        return Read(
            [self.rows[i] for i in at],
            [self.alone[i] for i in at],
            [self.joined[i] for i in at],
        )


def replies(classifier: Classifier) -> Read:
    """Classify every different pair of a reply and what it answers."""
    rows = truth()
    said = {(row.source, row.external_id): row.text for row in rows}
    pairs = {
        (parent, row.text): row
        for row in rows
        if row.parent_external_id
        and not row.noise
        and (parent := said.get((row.source, row.parent_external_id)))
    }
    return Read(
        list(pairs.values()),
        classifier.classify([text for _, text in pairs]),
        classifier.classify([joined(parent, text) for parent, text in pairs]),
    )


def scored(read: Read, task: str, gate: float) -> str:
    """Return macro-F1 and accuracy where replies less sure than the gate are read joined."""
    gold = [getattr(row, task) for row in read.rows]
    found = [
        getattr(together if alone.confidence < gate else alone, task)
        for alone, together in zip(read.alone, read.joined, strict=True)
    ]
    macro = f1_score(gold, found, average="macro", labels=sorted(set(gold)), zero_division=0)
    return f"{macro:.3f} / {accuracy_score(gold, found):.3f}"


def main() -> None:
    """Print a row for each task and length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.parse_args()
    classifier = Classifier.load()
    read = replies(classifier)
    short = np.array([len(row.text.split()) <= SHORT for row in read.rows])
    parts = {"all": np.full(len(short), True), "short": short, "longer": ~short}
    gates = (0.0, 2.0, classifier.manifest.threshold, LATER)
    print(f"{classifier.model_version}, abstains under {classifier.manifest.threshold:.2f}")
    print("| task | replies | n | alone | joined | gated | gated at 0.6 |")
    print("|---|---|---|---|---|---|---|")
    for task in TASKS:
        for name, kept in parts.items():
            some = read.of(kept)
            cells = [scored(some, task, gate) for gate in gates]
            print(f"| {task} | {name} | {len(some.rows)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
