"""What a municipality's configuration and the taxonomy may say.

Every model is frozen and refuses keys it does not know, so a typing mistake is an error and
never a silent default.
"""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from configs.model import ModelSpec
from models.labels import CATEGORIES
from models.records import Kind, Protocol

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


WORDS = r"^\s*\w+\*?([\s'’-]+\w+\*?)*\s*$"
"""A word or a phrase; a star only at the end of a word."""

MOST_LENSES = 16
MOST_LANDMARKS = 5_000


class Strict(BaseModel):
    """Frozen, and no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Contact(Strict):
    """Who answers for the crawler; both appear in its user agent."""

    name: Text
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class Geometry(Strict):
    """Where a zone lies, as in GeoJSON (RFC 7946): positions are longitude, then latitude."""

    type: Literal["Point", "Polygon", "MultiPolygon"]
    coordinates: list[Any]

    @model_validator(mode="after")
    def _on_earth(self) -> Self:
        depth = {"Point": 0, "Polygon": 2, "MultiPolygon": 3}[self.type]
        if not _are_positions(self.coordinates, depth):
            raise ValueError(
                f"these are no coordinates of a {self.type}: a position is [longitude, latitude], "
                "for Lima about [-76.9, -12.0]"
            )
        return self


def _are_positions(value: Any, depth: int) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if depth:
        return all(_are_positions(one, depth - 1) for one in value)
    numbers = all(isinstance(one, int | float) for one in value)
    return numbers and len(value) == 2 and abs(value[0]) <= 180 and abs(value[1]) <= 90


class Zone(Strict):
    """A named part of the district, with the other names that neighbours use for it."""

    code: Code
    name: Text
    aliases: tuple[Text, ...] = ()
    geometry: Geometry | None = None


LandmarkKind = Literal[
    "street", "avenue", "road", "market", "station", "park", "hospital", "building"
]
"""Jirones, calles and pasajes are streets; stops are stations; posts of health are hospitals."""


class Stretch(Strict):
    """The kilometres of a road that lie in one zone: from the first, up to the second."""

    zone: Code
    from_km: float = Field(ge=0, le=5_000)
    to_km: float = Field(gt=0, le=5_000)

    @model_validator(mode="after")
    def _onward(self) -> Self:
        if self.from_km >= self.to_km:
            raise ValueError("a stretch ends behind its beginning: from_km: 15, to_km: 17.5")
        return self


class Landmark(Strict):
    """A street, a market or another named place, and the zones in which it lies.

    With several ``zones`` its name alone tells none of them, and with none only that the text
    speaks of the district. ``stretches`` say which kilometres of a road lie in which zone.
    """

    name: Text
    kind: LandmarkKind
    zones: tuple[Code, ...] = ()
    aliases: tuple[Text, ...] = ()
    stretches: tuple[Stretch, ...] = ()


def _known_categories(value: tuple[str, ...]) -> tuple[str, ...]:
    for code in value:
        if code not in CATEGORIES:
            raise ValueError(f"«{code}» is no urban category; use one of {', '.join(CATEGORIES)}")
    return value


class Area(Strict):
    """An office of the municipality and the urban categories it answers for.

    It answers a demand within ``answer_days``: days of the calendar, or with ``working_days``
    Monday to Friday without the country's public holidays.
    """

    name: Text
    categories: tuple[str, ...] = Field(min_length=1)
    answer_days: int | None = Field(default=None, ge=1, le=3_660)
    working_days: bool = False

    @field_validator("categories")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _known_categories(value)


class Lens(Strict):
    """A saved filter: the same tables for the texts that have any of its words or phrases.

    Case and accents do not count, and only whole words are found; ``emprended*`` finds every word
    that begins so. With ``categories``, only texts of one of these. It looks at what is said,
    never at who says it.
    """

    code: Code
    es: Text
    en: Text
    words: tuple[Annotated[str, StringConstraints(pattern=WORDS, max_length=100)], ...] = Field(
        min_length=1
    )
    categories: tuple[str, ...] = ()

    @field_validator("categories")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _known_categories(value)


class Expectation(Strict):
    """What somebody expected to be talked about most, as one of the nine work categories."""

    by: Text
    work_category: int = Field(ge=1, le=9)


class Windows(Strict):
    """Which days a run looks at when it is not told."""

    days: int = Field(default=30, ge=1, le=3660)
    start: date | None = None


class Limits(Strict):
    """What one source may cost. Times in seconds, sizes in bytes.

    ``max_bytes`` is for one answer, ``max_total_bytes`` for all that one crawl keeps: answers as
    they came, and records. ``max_records`` counts what is stored and what is rejected.
    ``max_wait`` is the longest pause that a site may ask for by Crawl-delay or Retry-After.
    """

    delay: float = Field(default=2.0, ge=0, le=600)
    timeout: float = Field(default=30.0, gt=0, le=600)
    max_bytes: int = Field(default=5_000_000, ge=1_000, le=100_000_000)
    max_total_bytes: int = Field(default=500_000_000, ge=1_000, le=100_000_000_000)
    max_records: int = Field(default=100_000, ge=1, le=10_000_000)
    max_requests: int = Field(default=2_000, ge=1, le=100_000)
    max_seconds: float = Field(default=1_800, gt=0, le=86_400)
    retries: int = Field(default=2, ge=0, le=10)
    retry_delay: float = Field(default=5.0, ge=0, le=3_600)
    max_wait: float = Field(default=60.0, ge=0, le=3_600)


class Expect(Strict):
    """What a healthy source gives: what is outside of it has changed, and somebody must look.

    The numbers are manifestations a day, on average over the days of the window that are over.
    A field is missed when not one record of a crawl has it.
    """

    min_per_day: float | None = Field(default=None, ge=0)
    max_per_day: float | None = Field(default=None, gt=0)
    fields: tuple[Literal["author", "title", "url", "thread"], ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.min_per_day, self.max_per_day
        if low is not None and high is not None and low > high:
            raise ValueError(
                f"min_per_day ({low:g}) is more than max_per_day ({high:g}); exchange them"
            )
        return self


class Collection(Strict):
    """When failing and idle sources are left alone, and how long raw responses are kept.

    After ``quarantine_after`` failed runs in a row a source rests for ``quarantine_hours``, twice
    as long after each failed try, never longer than ``quarantine_days``. A source with ``poll:
    adaptive`` that brings nothing new is read less often, at least every ``idle_hours``. A rerun
    reads a day again that was last read less than ``lookback_days`` after it was over.
    """

    quarantine_after: int = Field(default=5, ge=1, le=1_000)
    quarantine_hours: float = Field(default=24.0, gt=0, le=8_760)
    quarantine_days: float = Field(default=14.0, gt=0, le=365)
    idle_hours: float = Field(default=72.0, gt=0, le=8_760)
    archive_days: int = Field(default=365, ge=1, le=36_500)
    lookback_days: int = Field(default=3, ge=0, le=365)


CRON = r"^\s*([\d*,/a-zA-Z#-]+\s+){4}[\d*,/a-zA-Z#-]+\s*$"
"""Five fields: minute, hour, day of the month, month, day of the week."""


class Schedule(Strict):
    """When `manifiesta schedule` runs a municipality, on its own clocks: one of the two."""

    cron: Annotated[str, StringConstraints(pattern=CRON, max_length=100)] | None = None
    every_hours: float | None = Field(default=None, ge=0.25, le=8_760)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.cron is None) == (self.every_hours is None):
            raise ValueError("write either cron or every_hours: for half past five, «30 5 * * *»")
        return self


Told = Literal["finding", "alert", "failure"]
"""What people may be told of."""


class Channel(Strict):
    """Where people are told of what a run found, or that it failed.

    ``urls_from`` names the environment variable with the addresses, one or several as Apprise
    writes them (``mailtos://``, ``slack://``, ``tgram://``, ``jsons://``); with ``_FILE`` behind
    it, a variable that names a file of them. They hold secrets, and are never written here. The
    same thing is told again after ``repeat_hours``.
    """

    name: Code
    urls_from: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=100)]
    about: tuple[Told, ...] = Field(default=("alert", "failure"), min_length=1)
    repeat_hours: float = Field(default=72.0, gt=0, le=8_760)


class Privacy(Strict):
    """What is masked in texts beyond what always is: ``mask_plates``, the plates of vehicles."""

    mask_plates: bool = False


Format = Literal["4cat", "crowdtangle"]
"""A tool whose exports are known by their columns."""


class Columns(Strict):
    """Which column of an upload holds what; ``title`` and ``text`` may name the same news item.

    ``parent`` is the id of what a row answers, ``thread`` that of what began the conversation.
    """

    text: Text
    date: Text
    title: Text | None = None
    id: Text | None = None
    url: Text | None = None
    author: Text | None = None
    thread: Text | None = None
    parent: Text | None = None


class Source(Strict):
    """One configured public place to read.

    ``url`` may be relative to the municipality's ``base_url``. A ``feed`` gives one
    manifestation per entry; with ``follow`` the entry's page is opened for the full text, and
    with ``comments`` the page's comment thread is read too. ``pages`` starts from a page of
    links chosen by the CSS selector ``links``, or else by their looks; ``sitemap`` reads the
    addresses that ``match``.
    The interfaces of platforms take a ``query`` (a tag, a page, a subreddit, search words) and
    the name of the environment variable that holds their ``token``. Pages that were read are
    opened again only within ``revisit_days`` of the source's newest, where comments still come.
    Pages that only scripts fill are rendered by a ``browser``, which is installed apart.
    An upload is mapped by its ``columns``, or by the ``format`` of the tool that exported it.
    """

    name: Code
    title: Text
    protocol: Protocol
    url: Text | None = None
    kind: Kind = Kind.ARTICLE
    follow: bool = False
    comments: bool = False
    links: Text | None = None
    match: Text | None = None
    query: Text | None = None
    token: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None
    columns: Columns | None = None
    format: Format | None = None
    render: Literal["browser"] | None = None
    allow_private: bool = False
    enabled: bool = True
    revisit_days: float = Field(default=3.0, ge=0, le=365)
    poll: Literal["every-run", "adaptive"] = "every-run"
    expect: Expect | None = None
    limits: Limits = Limits()


class Municipality(Strict):
    """A municipality: its time zone, its places, who answers for what, and its sources.

    Texts whose estimated Jaccard similarity reaches ``duplicate_threshold`` count as copies; a
    change of it is for texts that come after. `manifiesta purge --retention` deletes what was
    said more than ``retention_days`` ago. Exports hide cells of fewer authors than
    ``suppress_below``.
    """

    code: Code
    name: Text
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    ubigeo: Annotated[str, StringConstraints(pattern=r"^\d{6}$")] | None = None
    time_zone: str
    contact: Contact
    base_url: Text | None = None
    windows: Windows = Windows()
    collection: Collection = Collection()
    schedule: Schedule | None = None
    notify: tuple[Channel, ...] = Field(default=(), max_length=20)
    privacy: Privacy = Privacy()
    duplicate_threshold: float = Field(default=0.6, ge=0.3, le=1)
    suppress_below: int = Field(default=5, ge=1, le=1_000)
    retention_days: int | None = Field(default=None, ge=1, le=36_500)
    model: ModelSpec = ModelSpec()
    zones: tuple[Zone, ...] = ()
    landmarks: tuple[Landmark, ...] = Field(default=(), max_length=MOST_LANDMARKS)
    areas: tuple[Area, ...] = ()
    lenses: tuple[Lens, ...] = Field(default=(), max_length=MOST_LENSES)
    expectations: tuple[Expectation, ...] = ()
    sources: tuple[Source, ...] = Field(min_length=1)

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder: America
            raise ValueError(
                f"«{value}» is no IANA time zone; for Lima write America/Lima"
            ) from None
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days are cut."""
        return ZoneInfo(self.time_zone)

    @property
    def crawled(self) -> tuple[Source, ...]:
        """The sources that a run reads: those that are enabled. Files are imported."""
        return tuple(s for s in self.sources if s.enabled and s.protocol is not Protocol.UPLOAD)

    def source(self, name: str) -> Source | None:
        """Return the source of that name, if there is one."""
        return next((s for s in self.sources if s.name == name), None)

    def area_for(self, category: str) -> Area | None:
        """Return the area that answers for a category: the first that names it."""
        return next((area for area in self.areas if category in area.categories), None)

    def with_base_url(self, base_url: str) -> Self:
        """Return the same municipality read from another server."""
        return self.model_copy(update={"base_url": base_url})


class Category(Strict):
    """One urban category of the taxonomy and the work category that it feeds."""

    code: str
    es: Text
    en: Text
    work_category: int | None = Field(default=None, ge=1, le=9)


class Name(Strict):
    """A name in both languages of the product."""

    es: Text
    en: Text


class Taxonomy(Strict):
    """The urban categories, sentiments and intents with their names, under one version."""

    version: Annotated[str, StringConstraints(pattern=r"^\d{4}\.\d+$")]
    categories: tuple[Category, ...]
    sentiments: dict[str, Name]
    intents: dict[str, Name]
    work_categories: dict[int, Name]
    lenses: tuple[Lens, ...] = Field(default=(), max_length=MOST_LENSES)

    @field_validator("categories")
    @classmethod
    def _complete(cls, value: tuple[Category, ...]) -> tuple[Category, ...]:
        codes = tuple(category.code for category in value)
        if codes != CATEGORIES:
            raise ValueError(f"the codes must be, in this order: {', '.join(CATEGORIES)}")
        return value

    def category(self, code: str) -> Category:
        """Return the category of that code; an unknown code is a programming error."""
        return self.categories[CATEGORIES.index(code)]


def lenses_of(municipality: Municipality, taxonomy: Taxonomy) -> tuple[Lens, ...]:
    """Return the lenses of the taxonomy and the municipality's own, which outrank them by code."""
    own = {lens.code: lens for lens in municipality.lenses}
    shared = {lens.code: lens for lens in taxonomy.lenses}
    return tuple((shared | own).values())


def absolute_url(municipality: Municipality, source: Source) -> str:
    """Return the source's full address, resolved against the municipality's base address."""
    if source.url is None:
        raise ValueError(f"source {source.name} is an upload and has no address")
    if urlsplit(source.url).scheme:
        return source.url
    return f"{(municipality.base_url or '').rstrip('/')}/{source.url.lstrip('/')}"


SHIPPED = Path(__file__).parent
"""The folder with the configuration files that ship with the project."""

_HTTP = re.compile(r"^https?://[^/\s]+", re.IGNORECASE)


def is_web_address(url: str) -> bool:
    """Say whether a text is an absolute http or https address."""
    return bool(_HTTP.match(url))
