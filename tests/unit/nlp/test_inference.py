"""The plain forward pass gives what the transformers classes give."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import ModelError
from nlp.encoder import ManifestationModel
from nlp.inference import Engine, batches
from nlp.manifest import SHIPPED
from nlp.tasks import TASKS


def random_windows(most: int) -> list[list[int]]:
    """Token ids of 40 windows of 1 to 128 tokens, in no order of length."""
    rng = np.random.default_rng(0)
    return [rng.integers(7, most, size).tolist() for size in rng.integers(1, 128, 40)]


@pytest.mark.parametrize(("rounded", "apart"), [(False, 1e-4), (True, 0.2)])
@pytest.mark.parametrize("which", ["toy", "shipped"])
def test_the_engine_equals_the_transformers_model(
    which: str, rounded: bool, apart: float, weights: Path
) -> None:
    folder = weights if which == "toy" else SHIPPED
    model = ManifestationModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    model.train(False)
    windows = random_windows(model.config.vocab_size)
    engine = Engine.load(folder, rounded=rounded)
    found = engine.logits(engine.pooled(windows))
    for at, window in enumerate(windows):
        ids = torch.tensor([window])
        with torch.inference_mode():
            wanted = model(ids, torch.ones_like(ids))
        for task in TASKS:
            assert found[task][at] == pytest.approx(getattr(wanted, task)[0].numpy(), abs=apart)


def test_windows_are_answered_alike_alone_and_among_others() -> None:
    windows = random_windows(16_000)
    engine = Engine.load(SHIPPED, rounded=False)
    together = engine.pooled(windows)
    for at in (0, 17, 39):
        assert engine.pooled([windows[at]])[0] == pytest.approx(together[at], abs=1e-5)


def test_no_windows_give_no_vectors(weights: Path) -> None:
    engine = Engine.load(weights)
    assert engine.pooled([]).shape == (0, engine.width)


def test_several_threads_may_ask_at_once(weights: Path) -> None:
    windows = random_windows(500)
    engine = Engine.load(weights)
    wanted = engine.pooled(windows)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(engine.pooled, [windows] * 8):
            assert found == pytest.approx(wanted, abs=1e-3)


def test_answering_imports_neither_torch_nor_what_calls_home() -> None:
    code = (
        "import sys; from nlp.classifier import Classifier; "
        "found = Classifier.load().classify(['hola']); "
        "heavy = 'torch', 'transformers', 'scipy', 'openvino.tools.ovc', 'openvino_telemetry'; "
        "print([name for name in heavy if sys.modules.get(name)], len(found))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "1"]


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


def test_batches_hold_every_window_longest_first() -> None:
    groups = batches([[1] * size for size in (5, 100, 3, 1_024, 50)])
    assert [list(group) for group in groups] == [[3], [1, 4, 0, 2]]
