"""Read the findings of a run and what stands behind them."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from models.insight_tables import InsightEvidence, InsightFinding
from models.tables import ManifestationRow
from pipelines.report.data import Told, Witness


def findings_of(
    connection: Connection, run_id: str, titles: Mapping[str, str], lens: str = ""
) -> tuple[Told, ...]:
    """Return the findings of a run in their order; what a source has taken back is not quoted."""
    row = InsightFinding
    query = select(
        row.number, row.kind, row.rule, row.sentence_es, row.sentence_en, row.q, row.statistic
    )
    query = query.where(row.run_id == run_id, row.lens == lens).order_by(row.number)
    witnesses = _witnesses(connection, run_id, titles, lens)
    return tuple(
        Told(
            number, kind, rule, {"es": es, "en": en}, q, tuple(witnesses.get(number, ())), statistic
        )
        for number, kind, rule, es, en, q, statistic in connection.execute(query)
    )


def _witnesses(
    connection: Connection, run_id: str, titles: Mapping[str, str], lens: str
) -> dict[int, list[Witness]]:
    row = InsightEvidence
    query = (
        select(
            row.number, row.manifestation_id, row.role, row.source, row.said_on, row.quote, row.url
        )
        .join(ManifestationRow, ManifestationRow.id == row.manifestation_id)
        .where(row.run_id == run_id, row.lens == lens, ManifestationRow.gone_at.is_(None))
        .order_by(row.number, row.position)
    )
    found: dict[int, list[Witness]] = {}
    for number, id_, role, source, said_on, quote, url in connection.execute(query):
        witness = Witness(id_, role, titles.get(source, source), said_on, quote, url)
        found.setdefault(number, []).append(witness)
    return found
