"""Stage two: three heads over the pretrained encoder, calibrated on the dev sets."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import ModernBertConfig

from models.errors import ModelError
from nlp.checksum import file_sha256
from nlp.encoder import ManifestationModel
from nlp.tasks import TASKS
from nlp.training.batches import by_length, encode_cut, pad
from nlp.training.calibrate import calibrate
from nlp.training.device import autocast, training_device
from nlp.training.examples import (
    CORRECTIONS,
    EMOJI_TASK,
    GOLD,
    Examples,
    augment,
    balance,
    emoji_labels,
    join,
    load_dev,
    load_sets,
    smooth,
)
from nlp.training.journal import Journal, ProgressStep, progress_bar
from nlp.training.publish import publish
from nlp.training.recipes import FinetuneRecipe, Stage
from nlp.training.vocabulary import load_tokenizer
from nlp.training.wide import fit_lexicon

_CORRECTION_ROUNDS = 3  # how often each stage reads each correction
_TASK_WEIGHT = {"category": 1.0, "sentiment": 1.0, "intent": 1.0, EMOJI_TASK: 0.5}


class Learner(nn.Module):
    """The model with the auxiliary head that only training uses (the removed emoji)."""

    def __init__(self, model: ManifestationModel, emojis: int) -> None:
        """Put a linear emoji head of `emojis` outputs beside the three heads."""
        super().__init__()
        self.inner = model
        self.emoji = nn.Linear(model.config.hidden_size, max(emojis, 1))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the logits (texts, labels) of each task, the emoji among them."""
        pooled = self.inner.drop(self.inner.pool(ids, mask))
        logits = {task: self.inner.heads[task](pooled) for task in TASKS}
        return {**logits, EMOJI_TASK: self.emoji(pooled)}


def finetune(
    data: Path,
    encoder: Path,
    out: Path,
    recipe: FinetuneRecipe,
    resume: bool = False,
    corrections: Path | None = None,
) -> Path:
    """Train the heads and the encoder on the labelled sets under `data`; return `out`.

    `out` receives config.json, model.safetensors (half precision), tokenizer.json and
    manifest.json with calibration and dev scores; `out/../finetune.jsonl` the loss curve. With
    `resume`, what an earlier run from the same recipe, encoder and texts finished in
    `out/../work` is not run again.
    `corrections` names a file of labels that people gave: every stage reads each three times.
    Raises ModelError where the encoder or the labelled texts are missing.
    """
    if not (encoder / "model.safetensors").exists():
        raise ModelError(f"no encoder in {encoder}: run the pretraining first, or name its folder")
    journal = Journal(out.parent / "finetune.jsonl")
    tokenizer = load_tokenizer(encoder)
    emojis = emoji_labels(data)
    loaded = load_sets(data, emojis, corrections)
    sets = {name: balance(found, recipe.balance) for name, found in loaded.items()}
    torch.manual_seed(recipe.seed)
    learner = Learner(_load(encoder, recipe), len(emojis)).to(training_device())
    run = _Run(learner, tokenizer, sets, recipe, journal)
    work = out.parent / "work" / _fingerprint(recipe, encoder, sets)
    for number in range(len(recipe.stages)):
        _run_copies(run, number, work, resume)
    model = learner.inner.cpu()
    model.train(False)
    started = time.monotonic()
    gold = join([sets[name] for name in (*GOLD, "sentiment", CORRECTIONS) if name in sets])
    lexicon = fit_lexicon(gold, recipe.lexicon_strength, recipe.lexicon_steps, recipe.seed)
    journal.write(stage="lexicon", seconds=round(time.monotonic() - started, 1))
    calibration = calibrate(model, tokenizer, lexicon, load_dev(data), recipe)
    return publish(model, tokenizer, lexicon, out, recipe, calibration, sorted(sets))


def _fingerprint(recipe: FinetuneRecipe, encoder: Path, sets: Mapping[str, Examples]) -> str:
    """Return twelve hexadecimal digits that change with whatever the training starts from."""
    digest = sha256(json.dumps(asdict(recipe), sort_keys=True).encode())
    digest.update(file_sha256(encoder / "model.safetensors").encode())
    for name, found in sorted(sets.items()):
        digest.update(name.encode())
        for text in found.texts:
            digest.update(text.encode() + b"\0")
        for task in sorted(found.targets):
            digest.update(found.targets[task].tobytes() + found.weights[task].tobytes())
    return digest.hexdigest()[:12]


def _load(encoder: Path, recipe: FinetuneRecipe) -> ManifestationModel:
    config = ModernBertConfig.from_pretrained(encoder, local_files_only=True)
    config.embedding_dropout = config.mlp_dropout = recipe.dropout
    config.classifier_dropout = recipe.dropout
    model = ManifestationModel.from_pretrained(
        encoder, config=config, local_files_only=True, use_safetensors=True
    )
    return model


def draw(
    sets: Mapping[str, Examples], draws: Mapping[str, int], rng: np.random.Generator
) -> Examples:
    """Draw the given number of texts of each set; a set is used up before it repeats.

    Sets that are absent are left out.
    """
    parts = []
    for name, count in draws.items():
        if name in sets and count:
            size = len(sets[name])
            rounds = [rng.permutation(size) for _ in range(-(-count // size))]
            parts.append(sets[name].take(np.concatenate(rounds)[:count]))
    return join(parts)


@dataclass(frozen=True, slots=True)
class _Run:
    """What every stage of one fine-tuning needs."""

    learner: Learner
    tokenizer: Tokenizer
    sets: Mapping[str, Examples]
    recipe: FinetuneRecipe
    journal: Journal


def _run_copies(run: _Run, number: int, work: Path, resume: bool) -> None:
    """Run a stage as often as it says, each time from the same start; average the weights."""
    stage = run.recipe.stages[number]
    start = {name: tensor.clone() for name, tensor in run.learner.state_dict().items()}
    ends = []
    work.mkdir(parents=True, exist_ok=True)
    for copy in range(stage.copies):
        finished = work / f"{number}-{stage.name}-{copy}.safetensors"
        if not (resume and finished.exists()):
            started = time.monotonic()
            run.learner.load_state_dict(start)
            _run_stage(run, stage, [run.recipe.seed, number, copy])
            ended = {name: tensor.cpu() for name, tensor in run.learner.state_dict().items()}
            save_file(ended, finished)
            seconds = round(time.monotonic() - started, 1)
            run.journal.write(stage=stage.name, copy=copy, seconds=seconds)
        ends.append(load_file(finished))
    run.learner.load_state_dict(
        {name: torch.stack([end[name] for end in ends]).mean(0) for name in start}
    )


def _run_stage(run: _Run, stage: Stage, seed: list[int]) -> None:
    learner, tokenizer, recipe, journal = run.learner, run.tokenizer, run.recipe, run.journal
    rng = np.random.default_rng(seed)
    torch.manual_seed(int(rng.integers(1 << 31)))
    corrected = _CORRECTION_ROUNDS * len(run.sets.get(CORRECTIONS, ()))
    drawn = draw(run.sets, {**stage.draws, CORRECTIONS: corrected}, rng)
    ids = encode_cut(tokenizer, augment(drawn.texts, recipe.augment, rng), recipe.max_tokens)
    batches = by_length([len(one) for one in ids], recipe.tokens_per_batch, rng)
    optim = _optimizer(learner, recipe, stage.learning_rate)
    base = [group["lr"] for group in optim.param_groups]
    mean = _Average(learner)
    learner.train()
    with progress_bar(stage.name, len(batches)) as bar:
        for step, rows in enumerate(batches):
            factor = _rate(step, len(batches))
            for group, rate in zip(optim.param_groups, base, strict=True):
                group["lr"] = rate * factor
            loss = _step(learner, optim, ids, drawn, rows, recipe)
            _report(journal, bar, stage.name, step, loss)
            if step >= len(batches) * (1 - recipe.averaged) and step % 5 == 0:
                mean.add()
    mean.apply()


def _report(journal: Journal, bar: ProgressStep, stage: str, step: int, loss: float) -> None:
    journal.write(stage=stage, step=step, loss=round(loss, 4))
    bar.advance(f"loss {loss:.3f}")


def _step(
    learner: Learner,
    optim: torch.optim.Optimizer,
    ids: Sequence[Sequence[int]],
    drawn: Examples,
    rows: npt.NDArray[np.int64],
    recipe: FinetuneRecipe,
) -> float:
    tokens, mask = pad([ids[row] for row in rows])
    device = learner.inner.device
    with autocast(device):
        logits = learner(tokens.to(device), mask.to(device))
    loss = multi_task_loss(logits, drawn.take(rows), recipe.label_smoothing)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
    optim.step()
    optim.zero_grad()
    return float(loss.detach())


def multi_task_loss(
    logits: Mapping[str, torch.Tensor], batch: Examples, smoothing: float
) -> torch.Tensor:
    """Return the weighted cross-entropy of the tasks, a scalar; unlabelled tasks add nothing."""
    total = torch.zeros((), device=next(iter(logits.values())).device)
    for task, found in logits.items():
        weight = torch.from_numpy(batch.weights[task]).to(total.device)
        if not bool((weight > 0).any()):
            continue
        target = torch.from_numpy(smooth(batch.targets[task], smoothing)).to(total.device)
        losses = -(target * found.float().log_softmax(-1)).sum(-1)
        total = total + _TASK_WEIGHT[task] * (losses * weight).sum() / len(weight)
    return total


def _rate(step: int, steps: int) -> float:
    warm = max(1, steps // 20)
    return (step + 1) / warm if step < warm else max(0.02, (steps - step) / (steps - warm))


def _optimizer(learner: Learner, recipe: FinetuneRecipe, rate: float) -> torch.optim.Optimizer:
    """AdamW with a lower rate for lower layers: `layer_decay` to the distance from the top."""
    layers = int(learner.inner.config.num_hidden_layers)
    groups = []
    for name, parameter in learner.named_parameters():
        depth = layers
        if "embeddings" in name:
            depth = 0
        elif ".layers." in name:
            depth = 1 + int(name.split(".layers.")[1].split(".")[0])
        is_head = "heads." in name or name.startswith("emoji.")
        factor = recipe.head_factor if is_head else recipe.layer_decay ** (layers - depth)
        decay = recipe.weight_decay if parameter.ndim == 2 and depth else 0.0
        groups.append({"params": [parameter], "lr": rate * factor, "weight_decay": decay})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


class _Average:
    """The running mean of the weights over the last steps of a stage."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._count = 0
        self._mean: list[torch.Tensor] = []

    def add(self) -> None:
        """Take the current weights into the mean."""
        now = [parameter.detach() for parameter in self._learner.parameters()]
        self._count += 1
        if not self._mean:
            self._mean = [value.clone() for value in now]
            return
        for held, value in zip(self._mean, now, strict=True):
            held.add_((value - held) / self._count)

    def apply(self) -> None:
        """Put the mean into the model."""
        with torch.no_grad():
            for parameter, held in zip(self._learner.parameters(), self._mean, strict=False):
                parameter.copy_(held)
