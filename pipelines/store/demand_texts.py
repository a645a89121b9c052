"""Read queries over the texts that ask for something. Nothing here writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, Select, and_, case, func, null, select

from models.demand_tables import DemandManifestationRow, DemandRow
from models.demands import WAITING, Status
from models.records import Window
from models.tables import (
    ClassificationRow,
    LanguageRow,
    ManifestationRow,
    NearDuplicateRow,
    PlaceRow,
)
from nlp.language import HOME, UNDETERMINED
from pipelines.classify import reading
from pipelines.store.engine import explained
from pipelines.store.outranked import counting, given
from pipelines.store.said import of_this_text

ASKING = ("complaint", "request")
"""The intents that ask for something."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that asks for something; ``demand`` is the one that it is part of already.

    ``weight`` is how much its category counts among its copies: the model's confidence, or a
    person's word, which outranks any number of them.
    """

    id: str
    cluster: str
    thread: str
    category: str
    zone: str | None
    day: date
    text: str
    demand: str | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A text of a demand that has ended: a copy of it may ask again."""

    cluster: str
    demand: str


A_PERSONS = 1e6
"""The weight of a category that a person gave."""

_SAID = ManifestationRow
_LABEL = ClassificationRow
_COPY = NearDuplicateRow
_PART = DemandManifestationRow
_CLUSTER = func.coalesce(_COPY.cluster_id, _SAID.text_hash)
_THREAD = func.coalesce(_SAID.thread_id, _SAID.id)


def asking(
    engine: Engine,
    municipality: str,
    window: Window,
    versions: tuple[str, str],
    gazetteer: str,
) -> list[Asked]:
    """Return the window's texts that ask for something and are part of no demand yet.

    A person's label outranks the model's. Texts in another language are left out, and those that
    are no longer at their source.

    Args:
        engine: the database; it is only read.
        municipality: whose texts.
        window: the days on which they were said.
        versions: of the model and the taxonomy.
        gazetteer: by which places were found.
    """
    intent = func.coalesce(given("intent"), _LABEL.intent)
    weight = case((given("category").is_(None), _LABEL.confidence), else_=A_PERSONS)
    query = (
        select(_SAID.id, _CLUSTER, _THREAD, counting("category"), PlaceRow.zone, *_WORDS)
        .add_columns(null(), weight)
        .join(_LABEL, of_this_text(_LABEL))
        .outerjoin(_COPY, of_this_text(_COPY))
        .outerjoin(LanguageRow, of_this_text(LanguageRow))
        .outerjoin(PlaceRow, and_(of_this_text(PlaceRow), PlaceRow.gazetteer == gazetteer))
        .outerjoin(_PART, _PART.manifestation_id == _SAID.id)
        .where(
            _SAID.municipality == municipality,
            _SAID.said_on >= window.start,
            _SAID.said_on < window.end,
            _SAID.gone_at.is_(None),
            _LABEL.model_version == versions[0],
            _LABEL.taxonomy_version == versions[1],
            func.coalesce(LanguageRow.language, UNDETERMINED).in_(HOME),
            intent.in_(ASKING),
            _PART.demand_id.is_(None),
        )
    )
    return list(_asked(engine, query))


def waiting_texts(
    engine: Engine, municipality: str, window: Window, span: timedelta
) -> list[Asked]:
    """Return the texts of waiting demands that are at most ``span`` away from the window.

    Category and zone are those of their demand.
    """
    query = (
        select(_SAID.id, _CLUSTER, _THREAD, DemandRow.category, DemandRow.zone, *_WORDS)
        .add_columns(DemandRow.id)
        .join(_PART, _PART.manifestation_id == _SAID.id)
        .join(DemandRow, DemandRow.id == _PART.demand_id)
        .outerjoin(_COPY, of_this_text(_COPY))
        .where(
            DemandRow.municipality == municipality,
            DemandRow.status.in_(WAITING),
            _SAID.said_on >= window.start - span,
            _SAID.said_on < window.end + span,
        )
    )
    return list(_asked(engine, query))


def ended_texts(engine: Engine, municipality: str, window: Window) -> list[Ended]:
    """Return the texts, of the year up to the window's end, of demands that have ended."""
    query = (
        select(_CLUSTER, DemandRow.id)
        .select_from(_SAID)
        .join(_PART, _PART.manifestation_id == _SAID.id)
        .join(DemandRow, DemandRow.id == _PART.demand_id)
        .outerjoin(_COPY, of_this_text(_COPY))
        .where(
            DemandRow.municipality == municipality,
            DemandRow.status.in_((Status.ANSWERED, Status.CLOSED, Status.REJECTED)),
            _SAID.said_on >= window.end - timedelta(days=366),
            _SAID.said_on < window.end,
        )
        .order_by(DemandRow.proposed_at, DemandRow.id)
    )
    with explained(engine), engine.connect() as connection:
        return [Ended(cluster, demand) for cluster, demand in connection.execute(query)]


_WORDS = (_SAID.said_on, _SAID.title, _SAID.text)


def _asked(engine: Engine, query: Select[*tuple[Any, ...]]) -> Iterator[Asked]:
    with explained(engine), engine.connect() as connection:
        for id_, cluster, thread, category, zone, day, title, text, *more in connection.execute(
            query.order_by(_SAID.id)
        ):
            words = reading(title, text)
            yield Asked(id_, cluster, thread, category, zone, day, words, *more)
