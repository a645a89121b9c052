"""Two models on the same gold: what got worse, by more than chance, and where."""

import json

import numpy as np
import pytest

from models.errors import ModelError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Classification
from nlp.compare import compare, worse
from nlp.evaluate import GoldItem
from nlp.slices import length_class, slice_scores


def answer(sentiment: str) -> Classification:
    def sure(labels: tuple[str, ...], top: str) -> dict[str, float]:
        return {label: 1.0 if label == top else 0.0 for label in labels}

    return Classification(
        categories=sure(CATEGORIES, "waste"),
        sentiments=sure(SENTIMENTS, sentiment),
        intents=sure(INTENTS, "complaint"),
        abstained=False,
        model_version="m",
    )


def answers(*sentiments: str) -> list[Classification]:
    return [answer(one) for one in sentiments]


RIGHT = ["negative", "positive", "neutral"] * 40
GOLD = [GoldItem(sentiment=one) for one in RIGHT]


def test_the_same_answers_are_no_change() -> None:
    change = compare(GOLD, answers(*RIGHT), answers(*RIGHT))["sentiment"]
    assert (change.lost, change.won, change.p, change.flips) == (0, 0, 1.0, [])
    assert change.macro_f1.difference == change.macro_f1.low == change.macro_f1.high == 0
    assert worse({"sentiment": change}) == []


def test_a_label_that_got_worse_is_named_with_the_lost_texts() -> None:
    later = ["neutral" if i % 3 == 1 and i < 60 else one for i, one in enumerate(RIGHT)]
    change = compare(GOLD, answers(*RIGHT), answers(*later))["sentiment"]
    gap = change.labels["positive"]
    assert (change.lost, change.won, gap.support) == (20, 0, 40)
    assert gap.before == 1
    assert gap.after == pytest.approx(2 * 20 / (40 + 20))
    assert gap.low < gap.difference < gap.high < 0
    assert change.p == pytest.approx(2 * 0.5**20)
    assert set(worse({"sentiment": change})) == {
        "sentiment",
        "sentiment: positive",
        "sentiment: neutral",
    }
    first = change.flips[0]
    assert (first.at, first.gold, first.before, first.after) == (
        1,
        "positive",
        "positive",
        "neutral",
    )
    assert first.lost
    plain = json.loads(json.dumps(change.to_dict()))
    assert plain["labels"]["positive"]["verdict"] == "worse"


def test_a_handful_of_changed_texts_is_not_called_worse() -> None:
    later = ["neutral", *RIGHT[1:]]
    change = compare(GOLD, answers(*RIGHT), answers(*later))["sentiment"]
    assert change.lost == 1
    assert change.p == 1.0
    assert worse({"sentiment": change}) == []


def test_the_interval_is_as_wide_as_chance_makes_it() -> None:
    """Two equally good models differ by more than the interval in about one of twenty tries."""
    rng = np.random.default_rng(5)
    called = 0
    for _ in range(60):
        noisy = [
            [one if rng.random() < 0.7 else str(rng.choice(SENTIMENTS)) for one in RIGHT]
            for _ in range(2)
        ]
        gap = compare(GOLD, answers(*noisy[0]), answers(*noisy[1]))["sentiment"].macro_f1
        called += gap.verdict != "same"
    assert called <= 9


def test_answers_to_other_texts_are_refused() -> None:
    with pytest.raises(ModelError, match="120 gold texts, but 120 earlier and 1 later"):
        compare(GOLD, answers(*RIGHT), answers("neutral"))


# --- slices ----------------------------------------------------------------------------------


def test_every_text_counts_in_each_of_its_groups() -> None:
    texts = ["qué bien", "no hay agua en la calle desde hace una semana", "x " * 80]
    gold = [GoldItem(sentiment=one) for one in ("positive", "negative", "negative")]
    about = [{"country": ["PE"], "tags": ["short", "slang"]}, {"country": ["PE"]}, {}]
    found = slice_scores(texts, gold, answers("positive", "negative", "positive"), about)
    assert list(found) == ["length", "country", "tags"]
    assert list(found["length"]) == ["1-5 words", "6-15 words", "over 40 words"]
    assert found["length"]["over 40 words"]["sentiment"].accuracy == 0
    peru = found["country"]["PE"]["sentiment"]
    assert (peru.n, peru.accuracy, peru.macro_f1) == (2, 1.0, 1.0)
    assert peru.low < 0.5
    assert peru.high == pytest.approx(1)
    assert list(found["tags"]) == ["short", "slang"]
    assert set(found["tags"]["slang"]) == {"sentiment"}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (0, "1-5 words"),
        (5, "1-5 words"),
        (6, "6-15 words"),
        (40, "16-40 words"),
        (41, "over 40 words"),
    ],
)
def test_length_classes(words: int, name: str) -> None:
    assert length_class("hola " * words) == name
