"""Write a folder of weights that `nlp.classifier` can load, with its manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tokenizers import Tokenizer

from nlp.checksum import file_sha256
from nlp.encoder import ManifestationModel
from nlp.lexicon import FILE as LEXICON
from nlp.lexicon import Lexicon
from nlp.tasks import TASKS
from nlp.training.calibrate import Calibration
from nlp.training.recipes import FinetuneRecipe

FILES = ("config.json", "model.safetensors", "tokenizer.json", LEXICON)


def publish(
    model: ManifestationModel,
    tokenizer: Tokenizer,
    lexicon: Lexicon,
    out: Path,
    recipe: FinetuneRecipe,
    calibration: Calibration,
    trained_on: Sequence[str],
) -> Path:
    """Save half-precision weights, tokenizer, configuration and manifest; return `out`."""
    out.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.half() for name, tensor in model.state_dict().items()}
    model.save_pretrained(out, state_dict=state)
    lexicon.save(out)
    tokenizer.save(str(out / "tokenizer.json"))
    for name in FILES:
        (out / name).chmod(0o644)
    manifest = {
        "name": "manifiesta",
        "version": recipe.version,
        "licence": "Apache-2.0",
        "trained_on": list(trained_on),
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "max_tokens": recipe.max_tokens,
        "labels": {task: list(labels) for task, labels in TASKS.items()},
        "files": {name: file_sha256(out / name) for name in FILES},
        **asdict(calibration),
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (out / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return out
