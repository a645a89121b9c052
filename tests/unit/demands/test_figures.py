"""How long demands wait and take, checked against estimates written out by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demands import BANDS, Origin, Status, band_of
from models.insight_tables import InsightDemandAgeing, InsightResponseTime
from pipelines.counted import Counted
from pipelines.demands.figures import (
    AROUND,
    FEW,
    afterwards,
    ageing,
    count_demands,
    quantile,
    response_times,
)
from pipelines.store.demands import Demand
from pipelines.store.write import Store
from tests.unit.certificate import certified, shares_of_rows
from tests.unit.demands.asking import (
    GAZETTEER,
    NOW,
    VERSIONS,
    VILLA,
    answered,
    bins,
    put,
)
from tests.unit.store.builders import MARCH, MODEL, TAXONOMY, begun, rows, said

DAY = timedelta(days=1)


def demand(**changes: Any) -> Demand:
    values: dict[str, Any] = {
        **dict.fromkeys(("summary", "assignee", "due_on", "reply", "reason", "external_id")),
        **dict.fromkeys(("merged_into", "follows", "answered_at", "ended_at")),
        "id": "d",
        "municipality": "villa",
        "category": "waste",
        "zone": "centro",
        "area": "Limpieza",
        "status": Status.NEW,
        "origin": Origin.PROPOSED,
        "version": 2,
        "proposed_at": NOW - 20 * DAY,
        "confirmed_at": NOW - 20 * DAY,
        "updated_at": NOW,
        "texts": 1,
        "first_said_on": date(2026, 3, 5),
        "last_said_on": date(2026, 3, 9),
    }
    return Demand(**(values | changes))


def done(days: float, **changes: Any) -> Demand:
    start = NOW - 60 * DAY
    moments = {"confirmed_at": start, "answered_at": start + days * DAY}
    return demand(status=Status.ANSWERED, **(moments | changes))


def cell(found: list[dict[str, Any]], **key: Any) -> dict[str, Any]:
    (one,) = [row for row in found if all(row[name] == value for name, value in key.items())]
    return one


@pytest.mark.parametrize(
    ("days", "band"), [(0, "0-7"), (7, "0-7"), (8, "8-15"), (30, "16-30"), (91, "91+")]
)
def test_the_age_bands(days: int, band: str) -> None:
    assert band_of(days) == band


def test_waiting_demands_by_age_area_and_zone() -> None:
    found = ageing(
        [
            demand(),
            demand(due_on=NOW.date() - DAY, zone=None),
            demand(confirmed_at=NOW - 100 * DAY, area=None),
            demand(due_on=NOW.date()),
            done(3),
            demand(status=Status.PROPOSED),
            demand(first_said_on=date(2026, 4, 1)),
        ],
        MARCH,
        NOW,
    )
    everything = cell(found, dimension="all", band="16-30")
    assert (everything["count"], everything["overdue"], everything["n"]) == (3, 1, 4)
    assert everything["share"] == 0.75
    assert everything["share_low"] == pytest.approx(0.3006, abs=1e-4)  # Wilson, 3 of 4
    assert cell(found, dimension="all", band="91+")["count"] == 1
    assert cell(found, dimension="zone", value="(none)", band="16-30")["n"] == 1
    assert cell(found, dimension="area", value="(none)", band="91+")["n"] == 1
    assert {row["band"] for row in found} == set(BANDS)
    assert {row["as_of"] for row in found} == {date(2026, 4, 1)}


def test_without_demands_there_is_a_total_of_none() -> None:
    assert {row["n"] for row in ageing([], MARCH, NOW)} == {0}
    (row,) = response_times([], MARCH, NOW)
    assert (row["n"], row["median_days"], row["on_time_share"]) == (0, None, None)


def test_what_still_waits_counts_as_long_as_it_has_waited() -> None:
    waiting = demand(confirmed_at=NOW - 5 * DAY)
    found = [done(2), done(4), waiting, done(8)]
    row = cell(response_times(found, MARCH, NOW), dimension="all")
    # at risk 4, 3, (censored at 5), 1: S = 3/4, 1/2, 0: half are answered by day 4, all by 8
    assert (row["n"], row["answered"], row["censored"]) == (4, 3, 1)
    assert (row["median_days"], row["p90_days"]) == (4, 8)
    none_yet = cell(response_times([waiting], MARCH, NOW), dimension="all")
    assert (none_yet["answered"], none_yet["median_days"], none_yet["median_low"]) == (
        0,
        None,
        None,
    )


def test_answers_by_their_due_date() -> None:
    due = (NOW - 60 * DAY).date() + 5 * DAY
    late_and_waiting = demand(due_on=NOW.date() - DAY)
    found = [
        done(3, due_on=due),
        done(9, due_on=due),
        late_and_waiting,
        demand(due_on=NOW.date() + DAY),
        done(1),
        demand(status=Status.REJECTED, due_on=due, ended_at=NOW - 30 * DAY),
    ]
    row = cell(response_times(found, MARCH, NOW), dimension="all")
    assert (row["n"], row["due_n"], row["on_time"]) == (6, 3, 1)
    assert row["on_time_share"] == pytest.approx(1 / 3)


def test_their_shares_can_be_of_their_denominators() -> None:
    due = (NOW - 60 * DAY).date() + 5 * DAY
    found = [done(days, due_on=due) for days in range(1, 8)]
    found += [demand(confirmed_at=NOW - days * DAY) for days in (1, 9, 9, 20, 40, 100, 120)]
    shares = shares_of_rows([*ageing(found, MARCH, NOW), *response_times(found, MARCH, NOW)])
    assert {n for _, n in shares} == {7}
    assert [pair for pair in shares if not certified(*pair)] == []


def test_only_what_was_spoken_of_in_the_window_is_timed() -> None:
    found = [done(2), done(2, last_said_on=date(2026, 2, 1), first_said_on=date(2026, 2, 1))]
    assert cell(response_times(found, MARCH, NOW), dimension="all")["n"] == 1


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.sampled_from((0.5, 0.9)))
@settings(max_examples=60, deadline=None)
def test_without_censoring_it_is_the_plain_quantile(days: list[int], share: float) -> None:
    value, low, high = quantile([float(day) for day in days], [True] * len(days), share)
    ordered = sorted(days)
    expected = next(
        day for place, day in enumerate(ordered, 1) if place / len(days) >= share - 1e-9
    )
    assert value == expected
    assert low is None or low <= value
    assert high is None or high >= value


@given(
    st.lists(st.tuples(st.floats(0, 400), st.booleans()), max_size=40),
    st.sampled_from((0.5, 0.9)),
)
@settings(max_examples=60, deadline=None)
def test_any_mixture_gives_figures_or_nothing(
    watched: list[tuple[float, bool]], share: float
) -> None:
    found = quantile([day for day, _ in watched], [event for _, event in watched], share)
    assert all(value is None or 0 <= value <= 400 for value in found)


def test_a_run_writes_both_tables(both: Store) -> None:
    answered(both, bins(both))
    run_id = begun(both, VILLA)
    count_demands(both, Counted(run_id, VILLA, MARCH, MODEL, TAXONOMY))
    ages, times = (rows(both.engine, t) for t in (InsightDemandAgeing, InsightResponseTime))
    assert cell(ages, dimension="all", band="0-7")["n"] == 0
    row = cell(times, dimension="area", value="Limpieza")
    assert (row["n"], row["answered"], row["run_id"], row["lens"]) == (1, 1, run_id, "")
    assert row["median_days"] == pytest.approx(0, abs=0.01)
    count_demands(both, Counted(run_id, VILLA, MARCH, MODEL, TAXONOMY))
    assert len(rows(both.engine, InsightResponseTime)) == len(times)


def test_nothing_is_said_afterwards_while_few_have_spoken(store: Store) -> None:
    one = answered(store, bins(store))
    now = datetime.now(UTC)
    put(store, said(9, "Sigue igual", when=now - 2 * DAY, author="a-1"))
    put(store, said(10, "Sigue peor", when=now - DAY, author="a-1"))
    put(store, said(11, "En el norte", when=now - DAY), zone="norte")
    found = afterwards(store, one, MARCH, VERSIONS, GAZETTEER)
    assert found is not None
    assert (found.before.n, found.before.negative, found.after.n) == (1, 1, 0)
    assert not found.enough
    assert not found.complete
    assert found.before.end - found.before.start == AROUND


def test_a_difference_has_an_interval_where_enough_have_spoken(store: Store) -> None:
    from dataclasses import replace

    one = answered(store, bins(store))
    moment = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for number in range(2 * FEW):
        before = number < FEW
        put(
            store,
            said(100 + number, f"Texto {number}", when=moment + (-3 if before else 3) * DAY),
            sentiment="negative" if before or number % 2 else "positive",
        )
    found = afterwards(store, replace(one, answered_at=moment), MARCH, VERSIONS, GAZETTEER)
    assert found is not None
    assert (found.before.n, found.after.n, found.after.negative) == (FEW, FEW, FEW // 2)
    assert found.difference == -0.5
    assert found.complete
    # Newcombe 1998, method 10, of the Wilson intervals 0.8389 to 1 and 0.2993 to 0.7007
    assert (found.low, found.high) == pytest.approx((-0.7007, -0.2426), abs=1e-4)
