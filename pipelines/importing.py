"""Store the records of an uploaded file, under a run of its own."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from configs.schema import Columns, Format, Municipality, Source
from models.errors import ConfigError, InputError
from models.records import (
    Extracted,
    Kind,
    Manifestation,
    Outcome,
    Protocol,
    Rejection,
    State,
    Window,
)
from pipelines.classify import Progress
from pipelines.collect import collect_partitions, make_storable
from pipelines.expectations import new_fields
from pipelines.exports import export_of
from pipelines.ledger import recorded_run
from pipelines.privacy import Pseudonymiser
from pipelines.store.collecting import Learnt, Saved
from pipelines.store.crawled import remembered_source, source_fields, tombstones
from pipelines.store.write import RunStart, Store
from pipelines.tabular import open_table
from pipelines.upload import guess_columns, read_upload

_BATCH = 2_000
_Item = TypeVar("_Item")


@dataclass
class Imported:
    """What became of a file's rows: ``rows`` is the sum of all the others."""

    run_id: str
    source: str
    columns: Columns
    rows: int = 0
    saved: Saved = field(default_factory=Saved)
    rejections: Counter[Outcome] = field(default_factory=Counter)
    examples: list[Rejection] = field(default_factory=list)
    first: date | None = None
    last: date | None = None
    state: State = State.DONE
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {
            "run_id": self.run_id,
            "source": self.source,
            "state": self.state,
            "columns": self.columns.model_dump(exclude_none=True),
            "rows": self.rows,
            "saved": asdict(self.saved),
            "rejections": dict(self.rejections),
            "examples": [asdict(rejection) for rejection in self.examples],
            "first": self.first,
            "last": self.last,
            "warnings": list(self.warnings),
        }


def upload_source(
    store: Store,
    municipality: Municipality,
    name: str,
    path: Path,
    given: Mapping[str, str],
    form: Format | None = None,
) -> Source:
    """Return the source of an upload with its columns settled.

    A column that is given wins over the configured or remembered one, and that over what the
    tool ``form`` exports, or a guess from the file's header.

    Raises:
        ConfigError: the name belongs to a source that is not an upload, or is no code.
        InputError: the columns of text and date are neither given nor to be guessed.
    """
    configured = municipality.source(name)
    if configured is not None and configured.protocol is not Protocol.UPLOAD:
        raise ConfigError(
            f"«{name}» is read by itself ({configured.protocol}); give the import a source of "
            "its own with --source"
        )
    settled = configured is not None and configured.columns is not None
    known = (None if settled else _remembered(store, municipality, name, given)) or configured
    header = open_table(path, given.values()).header
    mapped = known.columns if known else None
    form = form or (known.format if known else None) or (None if mapped else export_of(header))
    before = mapped or guess_columns(header, form)
    columns = (before.model_dump(exclude_none=True) if before else {}) | dict(given)
    if not {"text", "date"} <= set(columns):
        raise InputError(
            f"{path}: which column holds the text, and which the date? Name them with --text and "
            f"--date. The file has: {', '.join(header)}"
        )
    try:
        kind = Kind.POST if form else Kind.ARTICLE
        base = known or Source(name=name, title=name, protocol=Protocol.UPLOAD, kind=kind)
    except ValueError:
        raise ConfigError(
            f"--source «{name}»: use small letters, digits and hyphens, such as prensa-2026"
        ) from None
    return base.model_copy(update={"columns": Columns.model_validate(columns), "format": form})


def _remembered(
    store: Store, municipality: Municipality, name: str, given: Mapping[str, str]
) -> Source | None:
    """Return what is remembered; if that cannot be read, the columns must all be given again."""
    try:
        return remembered_source(store.engine, municipality.code, name)
    except InputError:
        if {"text", "date"} <= set(given):
            return None
        raise


def import_file(
    store: Store,
    municipality: Municipality,
    pseudonymiser: Pseudonymiser,
    source: Source,
    path: Path,
    start: RunStart,
    progress: Progress,
    covers: Window | None = None,
) -> Imported:
    """Store a file's records in batches; what is not stored is counted with its reason.

    The ledger notes the days from the file's first record to its last as read, and those that it
    ``covers`` besides, on which nobody may have spoken. A file that breaks off keeps the batches
    that were read, and the run is noted as failed.
    """
    records = read_upload(path, source, municipality.zone, datetime.now(UTC))
    with recorded_run(store, municipality, start) as run:
        store.save_source(municipality.code, source)
        known = source_fields(store.engine, municipality.code).get(source.name)
        fields = new_fields(known, open_table(path).header)
        outcome = Imported(run.id, source.name, _columns(source))
        for batch in _batches(records):
            _store_batch(store, municipality, pseudonymiser, outcome, batch)
            progress(outcome.rows, outcome.rows)
        # with the file's records stored, its columns are known
        learnt = Learnt(fields=fields)
        store.save_collected(run.id, municipality, source.name, [], learnt=learnt)
        later = sorted(name for name, came_later in fields.items() if came_later)
        outcome.warnings = (f"new columns: {', '.join(later)}",) if later else ()
        run.state = outcome.state = _state(outcome)
        if window := _days_of(outcome, covers, municipality):
            _note_in_ledger(store, municipality, source, window, outcome)
    return outcome


def _columns(source: Source) -> Columns:
    if source.columns is None:
        raise ValueError(f"the columns of {source.name} are not settled")
    return source.columns


def _batches(items: Iterator[_Item]) -> Iterator[list[_Item]]:
    while batch := list(islice(items, _BATCH)):
        yield batch


def _store_batch(
    store: Store,
    municipality: Municipality,
    pseudonymiser: Pseudonymiser,
    outcome: Imported,
    batch: list[Extracted | Rejection],
) -> None:
    read = [item for item in batch if isinstance(item, Extracted)]
    buried = tombstones(store.engine, municipality.code)
    made = [make_storable(record, pseudonymiser, buried) for record in read]
    manifestations = [item for item in made if isinstance(item, Manifestation)]
    rejections = [item for item in (*batch, *made) if isinstance(item, Rejection)]
    outcome.saved += store.save_collected(
        outcome.run_id, municipality, outcome.source, manifestations, rejections
    )
    outcome.rows += len(batch)
    outcome.rejections.update(rejection.outcome for rejection in rejections)
    outcome.examples += rejections[: max(0, 5 - len(outcome.examples))]
    days = [item.said_at.astimezone(municipality.zone).date() for item in manifestations]
    outcome.first = min([*days, *filter(None, [outcome.first])], default=None)
    outcome.last = max([*days, *filter(None, [outcome.last])], default=None)


def _state(outcome: Imported) -> State:
    if outcome.saved == Saved():
        return State.FAILED
    problems = sum(n for reason, n in outcome.rejections.items() if not reason.ignored)
    return State.PARTIAL if problems else State.DONE


def _days_of(outcome: Imported, covers: Window | None, place: Municipality) -> Window | None:
    """Return the days that a file speaks for, also those on which nothing was said."""
    if outcome.first is None or outcome.last is None:
        return covers
    read = Window(outcome.first, outcome.last + timedelta(days=1), place.zone)
    if covers is None:
        return read
    return Window(min(read.start, covers.start), max(read.end, covers.end), place.zone)


def _note_in_ledger(
    store: Store, municipality: Municipality, source: Source, window: Window, outcome: Imported
) -> None:
    store.set_window(outcome.run_id, window)
    reason = ", ".join(f"{n:,} × {why}" for why, n in outcome.rejections.items()) or None
    store.save_partitions(
        outcome.run_id,
        collect_partitions(store, municipality, source.name, window, outcome.state, reason),
    )
