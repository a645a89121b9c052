"""Find manifestations by their words and labels. Nothing here writes, and no author is read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
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
from models.search_tables import INDEX, SearchRow
from models.tables import ClassificationRow, ManifestationRow, NearDuplicateRow
from nlp.stems import stems_of
from pipelines.store.engine import explained
from pipelines.store.facets import Basis, facets
from pipelines.store.outranked import counting, given, unsure
from pipelines.store.pages import Pending
from pipelines.store.read import Unclassified

COUNTED_TO = 10_000
"""More hits than this are not counted: a page says that there are at least so many."""
READ_TO = 40_000
"""Nor are words looked for in more texts than the latest so many that have them."""

_SAID, _LABEL = ManifestationRow, ClassificationRow
_FEW = 10_000  # texts in which words are looked for one by one
_READ = 4_000  # characters of a text that are shown
_PHRASE = re.compile(r'"([^"]*)"')


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
    certainty: str = ""

    @property
    def terms(self) -> list[list[str]]:
        """The stems looked for: of each phrase in quotes all, and each other word alone."""
        phrases = [stems_of(phrase) for phrase in _PHRASE.findall(self.words)]
        single = [[stem] for stem in stems_of(_PHRASE.sub(" ", self.words))]
        return [stems for stems in (*phrases, *single) if stems]


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


@dataclass(frozen=True, slots=True)
class Hits:
    """Some of the hits, and how many there are in all; or at least, where that is not known."""

    found: list[Found]
    count: int
    exact: bool = True


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


def search(engine: Engine, basis: Basis, asked: Asked, skip: int, limit: int) -> Hits:
    """Return some of the hits: with words the latest indexed first, else the latest said.

    Of one day, those come first that were indexed last.
    """
    with explained(engine), engine.connect() as connection:
        sought = _sought(connection, basis, asked)
        hit = sought.hits.subquery("hit")
        total = (func.count().over() if sought.few else literal(0)).label("total")
        page = select(hit, total).order_by(*_order(hit, asked)).offset(skip).limit(limit)
        shown = page.subquery("page")
        query = (
            select(shown.c.total, *_columns())
            .select_from(shown)
            .join(SearchRow, SearchRow.id == shown.c.text_id)
            .join(_SAID, _SAID.id == SearchRow.manifestation_id)
            .outerjoin(_LABEL, _labelled(basis))
            .order_by(*_order(shown, asked))
        )
        rows = connection.execute(query).all()
        found = [Found(*row[1:]) for row in rows]
        if len(found) < limit and (found or not skip):
            return Hits(found, skip + len(found))
        if found and sought.few:
            return Hits(found, rows[0].total)
        count, exact = _tally(connection, sought)
        return Hits(found, max(count, skip + len(found)), exact)


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
                # as no bare column, or SQLite may look through all texts of the municipality
                _SAID.municipality.concat("") == basis.municipality,
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


@cache
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


@dataclass(frozen=True, slots=True)
class _Sought:
    """How texts are looked for: queries of ``text_id`` and ``said_on``.

    ``few``: so few that all are looked at anyhow. ``latest`` are those hits that are among the
    latest `READ_TO` texts with the words, which ``read`` gives; without words, nothing.
    """

    hits: Select[Any]
    few: bool = False
    latest: Select[Any] | None = None
    read: Select[Any] | None = None


def _sought(connection: Connection, basis: Basis, asked: Asked) -> _Sought:
    """Say how to look for what is asked for, among what the run counted."""
    zone = asked.zone if basis.gazetteer else ""
    lens = asked.lens if basis.lenses else ""
    facet = facets(connection, basis, zone=bool(zone), lens=bool(lens))
    query = select(facet.c.text_id, facet.c.said_on)
    for name in ("category", "sentiment", "intent", "kind", "source", "certainty"):
        if wanted := getattr(asked, name):
            query = query.where(facet.c[name] == wanted)
    if zone:
        query = query.where(facet.c.zone == zone if zone != NOWHERE else facet.c.zone.is_(None))
    if lens:
        codes = literal(" ") + facet.c.lenses + " "
        query = query.where(codes.contains(f" {lens} ", autoescape=True))
    if not asked.terms:
        return _Sought(query)
    if connection.dialect.name == "sqlite":
        return _matched(connection, query, facet, asked.terms)
    words = _vector(asked.terms)
    return _Sought(query.join(SearchRow, SearchRow.id == facet.c.text_id).where(words))


def _order(rows: FromClause, asked: Asked) -> list[ColumnElement[Any]]:
    newest = rows.c.text_id.desc()
    return [newest] if asked.terms else [rows.c.said_on.desc(), newest]


def _counted(connection: Connection, query: Select[Any], most: int) -> int:
    counted = select(func.count()).select_from(query.limit(most).subquery())
    found: int = connection.execute(counted).scalar_one()
    return found


def _tally(connection: Connection, sought: _Sought) -> tuple[int, bool]:
    """Count the hits as far as they are counted, and say whether those are all."""
    latest, read = sought.latest, sought.read
    count = _counted(connection, sought.hits if latest is None else latest, COUNTED_TO + 1)
    if count > COUNTED_TO:
        return COUNTED_TO, False
    return count, read is None or _counted(connection, read, READ_TO) < READ_TO


def _matched(
    connection: Connection, query: Select[Any], facet: FromClause, terms: Sequence[Sequence[str]]
) -> _Sought:
    """Narrow a query to texts that have all the terms, on SQLite.

    It reads the index of words from its end on, whatever else is asked for: 0.7 µs a text that has
    the words. So where the facets leave few texts, the words are looked for in those: 2.6 µs each.
    Stems are letters and digits: nothing is to be escaped.
    """
    phrases = [" ".join(stems) for stems in terms]
    if _counted(connection, query, _FEW + 1) <= _FEW:
        stems = literal(" ") + SearchRow.stems + " "
        has = (func.instr(stems, f" {phrase} ") > 0 for phrase in phrases)
        some = query.join(SearchRow, SearchRow.id == facet.c.text_id).where(*has)
        return _Sought(some, few=True)
    index = table(INDEX, column("rowid"))
    asked = " AND ".join(f'"{phrase}"' for phrase in phrases)
    matches = text(f"{INDEX} MATCH :asked").bindparams(asked=asked)
    rowid: ColumnElement[int] = index.c.rowid
    latest = select(rowid).where(matches).order_by(rowid.desc()).limit(READ_TO)

    def those_of(words: FromClause) -> Select[Any]:
        its = words.c.rowid + 0  # or words might be asked anew for each text that the facets leave
        hits = (words.c.rowid.label("text_id"), facet.c.said_on)  # the index has them in order
        return query.join(words, its == facet.c.text_id).with_only_columns(*hits)

    every, some = those_of(index).where(matches), those_of(latest.subquery("latest"))
    return _Sought(every, latest=some, read=latest)


def _vector(terms: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    """Say that a text has all the terms, in PostgreSQL's index."""
    simple = text("'simple'")
    vector = func.to_tsvector(simple, SearchRow.stems)
    return and_(
        *(
            vector.op("@@", is_comparison=True)(func.phraseto_tsquery(simple, " ".join(stems)))
            for stems in terms
        )
    )
