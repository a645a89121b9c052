"""Read what there is to review, and keep people's readings. Each function is a transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    and_,
    exists,
    func,
    insert,
    or_,
    select,
    union,
)

from models.demand_tables import ReviewRow
from models.records import Window
from models.tables import ClassificationRow, CorrectionRow, LanguageRow, ManifestationRow
from nlp.language import HOME, UNDETERMINED
from pipelines.store.engine import explained, writing
from pipelines.store.outranked import given
from pipelines.store.said import of_this_text

_SAID, _LABEL, _READ = ManifestationRow, ClassificationRow, ReviewRow
COUNTED_TO = 1_000
"""Texts of a queue beyond these are not counted: a page says that there are more."""
TASKS = ("category", "sentiment", "intent")


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A text to read: as it is now, and what the model said, which a reader is not shown."""

    id: str
    text_hash: str
    source: str
    said_on: date
    title: str | None
    text: str
    url: str | None
    model_version: str
    category: str
    sentiment: str
    intent: str
    confidence: float
    categories: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """One person's labels of a text, beside the model's."""

    municipality: str
    manifestation_id: str
    text_hash: str
    queue: str
    reader: str
    read_at: datetime
    category: str
    sentiment: str
    intent: str
    model_version: str
    model_category: str
    model_sentiment: str
    model_intent: str


def _checked(column: Any) -> Any:
    """Return a column that no index finds rows by: a queue is read in its order alone.

    Not by days, nor by what the model labelled, which is everything.
    """
    return func.coalesce(column, column)


def _texts(municipality: str, versions: tuple[str, str]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(_SAID.id, _SAID.text_hash, _SAID.source, _SAID.said_on, _SAID.title, _SAID.text),
            *(_SAID.url, _LABEL.model_version, _LABEL.category, _LABEL.sentiment, _LABEL.intent),
            *(_LABEL.confidence, _LABEL.categories),
        )
        .join(_LABEL, of_this_text(_LABEL))
        .outerjoin(LanguageRow, of_this_text(LanguageRow))
        .where(
            _checked(_SAID.municipality) == municipality,
            _checked(_LABEL.model_version) == versions[0],
            _checked(_LABEL.taxonomy_version) == versions[1],
            func.coalesce(LanguageRow.language, UNDETERMINED).in_(HOME),
        )
    )


def _read_by(reader: str | None = None, *, other: bool = False) -> ColumnElement[bool]:
    """Say that somebody, this reader, or another one has read the text as it is now."""
    mine = [_READ.manifestation_id == _SAID.id, _READ.text_hash == _SAID.text_hash]
    if reader is not None:
        mine.append(_READ.reader != reader if other else _READ.reader == reader)
    return exists().where(*mine)


def _readers() -> Any:
    query = select(func.count(func.distinct(_READ.reader))).where(
        _READ.manifestation_id == _SAID.id, _READ.text_hash == _SAID.text_hash
    )
    return query.correlate(_SAID).scalar_subquery()


def _differ() -> ColumnElement[bool]:
    """Say that the labels that people gave a text differ from each other."""
    mine = (_READ.manifestation_id == _SAID.id, _READ.text_hash == _SAID.text_hash)
    counts = [
        select(func.count(func.distinct(getattr(_READ, task)))).where(*mine).correlate(_SAID)
        for task in TASKS
    ]
    return or_(*(count.scalar_subquery() > 1 for count in counts))


def _corrected() -> ColumnElement[bool]:
    """Say that a person's label of a text differs from the model's."""
    return or_(*(given(task) != getattr(_LABEL, task) for task in TASKS))


class Queues:
    """The texts of one window that one reader has not read yet, by why they should be.

    Those whose id is less than ``slice_end`` are drawn by chance: ids are hashes. They are in no
    other queue before two people have read them, so that what is hard is read no sooner.
    """

    def __init__(
        self,
        engine: Engine,
        municipality: str,
        window: Window,
        versions: tuple[str, str],
        reader: str,
        slice_end: str,
    ) -> None:
        self._engine = engine
        self._texts = _texts(municipality, versions).where(
            _checked(_SAID.said_on) >= window.start, _checked(_SAID.said_on) < window.end
        )
        self._versions = versions
        self._reader = reader
        self._municipality = municipality
        self._drawn = _SAID.id < slice_end

    def random(self) -> Select[*tuple[Any, ...]]:
        """Those drawn by chance that nobody has read."""
        return self._texts.where(self._drawn, ~_read_by()).order_by(_SAID.id)

    def second(self) -> Select[*tuple[Any, ...]]:
        """Those drawn by chance that exactly one other person has read."""
        mine = (self._drawn, _read_by(self._reader, other=True), ~_read_by(self._reader))
        return self._touched().where(*mine, _readers() == 1).order_by(_SAID.id)

    def unsure(self) -> Select[*tuple[Any, ...]]:
        """Those under the model's threshold that nobody has labelled, the least sure first."""
        return self._unlabelled(_LABEL.abstained.is_(True))

    def close_calls(self, below: float) -> Select[*tuple[Any, ...]]:
        """Those over the threshold, but not far, that nobody has labelled."""
        return self._unlabelled(and_(_LABEL.abstained.is_(False), _LABEL.confidence < below))

    def _unlabelled(self, why: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
        model, taxonomy = self._versions
        by = (_LABEL.model_version == model, _LABEL.taxonomy_version == taxonomy)
        mine = (~self._drawn, given("category").is_(None), ~_read_by())
        return self._texts.where(*by, why, *mine).order_by(
            _LABEL.confidence, _LABEL.manifestation_id
        )

    def disputed(self) -> Select[*tuple[Any, ...]]:
        """Those that two readers labelled differently, or one person unlike the model."""
        two_differ = and_(_differ(), _readers() == 2)
        one_against_the_model = and_(~self._drawn, _corrected(), _readers() <= 1)
        mine = (or_(two_differ, one_against_the_model), ~_read_by(self._reader))
        return self._touched().where(*mine).order_by(_SAID.id)

    def _touched(self) -> Select[*tuple[Any, ...]]:
        """Narrow the texts to the few that anybody has read or corrected, before each is asked."""
        read = select(_READ.manifestation_id).where(_READ.municipality == self._municipality)
        return self._texts.where(_SAID.id.in_(union(read, select(CorrectionRow.manifestation_id))))

    def count(self, query: Select[*tuple[Any, ...]]) -> int:
        """Count the texts of a queue, at most one more than `COUNTED_TO`."""
        some = query.with_only_columns(_SAID.id).limit(COUNTED_TO + 1)
        counted = select(func.count()).select_from(some.subquery())
        with explained(self._engine), self._engine.connect() as connection:
            return int(connection.execute(counted).scalar_one())

    def take(self, query: Select[*tuple[Any, ...]], limit: int, offset: int = 0) -> list[Doubtful]:
        """Return texts of a queue in its order."""
        with explained(self._engine), self._engine.connect() as connection:
            found = connection.execute(query.limit(limit).offset(offset))
            return [Doubtful(*row) for row in found]


def find_text(
    engine: Engine,
    municipality: str,
    id_: str,
    text_hash: str | None,
    versions: tuple[str, str],
) -> Doubtful | None:
    """Return a text if it is still as it was read; without a hash, as it is now."""
    query = _texts(municipality, versions).where(_SAID.id == id_)
    if text_hash is None:
        query = query.where(_SAID.gone_at.is_(None))
    else:
        query = query.where(_SAID.text_hash == text_hash)
    with explained(engine), engine.connect() as connection:
        row = connection.execute(query).first()
    return None if row is None else Doubtful(*row)


def save_reading(engine: Engine, reading: Reading) -> None:
    """Add a reading."""
    values = {name: getattr(reading, name) for name in Reading.__dataclass_fields__}
    with writing(engine) as connection:
        connection.execute(insert(ReviewRow).values(**values))


def readings(engine: Engine, municipality: str, queues: Sequence[str]) -> list[Reading]:
    """Return the readings of some queues, of texts as they are now, the oldest first."""
    names = Reading.__dataclass_fields__
    query = (
        select(*(getattr(_READ, name) for name in names))
        .join(_SAID, and_(_SAID.id == _READ.manifestation_id, _SAID.text_hash == _READ.text_hash))
        .where(_READ.municipality == municipality, _READ.queue.in_(queues))
        .order_by(_READ.id)
    )
    with explained(engine), engine.connect() as connection:
        return [Reading(*row) for row in connection.execute(query)]
