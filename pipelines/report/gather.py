"""Read what a report says from the store. Nothing is written and nothing is counted again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import pandas as pd
from sqlalchemy import Connection, Engine, Executable, case, func, select

from configs.schema import Municipality, Taxonomy
from models.errors import ManifiestaError
from models.insight_tables import (
    InsightCategory,
    InsightChange,
    InsightDay,
    InsightOverview,
    InsightPlace,
    InsightSource,
)
from models.labels import CATEGORIES, EVERYTHING
from models.tables import (
    Base,
    ClassificationRow,
    LanguageRow,
    ManifestationRow,
    NearDuplicateRow,
    RejectionRow,
    RunRow,
    SourceRow,
)
from nlp.language import HOME, UNDETERMINED
from pipelines.report.data import Evidence, Quote, RejectionCount, ReportData, Run
from pipelines.report.safe import shorten, web_link
from pipelines.report.told import findings_of
from pipelines.store.engine import explained
from pipelines.store.model_versions import kept_model
from pipelines.store.outranked import counting, given, unsure
from pipelines.suppress import suppress

TOP = 8
"""How many categories are shown with quotes."""
QUOTES = 4
"""How many quotes a category has at most."""
QUOTE_LENGTH = 280
_TITLE_LENGTH = 140
_READ_LENGTH = 4000  # characters of a text that are read to make a quote of it


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: str
    category: str
    source: str
    sentiment: str
    confidence: float | None


def gather(
    engine: Engine, run_id: str, municipality: Municipality, taxonomy: Taxonomy
) -> ReportData:
    """Collect the run, its insight rows, its rejections and the evidence behind it.

    Args:
        engine: The database; it is only read.
        run_id: The run to report on.
        municipality: The municipality that the run was made for.
        taxonomy: The names of the labels.

    Raises:
        ManifiestaError: If there is no such run, or it belongs to another municipality.
    """
    data = gather_figures(engine, run_id, municipality, taxonomy)
    with explained(engine), engine.connect() as connection:
        leading = top_categories(data.category)
        quoted = _evidence(connection, data.run, leading, data.source_titles)
    return replace(data, evidence=quoted)


def quotes_of(
    engine: Engine, run_id: str, municipality: Municipality, categories: Sequence[str]
) -> dict[str, tuple[Quote, ...]]:
    """Return the quotes of some categories, the surest first, as the report chooses them.

    Raises:
        ManifiestaError: If there is no such run, or it belongs to another municipality.
    """
    with explained(engine), engine.connect() as connection:
        run, titles = _run(connection, run_id, municipality.code), _titles(connection, municipality)
        found = _evidence(connection, run, categories, titles)
    return {evidence.category: evidence.quotes for evidence in found}


def gather_figures(
    engine: Engine,
    run_id: str,
    municipality: Municipality,
    taxonomy: Taxonomy,
    lens: str = EVERYTHING,
) -> ReportData:
    """Collect the run, its insight rows under a lens and its findings: no text is searched.

    Small cells are hidden, as in every file that leaves the house (`pipelines.suppress`).

    Raises:
        ManifiestaError: If there is no such run, or it belongs to another municipality.
    """
    with explained(engine), engine.connect() as connection:
        run = _run(connection, run_id, municipality.code)
        kept = kept_model(connection, run.model_version)
        titles, k = _titles(connection, municipality), municipality.suppress_below

        def rows(table: type[Base]) -> pd.DataFrame:
            return suppress(_insight(connection, table, run_id, lens), table, k)

        return ReportData(
            run=run,
            municipality=municipality,
            taxonomy=taxonomy,
            overview=rows(InsightOverview),
            category=rows(InsightCategory),
            day=rows(InsightDay),
            source=rows(InsightSource),
            place=rows(InsightPlace),
            source_titles=titles,
            rejections=_rejections(connection, run_id),
            evidence=(),
            findings=findings_of(connection, run_id, titles, lens),
            change=rows(InsightChange),
            manifest=kept.manifest if kept else None,
        )


def top_categories(category: pd.DataFrame) -> list[str]:
    """Return the codes of the categories with most manifestations, without «other» or hidden."""
    shown = category[category["count"].notna()]
    counts = {str(row["category"]): int(row["count"]) for row in shown.to_dict("records")}
    known = [c for c in CATEGORIES if c != "other" and counts.get(c, 0) > 0]
    return sorted(known, key=lambda code: -counts[code])[:TOP]


def _run(connection: Connection, run_id: str, municipality: str) -> Run:
    columns = [getattr(RunRow, field.name) for field in fields(Run)]
    row = connection.execute(select(*columns).where(RunRow.id == run_id)).one_or_none()
    if row is None:
        raise ManifiestaError(f"there is no run «{run_id}» in this database")
    run = Run(*row)
    if run.municipality != municipality:
        raise ManifiestaError(f"run «{run_id}» belongs to «{run.municipality}», not {municipality}")
    return run


def _insight(connection: Connection, table: type[Base], run_id: str, lens: str) -> pd.DataFrame:
    columns = table.__table__.c
    query = select(*columns).where(columns.run_id == run_id, columns.lens == lens)
    keys = [column for column in columns if column.primary_key]
    return pd.read_sql(query.order_by(*keys), connection)


def _titles(connection: Connection, municipality: Municipality) -> dict[str, str]:
    query = select(SourceRow.name, SourceRow.title)
    stored = connection.execute(query.where(SourceRow.municipality == municipality.code))
    titles = {str(row.name): str(row.title) for row in stored}
    return titles | {source.name: source.title for source in municipality.sources}


def _rejections(connection: Connection, run_id: str) -> tuple[RejectionCount, ...]:
    keys = (RejectionRow.source, RejectionRow.outcome, RejectionRow.ignored)
    query = select(*keys, func.count()).where(RejectionRow.run_id == run_id)
    rows = connection.execute(query.group_by(*keys).order_by(*keys))
    return tuple(RejectionCount(*row) for row in rows)


def _evidence(
    connection: Connection, run: Run, categories: Sequence[str], titles: Mapping[str, str]
) -> tuple[Evidence, ...]:
    if run.model_version is None or not categories:
        return ()
    rows = connection.execute(_candidates(run, categories))
    candidates = [
        _Candidate(id_, category, source, sentiment, confidence)
        for id_, category, source, sentiment, confidence in rows
    ]
    chosen = {
        category: choose([c for c in candidates if c.category == category])
        for category in categories
    }
    quotes = _quotes(connection, [c for group in chosen.values() for c in group], titles)
    return tuple(
        Evidence(category, tuple(quotes[c.id] for c in group)) for category, group in chosen.items()
    )


def _candidates(run: Run, categories: Sequence[str]) -> Executable:
    """Select, per category and source, the surest texts, of copies one.

    Those that a person gave the category are surest, and have no confidence of a model.
    """
    said, label, spoken, copy = ManifestationRow, ClassificationRow, LanguageRow, NearDuplicateRow
    cluster = func.coalesce(copy.cluster_id, said.text_hash)
    category = counting("category")
    confidence = case((given("category").is_(None), label.confidence)).label("confidence")
    best_first = (confidence.desc().nulls_first(), said.id)
    same_text = (said.id == label.manifestation_id) & (said.text_hash == label.text_hash)
    texts = (
        select(
            said.id,
            category,
            said.source,
            counting("sentiment"),
            confidence,
            func.row_number()
            .over(partition_by=(category.element, cluster), order_by=best_first)
            .label("copy"),
        )
        .join(label, same_text)
        .outerjoin(
            spoken, (said.id == spoken.manifestation_id) & (said.text_hash == spoken.text_hash)
        )
        .outerjoin(copy, (said.id == copy.manifestation_id) & (said.text_hash == copy.text_hash))
        .where(
            said.municipality == run.municipality,
            said.said_on >= run.window_from,
            said.said_on < run.window_to,
            label.model_version == run.model_version,
            label.taxonomy_version == run.taxonomy_version,
            unsure().element.is_(False),
            category.element.in_(categories),
            said.gone_at.is_(None),
            func.coalesce(spoken.language, UNDETERMINED).in_(HOME),
        )
        .subquery()
    )
    one = texts.c
    place = func.row_number().over(
        partition_by=(one.category, one.source),
        order_by=(one.confidence.desc().nulls_first(), one.id),
    )
    ranked = select(texts, place.label("place")).where(one.copy == 1).subquery().c
    return (
        select(ranked.id, ranked.category, ranked.source, ranked.sentiment, ranked.confidence)
        .where(ranked.place <= QUOTES)
        .order_by(ranked.category, ranked.confidence.desc().nulls_first(), ranked.id)
    )


def choose(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Choose from candidates in order: first one of each source, then the next best."""
    seen: set[str] = set()
    firsts: list[_Candidate] = []
    others: list[_Candidate] = []
    for candidate in candidates:
        (others if candidate.source in seen else firsts).append(candidate)
        seen.add(candidate.source)
    chosen = (firsts + others)[:QUOTES]
    return sorted(chosen, key=_surest_first)


def _surest_first(candidate: _Candidate) -> tuple[float, str]:
    sure = 1.0 if candidate.confidence is None else candidate.confidence
    return -sure, candidate.id


def _quotes(
    connection: Connection, chosen: Iterable[_Candidate], titles: Mapping[str, str]
) -> dict[str, Quote]:
    by_id = {candidate.id: candidate for candidate in chosen}
    said = ManifestationRow
    text = func.substr(said.text, 1, _READ_LENGTH)
    title = func.substr(said.title, 1, _READ_LENGTH)
    query = select(said.id, title, text, said.said_at, said.url).where(said.id.in_(list(by_id)))
    return {
        id_: Quote(
            id=id_,
            source=by_id[id_].source,
            source_title=titles.get(by_id[id_].source, by_id[id_].source),
            title=shorten(heading, _TITLE_LENGTH) if heading else None,
            text=shorten(body, QUOTE_LENGTH),
            said_at=said_at,
            sentiment=by_id[id_].sentiment,
            confidence=by_id[id_].confidence,
            url=web_link(url),
        )
        for id_, heading, body, said_at, url in connection.execute(query)
    }
