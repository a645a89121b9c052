"""How many planted events the alarms find, how late, and how often they cry wolf.

    python benchmarks/alarms.py [--seeds 50] [--days 90] [--quiet | --power]

Towns with the pilot's volumes: 16 categories, 12 zones, 25 sources of very unequal size, weekdays,
and days that vary more than by chance as much as the sandbox town's do. Into each, events are
planted: a category, half of the time in one zone, is talked about 3, 5 or 8 times as much for three
days, or more angrily for three days, one week or two: 70 % of a category where 40 % were negative
and not a voice more, or of one zone in which three times as much is said. One category doubles for
good. Sources are lost for days and come back. Sentiments are read with the errors of the shipped
classifier on its dev set. The first eight weeks are the past of the days that are judged. Quiet
towns have no events.
"""

import argparse
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from scipy.stats import betabinom, binom

from crawlers.sandbox.volume import PILOT, PILOT_DAYS
from nlp.manifest import SHIPPED, read_manifest
from nlp.tasks import TASKS
from pipelines.alarm import (
    FALSE_DISCOVERIES,
    LEAST_ALIKE,
    PAST_DAYS,
    WINDOWS,
    Alarm,
    Cell,
    Daily,
    Measure,
    alarms,
)
from pipelines.shifts import shifts


def _read_as_negative() -> tuple[float, float]:
    counts = np.array(read_manifest(SHIPPED).confusion["sentiment"])
    at = TASKS["sentiment"].index("negative")
    others = np.delete(counts, at, axis=0)
    return counts[at, at] / counts[at].sum(), others[:, at].sum() / others.sum()


ZONES = 12
SOURCES = 25
PLACED = 0.45  # of the texts name a zone, as in the town
SPREAD = 0.3  # of a category's days, as in the town
WEEK = np.array([1.06, 1.06, 1.06, 1.17, 1.17, 0.85, 0.64])
MONTH = 30
"""So many days are judged together, as the window of a run."""
LOUD_DAYS = 3
ANGRY_DAYS = (3, 7, 14)
SIZES = (3.0, 5.0, 8.0)
NEGATIVE = 0.4
ANGRY = 0.7
NEGATIVE_READ, FALSELY_READ = _read_as_negative()
"""Of negative texts so many are read as negative, and of the others so many."""


@dataclass(frozen=True)
class Event:
    """What was planted: from which day, in which category and perhaps zone, how big."""

    measure: Measure
    day: int
    category: str
    zone: str | None
    size: float
    days: int

    def __str__(self) -> str:
        """Name its kind."""
        return f"{self.measure} x{self.size:.0f}, {self.days} days"

    def explains(self, alarm: Alarm, first: date) -> bool:
        """Whether an alarm is about this event."""
        last = (alarm.day - first).days
        during = last >= self.day and last - alarm.days < self.day + self.days - 1
        return during and self.holds(alarm)

    def holds(self, alarm: Alarm) -> bool:
        """Whether an alarm is about a cell that holds this event's texts, and of what it is of.

        Anger with more voices may be told as volume; volume is no anger.
        """
        if self.measure is Measure.VOLUME and alarm.measure is Measure.NEGATIVITY:
            return False
        cells = {("all", "all"), ("category", self.category)}
        if self.zone:
            cells |= {("zone", self.zone), ("category+zone", f"{self.category}+{self.zone}")}
        elif alarm.cell.value.startswith(f"{self.category}+"):
            return True
        return (alarm.cell.dimension, alarm.cell.value) in cells


def _read(share):
    """Return what share is read as negative where so many are."""
    return FALSELY_READ + share * (NEGATIVE_READ - FALSELY_READ)


def town(
    seed: int, days: int, *, outages: bool = True, quiet: bool = False
) -> tuple[Daily, list[Event], tuple[str, int]]:
    """Make a town of so many judged days after its past, with what is planted in it.

    The third is the category that doubles for good, and from which day.
    """
    chance = np.random.default_rng(seed)
    first = date(2021, 1, 4)
    span = PAST_DAYS + days
    dates = tuple(first + timedelta(days=at) for at in range(span))
    week = WEEK[[day.weekday() for day in dates]]
    categories = list(PILOT)
    zones = [f"zone-{at:02}" for at in range(ZONES)]
    zone_share = np.append(chance.dirichlet(np.full(ZONES, 4.0)) * PLACED, 1 - PLACED)
    source_share = chance.dirichlet(np.full(SOURCES, 1.0))
    level = np.array([PILOT[c] / PILOT_DAYS for c in categories])[:, None] * week
    level = level * chance.gamma(1 / SPREAD, SPREAD, level.shape)
    negative_share = np.full((len(categories), span), NEGATIVE)
    negative_share += chance.normal(0, 0.05, negative_share.shape)
    events = [] if quiet else _events(chance, days, categories, zones)
    doubled = str(chance.choice(categories)), PAST_DAYS + days // 2
    if not quiet:
        level[categories.index(doubled[0]), doubled[1] :] *= 2
    base = level[:, :, None] * zone_share  # category, day, zone
    mood = np.repeat(negative_share[:, :, None], ZONES + 1, axis=2)
    for event in events:
        _plant(base, mood, event, categories, zones, week)
    said = chance.poisson(base[..., None] * source_share)  # category, day, zone, source
    read_so = _read(np.clip(mood, 0, 1))
    angry = chance.binomial(said, read_so[..., None])
    read = np.ones((span, SOURCES), dtype=bool)
    if outages:
        _lose(chance, read)
    said, angry = said * read[None, :, None, :], angry * read[None, :, None, :]
    return _daily(dates, categories, zones, said, angry, read), events, doubled


def _events(
    chance: np.random.Generator, days: int, categories: list[str], zones: list[str]
) -> list[Event]:
    """Plan one event a fortnight, alternately of volume and of anger."""
    events = []
    busy = [c for c in categories if PILOT[c] >= 90]
    for number, start in enumerate(range(4, days - max(ANGRY_DAYS), 18)):
        measure = Measure.VOLUME if number % 2 == 0 else Measure.NEGATIVITY
        length = LOUD_DAYS
        zone = str(chance.choice(zones)) if chance.random() < 0.5 else None
        size = float(chance.choice(SIZES))
        if measure is Measure.NEGATIVITY:
            size = 3.0 if zone else 1.0
            length = int(chance.choice(ANGRY_DAYS))
        category = str(chance.choice(busy))
        events.append(Event(measure, PAST_DAYS + start, category, zone, size, length))
    return events


def _plant(base, mood, event: Event, categories: list[str], zones: list[str], week) -> None:
    at, days = categories.index(event.category), slice(event.day, event.day + event.days)
    places = slice(None) if event.zone is None else zones.index(event.zone)
    if event.measure is Measure.NEGATIVITY:
        mood[at, days, places] = ANGRY
    usual = PILOT[event.category] / PILOT_DAYS * week[days]
    more = usual * (event.size - 1)
    if event.zone is None:
        base[at, days, places] *= 1 + (more / base[at, days].sum(axis=1))[:, None]
    else:
        base[at, days, places] += more


def _lose(chance: np.random.Generator, read) -> None:
    """Lose sources: one in ten for good for some weeks, all now and then for a day or two."""
    days, sources = read.shape
    for source in range(sources):
        if chance.random() < 0.1:
            start = int(chance.integers(0, days))
            read[start : start + int(chance.integers(10, 40)), source] = False
        for start in np.flatnonzero(chance.random(days) < 0.01):
            read[start : start + int(chance.integers(1, 3)), source] = False


def _daily(dates, categories, zones, said, angry, read) -> Daily:
    cells = [Cell("all", "all"), *(Cell("category", c) for c in categories)]
    cells += [Cell("zone", zone) for zone in zones]
    cells += [Cell("category+zone", f"{c}+{z}") for c in categories for z in zones]

    def cut(counts):
        pairs = counts[:, :, :-1].transpose(0, 2, 1, 3)
        parts = [
            counts.sum(axis=(0, 2))[None],
            counts.sum(axis=2),
            counts[:, :, :-1].sum(axis=0).transpose(1, 0, 2),
            pairs.reshape(-1, *pairs.shape[2:]),
        ]
        return np.concatenate(parts).astype(float)

    sources = tuple(f"source-{at:02}" for at in range(read.shape[1]))
    return Daily(tuple(cells), dates, sources, cut(said), cut(angry), read)


def power(n: int, now: float, *, classified: bool) -> float:
    """Return how often a window of n voices is told of which so many are negative.

    The first of a month's windows of a category is told from a p-value on that is calculated by
    Benjamini and Hochberg; the days of a week are as alike as the alarms suppose at the least, and
    eight weeks of past hold eight times as many voices.
    """
    usual, now = (
        (FALSELY_READ + s * (NEGATIVE_READ - FALSELY_READ)) if classified else s
        for s in (NEGATIVE, now)
    )
    first = FALSE_DISCOVERIES / (len(PILOT) * MONTH * len(WINDOWS))
    rho = LEAST_ALIKE / 7 + 1 / (8 * n + 11)
    chance = betabinom(n, *(share * (1 - rho) / rho for share in (usual, 1 - usual)))
    least = next((k for k in range(n + 1) if chance.sf(k - 1) <= first), n + 1)
    return float(binom.sf(least - 1, n, now))


def print_power() -> None:
    """Print of how many negative among how many voices of a window alarms are told how often."""
    shares = (0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)
    for classified in (False, True):
        print("as read by the classifier" if classified else "with true labels")
        print("   n  " + "  ".join(f"{share:4.0%}" for share in shares))
        for n in (10, 15, 20, 30, 50, 80, 120, 200, 400):
            found = (power(n, share, classified=classified) for share in shares)
            print(f"{n:4}  " + "  ".join(f"{each:4.0%}" for each in found))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--quiet", action="store_true", help="plant nothing")
    parser.add_argument("--power", action="store_true", help="calculate what can be seen at all")
    asked = parser.parse_args()
    if asked.power:
        print_power()
        return
    planted, caught, late = Counter(), Counter(), Counter()
    alarms_raised = right = 0
    wrong: Counter[str] = Counter()
    moved = shifted = shift_days = 0
    for seed in range(1000, 1000 + asked.seeds):
        daily, events, (category, start) = town(seed, asked.days, quiet=asked.quiet)
        judged = daily.days[PAST_DAYS:]
        months = [judged[at : at + MONTH] for at in range(0, asked.days, MONTH)]
        raised = [alarm for month in months for alarm in alarms(daily, month)]
        lasting = Event(Measure.VOLUME, start, category, None, 2.0, asked.days)
        explained = [
            [e for e in events if e.explains(a, daily.days[0])]
            or (not asked.quiet and lasting.explains(a, daily.days[0]))
            for a in raised
        ]
        alarms_raised += len(raised)
        right += sum(bool(each) for each in explained)
        for event in events:
            key = str(event)
            mine = [a for a in raised if event.explains(a, daily.days[0])]
            if event.measure is Measure.NEGATIVITY:
                mine = [a for a in mine if a.measure is Measure.NEGATIVITY]
            planted[key] += 1
            if mine:
                caught[key] += 1
                late[key] += max(0, min((a.day - daily.days[event.day]).days for a in mine))
        false = [a for a, each in zip(raised, explained, strict=True) if not each]
        wrong.update(str(alarm.measure) for alarm in false)
        found = shifts(_broad(daily), judged)
        mine = [s for s in found if s.cell == Cell("category", category)]
        near = [abs((s.day - daily.days[start]).days) for s in mine]
        shifted += bool(near) and min(near) <= 7
        shift_days += min(near) if near and min(near) <= 7 else 0
        moved += sum(s.cell.dimension != "all" for s in found) - len(mine)
    span = asked.seeds * asked.days / MONTH
    print(f"{asked.seeds} towns, {asked.days} judged days each ({span:.0f} months), with outages")
    print(
        f"alarms {alarms_raised}; precision {right / max(alarms_raised, 1):.1%}; "
        f"false alarms a month of volume {wrong['volume'] / span:.2f}, "
        f"of anger {wrong['negativity'] / span:.2f}, false shifts {moved / span:.2f}"
    )
    for key in sorted(planted):
        n, k = planted[key], caught[key]
        delay = late[key] / k if k else float("nan")
        print(f"  {key:24} found {k:3} of {n:3} ({k / n:.0%}), {delay:.2f} days late")
    share = f"{shifted} of {asked.seeds} ({shifted / asked.seeds:.0%})"
    print(f"  {'lasting, x2':24} found {share}, {shift_days / max(shifted, 1):.1f} days off")


def _broad(daily: Daily) -> Daily:
    """Leave out the pairs, as a run does: they are too sparse for a lasting level."""
    keep = [at for at, cell in enumerate(daily.cells) if cell.dimension != "category+zone"]
    cells = tuple(daily.cells[at] for at in keep)
    return replace(daily, cells=cells, voices=daily.voices[keep], negative=daily.negative[keep])


if __name__ == "__main__":
    main()
