"""Our labels for texts that we may not ship: found in the training data by their digest.

A row of `labels/*.jsonl` names a line of `lm/<genre>.txt.xz` by the first sixteen hexadecimal
digits of its SHA-256, and says how many of its first characters were labelled (all where that is
null). The labels are the project's own; whoever has the texts gets them back together. Their
sentiment is kept out of training: with it the sentiment of every dev set fell by 1 to 2 points.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nlp.training.rows import read_rows

LABELS = Path(__file__).parent / "labels"


def found_rows(data: Path, labels: Path = LABELS) -> list[dict[str, Any]]:
    """Return the labelled rows whose text `data` holds, each with its `text`.

    Rows whose genre is not in `data/lm`, or whose line is not in it, are left out. Raises
    ModelError where a file of labels can't be read.
    """
    wanted: dict[str, dict[str, dict[str, Any]]] = {}
    for path in sorted(labels.glob("*.jsonl")):
        for row in read_rows(path):
            wanted.setdefault(row["genre"], {})[row["line"]] = row
    return [
        row
        for genre, rows in sorted(wanted.items())
        for row in _in_genre(data / "lm" / f"{genre}.txt.xz", rows)
    ]


def line_digest(line: str) -> str:
    """Return what names a line: sixteen hexadecimal digits of its SHA-256."""
    return hashlib.sha256(line.encode()).hexdigest()[:16]


def _in_genre(path: Path, rows: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    left = dict(rows)
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in map(_unended, lines):
            if row := left.pop(line_digest(line), None):
                yield {**row, "sentiment": None, "text": line[: row["characters"]]}


def _unended(line: str) -> str:
    return line.rstrip("\n")
