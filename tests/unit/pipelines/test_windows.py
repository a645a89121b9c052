"""Which days a run looks at, when it is told and when it is not."""

from datetime import UTC, date, datetime

import pytest

from models.errors import ConfigError
from models.records import Window
from pipelines.windows import resolve_window
from tests.unit.store.builders import LIMA, at, municipality

NOON = at(20)
WEEK = municipality(windows={"days": 7})


@pytest.mark.parametrize(
    ("start", "end", "first", "after"),
    [
        (None, None, date(2026, 3, 13), date(2026, 3, 20)),
        (date(2026, 1, 1), None, date(2026, 1, 1), date(2026, 1, 8)),
        (None, date(2026, 1, 8), date(2026, 1, 1), date(2026, 1, 8)),
        (date(2025, 1, 1), date(2026, 1, 1), date(2025, 1, 1), date(2026, 1, 1)),
        (date(2026, 2, 28), date(2026, 3, 1), date(2026, 2, 28), date(2026, 3, 1)),
    ],
)
def test_a_window_is_filled_in(
    start: date | None, end: date | None, first: date, after: date
) -> None:
    assert resolve_window(WEEK, start, end, now=NOON) == Window(first, after, LIMA)


def test_a_configured_first_day_counts_when_nothing_is_asked_for() -> None:
    fixed = municipality(windows={"days": 30, "start": date(2021, 11, 1)})
    assert resolve_window(fixed, now=NOON) == Window(date(2021, 11, 1), date(2021, 12, 1), LIMA)
    asked = resolve_window(fixed, None, date(2026, 3, 1), now=NOON)
    assert asked == Window(date(2026, 1, 30), date(2026, 3, 1), LIMA)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 3, 20, 4, 59, tzinfo=UTC), date(2026, 3, 18)),  # still the 19th in Lima
        (datetime(2026, 3, 20, 5, 0, tzinfo=UTC), date(2026, 3, 19)),
    ],
)
def test_yesterday_is_yesterday_in_lima(now: datetime, last: date) -> None:
    assert resolve_window(WEEK, now=now).days[-1] == last


@pytest.mark.parametrize("end", [date(2026, 3, 1), date(2026, 2, 28)])
def test_an_empty_window_is_refused(end: date) -> None:
    with pytest.raises(ConfigError, match=r"is empty: --to is the day after the last"):
        resolve_window(WEEK, date(2026, 3, 1), end, now=NOON)


@pytest.mark.parametrize(("start", "end"), [(date.max, None), (None, date(1, 1, 3))])
def test_the_ends_of_the_calendar_are_refused(start: date | None, end: date | None) -> None:
    with pytest.raises(ConfigError, match="beyond the calendar"):
        resolve_window(WEEK, start, end, now=NOON)
