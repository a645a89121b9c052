"""Which days raise an alarm, and that a lost source never does."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.alarm import LEAST_HEARD, LEAST_VOICES, Cell, Daily, Measure, alarms, tone
from pipelines.shifts import shifts

FIRST = date(2021, 8, 2)
DAYS = 70
SOURCES = 4
LEVELS = (40.0, 10.0, 4.0)


def quiet(seed: int = 0) -> Daily:
    """A town of three categories and four sources in which nothing happens."""
    chance = np.random.default_rng(seed)
    days = tuple(FIRST + timedelta(days=at) for at in range(DAYS))
    week = np.array([0.6 if day.weekday() == 6 else 1.07 for day in days])
    mean = np.array(LEVELS)[:, None, None] * week[None, :, None] * np.array([0.5, 0.3, 0.15, 0.05])
    voices = chance.poisson(mean).astype(float)
    negative = chance.binomial(voices.astype(int), 0.4).astype(float)
    return Daily(
        cells=tuple(Cell("category", name) for name in ("transport", "water", "energy")),
        days=days,
        sources=tuple("abcd"),
        voices=voices,
        negative=negative,
        read=np.ones((DAYS, SOURCES), dtype=bool),
    )


def loud(daily: Daily, cell: int, day: int, factor: float) -> Daily:
    voices, negative = daily.voices.copy(), daily.negative.copy()
    voices[cell, day] = np.ceil(voices[cell, day] * factor) + 1
    negative[cell, day] = np.ceil(negative[cell, day] * factor)
    return replace(daily, voices=voices, negative=negative)


def judged(daily: Daily, last: int = 20):
    return alarms(daily, daily.days[-last:])


def test_a_day_that_is_far_too_loud_raises_an_alarm_in_its_cell() -> None:
    (alarm,) = judged(loud(quiet(), 1, 60, 5))
    assert (alarm.measure, alarm.cell.value) == (Measure.VOLUME, "water")
    assert alarm.day == FIRST + timedelta(days=60)
    assert alarm.count > alarm.high >= alarm.expected >= alarm.low
    assert alarm.p <= alarm.q <= 0.05
    assert alarm.sources_read == SOURCES


def test_an_angry_day_of_usual_volume_raises_an_alarm_of_negativity() -> None:
    daily = quiet()
    negative = daily.negative.copy()
    negative[0, 60] = daily.voices[0, 60] * 0.95
    (alarm,) = judged(replace(daily, negative=negative.round()))
    assert (alarm.measure, alarm.cell.value) == (Measure.NEGATIVITY, "transport")
    assert alarm.count <= alarm.n
    assert alarm.count > alarm.high


def angry_days(daily: Daily, cell: int, days: slice, share: float) -> Daily:
    negative = daily.negative.copy()
    negative[cell, days] = (daily.voices[cell, days] * share).round()
    return replace(daily, negative=negative)


def test_a_week_of_anger_at_usual_volume_is_one_alarm_though_no_day_of_it_is() -> None:
    daily = angry_days(quiet(), 1, slice(56, 63), 0.75)
    (alarm,) = judged(daily)
    assert (alarm.measure, alarm.cell.value) == (Measure.NEGATIVITY, "water")
    assert alarm.days in (7, 14)
    week = (daily.days[56], daily.days[62])
    assert alarm.first <= week[1]
    assert alarm.day >= week[0]
    assert alarm.count > alarm.high > alarm.expected
    assert alarm.past_count / alarm.past_n == pytest.approx(0.4, abs=0.05)
    assert alarm.past_cell == alarm.cell
    same_day = [judged(angry_days(quiet(), 1, slice(at, at + 1), 0.75)) for at in range(56, 63)]
    assert same_day == [[]] * 7


def test_a_share_that_wavers_by_the_week_hides_a_week_that_is_as_far_off() -> None:
    steady = angry_days(quiet(), 0, slice(56, 63), 0.6)
    assert judged(steady) != []
    wavering = steady
    for week in range(10):
        share = 0.2 if week % 2 else 0.6
        wavering = angry_days(wavering, 0, slice(7 * week, 7 * week + 7), share)
    assert judged(wavering) == []


def test_days_of_which_nothing_was_read_are_no_days_before() -> None:
    daily = angry_days(quiet(), 1, slice(56, 63), 0.9)
    read = daily.read.copy()
    read[:20] = False
    (alarm,) = judged(replace(daily, read=read))
    assert alarm.past_days == (alarm.first - daily.days[20]).days


def test_windows_lie_in_the_days_that_are_judged() -> None:
    daily = angry_days(quiet(), 1, slice(56, 63), 0.9)
    assert {a.first >= daily.days[60] for a in alarms(daily, daily.days[60:])} <= {True}
    whole = alarms(daily, daily.days[50:])
    assert {a.first >= daily.days[50] for a in whole} == {True}


def test_quiet_towns_hardly_raise_any() -> None:
    assert sum(len(judged(quiet(seed))) for seed in range(5)) <= 1


def test_few_voices_are_never_an_alarm() -> None:
    daily = quiet()
    voices = daily.voices.copy()
    voices[2] = 0
    voices[2, 60, 0] = LEAST_VOICES - 1
    assert judged(replace(daily, voices=voices, negative=voices * 0)) == []


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, DAYS - 1), st.integers(1, 25), st.integers(0, SOURCES - 1)),
        max_size=6,
    ),
    st.integers(0, 2),
)
def test_no_pattern_of_lost_sources_raises_an_alarm(lost, seed: int) -> None:
    """Whatever is lost, and whenever it comes back: a quiet town stays quiet."""
    daily = quiet(seed)
    read = daily.read.copy()
    for start, length, source in lost:
        read[start : start + length, source] = False
    gone = replace(
        daily, read=read, voices=daily.voices * read[None], negative=daily.negative * read[None]
    )
    before = {(a.measure, a.cell, a.day) for a in judged(daily, 30)}
    after = {(a.measure, a.cell, a.day) for a in judged(gone, 30)}
    assert len(after - before) <= 1  # of 180 tests, at a false-discovery rate of 5 %


def test_a_source_that_is_back_after_long_is_no_news() -> None:
    daily = quiet()
    read = daily.read.copy()
    read[20:60, 0] = False  # the biggest, for forty days; what it had said is read later
    gone = replace(daily, read=read, voices=daily.voices * read[None])
    assert judged(gone) == []
    assert judged(replace(gone, read=daily.read)) != []  # as it would look without coverage


@pytest.mark.parametrize("away", [1, 3, 20])
def test_a_backlog_that_bears_the_day_of_return_is_no_news(away: int) -> None:
    daily = quiet()
    read = daily.read.copy()
    gone = slice(60 - away, 60)
    read[gone, 0] = False  # the biggest
    voices, negative = daily.voices.copy(), daily.negative.copy()
    for counts in (voices, negative):
        counts[:, 60, 0] += counts[:, gone, 0].sum(axis=1) + 20
        counts[:, gone, 0] = 0
    back = replace(daily, read=read, voices=voices, negative=negative)
    assert judged(back) == []
    assert judged(replace(back, read=daily.read)) != []  # as it would look without coverage


def test_what_the_other_sources_say_on_a_day_of_return_is_still_judged() -> None:
    daily = loud(quiet(), 1, 60, 9)
    read = daily.read.copy()
    read[58:60, 0] = False
    (alarm,) = judged(replace(daily, read=read, voices=daily.voices * read[None]))
    assert (alarm.cell.value, alarm.day) == ("water", FIRST + timedelta(days=60))
    assert alarm.sources_read == SOURCES - 1


def angry_zone(past: int, day: int) -> Daily:
    """Add to the quiet town a zone of which little is said, all of it angry on one day."""
    daily = quiet()
    pair = np.zeros((1, DAYS, SOURCES))
    pair[0, : 60 : 60 // past if past else 60, 0] = float(past > 0)
    pair[0, 60, 0] = day
    angry = pair * 0
    angry[0, 60, 0] = day
    return replace(
        daily,
        cells=(*daily.cells, Cell("category+zone", "transport+huaycan")),
        voices=np.concatenate([daily.voices, pair]),
        negative=np.concatenate([daily.negative, angry]),
    )


@pytest.mark.parametrize("past", [6, 20, 60])
def test_anger_in_a_zone_of_which_little_was_said_is_told_as_anger(past: int) -> None:
    raised = {a.measure: a for a in judged(angry_zone(past, 20)) if "+" in a.cell.dimension}
    assert set(raised) == set(Measure)
    anger = raised[Measure.NEGATIVITY]
    assert (anger.days, anger.count, anger.n) == (1, 20, 20)
    assert anger.past_n >= 30
    assert anger.past_cell == Cell("category", "transport") or past == 60
    assert anger.high < anger.count


def test_anger_of_few_voices_in_a_zone_is_never_an_alarm() -> None:
    raised = judged(angry_zone(0, LEAST_HEARD - 1))
    assert [a for a in raised if a.measure is Measure.NEGATIVITY] == []


def test_a_day_of_which_nothing_was_read_and_a_first_fortnight_are_not_judged() -> None:
    daily = loud(loud(quiet(), 1, 60, 9), 1, 8, 9)
    read = daily.read.copy()
    read[60] = False
    assert alarms(replace(daily, read=read), daily.days) == []


def test_a_past_outbreak_hardly_raises_what_is_expected() -> None:
    alone = judged(loud(quiet(), 1, 60, 6))
    after_another = judged(loud(loud(quiet(), 1, 60, 6), 1, 40, 8))
    assert after_another
    assert after_another[0].expected < alone[0].expected * 1.35


def test_a_level_that_stays_is_a_shift_and_three_loud_days_are_not() -> None:
    daily = quiet()
    voices = daily.voices.copy()
    voices[1, 45:] *= 2.5
    (shift,) = shifts(replace(daily, voices=voices), daily.days)
    assert shift.cell.value == "water"
    assert abs((shift.day - daily.days[45]).days) <= 2
    assert shift.low <= shift.ratio <= shift.high
    assert shift.low > 1.5
    assert shift.ratio == pytest.approx(shift.after / shift.before)
    three = loud(loud(loud(quiet(), 1, 45, 6), 1, 46, 6), 1, 47, 6)
    assert shifts(three, daily.days) == []


def test_a_source_that_is_lost_for_good_is_no_shift() -> None:
    daily = quiet()
    read = daily.read.copy()
    read[45:, 0] = False
    assert shifts(replace(daily, read=read, voices=daily.voices * read[None]), daily.days) == []


def test_the_tone_of_an_episode_is_asked_with_one_p_value_by_the_days_before() -> None:
    daily = loud(quiet(), 1, 60, 5)
    burst = daily.cells[1], daily.days[60], daily.days[60]
    usual = tone(daily, *burst)
    assert usual is not None
    assert usual.p > 0.05
    angry = tone(angry_days(daily, 1, slice(60, 61), 0.9), *burst)
    assert angry is not None
    assert angry.q == angry.p <= 0.05
    assert (angry.days, angry.past_days) == (1, 56)
    assert angry.count / angry.n > angry.past_count / angry.past_n


def test_the_tone_of_days_with_too_little_before_them_is_not_judged() -> None:
    daily = loud(quiet(), 1, 10, 5)
    assert tone(daily, daily.cells[1], daily.days[10], daily.days[10]) is None
    silent = replace(daily, voices=daily.voices * 0, negative=daily.negative * 0)
    assert tone(silent, daily.cells[1], daily.days[60], daily.days[60]) is None


def test_the_long_tail_of_few_voices_is_no_outbreak() -> None:
    """Days that vary as negative-binomial ones do are hardly ever alarms, however skewed."""
    mean, spread, shape = 3.0, 2.0, (15, 86, 1)
    days = tuple(FIRST + timedelta(days=at) for at in range(shape[1]))
    cells = tuple(Cell("category", str(at)) for at in range(shape[0]))
    raised = 0
    for seed in range(2):
        chance = np.random.default_rng(seed)
        voices = chance.poisson(mean * chance.gamma(1 / spread, spread, shape)).astype(float)
        read = np.ones(shape[1:], dtype=bool)
        raised += len(judged(Daily(cells, days, ("a",), voices, voices * 0, read), 30))
    assert raised <= 1
