"""The plain forward pass gives what the transformers classes give."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from models.errors import ModelError
from nlp.encoder import ManifestationModel
from nlp.inference import Engine
from nlp.manifest import SHIPPED
from nlp.tasks import TASKS


@pytest.mark.parametrize("which", ["toy", "shipped"])
def test_the_engine_equals_the_transformers_model(which: str, weights: Path) -> None:
    folder = weights if which == "toy" else SHIPPED
    model = ManifestationModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    model.train(False)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(7, model.config.vocab_size, (5, 23), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 9:], mask[2, 1:] = 0, 0
    with torch.inference_mode():
        wanted = model(ids * mask, mask)
    for batch in (slice(0, 5), slice(0, 1)):
        found = Engine.load(folder)(ids[batch] * mask[batch], mask[batch])
        for task in TASKS:
            torch.testing.assert_close(found[task], getattr(wanted, task)[batch], atol=1e-4, rtol=0)


def test_an_encoder_of_another_kind_is_refused(weights: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(weights, tmp_path / "copy"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(
        json.dumps({**config, "layer_types": ["sliding_attention"]}), encoding="utf-8"
    )
    with pytest.raises(ModelError, match="full attention"):
        Engine.load(folder)


def test_damaged_weights_are_explained(weights: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(weights, tmp_path / "copy"))
    (folder / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot load the model"):
        Engine.load(folder)
