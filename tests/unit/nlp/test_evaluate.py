"""Scores against values computed by hand."""

import json

import numpy as np
import pytest

from models.errors import ModelError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Classification
from nlp.evaluate import GoldItem, calibration_error, confusion_counts, evaluate, macro_f1


def spread(labels: tuple[str, ...], top: str, chance: float) -> dict[str, float]:
    rest = (1 - chance) / (len(labels) - 1)
    return {label: chance if label == top else rest for label in labels}


def prediction(sentiment: str, chance: float = 0.8, abstained: bool = False) -> Classification:
    return Classification(
        categories=spread(CATEGORIES, "waste", 0.9),
        sentiments=spread(SENTIMENTS, sentiment, chance),
        intents=spread(INTENTS, "complaint", 0.9),
        abstained=abstained,
        model_version="test",
    )


GOLD = [GoldItem(sentiment=one) for one in ("negative", "negative", "positive", "neutral")]
FOUND = [
    prediction("negative"),
    prediction("positive"),
    prediction("positive"),
    prediction("neutral", abstained=True),
]


def test_scores_match_hand_computed_values() -> None:
    report = evaluate(GOLD, FOUND)
    score = report.tasks["sentiment"]
    assert set(report.tasks) == {"sentiment"}
    assert (report.n, report.abstained, score.n) == (4, 1, 4)
    assert score.accuracy == 0.75
    assert score.labels["negative"].precision == 1.0
    assert score.labels["negative"].recall == 0.5
    assert score.labels["positive"].precision == 0.5
    assert score.labels["positive"].f1 == pytest.approx(2 / 3)
    assert score.macro_f1 == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert score.ece == pytest.approx(0.05)
    assert score.share_error == pytest.approx((0.25 + 0 + 0.25) / 3)
    assert score.share_error_corrected is None
    assert score.macro_f1_low <= score.macro_f1 <= score.macro_f1_high


def test_the_corrected_share_uses_the_confusion_matrix() -> None:
    confusion = {"sentiment": [[500, 0, 500], [0, 1000, 0], [0, 0, 1000]]}
    score = evaluate(GOLD * 100, FOUND * 100, confusion).tasks["sentiment"]
    assert score.share_error_corrected is not None
    assert score.share_error_corrected < 0.02 < score.share_error


def test_of_four_texts_no_share_is_corrected() -> None:
    confusion = {"sentiment": [[500, 0, 500], [0, 1000, 0], [0, 0, 1000]]}
    score = evaluate(GOLD, FOUND, confusion).tasks["sentiment"]
    assert score.share_error_corrected == pytest.approx(score.share_error)


def test_a_report_is_plain_json() -> None:
    found = json.loads(json.dumps(evaluate(GOLD, FOUND).to_dict()))
    assert found["tasks"]["sentiment"]["labels"]["neutral"]["support"] == 1


def test_macro_f1_leaves_out_labels_that_nobody_used() -> None:
    counts = confusion_counts(np.array([0, 0, 1]), np.array([0, 0, 1]), 5)
    assert float(macro_f1(counts)) == 1.0


def test_calibration_error_of_sure_and_wrong_is_one() -> None:
    chances = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert calibration_error(chances, np.array([1, 1])) == pytest.approx(1.0)


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ModelError, match="4 gold items but 1"):
        evaluate(GOLD, FOUND[:1])


def test_an_unknown_gold_label_is_named() -> None:
    with pytest.raises(ModelError, match="gold item 2: unknown sentiment 'bad'"):
        evaluate([GOLD[0], GoldItem(sentiment="bad")], FOUND[:2])
