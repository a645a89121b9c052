"""A small data folder, and a model trained on it in seconds."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest
import torch

from nlp.training.finetune import finetune
from nlp.training.pretrain import pretrain
from nlp.training.recipes import FINETUNE, PRETRAIN

torch.set_num_threads(1)  # sums in another number of threads differ in their last bits

PHRASES: dict[str, tuple[str, ...]] = {
    "waste": (
        "no recogen la basura",
        "el camión de basura no pasa",
        "desmonte y basura en la calle",
    ),
    "water": ("no hay agua en casa", "cortaron el agua otra vez", "el desagüe está roto"),
    "transport": ("el bus cobra caro", "la pista tiene huecos", "mucho tráfico en la avenida"),
    "energy": ("no hay luz en el poste", "se fue la luz", "el alumbrado no funciona"),
}
TONES = {
    "negative": ("qué horror", "pésimo servicio", "ya no se puede vivir", "una vergüenza 😡"),
    "positive": ("gracias por arreglar", "muy buen trabajo", "felicitaciones 👏"),
    "neutral": ("según el comunicado", "informa la municipalidad", "desde el lunes"),
}
INTENTS = {"negative": "complaint", "positive": "praise", "neutral": "information"}


def labelled_rows() -> list[dict[str, Any]]:
    return [
        {
            "text": f"{tone}: {phrase} en {place}",
            "category": category,
            "second": None,
            "sentiment": sentiment,
            "intent": INTENTS[sentiment],
        }
        for place in ("Vitarte", "Huaycán", "el mercado", "la plaza")
        for category, phrases in PHRASES.items()
        for phrase in phrases
        for sentiment, tones in TONES.items()
        for tone in tones
    ]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    rows = labelled_rows()
    write_rows(data / "civic" / "train.jsonl", rows)
    held = [{**row, "text": f"{row['text']} hoy"} for row in rows[::5]]
    write_rows(data / "civic" / "dev.jsonl", held)
    sentiment = [{"text": row["text"], "label": row["sentiment"]} for row in rows[::3]]
    write_rows(data / "sentiment" / "train.jsonl", sentiment)
    (data / "lm").mkdir()
    with lzma.open(data / "lm" / "social.txt.xz", "wt", encoding="utf-8") as out:
        out.write("\n".join(row["text"] for row in rows * 2))
    return data


@pytest.fixture(scope="session")
def encoder(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pretrain(small_data, tmp_path_factory.mktemp("pretrain"), PRETRAIN["tiny"], resume=False)


@pytest.fixture(scope="session")
def weights(small_data: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finetune") / "weights"
    return finetune(small_data, encoder, out, FINETUNE["tiny"])
