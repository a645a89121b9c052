"""What the alarms tell of surges that are planted in the sandbox town, seed by seed.

    python benchmarks/planted.py [--seeds 6]

Each town has 60 days; the last 30 are judged, as by a run. In them are planted: a surge of volume
in one zone and one anywhere, of three days each, and angry ones of three days in a zone and of a
week anywhere; categories and zones are drawn by the seed. The town's texts are read as a perfect
collector would store them, once with the town's own labels and once with those of the shipped
classifier, which reads every text once. The same town is judged again with a busy source lost for
three days, none of them an event's: whatever is raised then and was not before is the outage's. A
town without events is judged too: whatever is raised there is the town's own. Loud days are asked
for their tone, as a run asks them: *angrier* are those told to be, of an angry event and of others.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random

import pandas as pd

from crawlers.sandbox.events import Event, Surge
from crawlers.sandbox.town import ZONE, build_town, window_of
from crawlers.sandbox.truth import TruthRow, truth
from crawlers.sandbox.volume import PILOT
from models.records import Classification
from nlp.classifier import Classifier
from pipelines.alarm import Alarm, Daily, Measure, alarms
from pipelines.findings import angrier_than_before, episodes
from pipelines.watch import Voices

DAYS = 60
JUDGED = 30
LEAST = 200  # texts a month of a category that an event is planted in
ZONES = ("huaycan", "vitarte", "salamanca")
LOST, LOST_DAYS = "facebook-ate", range(27, 30)

Answers = dict[str, Classification]


def plan(seed: int, first: date) -> list[Event]:
    """Plan one event of each sort, in categories of which enough is said."""
    chance = Random(seed)
    busy = [code for code, count in PILOT.items() if count >= LEAST and code != "other"]
    categories = chance.sample(busy, 4)
    zones = chance.sample(ZONES, 2)
    sorts = (
        (zones[0], 34, 3, Surge.VOLUME),
        (None, 39, 3, Surge.VOLUME),
        (zones[1], 44, 3, Surge.NEGATIVITY),
        (None, 50, 7, Surge.NEGATIVITY),
    )
    return [
        Event(category, zone, first + timedelta(days=start), days, kind)
        for category, (zone, start, days, kind) in zip(categories, sorts, strict=True)
    ]


def heard(said: Sequence[TruthRow], answers: Answers | None) -> pd.DataFrame:
    """Return what a town says as the alarms read it, by its own labels or by those answered."""
    labels = said if answers is None else [answers[row.text] for row in said]
    return pd.DataFrame(
        {
            "source": [row.source for row in said],
            "cluster": [row.copy_of or row.text_id for row in said],
            "said_on": [_day(row.said_at) for row in said],
            "category": [label.category for label in labels],
            "sentiment": [label.sentiment for label in labels],
            "zone": [row.zone for row in said],
            "voice": [f"{row.source} {row.external_id}" for row in said],
        }
    )


def _day(said_at: str) -> date:
    return datetime.fromisoformat(said_at).astimezone(ZONE).date()


def daily_of(frame: pd.DataFrame, days: tuple[date, ...], *, outage: bool = False) -> Daily:
    """Count the voices of a town, whole or with a source that was not read for some days."""
    gone = {days[at] for at in LOST_DAYS} if outage else set()
    lost = frame["source"].eq(LOST) & frame["said_on"].isin(gone)
    sources = sorted(set(frame["source"]))
    read = {(s, day) for s in sources for day in days if not (s == LOST and day in gone)}
    return Voices(days, frame[~lost], frozenset(read)).daily()


def about(alarm: Alarm, event: Event) -> bool:
    """Whether an alarm is of a cell and of days that hold an event's texts."""
    if alarm.day < event.start or alarm.first >= event.end:
        return False
    if alarm.measure is Measure.NEGATIVITY and event.kind is Surge.VOLUME:
        return False
    parts = {"category": event.category, "zone": event.zone}
    names, values = alarm.cell.dimension.split("+"), alarm.cell.value.split("+")
    if names == ["all"]:
        return True
    return all(parts[name] in (value, None) for name, value in zip(names, values, strict=True))


def _sort(event: Event) -> str:
    where = "in a zone" if event.zone else "anywhere"
    return f"{event.kind} {where}, {event.days} days"


def main() -> None:
    """Print what was raised in each town, and a table of what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
    asked = parser.parse_args()
    classifier = Classifier.load()
    answers: Answers = {}
    window = window_of(DAYS)
    days = tuple(window.days)
    told: Counter[tuple[str, str]] = Counter()
    for seed in range(1, asked.seeds + 1):
        events = plan(seed, days[0])
        towns = [
            [
                row
                for row in truth(town=build_town(seed, window=window, events=planted))
                if not row.noise
            ]
            for planted in (events, [])
        ]
        new = sorted({row.text for town in towns for row in town} - answers.keys())
        answers |= dict(zip(new, classifier.classify(new), strict=True))
        for labels, chosen in (("truth", None), ("classifier", answers)):
            _judge_town(seed, labels, [heard(town, chosen) for town in towns], events, days, told)
    print(
        "\n| labels | alarms | of an event | by the outage | without events "
        "| loud episodes of anger told to be angrier | of others |"
    )
    print("|---|---|---|---|---|---|---|")
    for labels in ("truth", "classifier"):
        counts = [str(told[labels, name]) for name in ("alarms", "right", "outage", "quiet")]
        counts += [
            f"{told[labels, f'angrier {of}']} of {told[labels, f'loud {of}']}"
            for of in ("of anger", "of others")
        ]
        print(f"| {labels} | " + " | ".join(counts) + " |")
    print(
        "\n| event | "
        + " | ".join(f"{x}, {y}" for x in ("told", "told as such") for y in ("truth", "classifier"))
        + " |"
    )
    print("|---|---|---|---|---|")
    for sort in map(_sort, plan(1, days[0])):
        counts = (
            told[labels, f"{sort} {how}"]
            for how in ("told", "as such")
            for labels in ("truth", "classifier")
        )
        print(f"| {sort} | " + " | ".join(f"{n} of {asked.seeds}" for n in counts) + " |")


def _judge_town(
    seed: int,
    labels: str,
    frames: list[pd.DataFrame],
    events: list[Event],
    days: tuple[date, ...],
    told: Counter[tuple[str, str]],
) -> None:
    frame, calm = frames
    daily, judged = daily_of(frame, days), days[-JUDGED:]
    raised, quiet = alarms(daily, judged), alarms(daily_of(calm, days), judged)
    before = {(a.measure, a.cell, a.day) for a in raised}
    by_outage = [
        a
        for a in alarms(daily_of(frame, days, outage=True), judged)
        if (a.measure, a.cell, a.day) not in before
    ]
    right = [a for a in raised if any(about(a, event) for event in events)]
    told[labels, "alarms"] += len(raised)
    told[labels, "right"] += len(right)
    told[labels, "outage"] += len(by_outage)
    told[labels, "quiet"] += len(quiet)
    others = [("other", a) for a in raised if a not in right]
    for why, alarm in [
        *others,
        *(("outage", a) for a in by_outage),
        *(("quiet", a) for a in quiet),
    ]:
        print(
            f"seed {seed}, {labels}, {why}: {alarm.measure} {alarm.cell.value} {alarm.first}"
            f" to {alarm.day}: {alarm.count} of {alarm.n}, {alarm.expected:.1f} expected,"
            f" q {alarm.q:.3f}"
        )
    loud = [each for each in episodes(raised) if each[0].measure is Measure.VOLUME]
    angrier = [each for each in loud if angrier_than_before(each, daily)]
    angry = [event for event in events if event.kind is Surge.NEGATIVITY]
    for name, chosen in (("loud", loud), ("angrier", angrier)):
        of_anger = sum(any(about(a, e) for a in each for e in angry) for each in chosen)
        told[labels, f"{name} of anger"] += of_anger
        told[labels, f"{name} of others"] += len(chosen) - of_anger
    for event in events:
        mine = [a for a in raised if about(a, event)]
        own = [a for a in mine if a.measure == str(event.kind)]
        if event.kind is Surge.NEGATIVITY:
            own += [a for each in angrier for a in each if about(a, event)]
        told[labels, f"{_sort(event)} told"] += bool(mine)
        told[labels, f"{_sort(event)} as such"] += any(event.category in a.cell.value for a in own)


if __name__ == "__main__":
    main()
