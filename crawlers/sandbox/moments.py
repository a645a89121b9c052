"""When things are said: by day and in the evening, offices by day, answers hours later."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from random import Random
from typing import Final

from models.records import Window

_HOURS: Final = (2, 1, 1, 1, 1, 3, 6, 9, 10, 10, 10, 10, 11, 12, 10, 9, 9, 10, 13, 15, 16, 14, 9, 5)
_OFFICE: Final = (0, 0, 0, 0, 0, 1, 6, 9, 12, 14, 14, 12, 9, 9, 10, 11, 11, 9, 6, 4, 2, 1, 0, 0)
_WEEK: Final = (10, 10, 10, 11, 11, 8, 6)
_OFFICE_WEEK: Final = (10, 11, 11, 11, 10, 5, 3)
_MEDIAN_HOURS: Final = 9.0
_TRIES: Final = 200


def chance_of(seed: int, name: str) -> Random:
    """Return the stream of chance of one text, which no other text draws from."""
    return Random(f"{seed}/{name}")  # noqa: S311 - decides a story, protects nothing


def citizen(moment: datetime) -> float:
    """Return how likely people are to write at a moment, between 0 and 1."""
    return _HOURS[moment.hour] / max(_HOURS) * _WEEK[moment.weekday()] / max(_WEEK)


def office(moment: datetime) -> float:
    """Return how likely a newsroom or an office is to publish at a moment."""
    share = _OFFICE[moment.hour] / max(_OFFICE)
    return share * _OFFICE_WEEK[moment.weekday()] / max(_OFFICE_WEEK)


def draw_moment(chance: Random, window: Window, rhythm: Callable[[datetime], float]) -> datetime:
    """Draw a moment of the window in somebody's rhythm."""
    first = datetime.combine(window.start, time(), window.zone)
    seconds = (window.end - window.start).days * 86_400
    moment = first
    for _ in range(_TRIES):
        moment = first + timedelta(seconds=chance.randrange(seconds))
        if chance.random() < rhythm(moment):
            break
    return moment


def draw_answer(
    chance: Random, after: datetime, window: Window, median_hours: float = _MEDIAN_HOURS
) -> datetime:
    """Draw the moment of an answer: later than what it answers, mostly hours, inside the window."""
    end = datetime.combine(window.end, time(), window.zone)
    latest = end - timedelta(hours=1)
    for _ in range(_TRIES):
        delay = timedelta(seconds=60 + round(3600 * median_hours * chance.lognormvariate(0, 1.1)))
        if after + delay < latest and chance.random() < citizen(after + delay):
            return after + delay
    left = (end - after).total_seconds()
    return after + timedelta(seconds=max(1, int(left * chance.uniform(0.05, 0.5))))
