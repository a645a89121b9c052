"""Calibrating finished weights anew."""

import json
import shutil
from pathlib import Path

from configs.model import ModelSpec
from nlp.classifier import Classifier
from nlp.manifest import SHIPPED
from nlp.training.recalibrate import recalibrate
from nlp.training.recipes import FINETUNE


def write(path: Path, *rows: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_dev_texts_that_were_trained_on_do_not_count(tmp_path: Path) -> None:
    labels = {"category": "waste", "sentiment": "negative", "intent": "complaint"}
    seen = {"id": "1", "text": "La basura sigue en la esquina de siempre", **labels}
    fresh = {"id": "2", "text": "Nadie barre el parque desde el lunes", **labels}
    write(tmp_path / "data" / "civic" / "train.jsonl", seen)
    write(tmp_path / "data" / "civic" / "dev.jsonl", seen, fresh)
    folder = shutil.copytree(SHIPPED, tmp_path / "model")

    recalibrate(tmp_path / "data", folder, "9.9.9", FINETUNE["tiny"])

    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["scores"]["civic"]["category"]["n"] == 1
    assert sum(map(sum, manifest["confusion"]["category"])) == 1
    classifier = Classifier.load(ModelSpec(path=folder))
    assert classifier.model_version == "manifiesta-9.9.9"
