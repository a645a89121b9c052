"""Calibrate finished weights anew, on dev texts that no training set holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch

from nlp.clean import clean
from nlp.encoder import ManifestationModel
from nlp.lexicon import Lexicon
from nlp.manifest import check_files, read_manifest
from nlp.training.calibrate import calibrate
from nlp.training.examples import load_dev, training_texts
from nlp.training.recipes import FinetuneRecipe
from nlp.training.vocabulary import load_tokenizer


def recalibrate(data: Path, folder: Path, version: str, recipe: FinetuneRecipe) -> Path:
    """Fit temperatures, mixture, threshold, confusion counts and scores again; return `folder`.

    Only the manifest changes. `version` must be new, because the answers change. Raises
    ModelError where the weights are damaged.
    """
    check_files(folder, read_manifest(folder))
    model = ManifestationModel.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    model.train(False)
    trained = training_texts(data)
    dev = {
        name: [row for row in rows if clean(row["text"]) not in trained]
        for name, rows in load_dev(data).items()
    }
    found = calibrate(model, load_tokenizer(folder), Lexicon.load(folder), dev, recipe)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    left_out = {name: len(rows) - len(dev[name]) for name, rows in load_dev(data).items()}
    notes = [
        f"Dev texts that a training set also holds were left out of calibration and scores: "
        f"{', '.join(f'{n} of {name}' for name, n in left_out.items() if n)}."
    ]
    manifest |= asdict(found) | {"version": version, "notes": notes}
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder
