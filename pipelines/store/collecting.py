"""Write what a crawl or a file gave of a source, within the transaction of the caller."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete, insert, select, update

from configs.schema import Municipality
from models.records import Capture, Health, Manifestation, Rejection, Validator
from models.tables import (
    CaptureRow,
    ManifestationRow,
    RejectionRow,
    RevisionRow,
    SeenRow,
    SourceFieldRow,
    SourceStateRow,
    ValidatorRow,
)
from pipelines.store.chunks import batches, chunks
from pipelines.store.partitions import touch
from pipelines.store.upsert import upsert

VALIDATOR_AGE = timedelta(days=60)
"""A validator that no answer has renewed for so long is given up: its page is not asked again."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of manifestations that were handed to the store."""

    new: int = 0
    changed: int = 0
    known: int = 0

    def __add__(self, other: "Saved") -> "Saved":
        return Saved(self.new + other.new, self.changed + other.changed, self.known + other.known)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a crawl says of its source beside its records.

    ``seen`` are ids and fingerprints of those of the manifestations whose pages were read, and
    ``validators`` by what to ask next time whether an address has changed. ``gone`` is when
    manifestations were seen to be gone, by id. ``looked`` are fingerprints that take the place of
    others, once an old page was looked at and had not changed. ``fields`` are names of what its
    answers hold, true where none before had them. ``health`` says what the run has made of the
    source, once it is known what was new.
    """

    seen: Iterable[tuple[str, str]] = ()
    validators: Sequence[Validator] = ()
    gone: Mapping[str, datetime] = field(default_factory=dict)
    looked: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, bool] = field(default_factory=dict)
    health: Callable[[Saved], Health] | None = None


NOTHING = Learnt()


def write_collected(
    connection: Connection,
    run_id: str,
    municipality: Municipality,
    source: str,
    manifestations: Iterable[Manifestation],
    rejections: Sequence[Rejection],
    captures: Sequence[Capture],
    learnt: Learnt,
) -> Saved:
    """Write what `Store.save_collected` is given."""
    saved = Saved()
    for chunk in batches(_ordered(manifestations)):
        saved += _upsert_manifestations(connection, chunk, municipality.zone)
    _insert_rejections(connection, run_id, rejections)
    _insert_captures(connection, run_id, municipality.code, source, captures)
    _upsert_seen(connection, learnt.seen)
    _replace_seen(connection, municipality.code, source, learnt.looked)
    _upsert_validators(connection, municipality.code, source, learnt.validators)
    _mark_gone(connection, learnt.gone)
    _insert_fields(connection, municipality.code, source, learnt.fields)
    if learnt.health is not None:
        upsert_health(connection, municipality.code, source, learnt.health(saved))
    return saved


def _ordered(items: Iterable[Manifestation]) -> Iterable[Manifestation]:
    """Put a list in the order that `upsert` needs; an iterator has it."""
    if not isinstance(items, Sequence):
        return items
    latest = {item.id: item for item in items}
    return [latest[key] for key in sorted(latest)]


def _upsert_manifestations(
    connection: Connection, items: Sequence[Manifestation], zone: ZoneInfo
) -> Saved:
    earlier = {
        row.id: row
        for row in connection.execute(
            select(ManifestationRow.__table__).where(
                ManifestationRow.id.in_([item.id for item in items])
            )
        )
    }
    stored = {key: row.text_hash for key, row in earlier.items()}
    count = len(items)
    items = [i for i in items if i.id not in earlier or not _is_older(i, earlier[i.id])]
    _keep_revisions(connection, items, earlier)
    _bring_back(connection, items, earlier)
    rows = [{**asdict(i), "said_on": i.said_at.astimezone(zone).date()} for i in items]
    _touch_changed(connection, rows, earlier)
    upsert(
        connection,
        ManifestationRow,
        rows,
        replace=("title", "text", "text_hash", "fetched_at", "capture_id"),
        only_where="text_hash",
    )
    new = sum(item.id not in stored for item in items)
    same = sum(stored.get(item.id) == item.text_hash for item in items)
    return Saved(new=new, changed=len(items) - new - same, known=count - len(items) + same)


def _touch_changed(
    connection: Connection, rows: Sequence[Mapping[str, Any]], stored: Mapping[str, Row[Any]]
) -> None:
    changed: dict[str, set[tuple[str, date]]] = {}
    for row in rows:
        known = stored.get(row["id"])
        if known is None or known.text_hash != row["text_hash"]:
            day = row["said_on"] if known is None else known.said_on  # an edit moves no day
            changed.setdefault(row["municipality"], set()).add((row["source"], day))
    for municipality, keys in changed.items():
        touch(connection, municipality, keys)


def _is_older(item: Manifestation, stored: Row[Any]) -> bool:
    """Say whether a text was fetched before the one that is stored, as in a replay."""
    return bool(item.fetched_at < stored.fetched_at)


def _keep_revisions(
    connection: Connection, items: Sequence[Manifestation], stored: Mapping[str, Row[Any]]
) -> None:
    """Keep the texts that an edit is about to replace."""
    edits = [
        (item, stored[item.id])
        for item in items
        if item.id in stored and stored[item.id].text_hash != item.text_hash
    ]
    rows = [
        {
            "manifestation_id": former.id,
            "text_hash": former.text_hash,
            "seen_from": former.fetched_at,
            "seen_to": item.fetched_at,
            "title": former.title,
            "text": former.text,
            "capture_id": former.capture_id,
        }
        for item, former in edits
    ]
    upsert(connection, RevisionRow, rows)


def _bring_back(
    connection: Connection, items: Sequence[Manifestation], stored: Mapping[str, Row[Any]]
) -> None:
    """Take the mark from those that were gone and have been fetched since."""
    back = [
        item.id
        for item in items
        if item.id in stored
        and stored[item.id].gone_at is not None
        and item.fetched_at > stored[item.id].gone_at
    ]
    if back:
        connection.execute(
            update(ManifestationRow).where(ManifestationRow.id.in_(back)).values(gone_at=None)
        )


def _insert_rejections(
    connection: Connection, run_id: str, rejections: Sequence[Rejection]
) -> None:
    rows = [
        {
            "run_id": run_id,
            "source": rejection.source,
            "outcome": rejection.outcome,
            "ignored": rejection.outcome.ignored,
            "place": rejection.where,
            "detail": rejection.detail,
        }
        for rejection in rejections
    ]
    if rows:
        connection.execute(insert(RejectionRow), rows)


def insert_manifestation(connection: Connection, said: Manifestation, said_on: date) -> None:
    """Store one manifestation that did not come from a crawl, within another transaction."""
    upsert(connection, ManifestationRow, [{**asdict(said), "said_on": said_on}])


def _insert_captures(
    connection: Connection,
    run_id: str,
    municipality: str,
    source: str,
    captures: Sequence[Capture],
) -> None:
    rows = [
        {"run_id": run_id, "municipality": municipality, "source": source, **asdict(capture)}
        for capture in captures
    ]
    upsert(connection, CaptureRow, rows)


def _mark_gone(connection: Connection, moments: Mapping[str, datetime]) -> None:
    """Note when manifestations were seen to be no longer at their source.

    They stay stored and counted in the windows in which they were said; reports quote them no
    more. One that is marked already keeps its first moment, and one that was fetched since is
    not gone.
    """
    said = ManifestationRow
    for moment in sorted(set(moments.values())):
        for chunk in chunks(sorted(key for key, when in moments.items() if when == moment)):
            theirs = (said.id.in_(chunk), said.gone_at.is_(None), said.fetched_at <= moment)
            connection.execute(update(said).where(*theirs).values(gone_at=moment))


def _insert_fields(
    connection: Connection, municipality: str, source: str, fields: Mapping[str, bool]
) -> None:
    now = datetime.now(UTC)
    about = {"municipality": municipality, "source": source, "first_seen": now}
    rows = [{**about, "field": name, "came_later": later} for name, later in fields.items()]
    upsert(connection, SourceFieldRow, rows)


def upsert_health(connection: Connection, municipality: str, source: str, health: Health) -> None:
    """Write what a run has made of a source."""
    row = {"municipality": municipality, "source": source, **asdict(health)}
    upsert(connection, SourceStateRow, [row], replace=tuple(asdict(health)))


def _upsert_seen(connection: Connection, seen: Iterable[tuple[str, str]]) -> None:
    for batch in batches(seen):
        rows = [{"manifestation_id": key, "fingerprint": mark} for key, mark in batch]
        upsert(connection, SeenRow, rows, replace=("fingerprint",))


def _replace_seen(
    connection: Connection, municipality: str, source: str, marks: Mapping[str, str]
) -> None:
    theirs = select(ManifestationRow.id).where(
        ManifestationRow.municipality == municipality, ManifestationRow.source == source
    )
    for former, mark in sorted(marks.items()):
        connection.execute(
            update(SeenRow)
            .where(SeenRow.fingerprint == former, SeenRow.manifestation_id.in_(theirs))
            .values(fingerprint=mark)
        )


def _upsert_validators(
    connection: Connection, municipality: str, source: str, validators: Sequence[Validator]
) -> None:
    now = datetime.now(UTC)
    about = {"municipality": municipality, "source": source, "saved_at": now}
    rows = {validator.url: {**about, **asdict(validator)} for validator in validators}
    names = ("etag", "last_modified", "saved_at")
    upsert(connection, ValidatorRow, list(rows.values()), replace=names)
    connection.execute(
        delete(ValidatorRow).where(
            ValidatorRow.municipality == municipality,
            ValidatorRow.source == source,
            ValidatorRow.saved_at < now - VALIDATOR_AGE,
        )
    )
