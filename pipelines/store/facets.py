"""What texts are listed by: the labels that count, beside when, where and of what it was said.

Labels, places, languages and days lie in tables of their own, and no index spans them. So a copy
of what lists are filtered by is kept in `search_facet`, one narrow row for each text, partition by
partition; what it is a copy of is `derived`. Whoever asks by labels that no copy is kept of reads
that instead, and gets the same.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from models.insight_tables import InsightOverview
from models.labels import SURE, UNSURE
from models.records import Window
from models.search_tables import FacetRow, SearchBasisRow, SearchDayRow, SearchRow
from models.tables import (
    ClassificationRow,
    LanguageRow,
    LensRow,
    ManifestationRow,
    PartitionVersionRow,
    PlaceRow,
)
from nlp.language import HOME, UNDETERMINED
from pipelines.store.engine import explained, writing
from pipelines.store.outranked import counting, unsure
from pipelines.store.said import of_this_text

_SAID, _LABEL = ManifestationRow, ClassificationRow
_BASIS, _DAY, _PARTITION = SearchBasisRow, SearchDayRow, PartitionVersionRow
_KEY, _BY = ("municipality", "model_version", "taxonomy_version"), ("gazetteer", "lenses")
_COLUMNS = tuple(column.name for column in FacetRow.__table__.columns if column.name != "basis_id")


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


def derived(basis: Basis) -> Select[*tuple[Any, ...]]:
    """Select the facets of all texts of a municipality that count by a basis, as they are now."""
    placed = and_(of_this_text(PlaceRow), PlaceRow.gazetteer == basis.gazetteer)
    seen = and_(of_this_text(LensRow), LensRow.lenses == basis.lenses)
    facets = {
        "text_id": SearchRow.id,
        "said_on": _SAID.said_on,
        "source": _SAID.source,
        "kind": _SAID.kind,
        "category": counting("category").element,
        "sentiment": counting("sentiment").element,
        "intent": counting("intent").element,
        "certainty": case((unsure().element, UNSURE), else_=SURE),
        "zone": PlaceRow.zone,
        "lenses": func.coalesce(LensRow.codes, ""),
    }
    return (
        select(*(facets[name].label(name) for name in _COLUMNS))
        .select_from(_SAID)
        .join(_LABEL, of_this_text(_LABEL))
        .join(SearchRow, SearchRow.manifestation_id == _SAID.id)
        .outerjoin(LanguageRow, of_this_text(LanguageRow))
        .outerjoin(PlaceRow, placed)
        .outerjoin(LensRow, seen)
        .where(
            _SAID.municipality == basis.municipality,
            _LABEL.model_version == basis.model_version,
            _LABEL.taxonomy_version == basis.taxonomy_version,
            func.coalesce(LanguageRow.language, UNDETERMINED).in_(HOME),
        )
    )


def facets(connection: Connection, basis: Basis, *, zone: bool, lens: bool) -> FromClause:
    """Return the facets of a basis' window: the copy where one is kept, else what it is of.

    Args:
        connection: the database.
        basis: what is counted by.
        zone: whether zones matter: they may have been found by another gazetteer.
        lens: whether lenses matter.
    """
    conditions = [_is(basis)]
    if zone:
        conditions.append(_BASIS.gazetteer == basis.gazetteer)
    if lens:
        conditions.append(_BASIS.lenses == basis.lenses)
    kept = connection.execute(select(_BASIS.id).where(*conditions)).scalar_one_or_none()
    days, table = basis.window, FacetRow.__table__.c
    if kept is None:
        query = derived(basis).where(_SAID.said_on >= days.start, _SAID.said_on < days.end)
    else:
        query = select(*(table[name] for name in _COLUMNS)).where(
            table.basis_id == kept, table.said_on >= days.start, table.said_on < days.end
        )
    return query.subquery("facet")


def keep_facets(engine: Engine, basis: Basis) -> int:
    """Copy anew what changed since it was copied, on whatever day; return how many texts."""
    with writing(engine) as connection:
        id_ = _settle(connection, basis)
    with explained(engine), engine.connect() as connection:
        stale = _stale(connection, id_, basis.municipality)
    return sum(_copy(engine, id_, basis, day, stale[day]) for day in sorted(stale))


def relabel(
    connection: Connection, manifestation_id: str, text_hash: str, labels: Mapping[str, str]
) -> None:
    """Let a person's labels count in the copies at once."""
    text = select(SearchRow.id).where(
        SearchRow.manifestation_id == manifestation_id, SearchRow.text_hash == text_hash
    )
    if labels:
        mine = FacetRow.text_id == text.scalar_subquery()
        sure = {"certainty": SURE} if "category" in labels else {}
        connection.execute(update(FacetRow).where(mine).values(**labels, **sure))


def _is(basis: Basis) -> ColumnElement[bool]:
    return and_(*(getattr(_BASIS, name) == getattr(basis, name) for name in _KEY))


def _settle(connection: Connection, basis: Basis) -> int:
    """Return the number of a basis; what was copied by other places or lenses is stale then.

    Copies by which no figures are left to look at are forgotten.
    """
    counted = InsightOverview.__table__.c
    used = exists().where(*(counted[name] == getattr(_BASIS, name) for name in _KEY))
    ours = _BASIS.municipality == basis.municipality
    connection.execute(delete(_BASIS).where(ours, ~_is(basis), ~used))
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {name: getattr(basis, name) for name in (*_KEY, *_BY)}
    connection.execute(dialect.insert(_BASIS).values(values).on_conflict_do_nothing())
    mine = select(_BASIS.id, _BASIS.gazetteer, _BASIS.lenses).where(_is(basis)).with_for_update()
    id_, *kept = connection.execute(mine).one()
    by = [(name, values[name]) for name in _BY]
    changed = {
        name: new for (name, new), old in zip(by, kept, strict=True) if new not in (None, old)
    }
    if changed:
        connection.execute(update(_BASIS).where(_BASIS.id == id_).values(changed))
        connection.execute(delete(_DAY).where(_DAY.basis_id == id_))
    return int(id_)


def _stale(connection: Connection, id_: int, municipality: str) -> dict[date, dict[str, int]]:
    """Return the partitions that changed since they were copied: by day, versions by source."""
    copied = and_(
        _DAY.basis_id == id_, _DAY.source == _PARTITION.source, _DAY.day == _PARTITION.day
    )
    query = (
        select(_PARTITION.day, _PARTITION.source, _PARTITION.version)
        .outerjoin(_DAY, copied)
        .where(
            _PARTITION.municipality == municipality,
            or_(_DAY.version.is_(None), _DAY.version != _PARTITION.version),
        )
    )
    found: dict[date, dict[str, int]] = defaultdict(dict)
    for day, source, version in connection.execute(query):
        found[day][source] = version
    return found


def _copy(engine: Engine, id_: int, basis: Basis, day: date, versions: Mapping[str, int]) -> int:
    """Copy the facets of some sources of a day; the versions were read before, so not too high."""
    sources: Sequence[str] = sorted(versions)
    rows = [
        {"basis_id": id_, "source": source, "day": day, "version": versions[source]}
        for source in sources
    ]
    theirs = and_(FacetRow.said_on == day, FacetRow.source.in_(sources))
    noted = and_(_DAY.basis_id == id_, _DAY.day == day, _DAY.source.in_(sources))
    now = derived(basis).where(_SAID.said_on == day, _SAID.source.in_(sources))
    now = now.add_columns(literal(id_))
    with writing(engine) as connection:
        connection.execute(select(_BASIS.id).where(_BASIS.id == id_).with_for_update())
        connection.execute(delete(FacetRow).where(FacetRow.basis_id == id_, theirs))
        insertion = insert(FacetRow).from_select([*_COLUMNS, "basis_id"], now)
        copied = connection.execute(insertion, execution_options={"preserve_rowcount": True})
        connection.execute(delete(_DAY).where(noted))
        connection.execute(insert(_DAY), rows)
    return copied.rowcount
