"""What pretraining starts from: tokenizer, packed token ids, first embeddings."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from nlp.training.corpus import Tokens, clean_corpus, pack, read_lines
from nlp.training.journal import Journal
from nlp.training.recipes import PretrainRecipe
from nlp.training.vectors import skip_gram, write_sentences
from nlp.training.vocabulary import END_ID, load_tokenizer, train_tokenizer

T = TypeVar("T")
_ENCODE_BATCH = 4_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tokenizer, rows (rows, sequence) by genre, and first embeddings (vocabulary, width).

    Without embeddings the training begins with random ones.
    """

    tokenizer: Tokenizer
    rows: Mapping[str, Tokens]
    vectors: npt.NDArray[np.float32] | None


def prepare(data: Path, out: Path, recipe: PretrainRecipe, weights: Path | None = None) -> Prepared:
    """Make what the recipe starts from out of `data/lm`; `out/work` keeps it for the next time.

    With `weights`, a folder of weights to go on from, tokenizer and embeddings are theirs.
    The times of the steps go to `out/pretrain.jsonl`. Raises ModelError where there is no text.
    """
    work = out / "work"
    if weights is not None:
        work.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(weights / "tokenizer.json", work / "tokenizer.json")
    journal = Journal(out / "pretrain.jsonl")
    files = _timed(
        journal,
        "clean",
        lambda: clean_corpus(data, recipe.characters, work / "clean", recipe.workers),
    )
    tokenizer = _timed(journal, "tokenizer", lambda: _tokenizer(files, recipe, work))
    rows = _timed(journal, "pack", lambda: _packed(files, tokenizer, recipe, work))
    if not recipe.vector_epochs or weights is not None:
        return Prepared(tokenizer, rows, None)
    vectors = _timed(journal, "vectors", lambda: _vectors(files, tokenizer, recipe, work))
    return Prepared(tokenizer, rows, vectors)


def _timed(journal: Journal, stage: str, make: Callable[[], T]) -> T:
    started = time.monotonic()
    made = make()
    journal.write(stage=stage, seconds=round(time.monotonic() - started, 1))
    return made


def _tokenizer(files: Mapping[str, Path], recipe: PretrainRecipe, work: Path) -> Tokenizer:
    if (work / "tokenizer.json").exists():
        return load_tokenizer(work)
    sample: list[str] = []
    for genre, path in files.items():
        lines = read_lines(path)
        step = max(1, sum(map(len, lines)) // recipe.tokenizer_characters)
        sample += lines[::step] * (recipe.task_repeats if genre == "task" else 1)
    tokenizer = train_tokenizer(sample, recipe.vocabulary, recipe.keep_accents)
    tokenizer.save(str(work / "tokenizer.json"))
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str]) -> Iterator[list[int]]:
    """Yield the token ids of each text, without `[CLS]` and `[SEP]`."""
    for at in range(0, len(texts), _ENCODE_BATCH):
        for found in tokenizer.encode_batch_fast(
            texts[at : at + _ENCODE_BATCH], add_special_tokens=False
        ):
            yield found.ids


def _packed(
    files: Mapping[str, Path], tokenizer: Tokenizer, recipe: PretrainRecipe, work: Path
) -> dict[str, Tokens]:
    rows = {}
    for genre, path in files.items():
        target = work / f"{genre}.npy"
        if not target.exists():
            packed = pack(encode(tokenizer, read_lines(path)), recipe.sequence, END_ID)
            with target.with_suffix(".part").open("wb") as out:
                np.save(out, packed)
            target.with_suffix(".part").rename(target)
        rows[genre] = np.load(target, mmap_mode="r")
    return {genre: packed for genre, packed in rows.items() if len(packed)}


def _vectors(
    files: Mapping[str, Path], tokenizer: Tokenizer, recipe: PretrainRecipe, work: Path
) -> npt.NDArray[np.float32]:
    target = work / "vectors.npy"
    if not target.exists():
        sentences = work / "sentences.txt"
        write_sentences(
            (
                ids
                for genre, path in files.items()
                for _ in range(recipe.vector_repeats.get(genre, 1))
                for ids in encode(tokenizer, read_lines(path))
            ),
            sentences,
        )
        np.save(
            target,
            skip_gram(
                sentences,
                tokenizer.get_vocab_size(),
                recipe.width,
                recipe.vector_epochs,
                recipe.vector_window,
                recipe.workers,
                recipe.seed,
            ),
        )
        sentences.unlink()
    found: npt.NDArray[np.float32] = np.load(target)
    return found
