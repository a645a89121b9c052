"""Where training computes: a CUDA device in bfloat16 where there is one, else the processor."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch


def training_device() -> torch.device:
    """Return the CUDA device if this machine has one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device) -> AbstractContextManager[None]:
    """Compute in bfloat16 on CUDA; change nothing on the processor."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
