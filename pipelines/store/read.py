"""Read queries over the store. Nothing here writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, case, func, inspect, select
from sqlalchemy.orm import Session

from models.errors import InputError
from models.insight_tables import INSIGHT_TABLES
from models.records import Stage, State, Window
from models.tables import (
    Base,
    ClassificationRow,
    CorrectionRow,
    LanguageRow,
    LensRow,
    ManifestationRow,
    NearDuplicateRow,
    PartitionRow,
    PlaceRow,
    RejectionRow,
    RunRow,
)
from nlp.language import HOME, UNDETERMINED
from pipelines.store.engine import explained
from pipelines.store.pages import Pending


@dataclass(frozen=True, slots=True)
class Unclassified:
    """A text that a model version has not classified yet, and what it replies to."""

    manifestation_id: str
    text_hash: str
    title: str | None
    text: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A text in which a gazetteer has not looked for places yet, and its thread's opener."""

    manifestation_id: str
    text_hash: str
    title: str | None
    text: str
    opener_id: str | None


_BETWEEN, _AFTER, _TRUE = "\x1f", "\x1e", "1"
"""Unit and record separator of ASCII, which no code, hash or pseudonym has; and what is true."""


class Countable(NamedTuple):
    """What is counted of one classified manifestation, before people's corrections.

    An unknown author or zone is empty, and so is what is not true.
    """

    id: str
    text_hash: str
    kind: str
    author: str
    cluster: str
    language: str
    category: str
    sentiment: str
    intent: str
    abstained: str
    zone: str
    inherited: str
    lenses: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run's attempt to collect one local day of a source."""

    run_id: str
    started_at: datetime
    source: str
    day: date
    state: State
    error: str | None


_TASKS = ("category", "sentiment", "intent")
_ATTEMPTS = (
    select(
        PartitionRow.run_id,
        RunRow.started_at,
        PartitionRow.source,
        PartitionRow.day,
        PartitionRow.state,
        PartitionRow.error,
    )
    .join(RunRow, RunRow.id == PartitionRow.run_id)
    .where(
        PartitionRow.stage == Stage.COLLECT,
        PartitionRow.state.not_in((State.PENDING, State.RUNNING)),  # no attempt that has ended
    )
    .order_by(PartitionRow.run_id, PartitionRow.source, PartitionRow.day)
)


def _within(municipality: str, window: Window) -> ColumnElement[bool]:
    return and_(
        ManifestationRow.municipality == municipality,
        ManifestationRow.said_on >= window.start,
        ManifestationRow.said_on < window.end,
    )


def _classified_by(model_version: str, taxonomy_version: str) -> ColumnElement[bool]:
    return and_(
        ClassificationRow.manifestation_id == ManifestationRow.id,
        ClassificationRow.text_hash == ManifestationRow.text_hash,
        ClassificationRow.model_version == model_version,
        ClassificationRow.taxonomy_version == taxonomy_version,
    )


def _placed_by(gazetteer: str) -> ColumnElement[bool]:
    return and_(_of_text(PlaceRow), PlaceRow.gazetteer == gazetteer)


def _of_text(
    row: type[CorrectionRow]
    | type[LanguageRow]
    | type[LensRow]
    | type[NearDuplicateRow]
    | type[PlaceRow],
) -> ColumnElement[bool]:
    """Say that a row is about the text as it is now, not as it was before an edit."""
    return and_(
        row.manifestation_id == ManifestationRow.id,
        row.text_hash == ManifestationRow.text_hash,
    )


def unlabelled(engine: Engine, municipality: str, window: Window) -> Pending[Unclassified]:
    """Return the window's texts whose language was not identified yet."""
    said = ManifestationRow
    query = (
        select(said.id, said.text_hash, said.title, said.text)
        .outerjoin(LanguageRow, _of_text(LanguageRow))
        .where(_within(municipality, window), LanguageRow.manifestation_id.is_(None))
    )
    return Pending(engine, query, Unclassified)


def unseen(engine: Engine, municipality: str, window: Window, lenses: str) -> Pending[Unclassified]:
    """Return the window's texts that nobody has looked at through these lenses yet."""
    said = ManifestationRow
    query = (
        select(said.id, said.text_hash, said.title, said.text)
        .outerjoin(LensRow, and_(_of_text(LensRow), LensRow.lenses == lenses))
        .where(_within(municipality, window), LensRow.manifestation_id.is_(None))
    )
    return Pending(engine, query, Unclassified)


def unplaced(
    engine: Engine, municipality: str, window: Window, gazetteer: str
) -> Pending[Unplaced]:
    """Return the window's texts in which this gazetteer has not looked for places yet."""
    said = ManifestationRow
    opener = func.nullif(said.thread_id, said.id)
    query = (
        select(said.id, said.text_hash, said.title, said.text, opener)
        .outerjoin(PlaceRow, _placed_by(gazetteer))
        .where(_within(municipality, window), PlaceRow.manifestation_id.is_(None))
    )
    return Pending(engine, query, Unplaced)


def titles_and_texts(
    engine: Engine, municipality: str, ids: Iterable[str]
) -> dict[str, tuple[str | None, str]]:
    """Return title and text of the municipality's manifestations, by id, of whatever window."""
    said = ManifestationRow
    query = select(said.id, said.title, said.text)
    query = query.where(said.municipality == municipality, said.id.in_(sorted(set(ids))))
    with explained(engine), engine.connect() as connection:
        return {id_: (title, text) for id_, title, text in connection.execute(query)}


def places_frame(engine: Engine, municipality: str, window: Window, gazetteer: str) -> pd.DataFrame:
    """Return one row per manifestation that the gazetteer gave a zone: id, zone, inherited."""
    query = (
        select(ManifestationRow.id, PlaceRow.zone, PlaceRow.inherited)
        .join(PlaceRow, _placed_by(gazetteer))
        .where(_within(municipality, window), PlaceRow.zone.is_not(None))
    )
    with explained(engine), engine.connect() as connection:
        return pd.read_sql(query, connection)


def unclassified(
    engine: Engine, municipality: str, window: Window, model_version: str, taxonomy_version: str
) -> Pending[Unclassified]:
    """Return the window's texts without a classification by this model."""
    said = ManifestationRow
    query = (
        select(said.id, said.text_hash, said.title, said.text, said.parent_id)
        .outerjoin(ClassificationRow, _classified_by(model_version, taxonomy_version))
        .where(_within(municipality, window), ClassificationRow.manifestation_id.is_(None))
    )
    return Pending(engine, query, Unclassified)


def countable(
    connection: Connection,
    municipality: str,
    day: date,
    sources: Sequence[str],
    versions: tuple[str, str, str, str],
) -> dict[str, list[Countable]]:
    """Return what is counted of a local day, by source: every classified manifestation, by id.

    The database puts a source's texts into one string: to fetch them row by row takes longer, and
    two threads that do so wait for each other at every row.

    Args:
        connection: to the database; it is only read.
        municipality: whose it is.
        day: the local day.
        sources: those wanted.
        versions: of the model, the taxonomy, the gazetteer and the lenses.
    """
    model, taxonomy, gazetteer, lenses = versions
    said, label, copy, place = ManifestationRow, ClassificationRow, NearDuplicateRow, PlaceRow
    text: ColumnElement[str] = said.id.concat(_BETWEEN).concat(said.text_hash)
    for field in (
        said.kind,
        func.coalesce(said.author, ""),
        func.coalesce(copy.cluster_id, said.text_hash),
        func.coalesce(LanguageRow.language, UNDETERMINED),
        label.category,
        label.sentiment,
        label.intent,
        case((label.abstained, _TRUE), else_=""),
        func.coalesce(place.zone, ""),
        case((place.inherited, _TRUE), else_=""),
        func.coalesce(LensRow.codes, ""),
    ):
        text = text.concat(_BETWEEN).concat(field)
    query = (
        select(said.source, func.aggregate_strings(text, _AFTER))
        .join(label, _classified_by(model, taxonomy))
        .outerjoin(copy, _of_text(copy))
        .outerjoin(LanguageRow, _of_text(LanguageRow))
        .outerjoin(place, _placed_by(gazetteer))
        .outerjoin(LensRow, and_(_of_text(LensRow), LensRow.lenses == lenses))
        .where(said.municipality == municipality, said.said_on == day, said.source.in_(sources))
        .group_by(said.source)
    )
    return {
        source: [Countable(*one.split(_BETWEEN)) for one in sorted(texts.split(_AFTER))]
        for source, texts in connection.execute(query)
    }


def corrections_of(
    connection: Connection, municipality: str, day: date, sources: Sequence[str]
) -> dict[tuple[str, str], dict[str, str]]:
    """Return people's labels by (manifestation, text hash): the newest of each task.

    They are asked for by day and source: of a whole window SQLite would read every manifestation.
    """
    row, said = CorrectionRow, ManifestationRow
    query = (
        select(row.manifestation_id, row.text_hash, row.category, row.sentiment, row.intent)
        .join(said, _of_text(CorrectionRow))
        .where(said.municipality == municipality, said.said_on == day, said.source.in_(sources))
        .order_by(row.id)
    )
    found: dict[tuple[str, str], dict[str, str]] = {}
    for id_, text_hash, *labels in connection.execute(query):
        given = {task: one for task, one in zip(_TASKS, labels, strict=True) if one}
        found.setdefault((id_, text_hash), {}).update(given)
    return found


def manifestations_per_day(
    engine: Engine, municipality: str, window: Window
) -> dict[tuple[str, date], int]:
    """Count the stored manifestations of the window by (source, local day)."""
    query = (
        select(ManifestationRow.source, ManifestationRow.said_on, func.count())
        .where(_within(municipality, window))
        .group_by(ManifestationRow.source, ManifestationRow.said_on)
    )
    with explained(engine), engine.connect() as connection:
        return {(source, day): n for source, day, n in connection.execute(query)}


def classified_per_day(
    engine: Engine, municipality: str, window: Window, model_version: str, taxonomy_version: str
) -> dict[tuple[str, date], int]:
    """Count the window's manifestations that a model has classified, by (source, local day)."""
    query = (
        select(ManifestationRow.source, ManifestationRow.said_on, func.count())
        .join(ClassificationRow, _classified_by(model_version, taxonomy_version))
        .where(_within(municipality, window))
        .group_by(ManifestationRow.source, ManifestationRow.said_on)
    )
    with explained(engine), engine.connect() as connection:
        return {(source, day): n for source, day, n in connection.execute(query)}


def collect_attempts(engine: Engine, municipality: str, window: Window) -> list[Attempt]:
    """Return every attempt to collect a day of the window, oldest run first."""
    query = _ATTEMPTS.where(
        RunRow.municipality == municipality,
        PartitionRow.day >= window.start,
        PartitionRow.day < window.end,
    )
    return _attempts(engine, query)


def latest_attempts(engine: Engine, municipality: str) -> dict[str, Attempt]:
    """Return the newest run's attempt at each source, on the last day that it covered."""
    query = _ATTEMPTS.where(RunRow.municipality == municipality)
    return {attempt.source: attempt for attempt in _attempts(engine, query)}


def _attempts(engine: Engine, query: Select[*tuple[Any, ...]]) -> list[Attempt]:
    with explained(engine), engine.connect() as connection:
        return [
            Attempt(row.run_id, row.started_at, row.source, row.day, State(row.state), row.error)
            for row in connection.execute(query)
        ]


def rejection_counts(engine: Engine, run_id: str) -> pd.DataFrame:
    """Count a run's rejected and ignored input records: source, outcome, ignored, count."""
    query = (
        select(
            RejectionRow.source,
            RejectionRow.outcome,
            RejectionRow.ignored,
            func.count().label("count"),
        )
        .where(RejectionRow.run_id == run_id)
        .group_by(RejectionRow.source, RejectionRow.outcome, RejectionRow.ignored)
        .order_by(RejectionRow.source, RejectionRow.outcome)
    )
    with explained(engine), engine.connect() as connection:
        return pd.read_sql(query, connection)


def find_run(engine: Engine, run_id: str) -> RunRow:
    """Return a run of the ledger.

    Raises:
        InputError: there is no such run.
    """
    run = _run(engine, run_id)
    if run is None:
        raise InputError(f"There is no run {run_id}. `manifiesta status` lists the latest runs.")
    return run


def run_of(engine: Engine, municipality: str, run_id: str) -> RunRow | None:
    """Return a run of a municipality; nothing where it has no such run."""
    run = _run(engine, run_id)
    return run if run is not None and run.municipality == municipality else None


def _run(engine: Engine, run_id: str) -> RunRow | None:
    with explained(engine), Session(engine) as session:
        return session.get(RunRow, run_id)


def latest_runs(engine: Engine, municipality: str | None, limit: int) -> Sequence[RunRow]:
    """Return the latest runs, newest first."""
    query = select(RunRow).order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(limit)
    if municipality is not None:
        query = query.where(RunRow.municipality == municipality)
    with explained(engine), Session(engine) as session:
        return session.scalars(query).all()


def answers_frame(
    engine: Engine, municipality: str, window: Window, model_version: str, taxonomy_version: str
) -> pd.DataFrame:
    """Return what a model answered to each text of the window that is not in another language.

    Columns: said_on, title, text, category, sentiment, intent, confidence, abstained. People's
    corrections are left out: this is about the model.
    """
    label = ClassificationRow
    query = (
        select(
            ManifestationRow.said_on,
            ManifestationRow.title,
            ManifestationRow.text,
            label.category,
            label.sentiment,
            label.intent,
            label.confidence,
            label.abstained,
        )
        .join(label, _classified_by(model_version, taxonomy_version))
        .outerjoin(LanguageRow, _of_text(LanguageRow))
        .where(
            _within(municipality, window),
            func.coalesce(LanguageRow.language, UNDETERMINED).in_(HOME),
        )
        .order_by(ManifestationRow.id)
    )
    with explained(engine), engine.connect() as connection:
        return pd.read_sql(query, connection)


def latest_model(engine: Engine, municipality: str) -> tuple[str, str]:
    """Return model and taxonomy version of the newest run that classified.

    Raises:
        InputError: no run of the municipality has classified anything.
    """
    query = (
        select(RunRow.model_version, RunRow.taxonomy_version)
        .where(RunRow.municipality == municipality, RunRow.model_version.is_not(None))
        .order_by(RunRow.started_at.desc(), RunRow.id.desc())
        .limit(1)
    )
    with explained(engine), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise InputError(
            f"No run of {municipality} has classified anything yet; `manifiesta run` does."
        )
    return str(row.model_version), str(row.taxonomy_version)


def insight_frame(engine: Engine, table: type[Base], run_id: str) -> pd.DataFrame:
    """Return one run's rows of an insight table, in the order of its key."""
    key = inspect(table).primary_key
    query = select(table.__table__).where(table.__table__.c.run_id == run_id).order_by(*key)
    with explained(engine), engine.connect() as connection:
        return pd.read_sql(query, connection)


def insight_table(name: str) -> type[Base]:
    """Return the insight table of that name.

    Raises:
        InputError: there is no such table.
    """
    tables: dict[str, type[Base]] = {table.__tablename__: table for table in INSIGHT_TABLES}
    if name not in tables:
        raise InputError(f"There is no insight table «{name}». There are: {', '.join(tables)}.")
    return tables[name]


def counted_run(
    engine: Engine, table: type[Base], municipality: str, run_id: str | None = None
) -> str:
    """Return the run asked for, or the newest, if it wrote rows into an insight table.

    Raises:
        InputError: no such run of the municipality wrote any.
    """
    columns = table.__table__.c
    query = select(columns.run_id).join(RunRow, RunRow.id == columns.run_id)
    query = query.where(columns.municipality == municipality)
    if run_id is not None:
        query = query.where(columns.run_id == run_id)
    query = query.order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(1)
    with explained(engine), engine.connect() as connection:
        found = connection.execute(query).scalar_one_or_none()
    if found is None:
        what = (
            f"Run {run_id} has no figures of {municipality} there: it counted nothing, or they were"
            " purged."
            if run_id
            else f"No run of {municipality} has counted anything yet."
        )
        raise InputError(
            f"{what} `manifiesta status` lists the runs; `manifiesta aggregate` makes one."
        )
    return str(found)
