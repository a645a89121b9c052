"""How long demands wait and take, and what neighbours say after an answer.

Times to an answer are right-censored: what still waits has waited at least so long. So the share
answered after t days is estimated by product limit (Kaplan, E. L. and Meier, P., 1958, JASA 53),
with log-log intervals of its quantiles (Brookmeyer, R. and Crowley, J., 1982, Biometrics 38).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy import Engine

from models.demands import BANDS, PUBLIC, WAITING, Status, band_of
from models.insight_tables import InsightDemandAgeing, InsightResponseTime
from models.labels import NOWHERE
from models.records import Window
from models.tables import Base
from pipelines.counted import Counted, Row, common_columns
from pipelines.coverage import coverage
from pipelines.proportions import newcombe, wilson
from pipelines.store.demands import Demand, Wanted, demands
from pipelines.store.said import voices_frame
from pipelines.store.write import Store

AROUND = timedelta(days=30)
"""How long before and after an answer it is looked at what is said."""

FEW = 20
"""With fewer voices on one side nothing is said about a difference."""

_CELLS: Final[Mapping[str, Callable[[Demand], str]]] = {
    "all": lambda _: "",
    "category": lambda one: one.category,
    "area": lambda one: one.area or NOWHERE,
    "zone": lambda one: one.zone or NOWHERE,
}
_CONFIRMED = (Status.NEW, Status.ASSIGNED, Status.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Delays:
    """How long demands wait and take: rows as of the two insight tables, without the run's."""

    ageing: list[Row]
    response_times: list[Row]


def delays(engine: Engine, municipality: str, window: Window) -> Delays:
    """Tell how long a municipality's demands wait and take, as they stand now."""
    found = demands(engine, municipality, Wanted(statuses=PUBLIC))
    now = datetime.now(UTC)
    return Delays(ageing(found, window, now), response_times(found, window, now))


def count_demands(store: Store, subject: Counted) -> None:
    """Write how long the municipality's demands wait and take, as they stand today."""
    read = coverage(store.engine, subject.municipality, subject.window, subject.run_id)
    about = {**common_columns(subject, read), "lens": ""}
    found = delays(store.engine, subject.municipality.code, subject.window)
    tables: dict[type[Base], list[Row]] = {
        InsightDemandAgeing: [{**about, **row} for row in found.ageing],
        InsightResponseTime: [{**about, **row} for row in found.response_times],
    }
    store.save_insights(subject.run_id, tables)


def ageing(found: Iterable[Demand], window: Window, now: datetime) -> list[Row]:
    """Count the demands that wait for an answer, by category, area, zone and age.

    A demand first spoken of after the window is left out. All rows of a cell are there, the empty
    ones too; a cell without demands has none, but «all» has.
    """
    today = window.day_of(now)
    waiting = [
        one
        for one in found
        if one.status in _CONFIRMED and (one.first_said_on or window.start) < window.end
    ]
    rows = []
    for (dimension, value), mine in _by_cell(waiting).items():
        bands = Counter(_band(one, window, today) for one in mine)
        late = Counter(_band(one, window, today) for one in mine if is_overdue(one, today))
        for band in BANDS:
            share, low, high = wilson(bands[band], len(mine))
            rows.append(
                {
                    "dimension": dimension,
                    "value": value,
                    "band": band,
                    "as_of": today,
                    "count": bands[band],
                    "overdue": late[band],
                    "n": len(mine),
                    "share": share,
                    "share_low": low,
                    "share_high": high,
                }
            )
    return rows


def is_overdue(demand: Demand, today: date) -> bool:
    """Say whether a demand should have been answered by now, and is not."""
    return demand.status in WAITING and demand.due_on is not None and demand.due_on < today


def response_times(found: Iterable[Demand], window: Window, now: datetime) -> list[Row]:
    """Tell how long it takes to answer the demands that neighbours spoke of in the window."""
    spoken = [one for one in found if one.confirmed_at and _is_spoken_of(one, window)]
    today = window.day_of(now)
    rows = []
    for (dimension, value), mine in _by_cell(spoken).items():
        known = [one for one in mine if one.due_on and (one.answered_at or one.due_on < today)]
        known = [one for one in known if one.answered_at or one.status is not Status.REJECTED]
        on_time = sum(_is_on_time(one, window) for one in known)
        share, low, high = wilson(on_time, len(known))
        answered = sum(one.answered_at is not None for one in mine)
        rows.append(
            {
                "dimension": dimension,
                "value": value,
                "as_of": today,
                "n": len(mine),
                "answered": answered,
                "censored": len(mine) - answered,
                **_quantiles(mine, now),
                "due_n": len(known),
                "on_time": on_time,
                "on_time_share": share,
                "on_time_low": low,
                "on_time_high": high,
            }
        )
    return rows


def _by_cell(found: Sequence[Demand]) -> dict[tuple[str, str], list[Demand]]:
    cells: dict[tuple[str, str], list[Demand]] = defaultdict(list, {("all", ""): []})
    for one in found:
        for dimension, value_of in _CELLS.items():
            cells[dimension, value_of(one)].append(one)
    return dict(sorted(cells.items()))


def _band(demand: Demand, window: Window, today: date) -> str:
    since = window.day_of(demand.confirmed_at or demand.proposed_at)
    return band_of(max(0, (today - since).days))


def _is_spoken_of(demand: Demand, window: Window) -> bool:
    if demand.first_said_on is None or demand.last_said_on is None:  # its texts were purged
        return demand.confirmed_at is not None and window.holds(demand.confirmed_at)
    return demand.first_said_on < window.end and demand.last_said_on >= window.start


def _is_on_time(demand: Demand, window: Window) -> bool:
    answered, due = demand.answered_at, demand.due_on
    return answered is not None and due is not None and window.day_of(answered) <= due


def _quantiles(found: Sequence[Demand], now: datetime) -> Row:
    days, events = [], []
    for one in found:
        until = one.answered_at or one.ended_at or now
        began = one.confirmed_at or one.proposed_at
        days.append(max(0.0, (until - began) / timedelta(days=1)))
        events.append(one.answered_at is not None)
    median, p90 = (quantile(days, events, share) for share in (0.5, 0.9))
    names = ("median_days", "median_low", "median_high", "p90_days", "p90_low", "p90_high")
    return dict(zip(names, (*median, *p90), strict=True))


def quantile(
    days: Sequence[float], events: Sequence[bool], share: float
) -> tuple[float | None, float | None, float | None]:
    """Return after how many days a share has had its event, with the ends of a 95 % interval.

    Each is None where the curve, or its band, does not come down so far.

    Args:
        days: how long each was watched.
        events: whether the watching ended with the event; else it was cut short.
        share: from 0 to 1, not included.
    """
    if not any(events):
        return None, None, None
    from statsmodels.duration.survfunc import SurvfuncRight

    curve = SurvfuncRight(np.array(days), np.array(events, dtype=int))
    reached = curve.surv_times[curve.surv_prob <= 1 - share + 1e-9]  # statsmodels' own is strict
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = curve.quantile_ci(share)
    value = float(reached[0]) if len(reached) else None
    return value, _finite(low), _finite(high)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# --- what is said afterwards -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mood:
    """How much of what was said in some days was negative: voices, share and its interval."""

    start: date
    end: date
    n: int
    negative: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What is said in a demand's category and zone before and after its answer.

    ``difference`` is after minus before, with Newcombe's 95 % interval; None where either side has
    fewer than `FEW` voices. It compares two times: other things may have changed as well.
    """

    before: Mood
    after: Mood
    complete: bool
    """Whether all the days after the answer are over."""
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def enough(self) -> bool:
        """Whether there are voices enough on both sides to speak of a difference."""
        return self.difference is not None


def afterwards(
    store: Store, demand: Demand, window: Window, versions: tuple[str, str], gazetteer: str
) -> Afterwards | None:
    """Compare what is said in a demand's category and zone before and after it was answered.

    An author counts once on each side, with the last that they said.

    Args:
        store: it is only read.
        demand: the demand; None is returned for one that is not answered.
        window: any window of the municipality; its time zone cuts the days.
        versions: of the model and the taxonomy.
        gazetteer: by which places were found.
    """
    if demand.answered_at is None:
        return None
    day = window.day_of(demand.answered_at)
    today = window.day_of(datetime.now(UTC))
    sides = []
    for start in (day - AROUND, day + timedelta(days=1)):
        span = Window(start, start + AROUND, window.zone)
        frame = voices_frame(store.engine, demand.municipality, span, *versions, gazetteer)
        here = frame["zone"] == demand.zone if demand.zone else frame["zone"].isna()
        mine = frame[(frame["category"] == demand.category) & here]
        last = mine.sort_values(["said_on", "id"]).drop_duplicates("voice", keep="last")
        sides.append(_mood(span, [str(label) for label in last["sentiment"]]))
    before, after = sides
    return Afterwards(before, after, after.end <= today, *_difference(before, after))


def _mood(span: Window, sentiments: Sequence[str]) -> Mood:
    negative = sum(label == "negative" for label in sentiments)
    share, low, high = wilson(negative, len(sentiments))
    return Mood(span.start, span.end, len(sentiments), negative, share, low, high)


def _difference(before: Mood, after: Mood) -> tuple[Any, Any, Any]:
    if min(before.n, after.n) < FEW:
        return None, None, None
    difference = after.negative / after.n - before.negative / before.n
    return difference, *newcombe(after.negative, after.n, before.negative, before.n)
