"""Text for pretraining: read `lm/<genre>.txt.xz`, clean it, and pack token ids."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import ModelError
from nlp.clean import clean

PASSAGE = 1_500
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_BATCH = 2_000

Tokens = npt.NDArray[np.uint16]


def genre_files(data: Path) -> dict[str, Path]:
    """Return the text files of `data/lm`, by genre.

    Raises ModelError where the folder holds none.
    """
    files = {path.name.split(".")[0]: path for path in sorted((data / "lm").glob("*.txt.xz"))}
    if not files:
        raise ModelError(
            f"no training text in {data / 'lm'}: expected files named <genre>.txt.xz, "
            "one document a line; give the folder that holds lm/ with --data"
        )
    return files


def passages(line: str, size: int = PASSAGE) -> Iterator[str]:
    """Cut one long document into passages of about `size` characters at sentence ends."""
    if len(line) <= size:
        yield line
        return
    held: list[str] = []
    length = 0
    for sentence in _SENTENCE_END.split(line):
        held.append(sentence[:size])
        length += len(held[-1]) + 1
        if length >= size:
            yield " ".join(held)
            held, length = [], 0
    if held:
        yield " ".join(held)


def read_genre(path: Path, characters: int) -> list[str]:
    """Read about `characters` characters of a genre, evenly spread over the file."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        found = [part for line in lines for part in passages(line.strip()) if part]
    total = sum(map(len, found))
    if total <= characters:
        return found
    keep = characters / total
    return [part for at, part in enumerate(found) if int((at + 1) * keep) > int(at * keep)]


def task_texts(data: Path) -> list[str]:
    """Return the texts of every training set (`*/train.jsonl`) under `data`; never dev texts."""
    texts = []
    for path in sorted(data.glob("*/train.jsonl")):
        with path.open(encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in lines]
    return texts


def clean_texts(texts: Sequence[str], workers: int) -> list[str]:
    """Clean many texts in `workers` processes; empty results are dropped, order is kept."""
    batches = [texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH)]
    if workers < 2 or len(batches) < 2:
        return [text for batch in batches for text in _clean_batch(batch)]
    with ProcessPoolExecutor(workers) as pool:
        return [text for batch in pool.map(_clean_batch, batches) for text in batch]


def _clean_batch(texts: Sequence[str]) -> list[str]:
    return [text for text in map(clean, texts) if text]


def clean_corpus(
    data: Path, characters: Mapping[str, int], out: Path, workers: int
) -> dict[str, Path]:
    """Write one cleaned text file per genre, and `task`, under `out`; what is there is kept."""
    out.mkdir(parents=True, exist_ok=True)
    files = genre_files(data)
    written = {}
    for genre in [*(g for g in characters if g in files), "task"]:
        target = out / f"{genre}.txt"
        written[genre] = target
        if target.exists():
            continue
        texts = task_texts(data) if genre == "task" else read_genre(files[genre], characters[genre])
        partial = target.with_suffix(".part")
        partial.write_text("\n".join(clean_texts(texts, workers)) + "\n", encoding="utf-8")
        partial.rename(target)
    return written


def read_lines(path: Path) -> list[str]:
    """Return the non-empty lines of a cleaned file."""
    with path.open(encoding="utf-8") as lines:
        return [text for text in (line.rstrip("\n") for line in lines) if text]


def pack(documents: Iterable[Sequence[int]], sequence: int, separator: int) -> Tokens:
    """Concatenate token ids, `separator` after each document, and cut rows of `sequence`.

    Returns an array (rows, sequence), uint16; the tail that doesn't fill a row is dropped.
    """
    flat = np.fromiter((token for ids in documents for token in (*ids, separator)), dtype=np.uint16)
    rows = len(flat) // sequence
    return flat[: rows * sequence].reshape(rows, sequence)
