"""Checkpoints of a training: weights and optimizer, in parts small enough to be carried."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load, save

from models.errors import ModelError
from nlp.checksum import file_sha256

PART_BYTES = 15 * 1024 * 1024
_NAME = "checkpoint-"
_INDEX = "checkpoint.json"
_TEMPORARY = ".part"


def save_checkpoint(
    model: torch.nn.Module, optims: Sequence[torch.optim.Optimizer], step: int, folder: Path
) -> None:
    """Write the state after `step` steps under `folder`, and remove the state before it.

    The bytes of one safetensors file are cut into parts of at most 15 MiB. A checkpoint counts
    once it has its index, which comes last: a kill leaves the earlier one in use.
    """
    target = folder / f"{_NAME}{step:08d}"
    partial = target.with_suffix(_TEMPORARY)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    state = save(_tensors(model, optims))
    names: list[str] = []
    for at in range(0, len(state), PART_BYTES):
        names.append(f"state.{len(names):03d}")
        (partial / names[-1]).write_bytes(state[at : at + PART_BYTES])
    index = {"step": step, "parts": {name: file_sha256(partial / name) for name in names}}
    (partial / _INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    for old in _checkpoints(folder):
        if old != target:
            shutil.rmtree(old)


def load_checkpoint(
    model: torch.nn.Module, optims: Sequence[torch.optim.Optimizer], folder: Path
) -> int:
    """Put the newest checkpoint under `folder` into model and optimizers; return its step.

    Returns 0, changing nothing, where there is none. Raises ModelError where a part is missing
    or damaged.
    """
    found = _checkpoints(folder)
    if not found:
        return 0
    newest = found[-1]
    index = json.loads((newest / _INDEX).read_text(encoding="utf-8"))
    for name, sha256 in index["parts"].items():
        if not (newest / name).exists() or file_sha256(newest / name) != sha256:
            raise ModelError(
                f"{newest / name} is missing or damaged: copy the checkpoint again, or delete "
                f"{newest} to begin anew"
            )
    tensors = load(b"".join((newest / name).read_bytes() for name in index["parts"]))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[name])
    for at, optim in enumerate(optims):
        optim.load_state_dict({**optim.state_dict(), "state": _optimizer_state(tensors, at)})
    return int(index["step"])


def _checkpoints(folder: Path) -> list[Path]:
    whole = folder.glob(f"{_NAME}*/{_INDEX}")
    return sorted(path.parent for path in whole if path.parent.suffix != _TEMPORARY)


def _tensors(
    model: torch.nn.Module, optims: Sequence[torch.optim.Optimizer]
) -> dict[str, torch.Tensor]:
    tensors = {name: p.detach().cpu().clone() for name, p in model.named_parameters()}
    for at, optim in enumerate(optims):
        for key, state in optim.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optim.{at}.{key}.{name}"] = value.detach().cpu().clone()
    return tensors


def _optimizer_state(
    tensors: dict[str, torch.Tensor], number: int
) -> dict[int, dict[str, torch.Tensor]]:
    states: dict[int, dict[str, torch.Tensor]] = {}
    for full, value in tensors.items():
        if full.startswith(f"optim.{number}."):
            key, name = full.split(".", 3)[2:]
            states.setdefault(int(key), {})[name] = value
    return states
