"""Stage one: tokenizer, word vectors, and masked-language-model pretraining of the encoder."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import ModernBertConfig, ModernBertForMaskedLM

from models.errors import ModelError
from nlp.checksum import file_sha256
from nlp.encoder import encoder_config
from nlp.training.checkpoint import load_checkpoint, save_checkpoint
from nlp.training.corpus import Tokens
from nlp.training.device import autocast, training_device
from nlp.training.journal import Journal, progress_bar
from nlp.training.packs import is_pack, read_pack
from nlp.training.prepared import Prepared, prepare
from nlp.training.recipes import PretrainRecipe
from nlp.training.vocabulary import MASK_ID, SPECIAL, load_tokenizer

IGNORED = -100
_VECTOR_SCALE = 0.05


def pretrain(
    data: Path,
    out: Path,
    recipe: PretrainRecipe,
    resume: bool,
    minutes: float = math.inf,
    weights: Path | None = None,
) -> Path | None:
    """Train the encoder on `data/lm/*.txt.xz`, or on a pack of it; return the encoder's folder.

    `out/encoder` receives config.json, model.safetensors, tokenizer.json and manifest.json;
    `out/work` what can be made again; `out/pretrain.jsonl` the loss curve. With `resume`, work
    that is already there is used, and training goes on from the last checkpoint; without it,
    everything is made anew. After `minutes` of training it saves a checkpoint and returns None:
    the same call goes on from there. `weights` names a folder of weights, finished ones or an
    encoder, whose encoder and tokenizer are the start instead of random numbers; the recipe must
    have its sizes. Where a CUDA device is at hand it is used, in bfloat16.
    Raises ModelError where `data` holds no text, a checkpoint or a pack is damaged, or `weights`
    has other sizes than the recipe.
    """
    if not resume:
        shutil.rmtree(out / "work", ignore_errors=True)
    start = read_pack(data) if is_pack(data) else prepare(data, out, recipe, weights)
    model = _new_model(recipe, start) if weights is None else _continued(recipe, start, weights)
    journal = Journal(out / "pretrain.jsonl")
    began = time.monotonic()
    loss = _train(model, start, recipe, out / "work", journal, began + minutes * 60)
    journal.write(stage="masked-lm", seconds=round(time.monotonic() - began, 1))
    return None if loss is None else _save(model, start.tokenizer, recipe, out / "encoder", loss)


def _new_model(recipe: PretrainRecipe, start: Prepared) -> ModernBertForMaskedLM:
    torch.manual_seed(recipe.seed)
    config = encoder_config(
        start.tokenizer.get_vocab_size(),
        recipe.layers,
        recipe.width,
        recipe.heads,
        recipe.feed_forward,
    )
    model = ModernBertForMaskedLM(config)
    if start.vectors is not None:
        first = torch.from_numpy(start.vectors * _VECTOR_SCALE)
        with torch.no_grad():
            model.model.embeddings.tok_embeddings.weight.copy_(first)
    torch.nn.Module.to(model, training_device())
    return model


def _continued(recipe: PretrainRecipe, start: Prepared, weights: Path) -> ModernBertForMaskedLM:
    """Return the encoder of `weights` with a new head for the masked words."""
    torch.manual_seed(recipe.seed)
    if start.tokenizer.get_vocab() != load_tokenizer(weights).get_vocab():
        raise ModelError(
            f"the pack was made with another tokenizer than that of {weights}: "
            "pretrain from the data itself, or without --from"
        )
    config = ModernBertConfig.from_pretrained(weights, local_files_only=True)
    sizes, wanted = (config.num_hidden_layers, config.hidden_size), (recipe.layers, recipe.width)
    if sizes != wanted:
        raise ModelError(
            f"{weights} has {sizes[0]} layers of {sizes[1]}, the recipe «{recipe.name}» "
            f"{wanted[0]} of {wanted[1]}: name weights of that recipe, or train without --from"
        )
    config.embedding_dropout = config.mlp_dropout = 0.0
    model: ModernBertForMaskedLM = ModernBertForMaskedLM.from_pretrained(
        weights, config=config, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    torch.nn.Module.to(model, training_device())
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
    start: Prepared,
    recipe: PretrainRecipe,
    work: Path,
    journal: Journal,
    deadline: float,
) -> float | None:
    """Take the steps that are left; return the mean loss, or None where time ran out before."""
    optims = optimizers(model, recipe)
    base = [group["lr"] for optim in optims for group in optim.param_groups]
    begin = load_checkpoint(model, optims, work)
    starts = word_starts(start.tokenizer)
    model.train()
    mean = float("nan")
    with progress_bar("masked language model", recipe.steps, begin) as bar:
        for step in range(begin, recipe.steps):
            groups = [group for optim in optims for group in optim.param_groups]
            for group, rate in zip(groups, base, strict=True):
                group["lr"] = rate * rate_at(step, recipe)
            loss = _step(model, optims, start.rows, starts, recipe, step)
            mean = loss if math.isnan(mean) else 0.98 * mean + 0.02 * loss
            journal.write(step=step, loss=round(loss, 4))
            bar.advance(f"loss {mean:.3f}")
            late = time.monotonic() > deadline and step + 1 < recipe.steps
            if late or (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
                save_checkpoint(model, optims, step + 1, work)
            if late:
                return None
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
    device = model.device
    with autocast(device):
        loss = model(
            input_ids=torch.from_numpy(masked).to(device),
            labels=torch.from_numpy(labels).to(device),
        ).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optim in optims:
        optim.step()
        optim.zero_grad()
    return float(loss.detach())


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
