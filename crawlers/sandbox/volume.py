"""How much the town says: the totals of a window, which texts fit, and how often each is repeated.

The pilot's published totals hold for 30 days; other lengths and scales are multiples of them.
The written texts come first. What is missing is what the web really adds: shares, copies of
articles, notices sent to every group, greetings, spam.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, TypeVar

from crawlers.sandbox.moments import chance_of
from crawlers.sandbox.texts import Labelled, Noise, Texts, Thread
from models.labels import SENTIMENTS

PILOT_DAYS: Final = 30
PILOT: Final = {
    "transport": 372,
    "health": 105,
    "security": 104,
    "economy": 30,
    "waste": 520,
    "environment": 310,
    "water": 380,
    "energy": 340,
    "education": 330,
    "culture": 480,
    "social": 360,
    "housing": 300,
    "governance": 760,
    "emergency": 250,
    "digital": 235,
    "other": 920,
}
"""Manifestations of each category in 30 days; the first four are the pilot's published ones."""

SHARES: Final = {"positive": 0.3524, "negative": 0.4, "neutral": 0.2476}
"""The published shares of the sentiments."""

_NOISE: Final = 0.6
"""The share of the missing texts of «other» that is noise and not a repetition."""

Cell = tuple[str, str]
Row = TypeVar("Row", bound=Labelled)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many manifestations a window holds, by category and by sentiment."""

    categories: Mapping[str, int]
    sentiments: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.categories.values())


def plan(days: int = PILOT_DAYS, scale: float = 1) -> Plan:
    """Return the totals of a window of some days, ``scale`` times as busy as the pilot's.

    >>> plan().total, plan().sentiments
    (5796, {'positive': 2043, 'negative': 2318, 'neutral': 1435})
    """
    factor = days / PILOT_DAYS * scale
    total = round(sum(PILOT.values()) * factor)
    categories = _whole({name: count * factor for name, count in PILOT.items()}, total)
    return Plan(categories, _whole({name: total * share for name, share in SHARES.items()}, total))


def choose(texts: Texts, aim: Plan, seed: int) -> Texts:
    """Return the texts that fit a plan: whole threads first, then single posts."""
    room = Counter(aim.categories)
    threads = [t for t in _shuffled(texts.threads, seed) if _take(room, [t, *t.comments])]
    posts = [post for post in _shuffled(texts.posts, seed) if _take(room, [post])]
    return Texts(posts=tuple(posts), threads=tuple(threads), noise=texts.noise)


def repeats(texts: Texts, aim: Plan, seed: int) -> list[Labelled]:
    """Return which texts are said once more, and again, until the plan is met exactly."""
    said = Counter((text.category, text.sentiment) for text in texts.labelled)
    wanted = _cells(said, aim)
    pools: dict[Cell, list[Labelled]] = {}
    for text in texts.labelled:
        pools.setdefault((text.category, text.sentiment), []).append(text)
    found: list[Labelled] = []
    for cell in sorted(wanted):
        found += _draw(cell, wanted[cell] - said[cell], pools, texts.noise, seed)
    return found


def _draw(
    cell: Cell,
    count: int,
    pools: Mapping[Cell, list[Labelled]],
    noise: Iterable[Noise],
    seed: int,
) -> list[Labelled]:
    chance = chance_of(seed, f"repeats/{cell}/{count}")
    between = [line for line in noise if (line.category, line.sentiment) == cell]
    pool = pools.get(cell, [])
    if not pool and not between:
        return []
    noisy = round(count * _NOISE) if between and pool else count if between else 0
    weights = [_weight(text, seed) for text in pool]
    found: list[Labelled] = list(chance.choices(between, k=noisy)) if noisy else []
    if count > noisy:
        sums = list(accumulate(weights))
        found += chance.choices(pool, cum_weights=sums, k=count - noisy)
    return found


def _weight(text: Labelled, seed: int) -> float:
    """Return how far a text travels: most hardly, some everywhere, articles more than others."""
    fame = chance_of(seed, f"fame/{text.id}").paretovariate(1.2)
    return 2 * min(4.0, fame) if isinstance(text, Thread) else min(15.0, fame)


def _cells(said: Mapping[Cell, int], aim: Plan) -> Counter[Cell]:
    """Return how often each category has each sentiment, so that both totals are met."""
    cells: Counter[Cell] = Counter()
    for category, count in aim.categories.items():
        here = {each: float(said.get((category, each), 0)) for each in SENTIMENTS}
        if not sum(here.values()):
            continue
        size = sum(here.values())
        for sentiment, part in _whole(
            {each: count * part / size for each, part in here.items()}, count
        ).items():
            cells[category, sentiment] = part
    _balance(cells, said, aim)
    return cells


def _balance(cells: Counter[Cell], said: Mapping[Cell, int], aim: Plan) -> None:
    """Move single manifestations between sentiments where a category has repetitions to spare."""
    surplus = Counter(
        {
            each: sum(n for (_, s), n in cells.items() if s == each) - aim.sentiments[each]
            for each in SENTIMENTS
        }
    )
    while surplus and max(surplus.values()) > 0 > min(surplus.values()):
        source, target = (
            max(surplus, key=surplus.__getitem__),
            min(surplus, key=surplus.__getitem__),
        )
        spare = {
            cell: count - said.get(cell, 0)
            for cell, count in cells.items()
            if cell[1] == source and said.get((cell[0], target))
        }
        cell = max(sorted(spare), key=spare.__getitem__, default=None)
        if cell is None or spare[cell] <= 0:
            return
        step = max(1, min(surplus[source], -surplus[target], spare[cell]) // 8)
        cells[cell] -= step
        cells[cell[0], target] += step
        surplus[source] -= step
        surplus[target] += step


def _take(room: Counter[str], texts: Iterable[Labelled]) -> bool:
    need = Counter(text.category for text in texts)
    if any(room[name] < count for name, count in need.items()):
        return False
    room.subtract(need)
    return True


def _shuffled(texts: Iterable[Row], seed: int) -> list[Row]:
    return sorted(texts, key=lambda text: chance_of(seed, f"turn/{text.id}").random())


def _whole(parts: Mapping[str, float], total: int) -> dict[str, int]:
    """Round to whole numbers that sum to a total, by the largest remainders."""
    floors = {name: int(part) for name, part in parts.items()}
    left = total - sum(floors.values())
    order = sorted(parts, key=lambda name: (floors[name] - parts[name], name))
    for name in order[: max(0, left)]:
        floors[name] += 1
    return floors
