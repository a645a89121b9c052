"""The texts that ship: well formed, well labelled, ours alone; and the strict reading of them."""

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from configs.schema import SHIPPED
from crawlers.sandbox.texts import TEXTS, load_texts
from models.errors import InputError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS

TRAINING = ("civic", "civic_peru", "sentiment")
POST = {
    "id": "x-1",
    "author": "Ana",
    "text": "Hola",
    "category": "other",
    "second": None,
    "sentiment": "neutral",
    "intent": "other",
    "zone": None,
    "place": "muro",
}
COMMENT = {key: value for key, value in POST.items() if key != "place"} | {"parent": None}
THREAD = {key: value for key, value in POST.items() if key not in {"place", "text"}} | {
    "outlet": "radio",
    "title": "Título",
    "paragraphs": ["Uno."],
    "comments": [],
}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _said() -> list[str]:
    texts = load_texts()
    said = [post.text for post in texts.posts]
    for thread in texts.threads:
        said += [" ".join(thread.paragraphs), f"{thread.title}. {' '.join(thread.paragraphs)}"]
        said += [comment.text for comment in thread.comments]
    said += [line.text for line in texts.noise]
    return [_plain(text) for text in said]


def _training_texts(root: Path) -> Iterator[str]:
    for path in (path for name in TRAINING for path in sorted((root / name).glob("*.jsonl*"))):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for line in lines:
                if line.strip():
                    yield _plain(json.loads(line)["text"])


def test_well_over_a_thousand_texts_cover_every_label():
    labelled = list(load_texts().labelled)
    assert len(labelled) >= 1_200
    assert {text.category for text in labelled} == set(CATEGORIES)
    assert {text.sentiment for text in labelled} == set(SENTIMENTS)
    assert {text.intent for text in labelled} == set(INTENTS)


def test_zones_are_those_of_the_configuration():
    data = yaml.safe_load((SHIPPED / "municipalities" / "sandbox.yml").read_text("utf-8"))
    zones = {zone["code"] for zone in data["zones"]}
    assert {text.zone for text in load_texts().labelled} - {None} == zones


def test_noise_is_short_of_labels_and_of_every_kind():
    noise = load_texts().noise
    assert {line.noise for line in noise} == {"spam", "language", "greeting", "bump"}
    assert {line.category for line in noise} == {"other"}


def test_no_text_occurs_twice():
    repeated = [text for text, count in Counter(_said()).items() if count > 1]
    assert repeated == []


def test_no_text_occurs_in_the_training_data():
    root = os.environ.get("MANIFIESTA_DATA")
    if not root or not Path(root, "civic_peru", "train.jsonl").is_file():
        pytest.skip("set MANIFIESTA_DATA to a folder with civic_peru/train.jsonl")
    ours = set(_said())
    shared = [text for text in _training_texts(Path(root)) if text in ours]
    assert shared == []


def _write(folder: Path, name: str, *rows: object) -> Path:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_good_lines_are_read(tmp_path: Path):
    _write(tmp_path, "posts_a.jsonl", POST, "", POST | {"id": "x-2"})
    _write(tmp_path, "threads_a.jsonl", THREAD | {"id": "x-t", "comments": [COMMENT | {"id": "c"}]})
    texts = load_texts(tmp_path)
    assert [text.id for text in texts.labelled] == ["x-1", "x-2", "x-t", "c"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "line"),
        (POST | {"mood": "bad"}, "mood"),
        (POST | {"category": "traffic"}, "«traffic» is not one of"),
        (POST | {"second": "other"}, "repeats the first"),
        (POST | {"sentiment": "mixed"}, "sentiment"),
        (POST | {"intent": "rant"}, "intent"),
        (POST | {"place": "plaza"}, "place"),
        (POST | {"text": "  "}, "text"),
        (POST | {"text": "a\x00b"}, "control character"),
        (POST | {"id": "x 1"}, "id"),
        ({"id": "x-1"}, "author"),
        (POST | {"noise": "ads"}, "noise"),
    ],
)
def test_a_bad_post_is_named_by_file_and_line(tmp_path: Path, bad: object, said: str):
    _write(tmp_path, "posts_a.jsonl", POST | {"id": "ok"}, bad)
    with pytest.raises(InputError, match=r"posts_a\.jsonl:2: ") as caught:
        load_texts(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (THREAD | {"paragraphs": []}, "paragraphs"),
        (THREAD | {"outlet": "tv"}, "outlet"),
        (THREAD | {"comments": [COMMENT | {"parent": "later"}]}, "not yet said"),
        (THREAD | {"comments": [COMMENT, COMMENT]}, "twice"),
        (THREAD | {"comments": [COMMENT]}, "already used"),
    ],
)
def test_a_bad_thread_is_named_by_file_and_line(tmp_path: Path, bad: object, said: str):
    _write(tmp_path, "threads_a.jsonl", bad)
    with pytest.raises(InputError, match=r"threads_a\.jsonl:1: ") as caught:
        load_texts(tmp_path)
    assert said in str(caught.value)


def test_a_repeated_id_and_an_empty_folder_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no texts"):
        load_texts(tmp_path)
    _write(tmp_path, "posts_a.jsonl", POST)
    _write(tmp_path, "posts_b.jsonl", POST)
    with pytest.raises(InputError, match=r"posts_b\.jsonl:1: the id x-1 is already used"):
        load_texts(tmp_path)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path):
    (tmp_path / "posts_a.jsonl").write_bytes("ñandú".encode("latin-1"))
    with pytest.raises(InputError, match=r"posts_a\.jsonl: not UTF-8"):
        load_texts(tmp_path)


def test_the_texts_ship_beside_the_code():
    assert {path.suffix for path in TEXTS.iterdir()} == {".jsonl"}
