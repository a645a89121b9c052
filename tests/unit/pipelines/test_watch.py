"""Who counts as a voice of a day."""

from datetime import date

import pandas as pd
import pytest

from pipelines.alarm import Cell, Daily
from pipelines.watch import Voices

DAYS = (date(2026, 3, 1), date(2026, 3, 2))


def daily(*said: tuple[str, date, str, str, str]) -> Daily:
    """Count rows of source, day, cluster, voice and sentiment, all about water in no zone."""
    frame = pd.DataFrame(said, columns=["source", "said_on", "cluster", "voice", "sentiment"])
    frame = frame.assign(category="water", zone=None)
    read = frozenset((source, day) for source in ("a", "b") for day in DAYS)
    return Voices(DAYS, frame, read).daily()


def water(counted: Daily) -> list[list[int]]:
    """Return the voices about water by day and source."""
    place = counted.cells.index(Cell("category", "water"))
    return [[int(n) for n in day] for day in counted.voices[place]]


def test_a_text_that_is_sent_on_counts_once_a_day_whoever_sends_it_and_where() -> None:
    first, second = DAYS
    sent_on = [
        (source, first, "same", f"{source}{at}", "neutral") for source in "ab" for at in "12"
    ]
    assert water(daily(*sent_on)) == [[1, 0], [0, 0]]
    next_day = ("b", second, "same", "b1", "neutral")
    assert water(daily(*sent_on, next_day)) == [[1, 0], [0, 1]]


@pytest.mark.parametrize("sentiments", [("negative", "neutral"), ("neutral", "negative")])
def test_an_author_counts_once_a_day_and_is_negative_if_anything_is(sentiments) -> None:
    said = [("a", DAYS[0], f"text{at}", "ana", each) for at, each in enumerate(sentiments)]
    counted = daily(*said)
    assert water(counted) == [[1, 0], [0, 0]]
    assert counted.negative[counted.cells.index(Cell("all", "all"))].sum() == 1
