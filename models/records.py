"""The records that travel between the steps, before and after the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    """What a manifestation is, as its source presents it."""

    ARTICLE = "article"
    COMMENT = "comment"
    POST = "post"


class Protocol(StrEnum):
    """How a source is read; each value is one spider, or an upload."""

    FEED = "feed"
    PAGES = "pages"
    SITEMAP = "sitemap"
    WORDPRESS = "wordpress"
    DISCOURSE = "discourse"
    DISQUS = "disqus"
    FORUM = "forum"
    MASTODON = "mastodon"
    REDDIT = "reddit"
    YOUTUBE = "youtube"
    FACEBOOK = "facebook"
    X = "x"
    TELEGRAM = "telegram"
    DECIDIM = "decidim"
    OPEN311 = "open311"
    UPLOAD = "upload"


class Role(StrEnum):
    """What a user may do; each may do what those before it may."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    REVIEWER = "reviewer"
    ADMIN = "admin"


class Stage(StrEnum):
    """The steps that the ledger keeps a partition for."""

    COLLECT = "collect"
    CLASSIFY = "classify"
    COUNT = "count"


class State(StrEnum):
    """The state of a run or of a partition in the ledger, or of a source in a window."""

    PENDING = "pending"
    RUNNING = "running"
    UNREAD = "unread"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"


class Failure(StrEnum):
    """How a crawl went wrong: what it says of the source, and whether another try may help."""

    SOFT = "soft"
    """The source was read, though not all of its pages."""
    TEMPORARY = "temporary"
    """It did not answer, or not now: another try may find it well."""
    HARD = "hard"
    """It is gone, forbids it, or is not what it was said to be: somebody has to look."""
    OWN = "own"
    """This software broke, which says nothing of the source: somebody has to mend it."""


class Condition(StrEnum):
    """What runs have made of a source lately."""

    ACTIVE = "active"
    FAILING = "failing"
    QUARANTINED = "quarantined"


class Outcome(StrEnum):
    """Why an input record was not stored: every record is counted under exactly one."""

    UNREADABLE = "unreadable"
    FAULT = "fault"
    NO_TEXT = "no_text"
    NO_DATE = "no_date"
    BAD_DATE = "bad_date"
    NO_IDENTITY = "no_identity"
    TOO_LONG = "too_long"
    DUPLICATE = "duplicate"
    FETCH_FAILED = "fetch_failed"
    ROBOTS_DENIED = "robots_denied"
    NOT_ALLOWED = "not_allowed"
    GONE = "gone"
    WALLED = "walled"
    DELETED = "deleted"
    PURGED = "purged"

    @property
    def failure(self) -> Failure | None:
        """How a source failed whose own address met this; nothing if it says nothing of it."""
        return _FAILURES.get(self)

    @property
    def ignored(self) -> bool:
        """Whether a healthy source may have it; otherwise somebody should look at it."""
        return self in _IGNORED


_FAILURES = {
    Outcome.FETCH_FAILED: Failure.TEMPORARY,
    Outcome.UNREADABLE: Failure.HARD,
    Outcome.FAULT: Failure.OWN,
    Outcome.ROBOTS_DENIED: Failure.HARD,
    Outcome.NOT_ALLOWED: Failure.HARD,
    Outcome.GONE: Failure.HARD,
    Outcome.WALLED: Failure.HARD,
}
"""The one place where outcomes of requests are told apart as lasting or passing."""

_IGNORED = frozenset({Outcome.DUPLICATE, Outcome.ROBOTS_DENIED, Outcome.DELETED, Outcome.PURGED})
"""What its author took back, or was purged here, is left out as it should be."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of local days ``[start, end)`` in the municipality's time zone."""

    start: date
    end: date
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"the window ends ({self.end}) before it starts ({self.start})")

    @property
    def days(self) -> list[date]:
        """Every local day of the window, in order."""
        return [self.start + timedelta(days=i) for i in range((self.end - self.start).days)]

    def day_of(self, moment: datetime) -> date:
        """Return the local day of an aware moment."""
        return moment.astimezone(self.zone).date()

    def holds(self, moment: datetime) -> bool:
        """Say whether an aware moment falls inside the window."""
        return self.start <= self.day_of(moment) < self.end


@dataclass(frozen=True, slots=True)
class Capture:
    """One raw response as it came over the wire, and where its WARC record lies."""

    id: str
    url: str
    status: int
    fetched_at: datetime
    content_type: str
    size: int
    sha256: str
    warc_file: str
    warc_offset: int


@dataclass(frozen=True, slots=True)
class Validator:
    """What a server said by which to ask whether an address has changed since."""

    url: str
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """What runs have made of a source: whether it answers, and when it is next to be read.

    ``failures`` and ``unchanged`` count consecutive runs. ``complete`` says that the latest
    one read everything there was, back to ``reach`` or to the very beginning. Without
    ``next_due`` every run reads it.
    """

    state: Condition = Condition.ACTIVE
    failures: int = 0
    unchanged: int = 0
    complete: bool = False
    reach: datetime | None = None
    last_success: datetime | None = None
    reason: str | None = None
    next_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opener:
    """What is stored of something that opens a thread, or stands alone: its page, and its age."""

    external_id: str
    url: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Vanished:
    """Something that its source was seen to have taken back: its page is gone, or it says so.

    ``with_thread`` says that what answered it is no longer to be read either.
    """

    external_id: str
    seen_at: datetime
    with_thread: bool = False


OPENERS, ANSWERS = "", "*"
"""What `Listing.of` says where it lists what opens threads, or all that answers anything."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that was read without a gap: what belongs to it, is stored, and is missing, is gone.

    ``of`` is the external id of what the listed answer, `OPENERS` or `ANSWERS`. Of what was said
    until ``since`` the list says nothing. ``began_at`` is when its first part was fetched.
    """

    of: str
    ids: tuple[str, ...]
    began_at: datetime
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """One public expression as a source gave it, before any personal data is masked.

    It never reaches the database; `pipelines.privacy` turns it into a `Manifestation`.
    ``fingerprint`` says how its source lists it, once everything behind it was read: what is
    listed the same way again has not changed.
    """

    source: str
    external_id: str
    kind: Kind
    text: str
    said_at: datetime | None
    fetched_at: datetime
    title: str | None = None
    author: str | None = None
    url: str | None = None
    parent_external_id: str | None = None
    thread_external_id: str | None = None
    capture_id: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Manifestation:
    """One public expression with its author pseudonymised and its personal data masked.

    ``said_at`` and ``fetched_at`` are aware and in UTC. ``id`` is derived from the source and
    the external id, so the same expression has the same id in every database and every run.
    """

    id: str
    municipality: str
    source: str
    external_id: str
    kind: Kind
    text: str
    text_hash: str
    said_at: datetime
    fetched_at: datetime
    title: str | None = None
    author: str | None = None
    url: str | None = None
    parent_id: str | None = None
    thread_id: str | None = None
    capture_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """An input record that was not stored, and why; ``detail`` never holds its text."""

    source: str
    outcome: Outcome
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Classification:
    """Calibrated probabilities for one text by one model version."""

    categories: Mapping[str, float]
    sentiments: Mapping[str, float]
    intents: Mapping[str, float]
    abstained: bool
    model_version: str

    @property
    def category(self) -> str:
        """The most probable urban category."""
        return max(self.categories, key=self.categories.__getitem__)

    @property
    def sentiment(self) -> str:
        """The most probable sentiment."""
        return max(self.sentiments, key=self.sentiments.__getitem__)

    @property
    def intent(self) -> str:
        """The most probable intent."""
        return max(self.intents, key=self.intents.__getitem__)

    @property
    def confidence(self) -> float:
        """The probability of the category that was chosen."""
        return max(self.categories.values())


def manifestation_id(municipality: str, source: str, external_id: str) -> str:
    """Derive the stable id of a manifestation from its identity: 32 hexadecimal digits."""
    identity = "\x1f".join((municipality, source, external_id))
    return sha256(identity.encode()).hexdigest()[:32]
