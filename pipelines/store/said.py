"""Read queries over what was said itself: texts to look for words, topics and evidence in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Engine, and_, func, select

from models.insight_tables import TopicCentroidRow
from models.records import Window
from models.tables import (
    ClassificationRow,
    LanguageRow,
    LensRow,
    ManifestationRow,
    NearDuplicateRow,
    PlaceRow,
)
from nlp.language import HOME, UNDETERMINED
from pipelines.store.engine import explained
from pipelines.store.outranked import counting, unsure

_SAID = ManifestationRow
_LABEL = ClassificationRow


def of_this_text(
    row: type[ClassificationRow]
    | type[LanguageRow]
    | type[LensRow]
    | type[NearDuplicateRow]
    | type[PlaceRow],
) -> ColumnElement[bool]:
    """Say that a row is about the text as it is now, not as it was before an edit."""
    return and_(row.manifestation_id == _SAID.id, row.text_hash == _SAID.text_hash)


def _wanted(
    municipality: str, window: Window, model_version: str, taxonomy_version: str
) -> ColumnElement[bool]:
    return and_(
        _SAID.municipality == municipality,
        _SAID.said_on >= window.start,
        _SAID.said_on < window.end,
        _LABEL.model_version == model_version,
        _LABEL.taxonomy_version == taxonomy_version,
        func.coalesce(LanguageRow.language, UNDETERMINED).in_(HOME),
    )


def said_frame(
    engine: Engine,
    municipality: str,
    window: Window,
    model_version: str,
    taxonomy_version: str,
    lenses: str,
) -> pd.DataFrame:
    """Return one row per classified manifestation of the window in the house's language.

    Columns: id, source, cluster, author (empty if unknown), said_on, title, text, url, gone_at,
    category, sentiment, confidence (the model's), abstained, lenses (codes of those whose words
    the text has, with spaces between them). Labels are people's where they have corrected the
    text, as they are counted.
    """
    query = (
        select(
            _SAID.id,
            _SAID.source,
            func.coalesce(NearDuplicateRow.cluster_id, _SAID.text_hash).label("cluster"),
            _SAID.author,
            _SAID.said_on,
            _SAID.title,
            _SAID.text,
            _SAID.url,
            _SAID.gone_at,
            counting("category"),
            counting("sentiment"),
            _LABEL.confidence,
            unsure(),
            func.coalesce(LensRow.codes, "").label("lenses"),
        )
        .join(_LABEL, of_this_text(_LABEL))
        .outerjoin(LensRow, and_(of_this_text(LensRow), LensRow.lenses == lenses))
        .outerjoin(NearDuplicateRow, of_this_text(NearDuplicateRow))
        .outerjoin(LanguageRow, of_this_text(LanguageRow))
        .where(_wanted(municipality, window, model_version, taxonomy_version))
        .order_by(_SAID.id)
    )
    with explained(engine), engine.connect() as connection:
        return pd.read_sql(query, connection)


def voices_frame(
    engine: Engine,
    municipality: str,
    window: Window,
    model_version: str,
    taxonomy_version: str,
    gazetteer: str,
    lenses: str = "",
) -> pd.DataFrame:
    """Return who said what where, without the words: a row per classified manifestation.

    Columns: id, source, cluster, said_on, voice (the author, else the manifestation), category,
    sentiment, zone (empty without one), lenses. Labels are people's where they have corrected the
    text.
    """
    placed = and_(of_this_text(PlaceRow), PlaceRow.gazetteer == gazetteer)
    query = (
        select(
            _SAID.id,
            _SAID.source,
            func.coalesce(NearDuplicateRow.cluster_id, _SAID.text_hash).label("cluster"),
            _SAID.said_on,
            func.coalesce(_SAID.author, _SAID.id).label("voice"),
            counting("category"),
            counting("sentiment"),
            PlaceRow.zone,
            func.coalesce(LensRow.codes, "").label("lenses"),
        )
        .join(_LABEL, of_this_text(_LABEL))
        .outerjoin(LensRow, and_(of_this_text(LensRow), LensRow.lenses == lenses))
        .outerjoin(NearDuplicateRow, of_this_text(NearDuplicateRow))
        .outerjoin(LanguageRow, of_this_text(LanguageRow))
        .outerjoin(PlaceRow, placed)
        .where(_wanted(municipality, window, model_version, taxonomy_version))
        .order_by(_SAID.id)
    )
    with explained(engine), engine.connect() as connection:
        return pd.read_sql(query, connection)


def earlier_topics(
    engine: Engine, municipality: str, lens: str, window: Window, model_version: str
) -> Mapping[str, tuple[NDArray[np.float64], date]]:
    """Return centroid and first day of the topics of the newest earlier window, by topic.

    That is the window that began last before this one; of its runs the newest counts.
    """
    row = TopicCentroidRow
    mine = and_(
        row.municipality == municipality, row.lens == lens, row.model_version == model_version
    )
    newest = (
        select(row.run_id)
        .where(mine, row.window_from < window.start)
        .order_by(row.window_from.desc(), row.run_id.desc())
        .limit(1)
    )
    with explained(engine), engine.connect() as connection:
        run_id = connection.execute(newest).scalar_one_or_none()
        found = connection.execute(
            select(row.topic, row.vector, row.first_seen).where(mine, row.run_id == run_id)
        ).all()
    return {
        topic: (np.frombuffer(vector, dtype="<f4").astype(float), first_seen)
        for topic, vector, first_seen in found
    }


@dataclass(frozen=True, slots=True)
class Quotable:
    """A manifestation as it may be shown: masked, and without its author."""

    id: str
    source: str
    title: str | None
    text: str
    said_on: date
    url: str | None


def quotable(engine: Engine, municipality: str, ids: Iterable[str]) -> dict[str, Quotable]:
    """Return the manifestations of a municipality that their sources still show, by id."""
    query = select(_SAID.id, _SAID.source, _SAID.title, _SAID.text, _SAID.said_on, _SAID.url).where(
        _SAID.municipality == municipality,
        _SAID.id.in_(sorted(set(ids))),
        _SAID.gone_at.is_(None),
    )
    with explained(engine), engine.connect() as connection:
        return {row.id: Quotable(*row) for row in connection.execute(query)}
