"""Findings: statements that numbers alone support, each with the statistic behind it.

*Relevant*: large, sure, and somebody's to act on. *Surprise*: far from what officials expected, or
from the days before the window. *Emerging*: a topic or a term that was hardly there. *Alert*: a day
or a level beyond what chance explains. Every rule that tries many cells adjusts for them
(Benjamini and Hochberg 1995). What is counted are voices: a text that is copied counts once, and an
author once a day, so that neither copies nor loud neighbours make anything sure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests

from configs.schema import Municipality, Taxonomy
from models.labels import CATEGORIES
from models.records import Window
from pipelines.alarm import Alarm, Cell, Daily, Measure, tone
from pipelines.proportions import newcombe, p_of_no_difference, wilson
from pipelines.shifts import Shift

SURE = 0.05
"""The share of false ones among the findings of a rule is held under this."""
LEAST = 30
"""A cell of fewer voices is not called relevant, and not compared."""
LEAST_DISTINCT = 3
"""An alert is told where at least so many distinct texts are behind it."""
MOST = 5
"""How many findings of a kind are told at most, the weightiest first."""

_LEAST_EXCESS = 0.05  # of the negative share, to be worth a sentence
_LEAST_CHANGE = 0.02  # of a category's share
_LEAST_DAYS = 14  # of the time before, to compare with
_STEADY = 0.9  # of the days a source must have been read on, to be compared
_TOPICS = tuple(code for code in CATEGORIES if code != "other")


class Kind(StrEnum):
    """Why a finding is told."""

    ALERT = "alert"
    SURPRISE = "surprise"
    EMERGING = "emerging"
    RELEVANT = "relevant"


@dataclass(frozen=True)
class Finding:
    """A statement: its figure with interval, and all of its numbers in ``statistic``.

    ``ids`` are the manifestations that it is about; ``weight`` orders the findings of a kind.
    """

    kind: Kind
    rule: str
    subject: str
    value: float
    low: float | None
    high: float | None
    n: int
    q: float | None
    statistic: Mapping[str, Any]
    ids: Sequence[str] = field(repr=False)
    weight: float


def voices(said: pd.DataFrame) -> pd.DataFrame:
    """Keep of the texts one per cluster and category, and of those one per author and day."""
    ordered = said.sort_values(["said_on", "id"])
    alone = ordered.drop_duplicates(["category", "cluster"])
    return alone.assign(voice=alone["author"].fillna(alone["id"])).drop_duplicates(
        ["category", "voice", "said_on"]
    )


def told(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings in the order in which they are told: at most five of each kind."""
    ordered = sorted(findings, key=lambda f: (-f.weight, f.rule, f.subject))
    return [finding for kind in Kind for finding in [f for f in ordered if f.kind is kind][:MOST]]


# --- relevant --------------------------------------------------------------------------------


def leading(heard: pd.DataFrame, municipality: Municipality) -> list[Finding]:
    """Say which category is talked about most, where it is surely ahead of the next."""
    counts = _by_category(heard)
    if len(counts) < 2:
        return []
    (first, count), (second, behind) = counts[:2]
    if _ahead(count, behind) > SURE or count < LEAST:
        return []
    n = len(heard)
    _, low, high = wilson(count, n)
    statistic = {
        "category": first,
        "count": count,
        "n": n,
        "share": count / n,
        "low": low,
        "high": high,
        "other_category": second,
        "other_count": behind,
        "area": _area(municipality, first),
    }
    ids = _ids(heard, heard["category"].eq(first))
    return [
        Finding(
            Kind.RELEVANT,
            "leading",
            f"category:{first}",
            count / n,
            low,
            high,
            n,
            None,
            statistic,
            ids,
            float(n),
        )
    ]


def angrier(heard: pd.DataFrame, municipality: Municipality) -> list[Finding]:
    """Say which categories are talked about far more negatively than the rest."""
    angry = heard["sentiment"].eq("negative")
    tried = []
    for category in _TOPICS:
        mine = heard["category"].eq(category)
        n, rest = int(mine.sum()), int((~mine).sum())
        if min(n, rest) < LEAST:
            continue
        count, others = int((mine & angry).sum()), int((~mine & angry).sum())
        tried.append((category, count, n, others, rest))
    p = [p_of_no_difference(count, n, others, rest) for _, count, n, others, rest in tried]
    found = []
    for (category, count, n, others, rest), q in zip(tried, _adjusted(p), strict=True):
        excess = count / n - others / rest
        if q > SURE or excess < _LEAST_EXCESS:
            continue
        low, high = newcombe(count, n, others, rest)
        statistic = {
            "category": category,
            "count": count,
            "n": n,
            "share": count / n,
            "rest_count": others,
            "rest_n": rest,
            "rest_share": others / rest,
            "points": 100 * excess,
            "points_low": 100 * low,
            "points_high": 100 * high,
            "area": _area(municipality, category),
        }
        ids = _ids(heard, heard["category"].eq(category) & angry)
        found.append(
            Finding(
                Kind.RELEVANT,
                "angrier",
                f"category:{category}",
                excess,
                low,
                high,
                n,
                q,
                statistic,
                ids,
                excess * n,
            )
        )
    return found


# --- surprise --------------------------------------------------------------------------------


def unexpected(
    heard: pd.DataFrame, municipality: Municipality, taxonomy: Taxonomy
) -> list[Finding]:
    """Say where another category came out on top than the officials expected."""
    counts = _by_category(heard)
    rank = {category: place for place, (category, _) in enumerate(counts, 1)}
    found = []
    for expectation in municipality.expectations:
        meant = [
            (category, count)
            for category, count in counts
            if taxonomy.category(category).work_category == expectation.work_category
        ]
        if not meant or rank[meant[0][0]] == 1:
            continue
        (top, count), (best, behind), n = counts[0], meant[0], len(heard)
        p = _ahead(count, behind)
        if p > SURE or count < LEAST:
            continue
        difference = (count - behind) / n
        error = 1.96 * np.sqrt(((count + behind) / n - difference**2) / n)
        low, high = difference - error, difference + error
        statistic = {
            "by": expectation.by,
            "work_category": expectation.work_category,
            "expected_category": best,
            "expected_count": behind,
            "expected_share": behind / n,
            "rank": rank[best],
            "category": top,
            "count": count,
            "n": n,
            "share": count / n,
            "points": 100 * difference,
            "points_low": 100 * low,
            "points_high": 100 * high,
        }
        subject = f"expectation:{expectation.work_category}"
        ids = _ids(heard, heard["category"].eq(top))
        found.append(
            Finding(
                Kind.SURPRISE,
                "unexpected",
                subject,
                difference,
                low,
                high,
                n,
                p,
                statistic,
                ids,
                1 + difference,
            )
        )
    return found


def changed(daily: Daily, window: Window, heard: pd.DataFrame) -> list[Finding]:
    """Say which categories have another share than in the days before the window.

    Both times count only the sources that were read nearly all along, on the days on which all of
    them were.
    """
    length = len(window.days)
    now = [at for at, day in enumerate(daily.days) if day >= window.start]
    then = list(range(max(0, now[0] - length), now[0])) if now else []
    steady = daily.read[then + now].mean(axis=0) >= _STEADY if now else np.array([])
    if not steady.any():
        return []
    now, then = ([at for at in days if daily.read[at][steady].all()] for days in (now, then))
    if len(then) < min(_LEAST_DAYS, length) or not now:
        return []
    cells = {
        cell.value: daily.voices[at][:, steady].sum(axis=1)
        for at, cell in enumerate(daily.cells)
        if cell.dimension == "category"
    }
    after = {code: int(counts[now].sum()) for code, counts in cells.items()}
    before = {code: int(counts[then].sum()) for code, counts in cells.items()}
    n, m = sum(after.values()), sum(before.values())
    if min(n, m) < LEAST:
        return []
    tried = [code for code in _TOPICS if after.get(code, 0) + before.get(code, 0) >= LEAST]
    p = [p_of_no_difference(after[code], n, before[code], m) for code in tried]
    found = []
    for code, q in zip(tried, _adjusted(p), strict=True):
        difference = after[code] / n - before[code] / m
        if q > SURE or abs(difference) < _LEAST_CHANGE:
            continue
        low, high = newcombe(after[code], n, before[code], m)
        statistic = {
            "category": code,
            "count": after[code],
            "n": n,
            "share": after[code] / n,
            "before_count": before[code],
            "before_n": m,
            "before_share": before[code] / m,
            "points": 100 * difference,
            "points_low": 100 * low,
            "points_high": 100 * high,
            "days": len(now),
            "before_days": len(then),
            "sources": int(steady.sum()),
        }
        rule = "risen" if difference > 0 else "fallen"
        ids = _ids(heard, heard["category"].eq(code))
        found.append(
            Finding(
                Kind.SURPRISE,
                rule,
                f"category:{code}",
                difference,
                low,
                high,
                n,
                q,
                statistic,
                ids,
                abs(difference),
            )
        )
    return found


# --- emerging --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Growth:
    """Voices of something in the last days of a window and before; q adjusted for all tried."""

    recent: int
    before: int
    factor: float
    q: float | None


def recent_days(window: Window) -> int:
    """Return how many of a window's days count as its last: a week, or half of a short one."""
    return min(7, len(window.days) // 2)


def growths(
    days: Sequence[Sequence[date]], window: Window, everything: Sequence[date]
) -> list[Growth]:
    """Measure how much more of each is said in the last days than all that is said has grown.

    Args:
        days: for each thing, the days of its voices.
        window: the days that there are.
        everything: the days of all voices.
    """
    last, length = recent_days(window), len(window.days)
    if not last:
        return [Growth(0, len(mine), 1.0, None) for mine in days]
    start = window.end - timedelta(days=last)
    usual = sum(day >= start for day in everything) / max(len(everything), 1)
    recents = [sum(day >= start for day in mine) for mine in days]
    p = [
        binomtest(recent, len(mine), min(max(usual, 1e-9), 1.0), "greater").pvalue if mine else 1.0
        for recent, mine in zip(recents, days, strict=True)
    ]
    return [
        Growth(
            recent,
            len(mine) - recent,
            ((recent + 0.5) / last) / ((len(mine) - recent + 0.5) / (length - last)),
            q,
        )
        for recent, mine, q in zip(recents, days, _adjusted(p), strict=True)
    ]


# --- alerts ----------------------------------------------------------------------------------


def alerted(
    raised: Sequence[Alarm], daily: Daily, said: pd.DataFrame, zones: pd.Series
) -> list[Finding]:
    """Tell the alarms, those of volume of one cell on following days together by the surest day.

    One message that is sent on and on is no alert: that takes three distinct texts. Days that are
    too loud are told to be angrier too where their negative share is surely higher than before.
    """
    told = [_alert(episode, daily, said, zones) for episode in episodes(raised)]
    return [finding for finding in told if finding.statistic["distinct"] >= LEAST_DISTINCT]


def episodes(raised: Sequence[Alarm]) -> list[list[Alarm]]:
    """Put together what is of one cell and measure and follows without a day between."""
    found: dict[tuple[Measure, Cell], list[list[Alarm]]] = {}
    for alarm in sorted(raised, key=lambda a: a.day):
        mine = found.setdefault((alarm.measure, alarm.cell), [])
        if mine and alarm.first - mine[-1][-1].day == timedelta(days=1):
            mine[-1].append(alarm)
        else:
            mine.append([alarm])
    return [episode for groups in found.values() for episode in groups]


def angrier_than_before(episode: Sequence[Alarm], daily: Daily) -> Alarm | None:
    """Return the negative share of loud days, judged by the days before, if they are angrier."""
    heard = tone(daily, episode[0].cell, episode[0].first, episode[-1].day)
    return heard if heard and heard.p <= SURE else None


def _alert(episode: Sequence[Alarm], daily: Daily, said: pd.DataFrame, zones: pd.Series) -> Finding:
    worst = min(episode, key=lambda a: (a.q, a.day))
    angry = worst.measure is Measure.NEGATIVITY
    statistic: dict[str, Any] = {
        **_cell(worst.cell),
        **(_window_of(worst) if angry else _days_of(episode, worst) | _tone_of(episode, daily)),
        "count": worst.count,
        "n": worst.n,
        "expected": worst.expected,
        "expected_low": int(worst.low),
        "expected_high": int(worst.high),
        "p": worst.p,
        "q": worst.q,
        "sources": worst.sources_read,
    }
    there = _inside(said, zones, worst.cell) & said["said_on"].between(
        episode[0].first, episode[-1].day
    )
    if angry:
        there &= said["sentiment"].eq("negative")
    statistic["distinct"] = int(said.loc[there, "cluster"].nunique())
    return Finding(
        Kind.ALERT,
        str(worst.measure),
        f"{worst.cell.dimension}:{worst.cell.value}",
        float(worst.count),
        worst.low,
        worst.high,
        worst.n,
        worst.q,
        statistic,
        _ids(said, there),
        worst.count - worst.expected,
    )


def _days_of(episode: Sequence[Alarm], worst: Alarm) -> dict[str, Any]:
    return {
        "day": worst.day.isoformat(),
        "since": episode[0].day.isoformat(),
        "until": episode[-1].day.isoformat(),
        "days": len(episode),
    }


def _tone_of(episode: Sequence[Alarm], daily: Daily) -> dict[str, Any]:
    """Return the negative share of an episode, and that of the days before, if it is angrier."""
    heard = angrier_than_before(episode, daily)
    if heard is None:
        return {}
    shares = {"count": heard.count, "n": heard.n, "p": heard.p, **_shares_of(heard)}
    return {f"tone_{name}": value for name, value in shares.items()}


def _window_of(alarm: Alarm) -> dict[str, Any]:
    """Return the days of an angry window, its share with interval, and that of the days before."""
    return {
        "day": alarm.first.isoformat(),
        "until": alarm.day.isoformat(),
        "window": alarm.days,
        **_shares_of(alarm),
    }


def _shares_of(alarm: Alarm) -> dict[str, Any]:
    share, low, high = wilson(alarm.count, alarm.n)
    return {
        "share": share,
        "low": low,
        "high": high,
        "before_count": alarm.past_count,
        "before_n": alarm.past_n,
        "before_share": alarm.past_count / alarm.past_n,
        "before_days": alarm.past_days,
        "before_of": "own" if alarm.past_cell == alarm.cell else "category",
    }


def moved(found: Sequence[Shift], said: pd.DataFrame, zones: pd.Series) -> list[Finding]:
    """Tell the lasting changes upwards."""
    return [
        Finding(
            Kind.ALERT,
            "shift",
            f"{shift.cell.dimension}:{shift.cell.value}",
            shift.ratio,
            shift.low,
            shift.high,
            shift.days_before + shift.days_after,
            None,
            {
                **_cell(shift.cell),
                "day": shift.day.isoformat(),
                "before": shift.before,
                "after": shift.after,
                "days_before": shift.days_before,
                "days_after": shift.days_after,
                "ratio": shift.ratio,
                "ratio_low": shift.low,
                "ratio_high": shift.high,
            },
            _ids(said, _inside(said, zones, shift.cell) & said["said_on"].ge(shift.day)),
            (shift.after - shift.before) * shift.days_after,
        )
        for shift in found
        if shift.low > 1
    ]


def _cell(cell: Cell) -> dict[str, str]:
    names = cell.dimension.split("+")
    values = cell.value.split("+") if len(names) > 1 else [cell.value]
    return {"dimension": cell.dimension, **dict(zip(names, values, strict=True))}


def _inside(said: pd.DataFrame, zones: pd.Series, cell: Cell) -> pd.Series:
    """Mark the rows of a cell; ``zones`` gives the zone of each row."""
    there = pd.Series(data=True, index=said.index)
    for name, value in _cell(cell).items():
        if name == "category":
            there &= said["category"].eq(value)
        elif name == "zone":
            there &= zones.eq(value)
    return there


# --- figures ---------------------------------------------------------------------------------


def _by_category(heard: pd.DataFrame) -> list[tuple[str, int]]:
    counts = heard["category"].value_counts()
    found = [(code, int(counts.get(code, 0))) for code in _TOPICS]
    return sorted([pair for pair in found if pair[1]], key=lambda pair: -pair[1])


def _area(municipality: Municipality, category: str) -> str:
    return next((a.name for a in municipality.areas if category in a.categories), "")


def _ids(heard: pd.DataFrame, wanted: pd.Series) -> tuple[str, ...]:
    return tuple(heard.loc[wanted, "id"])


def _ahead(count: int, behind: int) -> float:
    """Return how likely chance alone puts one of two equals so far ahead."""
    return float(binomtest(count, count + behind, 0.5).pvalue)


def _adjusted(p: Sequence[float]) -> list[float]:
    return [float(q) for q in multipletests(p, method="fdr_bh")[1]] if p else []
