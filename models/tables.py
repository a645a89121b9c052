"""The database tables. Column comments are the data dictionary's text.

Times are aware and in UTC; days are local days of the municipality. Identifiers of
manifestations are derived (`models.records.manifestation_id`), so two databases that saw the
same sources hold the same keys.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from models.labels import EVERYTHING


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into UTC before it is written."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without time zone cannot be stored: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment its UTC zone back; SQLite forgets it."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base of all tables, with names for every constraint so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        dict[str, float]: JSON,
    }


def _code(comment: str, *, key: bool = False, order: int = 0) -> Mapped[Any]:
    return mapped_column(
        String(60), primary_key=key, nullable=False, comment=comment, sort_order=order
    )


class SourceRow(Base):
    """One configured public place to read, as it was when last used."""

    __tablename__ = "source"
    __table_args__ = {"comment": "One configured public place to read, as it was when last used."}

    municipality: Mapped[str] = _code("Code of the municipality.", key=True)
    name: Mapped[str] = _code("Code of the source within its municipality.", key=True)
    title: Mapped[str] = mapped_column(Text, comment="Name that a reader knows the source by.")
    protocol: Mapped[str] = _code("How it is read: feed, pages or upload.")
    config: Mapped[dict[str, Any]] = mapped_column(
        comment="The whole configuration; for uploads the remembered column mapping."
    )
    updated_at: Mapped[datetime] = mapped_column(comment="When this row last changed.")


class RunRow(Base):
    """One execution of the pipeline for one municipality."""

    __tablename__ = "run"
    __table_args__ = (
        Index(None, "municipality", "started_at"),
        {"comment": "One execution of the pipeline for one municipality."},
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, comment="Identifier: start time and six random digits."
    )
    municipality: Mapped[str] = _code("Code of the municipality.")
    command: Mapped[str] = _code("What started it: run, replay, rerun, import or aggregate.")
    window_from: Mapped[date] = mapped_column(comment="First local day of the window.")
    window_to: Mapped[date] = mapped_column(comment="Local day after the last of the window.")
    state: Mapped[str] = _code("running, done, partial (a source failed) or failed.")
    started_at: Mapped[datetime] = mapped_column(comment="When it started.")
    finished_at: Mapped[datetime | None] = mapped_column(comment="When it ended.")
    model_version: Mapped[str | None] = mapped_column(
        Text, comment="Version of the classifier that was used."
    )
    taxonomy_version: Mapped[str] = _code("Version of the taxonomy that was used.")
    software_version: Mapped[str] = _code("Version of Manifiesta.")
    error: Mapped[str | None] = mapped_column(Text, comment="Why it failed, if it did.")
    options: Mapped[dict[str, Any] | None] = mapped_column(
        comment="How it was asked for, so that it can be resumed."
    )


class PartitionRow(Base):
    """The ledger: what one run did for one source, one local day and one stage."""

    __tablename__ = "run_partition"
    __table_args__ = (
        Index(None, "day", "stage"),
        {"comment": "The ledger: what one run did for one source, one local day and one stage."},
    )

    run_id: Mapped[str] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, comment="The run."
    )
    source: Mapped[str] = _code("The source.", key=True)
    day: Mapped[date] = mapped_column(primary_key=True, comment="The local day.")
    stage: Mapped[str] = _code("collect, classify or count.", key=True)
    state: Mapped[str] = _code("pending, running, done, partial or failed.")
    rows: Mapped[int] = mapped_column(comment="Manifestations that the stage holds for this day.")
    error: Mapped[str | None] = mapped_column(Text, comment="Why it failed or is partial.")
    attempts: Mapped[int] = mapped_column(
        default=1, server_default="1", comment="How often the run began it."
    )
    version: Mapped[str | None] = mapped_column(
        Text, comment="What it was made with: software and source, model and taxonomy, or recipe."
    )
    checksum: Mapped[str | None] = mapped_column(
        String(64), comment="Digest of the rows that the stage left for this day."
    )


class CaptureRow(Base):
    """One raw response as it came over the wire, and where its WARC record lies."""

    __tablename__ = "capture"
    __table_args__ = (
        Index(None, "municipality", "source"),
        {"comment": "One raw response as it came over the wire, and where its WARC record lies."},
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True, comment="WARC record id.")
    municipality: Mapped[str] = _code("Code of the municipality.")
    source: Mapped[str] = _code("The source that was being read.")
    run_id: Mapped[str] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), comment="The run that fetched it."
    )
    url: Mapped[str] = mapped_column(Text, comment="Address of the response, after redirects.")
    status: Mapped[int] = mapped_column(comment="HTTP status.")
    fetched_at: Mapped[datetime] = mapped_column(comment="When it was fetched.")
    content_type: Mapped[str] = mapped_column(Text, comment="Content-Type header.")
    size: Mapped[int] = mapped_column(comment="Size of the body in bytes.")
    sha256: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the body.")
    warc_file: Mapped[str] = mapped_column(Text, comment="WARC file, relative to the archive.")
    warc_offset: Mapped[int] = mapped_column(comment="Byte offset of the record in the file.")


class ManifestationRow(Base):
    """One public expression, its author pseudonymised and its personal data masked."""

    __tablename__ = "manifestation"
    __table_args__ = (
        UniqueConstraint("municipality", "source", "external_id"),
        Index(None, "municipality", "said_on", "source"),
        Index(None, "municipality", "id", "text_hash"),
        Index(None, "thread_id"),
        {
            "comment": "One public expression, its author pseudonymised and personal data masked.",
        },
    )

    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, comment="Derived from municipality, source and external id."
    )
    municipality: Mapped[str] = _code("Code of the municipality.")
    source: Mapped[str] = _code("The source that gave it.")
    external_id: Mapped[str] = mapped_column(Text, comment="Identifier at the source.")
    kind: Mapped[str] = _code("article, comment or post.")
    title: Mapped[str | None] = mapped_column(Text, comment="Title, masked.")
    text: Mapped[str] = mapped_column(Text, comment="Text, masked.")
    text_hash: Mapped[str] = mapped_column(
        String(64), comment="SHA-256 of title and text without case, accents and spacing."
    )
    author: Mapped[str | None] = mapped_column(
        String(60), comment="Keyed pseudonym of the author; the name is never stored."
    )
    url: Mapped[str | None] = mapped_column(Text, comment="Public address.")
    said_at: Mapped[datetime] = mapped_column(comment="When it was said, according to the source.")
    said_on: Mapped[date] = mapped_column(comment="Local day on which it was said.")
    fetched_at: Mapped[datetime] = mapped_column(comment="When this text was first fetched.")
    parent_id: Mapped[str | None] = mapped_column(
        String(32), comment="The manifestation that it replies to."
    )
    thread_id: Mapped[str | None] = mapped_column(
        String(32), comment="The manifestation that opened its thread."
    )
    capture_id: Mapped[str | None] = mapped_column(
        String(64), comment="The raw response that it was extracted from."
    )
    gone_at: Mapped[datetime | None] = mapped_column(
        comment="When its source was first seen to have taken it back."
    )


class ValidatorRow(Base):
    """By what to ask a server whether an address has changed since its last good answer."""

    __tablename__ = "validator"
    __table_args__ = {
        "comment": "By what to ask a server whether an address has changed since it was stored."
    }

    municipality: Mapped[str] = _code("Code of the municipality.", key=True)
    source: Mapped[str] = _code("The source.", key=True)
    url: Mapped[str] = mapped_column(Text, primary_key=True, comment="The address, as asked.")
    etag: Mapped[str] = mapped_column(Text, comment="ETag header of the answer, or empty.")
    last_modified: Mapped[str] = mapped_column(
        Text, comment="Last-Modified header of the answer, or empty."
    )
    saved_at: Mapped[datetime] = mapped_column(comment="When the answer's records were stored.")


class SeenRow(Base):
    """How a source listed a manifestation when everything behind it had been read."""

    __tablename__ = "seen"
    __table_args__ = {
        "comment": "How a source listed a manifestation when all that lies behind it was read."
    }

    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The manifestation.",
    )
    fingerprint: Mapped[str] = mapped_column(
        String(32), comment="Hash of its entry: while that stays, its page is not opened again."
    )


class SourceStateRow(Base):
    """What runs have made of a source: whether it answers, and when it is next to be read."""

    __tablename__ = "source_state"
    __table_args__ = {
        "comment": "What runs have made of a source: whether it answers, and when it is next due."
    }

    municipality: Mapped[str] = _code("Code of the municipality.", key=True)
    source: Mapped[str] = _code("The source.", key=True)
    state: Mapped[str] = _code("active, failing or quarantined.")
    failures: Mapped[int] = mapped_column(comment="Runs in a row in which it could not be read.")
    unchanged: Mapped[int] = mapped_column(comment="Runs in a row in which it gave nothing new.")
    complete: Mapped[bool] = mapped_column(comment="True where the latest run read all of it.")
    reach: Mapped[datetime | None] = mapped_column(
        comment="Back to when it was read completely; empty where to the very beginning."
    )
    last_success: Mapped[datetime | None] = mapped_column(comment="When it was last read.")
    reason: Mapped[str | None] = mapped_column(Text, comment="Why it could not be read.")
    next_due: Mapped[datetime | None] = mapped_column(
        comment="No run reads it before; empty where every run does."
    )


class TombstoneRow(Base):
    """What was purged and is not to be collected again, though its source may still show it."""

    __tablename__ = "tombstone"
    __table_args__ = {
        "comment": "What was purged and is not collected again: keyed hashes, nothing else of it."
    }

    municipality: Mapped[str] = _code("Code of the municipality.", key=True)
    digest: Mapped[str] = mapped_column(
        String(32),
        primary_key=True,
        comment="Keyed hash of source and external id, or of an author's pseudonym.",
    )
    reason: Mapped[str] = _code("By which criterion it was purged: author, id or source.")
    purged_at: Mapped[datetime] = mapped_column(comment="When it was purged.")


class SourceFieldRow(Base):
    """A field that a source's answers have shown; one that comes later is warned of once."""

    __tablename__ = "source_field"
    __table_args__ = {
        "comment": "Which fields a source's answers have shown, and which of them came later."
    }

    municipality: Mapped[str] = _code("Code of the municipality.", key=True)
    source: Mapped[str] = _code("The source.", key=True)
    field: Mapped[str] = mapped_column(
        String(200), primary_key=True, comment="Its name, after the list that it stands in."
    )
    first_seen: Mapped[datetime] = mapped_column(comment="When an answer first had it.")
    came_later: Mapped[bool] = mapped_column(
        comment="True where earlier readings of the source did not have it: that was warned of."
    )


class RevisionRow(Base):
    """A former text of a manifestation that its author has edited."""

    __tablename__ = "revision"
    __table_args__ = {"comment": "A former text of a manifestation that its author has edited."}

    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The manifestation.",
    )
    text_hash: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="The hash that its text had."
    )
    seen_from: Mapped[datetime] = mapped_column(
        primary_key=True, comment="When this text was first fetched."
    )
    seen_to: Mapped[datetime] = mapped_column(comment="When another was fetched in its place.")
    title: Mapped[str | None] = mapped_column(Text, comment="Its title then, masked.")
    text: Mapped[str] = mapped_column(Text, comment="Its text then, masked.")
    capture_id: Mapped[str | None] = mapped_column(
        String(64), comment="The raw response that it was extracted from."
    )


class NearDuplicateRow(Base):
    """Which manifestations say the same: copies, syndicated pieces, forwarded messages."""

    __tablename__ = "near_duplicate"
    __table_args__ = (
        Index(None, "municipality", "cluster_id"),
        {"comment": "Which manifestations say the same: copies, forwarded and syndicated texts."},
    )

    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The manifestation.",
    )
    municipality: Mapped[str] = _code("Code of the municipality.")
    text_hash: Mapped[str] = mapped_column(
        String(64), comment="The text that was compared: an edit has another."
    )
    cluster_id: Mapped[str] = mapped_column(
        String(32), comment="The manifestation of its cluster that was stored first."
    )
    position: Mapped[int] = mapped_column(comment="Its place in the order of storing.")
    signature: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="MinHash signature of the text; empty for a very short one."
    )


class LanguageRow(Base):
    """The language of one text; the first label stays, so that figures do."""

    __tablename__ = "language_label"
    __table_args__ = {"comment": "The language of one text; the first label of a text stays."}

    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The manifestation.",
    )
    text_hash: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="The text that was read: an edit has another."
    )
    language: Mapped[str] = mapped_column(
        String(3), comment="ISO 639-1 code, or und where it cannot be told; und counts as es."
    )
    identifier: Mapped[str] = _code("What identified it, and its version.")


class PlaceRow(Base):
    """Which place a text speaks of, by one gazetteer; a changed gazetteer adds rows of its own."""

    __tablename__ = "place_mention"
    __table_args__ = {
        "comment": "Which zone a text speaks of, by one gazetteer; append-only, none included."
    }

    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The manifestation.",
    )
    text_hash: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="The text that was read: an edit has another."
    )
    gazetteer: Mapped[str] = _code(
        "Identifier of the zones, their names and the rules that were used.", key=True
    )
    zone: Mapped[str | None] = mapped_column(
        String(60), comment="Code of the zone; empty where neither text nor thread names one."
    )
    confidence: Mapped[float] = mapped_column(
        comment="How sure the zone is, 0 to 1, by rule and not calibrated; 0 without a zone."
    )
    inherited: Mapped[bool] = mapped_column(
        comment="True where a reply names no place and takes the zone of its thread's opener."
    )
    kind: Mapped[str | None] = mapped_column(
        String(20),
        comment="zone, street, avenue, road, market, station, park, hospital, building or district;"
        " empty where the text names no place.",
    )
    name: Mapped[str | None] = mapped_column(
        String(300), comment="The place, as the configuration or else the text names it."
    )
    district: Mapped[str | None] = mapped_column(
        String(6), comment="UBIGEO code of the district that the text names; empty where several."
    )
    zones: Mapped[str | None] = mapped_column(
        Text, comment="Codes, divided by blanks, of the zones in which the place may lie."
    )


class LensRow(Base):
    """Through which lenses a text is seen, by one set of lenses; a changed set adds rows."""

    __tablename__ = "lens_match"
    __table_args__ = {
        "comment": "Through which lenses a text is seen, by one set of lenses; none included."
    }

    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The manifestation.",
    )
    text_hash: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="The text that was read: an edit has another."
    )
    lenses: Mapped[str] = _code("Identifier of the lenses and their words.", key=True)
    codes: Mapped[str] = mapped_column(
        Text, comment="Codes of the lenses whose words the text has, with spaces between them."
    )


class AuditRow(Base):
    """What somebody did to the data, without the data."""

    __tablename__ = "audit_event"
    __table_args__ = {
        "comment": "What somebody did, as a hash chain: see `manifiesta match verify`. "
        "It names no citizen."
    }

    id: Mapped[int] = mapped_column(primary_key=True, comment="Serial number.")
    at: Mapped[datetime] = mapped_column(comment="When it was done.")
    actor: Mapped[str] = mapped_column(
        Text, comment="Who did it: user of the operating system, or a reader's code."
    )
    action: Mapped[str] = _code(
        "What was done: purge, export, correct, a run's command, or a step like match.seal."
    )
    municipality: Mapped[str] = _code("Code of the municipality or the entity.")
    detail: Mapped[dict[str, Any]] = mapped_column(
        comment="By which criteria, and how many of what; no personal data."
    )
    previous: Mapped[str | None] = mapped_column(
        String(64), unique=True, comment="Digest of the event before; empty: older than the chain."
    )
    digest: Mapped[str | None] = mapped_column(
        String(64), comment="SHA-256 of this event and of `previous`; empty: older than the chain."
    )


class RejectionRow(Base):
    """An input record that was not stored, and why. It never holds the record's text."""

    __tablename__ = "rejection"
    __table_args__ = (
        Index(None, "run_id", "source"),
        {"comment": "An input record that was not stored, and why; never the record's text."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Serial number.")
    run_id: Mapped[str] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), comment="The run that met it."
    )
    source: Mapped[str] = _code("The source.")
    outcome: Mapped[str] = _code("The reason, one of a closed list.")
    ignored: Mapped[bool] = mapped_column(
        comment="True where a healthy source may have it (a duplicate, say); false: look at it."
    )
    place: Mapped[str] = mapped_column(Text, comment="Where: an address, or a file and its line.")
    detail: Mapped[str] = mapped_column(Text, comment="What was wrong.")


class ClassificationRow(Base):
    """Labels and probabilities for one text by one model version; rows are only added."""

    __tablename__ = "classification"
    __table_args__ = (
        Index(
            "ix_classification_by_certainty",
            *("model_version", "taxonomy_version", "abstained", "confidence", "manifestation_id"),
        ),
        {"comment": "Labels and probabilities for one text by one model version; append-only."},
    )

    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The manifestation.",
    )
    text_hash: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="The text that was classified: an edit has another."
    )
    model_version: Mapped[str] = mapped_column(
        String(400), primary_key=True, comment="The model that classified it."
    )
    taxonomy_version: Mapped[str] = _code("The taxonomy that its labels belong to.", key=True)
    category: Mapped[str] = _code("Most probable urban category.")
    sentiment: Mapped[str] = _code("Most probable sentiment.")
    intent: Mapped[str] = _code("Most probable intent.")
    confidence: Mapped[float] = mapped_column(comment="Calibrated probability of the category.")
    abstained: Mapped[bool] = mapped_column(
        comment="True where the confidence is under the model's threshold."
    )
    categories: Mapped[dict[str, float]] = mapped_column(comment="Probability of each category.")
    sentiments: Mapped[dict[str, float]] = mapped_column(comment="Probability of each sentiment.")
    intents: Mapped[dict[str, float]] = mapped_column(comment="Probability of each intent.")


class CorrectionRow(Base):
    """A person's labels for one text; rows are only added, and the newest outranks the rest."""

    __tablename__ = "correction"
    __table_args__ = (
        Index(None, "manifestation_id", "text_hash"),
        {"comment": "A person's labels for one text; append-only, they outrank classifications."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Serial number.")
    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"), comment="The manifestation."
    )
    text_hash: Mapped[str] = mapped_column(
        String(64), comment="The text that was read: an edit has another."
    )
    category: Mapped[str | None] = mapped_column(
        String(60), comment="Urban category; empty where the person leaves it as it is."
    )
    sentiment: Mapped[str | None] = mapped_column(
        String(60), comment="Sentiment; empty where the person leaves it as it is."
    )
    intent: Mapped[str | None] = mapped_column(
        String(60), comment="Intent; empty where the person leaves it as it is."
    )
    reader: Mapped[str] = mapped_column(Text, comment="Who corrected it.")
    corrected_at: Mapped[datetime] = mapped_column(comment="When it was corrected.")
    note: Mapped[str | None] = mapped_column(Text, comment="Why, in a sentence, masked.")


class PartitionVersionRow(Base):
    """How often what is counted of a source's local day has changed; it only ever grows."""

    __tablename__ = "partition_version"
    __table_args__ = {
        "comment": "How often what is counted of a source's local day has changed in the store."
    }

    municipality: Mapped[str] = _code("Code of the municipality.", key=True)
    source: Mapped[str] = _code("The source.", key=True)
    day: Mapped[date] = mapped_column(primary_key=True, comment="The local day.")
    version: Mapped[int] = mapped_column(
        comment="Raised by every write that may change a count of this day."
    )


class PartitionFactsRow(Base):
    """A source's local day made ready for counting; it can always be derived again."""

    __tablename__ = "partition_facts"
    __table_args__ = {
        "comment": "A source's local day made ready for counting; it can be derived again."
    }

    municipality: Mapped[str] = _code("Code of the municipality.", key=True)
    source: Mapped[str] = _code("The source.", key=True)
    day: Mapped[date] = mapped_column(primary_key=True, comment="The local day.")
    recipe: Mapped[str] = mapped_column(
        String(64), comment="Hash of the model, taxonomy, zones and lenses that it was made with."
    )
    version: Mapped[int] = mapped_column(comment="The partition's version that it was made of.")
    rows: Mapped[int] = mapped_column(comment="Classified manifestations.")
    texts: Mapped[str] = mapped_column(
        String(16), comment="Digest of the manifestations and their texts."
    )
    corrections: Mapped[str] = mapped_column(
        String(16), comment="Digest of the labels that people have given."
    )
    labels: Mapped[str] = mapped_column(String(16), comment="Digest of everything that is counted.")
    facts: Mapped[bytes] = mapped_column(
        LargeBinary, comment="One record per manifestation; `pipelines.facts` says how it is read."
    )


class RunInputRow(Base):
    """Of what a run counted: by it two runs can be told apart to the source and day."""

    __tablename__ = "run_input"
    __table_args__ = {"comment": "What a run counted, by source and local day, as digests."}

    run_id: Mapped[str] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, comment="The run."
    )
    source: Mapped[str] = _code("The source.", key=True)
    day: Mapped[date] = mapped_column(primary_key=True, comment="The local day.")
    recipe: Mapped[str] = mapped_column(
        String(64), comment="Hash of the model, taxonomy, zones and lenses."
    )
    rows: Mapped[int] = mapped_column(comment="Classified manifestations.")
    texts: Mapped[str] = mapped_column(
        String(16), comment="Digest of the manifestations and their texts."
    )
    corrections: Mapped[str] = mapped_column(
        String(16), comment="Digest of the labels that people have given."
    )
    labels: Mapped[str] = mapped_column(String(16), comment="Digest of everything that is counted.")


class InsightColumns:
    """What every insight row says of itself: whose, when, by what, and how complete."""

    run_id: Mapped[str] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The run that counted.",
        sort_order=-20,
    )
    lens: Mapped[str] = mapped_column(
        String(60),
        primary_key=True,
        default=EVERYTHING,
        comment="Code of the lens, a saved filter; empty: everything.",
        sort_order=-20,
    )
    municipality: Mapped[str] = _code("Code of the municipality.", order=-20)
    window_from: Mapped[date] = mapped_column(
        comment="First local day of the window.", sort_order=-20
    )
    window_to: Mapped[date] = mapped_column(
        comment="Local day after the last of the window.", sort_order=-20
    )
    model_version: Mapped[str] = mapped_column(
        String(400), comment="The classifier.", sort_order=-20
    )
    taxonomy_version: Mapped[str] = _code("The taxonomy.", order=-20)
    sources_read: Mapped[int] = mapped_column(
        comment="Coverage: sources that were read to the end in this run.", sort_order=20
    )
    sources_configured: Mapped[int] = mapped_column(
        comment="Coverage: sources configured.", sort_order=20
    )
    days_complete: Mapped[int] = mapped_column(
        comment="Coverage: days of the window with every source read.", sort_order=20
    )
    days: Mapped[int] = mapped_column(comment="Days of the window.", sort_order=20)


class ShareColumns:
    """A count and its share of ``n``, raw and corrected for the classifier's known errors."""

    count: Mapped[int] = mapped_column(comment="Manifestations with this label.")
    distinct_count: Mapped[int] = mapped_column(
        comment="The same, with each cluster of near-duplicates counted once."
    )
    voices: Mapped[int | None] = mapped_column(
        comment="The same, with each author counted once per category and local day; "
        "empty in rows older than this column."
    )
    anonymous: Mapped[int | None] = mapped_column(
        comment="Of the voices, manifestations of unknown author: each counts as one voice."
    )
    authors: Mapped[int | None] = mapped_column(
        comment="Distinct authors; each manifestation of unknown author counts as one of its own."
    )
    n: Mapped[int] = mapped_column(
        comment="Denominator: classified manifestations that are not in another language."
    )
    share: Mapped[float | None] = mapped_column(comment="count / n; empty where n is 0.")
    share_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    share_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


class CorrectedColumns:
    """The share as it would be without the classifier's systematic errors."""

    corrected_share: Mapped[float | None] = mapped_column(
        comment="Share corrected with the classifier's confusion matrix on labelled texts."
    )
    corrected_low: Mapped[float | None] = mapped_column(comment="Lower end, bootstrap 95 %.")
    corrected_high: Mapped[float | None] = mapped_column(comment="Upper end, bootstrap 95 %.")


class SentimentColumns:
    """How the manifestations of a cell divide by sentiment."""

    negative: Mapped[int] = mapped_column(comment="Of the count, negative.")
    neutral: Mapped[int] = mapped_column(comment="Of the count, neutral.")
    positive: Mapped[int] = mapped_column(comment="Of the count, positive.")
    negative_share: Mapped[float | None] = mapped_column(comment="negative / count.")
    negative_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    negative_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


class InsightOverview(InsightColumns, ShareColumns, CorrectedColumns, Base):
    """The whole window: manifestations by sentiment, intent, kind and language."""

    __tablename__ = "insight_overview"
    __table_args__ = {
        "comment": "The whole window by sentiment, intent, kind, certainty, language."
    }

    measure: Mapped[str] = _code(
        "total, sentiment, intent, kind, certainty or language (of n texts in any of them).",
        key=True,
        order=-10,
    )
    label: Mapped[str] = _code("The label within the measure.", key=True, order=-10)


class InsightCategory(InsightColumns, ShareColumns, CorrectedColumns, SentimentColumns, Base):
    """The window by urban category."""

    __tablename__ = "insight_category"
    __table_args__ = {"comment": "The window by urban category."}

    category: Mapped[str] = _code("Urban category.", key=True, order=-10)
    unsure: Mapped[int] = mapped_column(
        comment="Of the count, those under the model's confidence threshold."
    )


class InsightIntent(InsightColumns, ShareColumns, CorrectedColumns, SentimentColumns, Base):
    """The window by intent."""

    __tablename__ = "insight_intent"
    __table_args__ = {"comment": "The window by intent: what the neighbours want."}

    intent: Mapped[str] = _code("The intent.", key=True, order=-10)
    unsure: Mapped[int] = mapped_column(
        comment="Of the count, those under the model's confidence threshold."
    )


class InsightDay(InsightColumns, ShareColumns, SentimentColumns, Base):
    """The window by local day."""

    __tablename__ = "insight_day"
    __table_args__ = {"comment": "The window by local day."}

    day: Mapped[date] = mapped_column(primary_key=True, comment="Local day.", sort_order=-10)
    complete: Mapped[bool] = mapped_column(comment="True where every source was read.")


class InsightSource(InsightColumns, ShareColumns, SentimentColumns, Base):
    """The window by source, with what became of each source."""

    __tablename__ = "insight_source"
    __table_args__ = {"comment": "The window by source, with the state of each source."}

    source: Mapped[str] = _code("The source.", key=True, order=-10)
    state: Mapped[str] = _code(
        "done, partial, failed or unread: whether every day of the window was read."
    )
    reason: Mapped[str | None] = mapped_column(Text, comment="Why it is partial or failed.")
    rejected: Mapped[int] = mapped_column(comment="Input records rejected in this run.")
    ignored: Mapped[int] = mapped_column(comment="Input records ignored for a stated reason.")
    voice_n: Mapped[int | None] = mapped_column(comment="Denominator: voices of all sources.")
    voice_share: Mapped[float | None] = mapped_column(
        comment="Share of voice: voices / voice_n; empty where voice_n is 0."
    )
    voice_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    voice_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


class InsightPlace(InsightColumns, ShareColumns, SentimentColumns, Base):
    """The window by zone of the municipality, with what speaks of no zone."""

    __tablename__ = "insight_place"
    __table_args__ = {"comment": "The window by zone of the municipality, (none) included."}

    zone: Mapped[str] = _code(
        "Code of the zone, or (none): neither the text nor its thread names one.",
        key=True,
        order=-10,
    )
    gazetteer: Mapped[str] = _code("The zones, their names and the rules that placed the texts.")
    inherited: Mapped[int] = mapped_column(
        comment="Of the count, replies that name no place and took their thread opener's zone."
    )


class InsightSeries(InsightColumns, ShareColumns, SentimentColumns, Base):
    """The window by day, ISO week, month and as a whole, of every label and of pairs of them."""

    __tablename__ = "insight_series"
    __table_args__ = {
        "comment": "By day, ISO week, month and whole window: every label, and pairs of labels. "
        "A pair, or a label under a lens, that has no row was counted 0 times."
    }

    grain: Mapped[str] = _code("day, week (ISO), month or window.", key=True, order=-10)
    period: Mapped[str] = _code("2026-03-01, 2026-W09, 2026-03, or window.", key=True, order=-10)
    period_from: Mapped[date] = mapped_column(
        comment="First local day of the period that lies in the window.", sort_order=-10
    )
    period_to: Mapped[date] = mapped_column(
        comment="Local day after the last of the period that lies in the window.", sort_order=-10
    )
    complete: Mapped[bool] = mapped_column(
        comment="True where the window holds the whole period and every source was read for it.",
        sort_order=-10,
    )
    dimension: Mapped[str] = _code(
        "all, category, sentiment, intent, source or zone.", key=True, order=-10
    )
    value: Mapped[str] = _code("The label; all for all.", key=True, order=-10)
    second_dimension: Mapped[str] = _code(
        "Of a pair (from the week up), the second dimension; else empty.", key=True, order=-10
    )
    second_value: Mapped[str] = _code(
        "Of a pair, the second label; else empty.", key=True, order=-10
    )
    n: Mapped[int] = mapped_column(
        comment="Denominator: all counted in the period; of a pair, those with its first label."
    )


class InsightChange(InsightColumns, Base):
    """The window beside an earlier one: differences of shares, and how sure they are."""

    __tablename__ = "insight_change"
    __table_args__ = {
        "comment": "The window beside an earlier one: differences of shares, and how sure they "
        "are. Both are counted over the sources that were read to the end in both."
    }

    baseline: Mapped[str] = _code(
        "previous (the window of the same length before), or the run whose window it is.",
        key=True,
        order=-10,
    )
    baseline_from: Mapped[date] = mapped_column(
        comment="First local day of the earlier window.", sort_order=-10
    )
    baseline_to: Mapped[date] = mapped_column(
        comment="Local day after the last of the earlier window.", sort_order=-10
    )
    dimension: Mapped[str] = _code(
        "category, sentiment, intent, source or zone.", key=True, order=-10
    )
    value: Mapped[str] = _code("The label.", key=True, order=-10)
    second_dimension: Mapped[str] = _code(
        "Of a pair, the second dimension; else empty.", key=True, order=-10
    )
    second_value: Mapped[str] = _code(
        "Of a pair, the second label; else empty.", key=True, order=-10
    )
    count: Mapped[int] = mapped_column(comment="Manifestations with this label in the window.")
    n: Mapped[int] = mapped_column(
        comment="Denominator: all counted in the window; of a pair, those with its first label."
    )
    share: Mapped[float | None] = mapped_column(comment="count / n; empty where n is 0.")
    before_count: Mapped[int] = mapped_column(comment="The count in the earlier window.")
    before_n: Mapped[int] = mapped_column(comment="The denominator in the earlier window.")
    before_share: Mapped[float | None] = mapped_column(
        comment="before_count / before_n; empty where before_n is 0."
    )
    difference: Mapped[float | None] = mapped_column(comment="share - before_share.")
    difference_low: Mapped[float | None] = mapped_column(
        comment="Lower end, 95 % (Newcombe 1998, hybrid score); empty where not comparable."
    )
    difference_high: Mapped[float | None] = mapped_column(comment="Upper end of it.")
    p_value: Mapped[float | None] = mapped_column(
        comment="Of no difference, by the score test; empty where not comparable."
    )
    q_value: Mapped[float | None] = mapped_column(
        comment="The same, controlled for the many rows compared (Benjamini and Hochberg 1995): "
        "of the rows with q at most 0.05, one in twenty is chance."
    )
    comparable: Mapped[bool] = mapped_column(
        comment="True where some source was read to the end in both and all texts are classified."
    )
    reason: Mapped[str | None] = mapped_column(Text, comment="Why it is not comparable.")
    sources_compared: Mapped[int] = mapped_column(
        comment="Sources that were read to the end in both windows."
    )


class LensColumn:
    """Which saved filter a row was counted under."""

    lens: Mapped[str] = _code("Code of the lens, a saved filter; empty: everything.", key=True)


class InsightTerm(InsightColumns, Base):
    """The words by which a category differs from the others."""

    __tablename__ = "insight_term"
    __table_args__ = {"comment": "The words by which a category differs from the others."}

    category: Mapped[str] = _code("Urban category.", key=True, order=-10)
    term: Mapped[str] = mapped_column(
        String(200), primary_key=True, comment="The term as most often written.", sort_order=-10
    )
    count: Mapped[int] = mapped_column(comment="Manifestations of the category that have it.")
    distinct_count: Mapped[int] = mapped_column(
        comment="The same, with each cluster of near-duplicates counted once."
    )
    voices: Mapped[int] = mapped_column(
        comment="The distinct ones, with each author counted once a day."
    )
    n: Mapped[int] = mapped_column(comment="Manifestations of the category.")
    log_odds: Mapped[float] = mapped_column(
        comment="Log-odds ratio against all other categories, with an informative prior."
    )
    z: Mapped[float] = mapped_column(comment="The same by its standard deviation.")
    example_id: Mapped[str] = mapped_column(String(32), comment="A manifestation that has it.")


class InsightTopic(InsightColumns, Base):
    """Topics that nobody named beforehand: clusters of texts that say similar things."""

    __tablename__ = "insight_topic"
    __table_args__ = {"comment": "Clusters of similar texts; an id stays from window to window."}

    topic: Mapped[str] = _code("The topic; the id that it had in an earlier window.", key=True)
    terms: Mapped[str] = mapped_column(Text, comment="Its most telling words (c-TF-IDF).")
    category: Mapped[str] = _code("The category that most of its texts have.")
    count: Mapped[int] = mapped_column(comment="Manifestations in it, copies included.")
    distinct_count: Mapped[int] = mapped_column(comment="Distinct texts in it.")
    voices: Mapped[int] = mapped_column(
        comment="The distinct ones, with each author counted once a day."
    )
    negative: Mapped[int] = mapped_column(comment="Of the count, negative.")
    n: Mapped[int] = mapped_column(comment="Manifestations among which topics were looked for.")
    texts_read: Mapped[int | None] = mapped_column(
        comment="Distinct texts that the encoder read, 20,000 at most, as good as drawn at random; "
        "empty in rows older than this column."
    )
    texts_distinct: Mapped[int | None] = mapped_column(
        comment="Distinct texts that there are; empty in rows older than this column."
    )
    texts_cut: Mapped[int | None] = mapped_column(
        comment="Of the texts read, the long ones of which the encoder read the beginning only; "
        "empty in rows older than this column."
    )
    first_seen: Mapped[date] = mapped_column(
        comment="Local day of its first text, in this window or the earlier ones it is known from."
    )
    known: Mapped[bool | None] = mapped_column(
        comment="True where an earlier window had it; empty where there is no earlier window."
    )
    recent: Mapped[int] = mapped_column(comment="Of the voices, those of the last seven days.")
    growth: Mapped[float] = mapped_column(
        comment="Voices a day in the last seven days by those before, half a voice added to each."
    )
    growth_q: Mapped[float | None] = mapped_column(
        comment="How likely chance alone grows one so much, adjusted for all topics."
    )
    examples: Mapped[list[str]] = mapped_column(
        JSON, comment="Ids of manifestations: the most central, then diverse ones."
    )


class TopicCentroidRow(LensColumn, Base):
    """Where the topics of a run lie, so that the next window knows them again."""

    __tablename__ = "topic_centroid"
    __table_args__ = {"comment": "Where the topics of a run lie: the next window knows them by it."}

    run_id: Mapped[str] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, comment="The run."
    )
    topic: Mapped[str] = _code("The topic.", key=True)
    municipality: Mapped[str] = _code("Code of the municipality.")
    window_from: Mapped[date] = mapped_column(comment="First local day of the window.")
    model_version: Mapped[str] = mapped_column(String(400), comment="The encoder.")
    first_seen: Mapped[date] = mapped_column(comment="Local day of its first text.")
    vector: Mapped[bytes] = mapped_column(
        LargeBinary, comment="Mean vector of its texts, little-endian single precision."
    )


class InsightFinding(InsightColumns, Base):
    """A statement made of numbers, with the statistic behind it."""

    __tablename__ = "insight_finding"
    __table_args__ = {"comment": "Statements made of numbers, each with its statistic."}

    number: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        comment="Its place among the findings of the run.",
        sort_order=-10,
    )
    kind: Mapped[str] = _code("relevant, surprise, emerging or alert.")
    subject: Mapped[str] = mapped_column(
        String(200), comment="What it is about, like category:water or topic:t-1a2b3c."
    )
    rule: Mapped[str] = _code("The rule that found it; the statistic has its own fields.")
    sentence_es: Mapped[str] = mapped_column(Text, comment="The statement in Spanish.")
    sentence_en: Mapped[str] = mapped_column(Text, comment="The statement in English.")
    value: Mapped[float] = mapped_column(comment="The figure that it rests on.")
    low: Mapped[float | None] = mapped_column(
        comment="Lower end of its 95 % interval; of an alarm, of what was expected."
    )
    high: Mapped[float | None] = mapped_column(
        comment="Upper end of its 95 % interval; of an alarm, of what was expected."
    )
    n: Mapped[int] = mapped_column(comment="How many manifestations or voices that rests on.")
    q: Mapped[float | None] = mapped_column(
        comment="p-value adjusted for all that was tested by the rule (Benjamini-Hochberg)."
    )
    statistic: Mapped[dict[str, Any]] = mapped_column(
        comment="Every number of the sentence, for a program."
    )


class InsightEvidence(InsightColumns, Base):
    """The manifestations behind a finding: the most central, and the most diverse."""

    __tablename__ = "insight_evidence"
    __table_args__ = {"comment": "The manifestations behind a finding, quoted."}

    number: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="The finding.", sort_order=-10
    )
    position: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Place in the list.", sort_order=-10
    )
    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"), comment="The manifestation."
    )
    role: Mapped[str] = _code("central: most like the others; diverse: least like those before.")
    source: Mapped[str] = _code("The source that gave it.")
    said_on: Mapped[date] = mapped_column(comment="Local day on which it was said.")
    quote: Mapped[str] = mapped_column(Text, comment="Its words, masked and shortened.")
    url: Mapped[str | None] = mapped_column(Text, comment="Public address.")


class InsightDemandAgeing(InsightColumns, Base):
    """The demands that wait for an answer when a run counts, by how long they have waited."""

    __tablename__ = "insight_demand_ageing"
    __table_args__ = {
        "comment": "Demands waiting for an answer on the day of counting, by how long they wait: "
        "confirmed, not answered, and first spoken of before the window's end."
    }

    dimension: Mapped[str] = _code("all, category, area or zone.", key=True, order=-10)
    value: Mapped[str] = mapped_column(
        String(300),
        primary_key=True,
        comment="Code or name within the dimension; (none) without one; empty for all.",
        sort_order=-10,
    )
    band: Mapped[str] = _code(
        "Whole days since it was confirmed: 0-7, 8-15, 16-30, 31-90 or 91+.", key=True, order=-10
    )
    as_of: Mapped[date] = mapped_column(comment="Local day of counting.")
    count: Mapped[int] = mapped_column(comment="Waiting demands of this age.")
    overdue: Mapped[int] = mapped_column(comment="Of the count, those past their due date.")
    n: Mapped[int] = mapped_column(comment="Denominator: waiting demands of any age.")
    share: Mapped[float | None] = mapped_column(comment="count / n; empty where n is 0.")
    share_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    share_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


class InsightResponseTime(InsightColumns, Base):
    """How long demands take to be answered; those still waiting count as far as they have come."""

    __tablename__ = "insight_response_time"
    __table_args__ = {
        "comment": "Days from confirmation to the answer (Kaplan-Meier: those that still wait, "
        "or were rejected, count until then), of confirmed demands spoken of in the window."
    }

    dimension: Mapped[str] = _code("all, category, area or zone.", key=True, order=-10)
    value: Mapped[str] = mapped_column(
        String(300),
        primary_key=True,
        comment="Code or name within the dimension; (none) without one; empty for all.",
        sort_order=-10,
    )
    as_of: Mapped[date] = mapped_column(comment="Local day of counting.")
    n: Mapped[int] = mapped_column(comment="Confirmed demands.")
    answered: Mapped[int] = mapped_column(comment="Of n, those answered: the events.")
    censored: Mapped[int] = mapped_column(comment="Of n, those still waiting or rejected.")
    median_days: Mapped[float | None] = mapped_column(
        comment="Days by which half are answered; empty where that is not reached yet."
    )
    median_low: Mapped[float | None] = mapped_column(comment="Lower end, 95 % (log-log).")
    median_high: Mapped[float | None] = mapped_column(
        comment="Upper end, 95 %; empty where it cannot be told."
    )
    p90_days: Mapped[float | None] = mapped_column(
        comment="Days by which 90 % are answered; empty where that is not reached yet."
    )
    p90_low: Mapped[float | None] = mapped_column(comment="Lower end, 95 % (log-log).")
    p90_high: Mapped[float | None] = mapped_column(
        comment="Upper end, 95 %; empty where it cannot be told."
    )
    due_n: Mapped[int] = mapped_column(
        comment="Demands with a due date that are answered, or are past it."
    )
    on_time: Mapped[int] = mapped_column(comment="Of due_n, those answered by their due date.")
    on_time_share: Mapped[float | None] = mapped_column(comment="on_time / due_n.")
    on_time_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    on_time_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


INSIGHT_TABLES: tuple[type[Base], ...] = (
    InsightOverview,
    InsightCategory,
    InsightIntent,
    InsightDay,
    InsightSource,
    InsightPlace,
    InsightSeries,
    InsightChange,
    InsightTerm,
    InsightTopic,
    InsightFinding,
    InsightEvidence,
    InsightDemandAgeing,
    InsightResponseTime,
)
"""The analysts' contract: tables whose names and columns stay."""
