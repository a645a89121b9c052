"""The hashed n-grams and the linear scores."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import ModelError
from nlp.encoder import TASKS
from nlp.lexicon import BUCKETS, Lexicon, count_grams


def test_words_pairs_and_pieces_are_counted() -> None:
    words, pieces = count_grams(["no hay agua"])
    assert words.shape == (1, BUCKETS)
    assert words.nnz == 3 + 2
    assert pieces.nnz == sum(
        len(f" {word} ") - size + 1
        for word in ("no", "hay", "agua")
        for size in (2, 3, 4, 5)
        if len(word) + 2 >= size
    )


def test_a_text_is_counted_alike_alone_and_among_others() -> None:
    alone = count_grams(["no hay luz"])
    among = count_grams(["qué pasa 😡", "", "no hay luz", "ya"])
    for one, many in zip(alone, among, strict=True):
        assert abs(one - many[2]).max() == 0


def test_case_is_ignored_and_repetition_damped() -> None:
    one, two = count_grams(["Agua", "agua agua"])[0].toarray()
    assert set(np.flatnonzero(one)) < set(np.flatnonzero(two))
    assert two.max() == pytest.approx(1 + np.log(2))


def test_each_block_of_features_has_length_one() -> None:
    texts = ["no hay agua en la zona", "no hay luz en la zona", "no hay nada en la zona"]
    features = Lexicon.features(texts, Lexicon.rarity_of(texts)).toarray()
    for block in (features[:, :BUCKETS], features[:, BUCKETS:]):
        assert np.linalg.norm(block, axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def random_lexicon(rarity: np.ndarray) -> Lexicon:
    rng = np.random.default_rng(0)
    weights = {
        task: rng.normal(size=(2 * BUCKETS, len(labels))).astype(np.float32)
        for task, labels in TASKS.items()
    }
    biases = {
        task: rng.normal(size=len(labels)).astype(np.float32) for task, labels in TASKS.items()
    }
    return Lexicon(rarity, weights, biases)


def test_scores_are_the_features_times_the_weights() -> None:
    known = ["no hay agua en la zona", "NO hay luz en la zona 😡", "no hay nada"] * 100
    texts = [*known, "", "𓀀", "x", "agua " * 3_000, "palabras jamás vistas"]
    lexicon = random_lexicon(Lexicon.rarity_of(known))
    found = lexicon.scores(texts)
    features = Lexicon.features(texts, lexicon.rarity)
    for task in TASKS:
        wanted = features @ lexicon.weights[task] + lexicon.biases[task]
        assert found[task] == pytest.approx(wanted, abs=1e-4)


def test_no_texts_give_no_scores() -> None:
    assert {
        len(one) for one in random_lexicon(np.ones(2 * BUCKETS, np.float32)).scores([]).values()
    } == {0}


def test_tables_survive_a_round_trip(tmp_path: Path) -> None:
    lexicon = random_lexicon(np.ones(2 * BUCKETS, np.float32))
    lexicon.save(tmp_path)
    before, after = lexicon.scores(["no hay agua"]), Lexicon.load(tmp_path).scores(["no hay agua"])
    for task in TASKS:
        assert after[task] == pytest.approx(before[task], abs=0.01)


def test_a_damaged_table_is_explained(tmp_path: Path) -> None:
    (tmp_path / "lexicon.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot read"):
        Lexicon.load(tmp_path)
