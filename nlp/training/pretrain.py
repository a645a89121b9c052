"""Stage one: tokenizer, word vectors, and masked-language-model pretraining of the encoder."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import ModernBertForMaskedLM

from nlp.checksum import file_sha256
from nlp.encoder import encoder_config
from nlp.training.corpus import Tokens, clean_corpus, pack, read_lines
from nlp.training.journal import Journal, progress_bar
from nlp.training.recipes import PretrainRecipe
from nlp.training.vectors import skip_gram, write_sentences
from nlp.training.vocabulary import END_ID, MASK_ID, SPECIAL, load_tokenizer, train_tokenizer

IGNORED = -100
T = TypeVar("T")
_ENCODE_BATCH = 4_000
_VECTOR_SCALE = 0.05


def pretrain(data: Path, out: Path, recipe: PretrainRecipe, resume: bool) -> Path:
    """Train tokenizer and encoder on `data/lm/*.txt.xz`; return the folder of the encoder.

    `out/encoder` receives config.json, model.safetensors, tokenizer.json and manifest.json;
    `out/work` what can be made again; `out/pretrain.jsonl` the loss curve. With `resume`, work
    that is already there is used, and training goes on from the last checkpoint; without it,
    everything is made anew. Raises ModelError where `data` holds no text.
    """
    work = out / "work"
    if not resume:
        _forget(work)
    journal = Journal(out / "pretrain.jsonl")
    files = _timed(
        journal,
        "clean",
        lambda: clean_corpus(data, recipe.characters, work / "clean", recipe.workers),
    )
    tokenizer = _timed(journal, "tokenizer", lambda: _tokenizer(files, recipe, work))
    rows = _timed(journal, "pack", lambda: _packed(files, tokenizer, recipe, work))
    vectors = _timed(journal, "vectors", lambda: _vectors(files, tokenizer, recipe, work))
    model = _new_model(recipe, tokenizer, vectors)
    started = time.monotonic()
    loss = _train(model, rows, word_starts(tokenizer), recipe, work, journal)
    journal.write(stage="masked-lm", seconds=round(time.monotonic() - started, 1))
    return _save(model, tokenizer, recipe, out / "encoder", loss)


def _forget(work: Path) -> None:
    for path in sorted(work.rglob("*"), reverse=True):
        if path.is_file():
            path.unlink()


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


def _new_model(
    recipe: PretrainRecipe, tokenizer: Tokenizer, vectors: npt.NDArray[np.float32]
) -> ModernBertForMaskedLM:
    torch.manual_seed(recipe.seed)
    config = encoder_config(
        tokenizer.get_vocab_size(), recipe.layers, recipe.width, recipe.heads, recipe.feed_forward
    )
    model = ModernBertForMaskedLM(config)
    first = torch.from_numpy(vectors * _VECTOR_SCALE)
    with torch.no_grad():
        model.model.embeddings.tok_embeddings.weight.copy_(first)
    return model


def word_starts(tokenizer: Tokenizer) -> npt.NDArray[np.bool_]:
    """Say for each token id whether it begins a word (WordPiece: it lacks the «##»)."""
    vocabulary = tokenizer.get_vocab()
    starts = np.ones(len(vocabulary), dtype=np.bool_)
    for token, at in vocabulary.items():
        starts[at] = not token.startswith("##")
    return starts


def mask_words(
    ids: npt.NDArray[np.int64],
    starts: npt.NDArray[np.bool_],
    share: float,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Hide a share of the whole words of each row (rows, tokens).

    Returns the masked ids and the labels: the token where it was hidden, -100 elsewhere. Of
    the hidden tokens 80 % become `[MASK]`, 10 % another token, 10 % stay (Devlin et al. 2019).
    """
    first = starts[ids]
    first[:, 0] = True
    word = np.cumsum(first, axis=1) - 1
    hidden = np.take_along_axis(rng.random(ids.shape), word, axis=1) < share
    hidden &= ids >= len(SPECIAL)
    how = rng.random(ids.shape)
    masked = np.where(hidden & (how < 0.8), MASK_ID, ids)
    other = rng.integers(len(SPECIAL), len(starts), ids.shape)
    masked = np.where(hidden & (how >= 0.8) & (how < 0.9), other, masked)
    return masked, np.where(hidden, ids, IGNORED)


def draw_rows(
    rows: Mapping[str, Tokens], recipe: PretrainRecipe, step: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw a batch (batch, sequence): genres by size times weight; the last ones at the end."""
    last = step >= recipe.steps - recipe.decay
    genres = [genre for genre in rows if not last or genre in recipe.last_genres] or list(rows)
    weight = np.array([len(rows[genre]) * recipe.repeats.get(genre, 1.0) for genre in genres])
    picks = rng.choice(len(genres), recipe.batch, p=weight / weight.sum())
    batch = [rows[genres[pick]][rng.integers(len(rows[genres[pick]]))] for pick in picks]
    return np.stack(batch).astype(np.int64)


def rate_at(step: int, recipe: PretrainRecipe) -> float:
    """Return the factor of the learning rate: warm up, stay, decay to nothing."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    left = recipe.steps - step
    return min(1.0, left / recipe.decay) if recipe.decay else 1.0


def optimizers(model: torch.nn.Module, recipe: PretrainRecipe) -> list[torch.optim.Optimizer]:
    """Return AdamW, with weight decay for the matrices of the layers only.

    (`torch.optim.Muon` orthogonalises in bfloat16, which costs five times the rest of the step
    on a processor without it.)
    """
    named = list(model.named_parameters())
    matrix = [p for name, p in named if ".layers." in name and p.ndim == 2]
    rest = [p for name, p in named if not (".layers." in name and p.ndim == 2)]
    groups = [
        {"params": matrix, "lr": recipe.learning_rate, "weight_decay": recipe.weight_decay},
        {"params": rest, "lr": recipe.embedding_rate, "weight_decay": 0.0},
    ]
    return [torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)]


def _train(
    model: ModernBertForMaskedLM,
    rows: Mapping[str, Tokens],
    starts: npt.NDArray[np.bool_],
    recipe: PretrainRecipe,
    work: Path,
    journal: Journal,
) -> float:
    optims = optimizers(model, recipe)
    base = [group["lr"] for optim in optims for group in optim.param_groups]
    begin = _load_checkpoint(model, optims, work / "checkpoint")
    model.train()
    mean = float("nan")
    with progress_bar("masked language model", recipe.steps, begin) as bar:
        for step in range(begin, recipe.steps):
            groups = [group for optim in optims for group in optim.param_groups]
            for group, rate in zip(groups, base, strict=True):
                group["lr"] = rate * rate_at(step, recipe)
            loss = _step(model, optims, rows, starts, recipe, step)
            mean = loss if math.isnan(mean) else 0.98 * mean + 0.02 * loss
            journal.write(step=step, loss=round(loss, 4))
            bar.advance(f"loss {mean:.3f}")
            if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
                _save_checkpoint(model, optims, step + 1, work / "checkpoint")
    return mean


def _step(
    model: ModernBertForMaskedLM,
    optims: list[torch.optim.Optimizer],
    rows: Mapping[str, Tokens],
    starts: npt.NDArray[np.bool_],
    recipe: PretrainRecipe,
    step: int,
) -> float:
    rng = np.random.default_rng([recipe.seed, step])
    share = recipe.mask_start + (recipe.mask_end - recipe.mask_start) * step / recipe.steps
    masked, labels = mask_words(draw_rows(rows, recipe, step, rng), starts, share, rng)
    loss = model(input_ids=torch.from_numpy(masked), labels=torch.from_numpy(labels)).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optim in optims:
        optim.step()
        optim.zero_grad()
    return float(loss.detach())


def _save_checkpoint(
    model: torch.nn.Module, optims: list[torch.optim.Optimizer], step: int, folder: Path
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: p.detach().clone() for name, p in model.named_parameters()}
    for at, optim in enumerate(optims):
        for key, state in optim.state_dict()["state"].items():
            tensors |= {f"optim.{at}.{key}.{name}": value for name, value in state.items()}
    partial = folder / "state.part"
    save_file(tensors, partial, metadata={"step": str(step)})
    partial.rename(folder / "state.safetensors")


def _load_checkpoint(
    model: torch.nn.Module, optims: list[torch.optim.Optimizer], folder: Path
) -> int:
    if not (folder / "state.safetensors").exists():
        return 0
    tensors = load_file(folder / "state.safetensors")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[name])
    for at, optim in enumerate(optims):
        states: dict[int, dict[str, torch.Tensor]] = {}
        for full, value in tensors.items():
            if full.startswith(f"optim.{at}."):
                key, name = full.split(".", 3)[2:]
                states.setdefault(int(key), {})[name] = value
        optim.load_state_dict({**optim.state_dict(), "state": states})
    with safe_open(folder / "state.safetensors", "pt") as opened:
        return int(opened.metadata()["step"])


def _save(
    model: ModernBertForMaskedLM,
    tokenizer: Tokenizer,
    recipe: PretrainRecipe,
    out: Path,
    loss: float,
) -> Path:
    model.save_pretrained(out)
    tokenizer.save(str(out / "tokenizer.json"))
    names = ("config.json", "model.safetensors", "tokenizer.json")
    manifest = {
        "name": "manifiesta-encoder",
        "licence": "Apache-2.0",
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "final_loss": loss,
        "files": {name: file_sha256(out / name) for name in names},
    }
    (out / "manifest.json").write_text(
        json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return out
