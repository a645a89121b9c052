"""Find manifestations by their words and labels. Nothing here writes, and no author is read."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    and_,
    column,
    func,
    literal,
    or_,
    select,
    table,
    text,
)

from models.labels import NOWHERE
from models.records import Window
from models.search_tables import INDEX, SearchRow
from models.tables import (
    ClassificationRow,
    LanguageRow,
    LensRow,
    ManifestationRow,
    NearDuplicateRow,
    PlaceRow,
)
from nlp.language import HOME, UNDETERMINED
from nlp.stems import stems_of
from pipelines.store.engine import explained
from pipelines.store.outranked import counting, given, unsure
from pipelines.store.pages import Pending
from pipelines.store.read import Unclassified

COUNTED_TO = 10_000
"""More hits than this are not counted: a page says that there are more."""

_SAID, _LABEL = ManifestationRow, ClassificationRow
_READ = 4_000  # characters of a text that are shown
_PHRASE = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Basis:
    """What a run counted by: only so is a search's number the same as the run's.

    ``lenses`` and ``gazetteer`` are identifiers; without one, nothing is filtered by it.
    """

    municipality: str
    window: Window
    model_version: str
    taxonomy_version: str
    gazetteer: str | None = None
    lenses: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; an empty text filters nothing. ``"words so"`` are a phrase."""

    words: str = ""
    category: str = ""
    sentiment: str = ""
    intent: str = ""
    kind: str = ""
    source: str = ""
    zone: str = ""
    lens: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A manifestation and its labels that count; ``person``: whether somebody gave the category."""

    id: str
    source: str
    kind: str
    title: str | None
    text: str
    url: str | None
    said_at: datetime
    said_on: date
    gone_at: datetime | None
    thread_id: str | None
    parent_id: str | None
    category: str | None
    sentiment: str | None
    intent: str | None
    confidence: float | None
    abstained: bool
    person: bool


def unsearchable(engine: Engine, municipality: str) -> Pending[Unclassified]:
    """Return the texts of a municipality that are new, or were edited, since they were indexed."""
    query = _unindexed(municipality, _SAID.id, _SAID.text_hash, _SAID.title, _SAID.text)
    return Pending(engine, query, Unclassified)


def is_searchable(engine: Engine, municipality: str) -> bool:
    """Say whether all texts of a municipality are indexed; indexes alone tell, no text is read."""
    query = _unindexed(municipality, _SAID.id).order_by(_SAID.id).limit(1)
    with explained(engine), engine.connect() as connection:
        return connection.execute(query).first() is None


def _unindexed(municipality: str, *columns: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(*columns)
        .outerjoin(
            SearchRow,
            and_(SearchRow.manifestation_id == _SAID.id, SearchRow.text_hash == _SAID.text_hash),
        )
        .where(_SAID.municipality == municipality, SearchRow.id.is_(None))
    )


def search(engine: Engine, basis: Basis, asked: Asked, skip: int, limit: int) -> list[Found]:
    """Return some of the hits: with words the latest indexed first, else the latest said."""
    query = _filtered(engine, basis, asked, _columns())
    order = (SearchRow.id.desc(),) if _terms(asked) else (_SAID.said_on.desc(), _SAID.id)
    with explained(engine), engine.connect() as connection:
        rows = connection.execute(query.order_by(*order).offset(skip).limit(limit))
        return [Found(*row) for row in rows]


def count_hits(engine: Engine, basis: Basis, asked: Asked) -> int:
    """Return how many hits there are, at most one more than `COUNTED_TO`."""
    query = _filtered(engine, basis, asked, (literal(1).label("one"),)).limit(COUNTED_TO + 1)
    with explained(engine), engine.connect() as connection:
        found: int = connection.execute(
            select(func.count()).select_from(query.subquery())
        ).scalar_one()
    return found


def conversation(engine: Engine, basis: Basis, id_: str, limit: int) -> list[Found]:
    """Return a manifestation with what opened its thread and what else was said in it, by time.

    Empty where the municipality has no such manifestation.
    """
    thread = select(func.coalesce(_SAID.thread_id, _SAID.id)).where(
        _SAID.id == id_, _SAID.municipality == basis.municipality
    )
    with explained(engine), engine.connect() as connection:
        opener = connection.execute(thread).scalar_one_or_none()
        if opener is None:
            return []
        query = (
            select(*_columns())
            .outerjoin(_LABEL, _labelled(basis))
            .where(
                _SAID.municipality == basis.municipality,
                or_(_SAID.id.in_([opener, id_]), _SAID.thread_id == opener),
            )
            .order_by((_SAID.id != opener), (_SAID.id != id_), _SAID.said_at, _SAID.id)
            .limit(limit)
        )
        found = [Found(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (one.id != opener, one.said_at, one.id))


def copies_of(engine: Engine, id_: str) -> int:
    """Return how many manifestations say the same as one, itself included."""
    row = NearDuplicateRow
    cluster = select(row.cluster_id).where(row.manifestation_id == id_).scalar_subquery()
    query = select(func.count()).where(row.cluster_id == cluster)
    with explained(engine), engine.connect() as connection:
        found: int = connection.execute(query).scalar_one()
    return max(1, found)


def _columns() -> tuple[ColumnElement[Any], ...]:
    return (
        _SAID.id,
        _SAID.source,
        _SAID.kind,
        _SAID.title,
        func.substr(_SAID.text, 1, _READ),
        _SAID.url,
        _SAID.said_at,
        _SAID.said_on,
        _SAID.gone_at,
        _SAID.thread_id,
        _SAID.parent_id,
        counting("category"),
        counting("sentiment"),
        counting("intent"),
        _LABEL.confidence,
        unsure(),
        given("category").is_not(None),
    )  # type: ignore[return-value]


def _labelled(basis: Basis) -> ColumnElement[bool]:
    return and_(
        _LABEL.manifestation_id == _SAID.id,
        _LABEL.text_hash == _SAID.text_hash,
        _LABEL.model_version == basis.model_version,
        _LABEL.taxonomy_version == basis.taxonomy_version,
    )


def _filtered(
    engine: Engine, basis: Basis, asked: Asked, columns: tuple[ColumnElement[Any], ...]
) -> Select[Any]:
    """Say which manifestations are hits: of those that the run counted, what is asked for."""
    query = (
        select(*columns)
        .select_from(_SAID)
        .join(_LABEL, _labelled(basis))
        .outerjoin(
            LanguageRow,
            and_(
                LanguageRow.manifestation_id == _SAID.id, LanguageRow.text_hash == _SAID.text_hash
            ),
        )
        .where(
            _SAID.municipality == basis.municipality,
            _SAID.said_on >= basis.window.start,
            _SAID.said_on < basis.window.end,
            func.coalesce(LanguageRow.language, UNDETERMINED).in_(HOME),
        )
    )
    for task in ("category", "sentiment", "intent"):
        if wanted := getattr(asked, task):
            query = query.where(counting(task).element == wanted)
    if asked.kind:
        query = query.where(_SAID.kind == asked.kind)
    if asked.source:
        query = query.where(_SAID.source == asked.source)
    if asked.zone and basis.gazetteer:
        query = _in_zone(query, basis.gazetteer, asked.zone)
    if asked.lens and basis.lenses:
        query = query.join(
            LensRow,
            and_(
                LensRow.manifestation_id == _SAID.id,
                LensRow.text_hash == _SAID.text_hash,
                LensRow.lenses == basis.lenses,
            ),
        ).where((literal(" ") + LensRow.codes + " ").contains(f" {asked.lens} ", autoescape=True))
    if terms := _terms(asked):
        query = query.join(SearchRow, SearchRow.manifestation_id == _SAID.id).where(
            _matches(engine, terms)
        )
    return query


def _in_zone(query: Select[Any], gazetteer: str, zone: str) -> Select[Any]:
    row = PlaceRow
    placed = and_(
        row.manifestation_id == _SAID.id,
        row.text_hash == _SAID.text_hash,
        row.gazetteer == gazetteer,
    )
    wanted = row.zone.is_(None) if zone == NOWHERE else row.zone == zone
    return query.outerjoin(row, placed).where(wanted)


def _terms(asked: Asked) -> list[list[str]]:
    """Return the stems looked for: of each phrase in quotes all, and each other word alone."""
    phrases = [stems_of(phrase) for phrase in _PHRASE.findall(asked.words)]
    single = [[stem] for stem in stems_of(_PHRASE.sub(" ", asked.words))]
    return [stems for stems in (*phrases, *single) if stems]


def _matches(engine: Engine, terms: list[list[str]]) -> ColumnElement[bool]:
    """Say that a text has all the terms; stems are letters and digits, so nothing is escaped."""
    if engine.dialect.name == "sqlite":
        index = table(INDEX, column("rowid"))
        asked = " AND ".join(f'"{" ".join(stems)}"' for stems in terms)
        hits = select(index.c.rowid).where(text(f"{INDEX} MATCH :asked").bindparams(asked=asked))
        return SearchRow.id.in_(hits)
    vector = func.to_tsvector(text("'simple'"), SearchRow.stems)
    return and_(
        *(
            vector.op("@@", is_comparison=True)(
                func.phraseto_tsquery(text("'simple'"), " ".join(stems))
            )
            for stems in terms
        )
    )
