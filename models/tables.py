"""The tables of what was collected and classified. Comments are the data dictionary's text.

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


def code_column(comment: str, *, key: bool = False, order: int = 0) -> Mapped[Any]:
    """Return a column for the code of something."""
    return mapped_column(
        String(60), primary_key=key, nullable=False, comment=comment, sort_order=order
    )


class SourceRow(Base):
    """One configured public place to read, as it was when last used."""

    __tablename__ = "source"
    __table_args__ = {"comment": "One configured public place to read, as it was when last used."}

    municipality: Mapped[str] = code_column("Code of the municipality.", key=True)
    name: Mapped[str] = code_column("Code of the source within its municipality.", key=True)
    title: Mapped[str] = mapped_column(Text, comment="Name that a reader knows the source by.")
    protocol: Mapped[str] = code_column("How it is read: feed, pages or upload.")
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
    municipality: Mapped[str] = code_column("Code of the municipality.")
    command: Mapped[str] = code_column("What started it: run, replay, rerun, import or aggregate.")
    window_from: Mapped[date] = mapped_column(comment="First local day of the window.")
    window_to: Mapped[date] = mapped_column(comment="Local day after the last of the window.")
    state: Mapped[str] = code_column("running, done, partial (a source failed) or failed.")
    started_at: Mapped[datetime] = mapped_column(comment="When it started.")
    finished_at: Mapped[datetime | None] = mapped_column(comment="When it ended.")
    model_version: Mapped[str | None] = mapped_column(
        Text, comment="Version of the classifier that was used."
    )
    taxonomy_version: Mapped[str] = code_column("Version of the taxonomy that was used.")
    software_version: Mapped[str] = code_column("Version of Manifiesta.")
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
    source: Mapped[str] = code_column("The source.", key=True)
    day: Mapped[date] = mapped_column(primary_key=True, comment="The local day.")
    stage: Mapped[str] = code_column("collect, classify or count.", key=True)
    state: Mapped[str] = code_column("pending, running, done, partial or failed.")
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
    municipality: Mapped[str] = code_column("Code of the municipality.")
    source: Mapped[str] = code_column("The source that was being read.")
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
    municipality: Mapped[str] = code_column("Code of the municipality.")
    source: Mapped[str] = code_column("The source that gave it.")
    external_id: Mapped[str] = mapped_column(Text, comment="Identifier at the source.")
    kind: Mapped[str] = code_column("article, comment or post.")
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

    municipality: Mapped[str] = code_column("Code of the municipality.", key=True)
    source: Mapped[str] = code_column("The source.", key=True)
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

    municipality: Mapped[str] = code_column("Code of the municipality.", key=True)
    source: Mapped[str] = code_column("The source.", key=True)
    state: Mapped[str] = code_column("active, failing or quarantined.")
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

    municipality: Mapped[str] = code_column("Code of the municipality.", key=True)
    digest: Mapped[str] = mapped_column(
        String(32),
        primary_key=True,
        comment="Keyed hash of source and external id, or of an author's pseudonym.",
    )
    reason: Mapped[str] = code_column("By which criterion it was purged: author, id or source.")
    purged_at: Mapped[datetime] = mapped_column(comment="When it was purged.")


class SourceFieldRow(Base):
    """A field that a source's answers have shown; one that comes later is warned of once."""

    __tablename__ = "source_field"
    __table_args__ = {
        "comment": "Which fields a source's answers have shown, and which of them came later."
    }

    municipality: Mapped[str] = code_column("Code of the municipality.", key=True)
    source: Mapped[str] = code_column("The source.", key=True)
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
    municipality: Mapped[str] = code_column("Code of the municipality.")
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
    identifier: Mapped[str] = code_column("What identified it, and its version.")


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
    gazetteer: Mapped[str] = code_column(
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
    lenses: Mapped[str] = code_column("Identifier of the lenses and their words.", key=True)
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
    action: Mapped[str] = code_column(
        "What was done: purge, export, correct, a run's command, or a step like match.seal."
    )
    municipality: Mapped[str] = code_column("Code of the municipality or the entity.")
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
    source: Mapped[str] = code_column("The source.")
    outcome: Mapped[str] = code_column("The reason, one of a closed list.")
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
    taxonomy_version: Mapped[str] = code_column("The taxonomy that its labels belong to.", key=True)
    category: Mapped[str] = code_column("Most probable urban category.")
    sentiment: Mapped[str] = code_column("Most probable sentiment.")
    intent: Mapped[str] = code_column("Most probable intent.")
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

    municipality: Mapped[str] = code_column("Code of the municipality.", key=True)
    source: Mapped[str] = code_column("The source.", key=True)
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

    municipality: Mapped[str] = code_column("Code of the municipality.", key=True)
    source: Mapped[str] = code_column("The source.", key=True)
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
    source: Mapped[str] = code_column("The source.", key=True)
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
