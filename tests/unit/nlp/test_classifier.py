"""The classifier over a toy model: order, duplicates, windows, the Hub path, damaged files."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from configs.model import HubModel, ModelSpec
from models.errors import ModelError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from nlp.classifier import Classifier, split_windows
from nlp.hub import HubHead

TEXTS = [
    "qué horror: no recogen la basura en Vitarte",
    "felicitaciones 👏: no hay agua en casa en la plaza",
    "desde el lunes: la pista tiene huecos en el mercado",
]


@pytest.fixture(scope="session")
def classifier(weights: Path) -> Classifier:
    return Classifier.load(ModelSpec(path=weights))


def test_a_trained_toy_model_knows_its_texts(classifier: Classifier) -> None:
    found = classifier.classify(TEXTS)
    assert [one.category for one in found] == ["waste", "water", "transport"]
    assert [one.sentiment for one in found] == ["negative", "positive", "neutral"]
    assert found[0].model_version == f"manifiesta-{classifier.manifest.version}"


def test_probabilities_are_distributions_over_our_labels(classifier: Classifier) -> None:
    (one,) = classifier.classify(TEXTS[:1])
    for chances, labels in (
        (one.categories, CATEGORIES),
        (one.sentiments, SENTIMENTS),
        (one.intents, INTENTS),
    ):
        assert tuple(chances) == labels
        assert sum(chances.values()) == pytest.approx(1)
    assert one.confidence == max(one.categories.values())
    assert one.abstained == (one.confidence < classifier.manifest.threshold)


def test_a_text_has_one_vector_whatever_stands_around_it(classifier: Classifier) -> None:
    texts = [f"{'muy ' * (n % 7)}{TEXTS[n % 3]} {n}" for n in range(40)] + ["", TEXTS[0] * 60]
    vectors = classifier.embed(texts)
    lengths = np.linalg.norm(vectors, axis=1)
    assert lengths[[*range(40), 41]] == pytest.approx(1)
    assert lengths[40] == 0  # nothing was said
    for row in (0, 13, 41):
        assert classifier.embed([texts[row]])[0] == pytest.approx(vectors[row], abs=5e-3)
    long = " ".join(f"Se fue el agua en la cuadra {number}." for number in range(400))
    start, whole, other = classifier.embed([long[:2000], long, f"{long} Y el alcalde no viene."])
    assert whole == pytest.approx(start, abs=5e-3)
    assert other == pytest.approx(start, abs=5e-3)
    short, cut = f"{TEXTS[0]} " * 2, long[: len(long) // 4]
    assert classifier.reads_whole(["", short, long, cut]).tolist() == [True, True, False, False]
    assert classifier.reads_whole([]).shape == (0,)
    assert classifier.embed(["", " "]).shape == (2, vectors.shape[1])
    assert classifier.embed([]).shape == (0, vectors.shape[1])


def test_order_is_kept_and_batching_changes_next_to_nothing(
    weights: Path, classifier: Classifier
) -> None:
    texts = [f"{'muy ' * (n % 7)}{TEXTS[n % 3]} {n}" for n in range(60)]
    together = classifier.classify(texts)
    for text, one in list(zip(texts, together, strict=True))[::13]:
        (alone,) = Classifier.load(ModelSpec(path=weights)).classify([text])
        assert dict(alone.categories) == pytest.approx(dict(one.categories), abs=1e-3)


@pytest.fixture
def counted(weights: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Classifier, list[int]]:
    """A new classifier, and how many texts each of its calls really reads."""
    seen: list[int] = []
    whole = Classifier._probabilities
    monkeypatch.setattr(
        Classifier,
        "_probabilities",
        lambda self, texts: (seen.append(len(texts)), whole(self, texts))[1],
    )
    return Classifier.load(ModelSpec(path=weights)), seen


def test_identical_texts_are_classified_once(counted: tuple[Classifier, list[int]]) -> None:
    classifier, seen = counted
    found = classifier.classify([TEXTS[0], TEXTS[1], TEXTS[0] + "  ", TEXTS[0]])
    again = classifier.classify([TEXTS[1], "", TEXTS[2]])
    assert classifier.classify(TEXTS) == [found[0], found[1], again[2]]
    assert seen == [2, 1]
    assert found[0] == found[2] == found[3]
    assert again[0] == found[1]


def test_only_the_last_answers_are_remembered(
    weights: Path, counted: tuple[Classifier, list[int]]
) -> None:
    classifier, seen = Classifier.load(ModelSpec(path=weights), remembered=2), counted[1]
    assert len({one.category for one in classifier.classify(TEXTS)}) == 3
    classifier.classify([TEXTS[2], TEXTS[1]])
    classifier.classify([TEXTS[0]])
    assert seen == [3, 1]


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "<br/>"])
def test_an_empty_text_is_abstained_with_even_chances(classifier: Classifier, text: str) -> None:
    (one,) = classifier.classify([text])
    assert one.abstained
    assert set(one.categories.values()) == {1 / 16}


def test_no_texts_give_no_answers(classifier: Classifier) -> None:
    assert classifier.classify([]) == []


def test_symbols_alone_are_answered(classifier: Classifier) -> None:
    assert len(classifier.classify(["😡", "𓀀", "?"])) == 3


def test_long_texts_are_read_to_the_end(classifier: Classifier) -> None:
    start = "desde el lunes informa la municipalidad "
    long = start * 30
    ended = long + "no recogen la basura en la calle " * 60
    before, after = classifier.classify([long, ended])
    assert after.categories["waste"] > before.categories["waste"]


def test_windows_cover_every_token_and_overlap() -> None:
    for size in (1, 50, 51, 99, 100, 333):
        parts = split_windows(list(range(size)), 50, 10)
        assert {token for part in parts for token in part} == set(range(size))
        assert all(len(part) <= 50 for part in parts)
        for one, other in itertools.pairwise(parts):
            assert one[-1] - other[0] + 1 >= 10


@pytest.fixture
def copied(weights: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(weights, tmp_path / "copy"))


@pytest.mark.parametrize("name", ["model.safetensors", "lexicon.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        Classifier.load(ModelSpec(path=copied))


def test_a_changed_file_is_named(copied: Path) -> None:
    with (copied / "tokenizer.json").open("a", encoding="utf-8") as out:
        out.write(" ")
    with pytest.raises(ModelError, match=r"tokenizer.json is damaged"):
        Classifier.load(ModelSpec(path=copied))


def test_a_folder_without_manifest_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no manifest.json in"):
        Classifier.load(ModelSpec(path=tmp_path))


def test_a_bad_manifest_is_explained(copied: Path) -> None:
    (copied / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="is no valid manifest"):
        Classifier.load(ModelSpec(path=copied))


def test_other_labels_are_refused(copied: Path) -> None:
    path = copied / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["labels"]["sentiment"] = ["bad", "good", "so-so"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="sentiment labels differ"):
        Classifier.load(ModelSpec(path=copied))


def save_bert(folder: Path, *labels: str) -> Path:
    """Save a tiny model of random weights that tells these labels."""
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "agua", "basura", "luz", "no", "hay"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast.from_pretrained(folder).save_pretrained(folder)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=40,
        id2label=dict(enumerate(labels)),
        label2id={label: at for at, label in enumerate(labels)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return save_bert(tmp_path / "bert", "NEG", "NEU", "POS")


@pytest.fixture
def nli(tmp_path: Path) -> Path:
    return save_bert(tmp_path / "nli", "CONTRADICTION", "NEUTRAL", "ENTAILMENT")


LABEL_MAP = {"NEG": "negative", "NEU": "neutral", "POS": "positive"}


def test_a_hub_model_replaces_one_head(weights: Path, bert: Path, classifier: Classifier) -> None:
    hub = HubModel(name=str(bert), labels=LABEL_MAP)
    mixed = Classifier.load(ModelSpec(path=weights, tasks={"sentiment": hub}))
    texts = ["no hay agua", "no hay luz " * 60, ""]
    found, own = mixed.classify(texts), classifier.classify(texts)
    for one, other in zip(found, own, strict=True):
        assert sum(one.sentiments.values()) == pytest.approx(1)
        assert dict(one.categories) == pytest.approx(dict(other.categories))
    assert found[0].model_version.startswith(f"{own[0].model_version}+sentiment=bert@")
    assert found[0].sentiments != own[0].sentiments


@pytest.mark.parametrize(
    "labels",
    [{"NEG": "negative"}, {**LABEL_MAP, "NEG": "angry"}, {**LABEL_MAP, "MIXED": "neutral"}],
)
def test_a_label_map_that_does_not_fit_is_explained(
    weights: Path, bert: Path, labels: dict[str, str]
) -> None:
    hub = HubModel(name=str(bert), labels=labels)
    with pytest.raises(ModelError, match="label map of the sentiment model"):
        Classifier.load(ModelSpec(path=weights, tasks={"sentiment": hub}))


def test_weights_that_are_no_safetensors_are_refused(weights: Path, bert: Path) -> None:
    (bert / "model.safetensors").rename(bert / "pytorch_model.bin")
    hub = HubModel(name=str(bert), labels=LABEL_MAP)
    with pytest.raises(ModelError, match="cannot load the sentiment model"):
        Classifier.load(ModelSpec(path=weights, tasks={"sentiment": hub}))


PHRASES = {"agua": "water", "basura": "waste", "luz": "energy", "no hay luz": "energy"}
HYPOTHESIS = "hay {}"


def test_a_model_of_inference_answers_by_phrases(weights: Path, nli: Path) -> None:
    hub = HubModel(name=str(nli), labels=PHRASES, hypothesis=HYPOTHESIS)
    head = HubHead.load("category", hub)
    short, long = "no hay agua", "no hay luz " * 60
    chances = head.probabilities([short, long, ""])
    assert chances.sum(1) == pytest.approx(np.ones(3))
    asked = [CATEGORIES.index(label) for label in ("water", "waste", "energy")]
    assert chances[:, asked].sum(1) == pytest.approx(np.ones(3))
    assert (chances[:, asked] > 0).all()

    tokenizer = BertTokenizerFast.from_pretrained(nli)
    model = BertForSequenceClassification.from_pretrained(nli).eval()
    pairs = tokenizer(
        [short] * 4, [f"hay {one}" for one in PHRASES], return_tensors="pt", padding=True
    )
    with torch.inference_mode():
        wanted = model(**pairs).logits[:, 2].softmax(0).numpy()
    assert chances[0, asked] == pytest.approx([wanted[0], wanted[1], wanted[2:].sum()], abs=1e-5)

    answers = Classifier.load(ModelSpec(path=weights, tasks={"category": hub})).classify([short])
    assert answers[0].categories["water"] == pytest.approx(chances[0, asked[0]], abs=1e-5)


def test_a_model_that_infers_nothing_takes_no_hypothesis(bert: Path) -> None:
    hub = HubModel(name=str(bert), labels={"agua": "positive"}, hypothesis=HYPOTHESIS)
    with pytest.raises(ModelError, match=r"infers nothing.*'NEG', 'NEU', 'POS'"):
        HubHead.load("sentiment", hub)


@pytest.mark.parametrize("hypothesis", ["", "sin hueco", "{} y {}", "{0}"])
def test_a_hypothesis_has_one_place_for_the_phrase(hypothesis: str) -> None:
    with pytest.raises(ValidationError):
        HubModel(name="x", labels=PHRASES, hypothesis=hypothesis)


def test_a_repository_needs_a_revision_and_is_not_asked_without() -> None:
    hub = HubModel(name="someone/sentimiento", labels=LABEL_MAP)
    with pytest.raises(ModelError, match=r"no folder here.*commit's hash in «revision»"):
        HubHead.load("sentiment", hub)


def test_code_that_a_model_brings_is_not_run(bert: Path) -> None:
    config = json.loads((bert / "config.json").read_text(encoding="utf-8"))
    config |= {
        "model_type": "strange",
        "auto_map": {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Model"},
    }
    (bert / "config.json").write_text(json.dumps(config), encoding="utf-8")
    trap = bert / "ran"
    (bert / "own.py").write_text(f"open({str(trap)!r}, 'w')", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot load the sentiment model"):
        HubHead.load("sentiment", HubModel(name=str(bert), labels=LABEL_MAP))
    assert not trap.exists()


def test_other_weights_in_a_folder_are_another_version(tmp_path: Path, bert: Path) -> None:
    hub = HubModel(name=str(bert), labels=LABEL_MAP)
    before = HubHead.load("sentiment", hub).version
    assert HubHead.load("sentiment", hub).version == before
    file = bert / "model.safetensors"
    tensors = load_file(file)
    save_file({name: one + 1 for name, one in tensors.items()}, file, {"format": "pt"})
    assert HubHead.load("sentiment", hub).version != before
