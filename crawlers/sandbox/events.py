"""Events that can be planted in the town: days on which a matter is talked about far more.

Every planted text repeats one that the town says anyway, by another neighbour and in a few other
words, so that it has a careful reader's labels; the zone is named where the text names none.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from itertools import cycle
from random import Random
from typing import Final

from configs.load import load_municipality
from configs.schema import SHIPPED
from crawlers.sandbox.copies import OPENERS
from crawlers.sandbox.moments import chance_of, citizen, draw_moment
from crawlers.sandbox.names import neighbour
from crawlers.sandbox.placing import Saying
from crawlers.sandbox.retell import echoed
from crawlers.sandbox.sites import Shape, Site, site
from crawlers.sandbox.texts import Comment, Post, Texts
from crawlers.sandbox.volume import PILOT, PILOT_DAYS
from models.errors import ConfigError
from models.labels import CATEGORIES
from models.records import Window

LEAST: Final = 12
"""So many texts a day has even an event in a matter that is hardly talked about."""

_FORM: Final = "CATEGORY:ZONE:FROM:DAYS:KIND, such as waste:huaycan:2021-09-17:3:volume"
_UPLOADS: Final = frozenset({Shape.CSV, Shape.XLSX})


class Surge(StrEnum):
    """What an event is a surge of."""

    VOLUME = "volume"
    NEGATIVITY = "negativity"


_TIMES: Final = {Surge.VOLUME: 4, Surge.NEGATIVITY: 2}
"""How many times the category's usual day is added to each day of an event."""


@dataclass(frozen=True, slots=True)
class Event:
    """A surge in a category, in one zone or anywhere, from a local day on for some days."""

    category: str
    zone: str | None
    start: date
    days: int
    kind: Surge

    @property
    def end(self) -> date:
        """The day after the last."""
        return self.start + timedelta(days=self.days)

    def __str__(self) -> str:
        """Write it as the command line reads it, which is its name in the truth file."""
        return f"{self.category}:{self.zone or ''}:{self.start}:{self.days}:{self.kind}"


def read_event(given: str) -> Event:
    """Read ``CATEGORY:ZONE:FROM:DAYS:KIND``; without a zone it is anywhere in the district.

    >>> read_event("waste:huaycan:2021-09-17:3:volume").end
    datetime.date(2021, 9, 20)

    Raises:
        ConfigError: It has another form, or names what there is not.
    """
    parts = [part.strip() for part in given.split(":")]
    if len(parts) != 5:
        raise ConfigError(f"«{given}» is no event; write {_FORM}")
    category, zone, start, days, kind = parts
    _known(given, "category", category, CATEGORIES)
    _known(given, "zone", zone, ("", *_zone_names()))
    _known(given, "kind", kind, tuple(Surge))
    try:
        event = Event(category, zone or None, date.fromisoformat(start), int(days), Surge(kind))
    except ValueError as error:
        raise ConfigError(f"«{given}»: {error}; write {_FORM}") from error
    if event.days < 1:
        raise ConfigError(f"«{given}»: an event lasts at least one day")
    return event


def planted(
    events: Iterable[Event], texts: Texts, seed: int, window: Window, scale: float
) -> Iterator[Saying]:
    """Yield the texts of each event, with their sources and moments.

    Args:
        events: What is planted.
        texts: What the town says, of which the events' texts are repetitions.
        seed: What decides.
        window: The days of the town, which hold those of every event.
        scale: How busy the town is.

    Raises:
        ConfigError: An event lies outside the window.
    """
    for event in dict.fromkeys(events):
        left = (window.end - event.start).days
        if event.start < window.start or event.days > left:
            raise ConfigError(
                f"the event {event} is not inside the town's days, from {window.start} to the day "
                f"before {window.end}; choose other days, or a longer town with --days"
            )
        yield from _texts_of(event, texts, seed, window, scale)


def _texts_of(
    event: Event, texts: Texts, seed: int, window: Window, scale: float
) -> Iterator[Saying]:
    chance = chance_of(seed, f"event/{event}")
    usual = PILOT[event.category] / PILOT_DAYS * scale
    count = max(LEAST, round(_TIMES[event.kind] * usual)) * event.days
    days = Window(event.start, event.end, window.zone)
    origins = [
        text for text in texts.labelled if isinstance(text, Post | Comment) and _fits(text, event)
    ]
    chance.shuffle(origins)
    sources = [name for name in OPENERS if _hears(site(name), event)]
    drawn = chance.choices(sources, [OPENERS[name] for name in sources], k=count)
    name = f"event-{str(event).replace(':', '-').replace('--', '-')}"
    for number, (source, origin) in enumerate(zip(drawn, cycle(origins), strict=False), start=1):
        post = _retold(origin, event, f"{name}-{number}", chance)
        yield Saying(post, site(source), draw_moment(chance, days, citizen), below=False)


def _hears(where: Site, event: Event) -> bool:
    is_there = event.zone is None or not where.zones or event.zone in where.zones
    return is_there and where.shape not in _UPLOADS


def _fits(text: Post | Comment, event: Event) -> bool:
    return (
        text.category == event.category
        and (event.zone is None or text.zone in {None, event.zone})
        and (event.kind is Surge.VOLUME or text.sentiment == "negative")
    )


def _retold(origin: Post | Comment, event: Event, name: str, chance: Random) -> Post:
    text = echoed(origin.text, chance)
    if event.zone is not None and origin.zone is None:
        text = f"{text} ({_zone_names()[event.zone]})"
    return Post.model_construct(
        id=name,
        author=neighbour(chance),
        text=text,
        place="muro",
        category=origin.category,
        second=origin.second,
        sentiment=origin.sentiment,
        intent=origin.intent,
        zone=event.zone or origin.zone,
        copy_of=origin.id,
        event=str(event),
    )


@cache
def _zone_names() -> Mapping[str, str]:
    own_municipality = SHIPPED / "municipalities" / "sandbox.yml"
    return {zone.code: zone.name for zone in load_municipality(str(own_municipality)).zones}


def _known(given: str, what: str, value: str, values: Collection[str]) -> None:
    if value not in values:
        named = ", ".join(each for each in values if each)
        raise ConfigError(f"«{given}»: there is no {what} «{value}»; there are {named}")
