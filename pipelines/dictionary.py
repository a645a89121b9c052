"""The data dictionary, made from the comments of the tables: ``python -m pipelines.dictionary``."""

from sqlalchemy import Table

from models.metadata import METADATA

EXAMPLES = {
    "insight_overview": (
        "SELECT label, count, n, share, share_low, share_high, corrected_share\n"
        "FROM insight_overview WHERE run_id = :run AND measure = 'sentiment'"
    ),
    "insight_category": (
        "SELECT category, count, n, share, share_low, share_high, negative_share\n"
        "FROM insight_category WHERE run_id = :run ORDER BY count DESC"
    ),
    "insight_intent": (
        "SELECT intent, count, voices, n, share, share_low, share_high\n"
        "FROM latest_insight_intent WHERE municipality = :municipality AND lens = ''\n"
        "ORDER BY count DESC"
    ),
    "insight_series": (
        "SELECT period, complete, count, voices, n, share, share_low, share_high\n"
        "FROM latest_insight_series WHERE municipality = :municipality AND lens = ''\n"
        "AND grain = 'week' AND dimension = 'category' AND value = 'transport'\n"
        "AND second_dimension = '' ORDER BY period"
    ),
    "insight_change": (
        "SELECT dimension, value, before_share, share, difference, difference_low,\n"
        "difference_high, q_value FROM latest_insight_change\n"
        "WHERE municipality = :municipality AND lens = '' AND baseline = 'previous'\n"
        "AND q_value <= 0.05 ORDER BY abs(difference) DESC"
    ),
    "insight_day": (
        "SELECT day, count, negative, negative_share, complete\n"
        "FROM insight_day WHERE run_id = :run ORDER BY day"
    ),
    "insight_source": (
        "SELECT source, state, reason, count, share, rejected\n"
        "FROM insight_source WHERE run_id = :run ORDER BY count DESC"
    ),
    "insight_place": (
        "SELECT zone, count, inherited, n, share, share_low, share_high, negative_share\n"
        "FROM insight_place WHERE run_id = :run AND zone <> '(none)' ORDER BY count DESC"
    ),
    "insight_term": (
        "SELECT term, count, distinct_count, voices, n, z FROM insight_term\n"
        "WHERE run_id = :run AND lens = '' AND category = 'water' ORDER BY z DESC"
    ),
    "insight_topic": (
        "SELECT topic, terms, category, voices, recent, growth, growth_q, first_seen\n"
        "FROM insight_topic WHERE run_id = :run AND lens = '' ORDER BY voices DESC"
    ),
    "insight_finding": (
        "SELECT number, kind, sentence_es, value, low, high, n, q, statistic\n"
        "FROM insight_finding WHERE run_id = :run AND lens = '' ORDER BY number"
    ),
    "insight_evidence": (
        "SELECT f.sentence_es, e.role, e.said_on, e.source, e.quote, e.url\n"
        "FROM insight_evidence e JOIN insight_finding f ON f.run_id = e.run_id\n"
        "AND f.lens = e.lens AND f.number = e.number\n"
        "WHERE e.run_id = :run AND e.lens = '' ORDER BY e.number, e.position"
    ),
    "insight_demand_ageing": (
        "SELECT value AS area, band, count, overdue, n, share, share_low, share_high\n"
        "FROM latest_insight_demand_ageing WHERE municipality = :municipality\n"
        "AND dimension = 'area' ORDER BY area, band"
    ),
    "insight_response_time": (
        "SELECT value AS category, n, answered, median_days, median_low, median_high, p90_days,\n"
        "on_time, due_n, on_time_share FROM latest_insight_response_time\n"
        "WHERE municipality = :municipality AND dimension = 'category' ORDER BY n DESC"
    ),
    "demand": (
        "SELECT d.id, d.status, d.area, d.due_on, count(m.manifestation_id) AS texts\n"
        "FROM demand d LEFT JOIN demand_manifestation m ON m.demand_id = d.id\n"
        "WHERE d.municipality = :municipality\n"
        "GROUP BY d.id, d.status, d.area, d.due_on ORDER BY d.due_on"
    ),
    "place_mention": (
        "SELECT m.said_on, m.source, m.text, m.url FROM manifestation m\n"
        "JOIN place_mention p ON p.manifestation_id = m.id AND p.text_hash = m.text_hash\n"
        "WHERE p.zone = 'vitarte' AND NOT p.inherited AND p.gazetteer =\n"
        "(SELECT gazetteer FROM insight_place WHERE run_id = :run AND zone = '(none)')"
    ),
    "classification": (
        "SELECT m.source, m.said_on, m.text, m.url FROM manifestation m\n"
        "JOIN classification c ON c.manifestation_id = m.id AND c.text_hash = m.text_hash\n"
        "WHERE c.category = 'transport' AND c.sentiment = 'negative'\n"
        "AND m.said_on >= :from AND m.said_on < :to"
    ),
}


def data_dictionary() -> str:
    """Return the dictionary as Markdown: every table with its columns, types and meanings."""
    tables = [_section(table) for table in METADATA.sorted_tables]
    return "\n".join(["# Data dictionary", "", _INTRODUCTION, "", *tables])


_INTRODUCTION = (
    "Made from the tables' own comments by `make docs`; a test keeps it true. Times are in UTC, "
    "days are local days of the municipality. `insight_*` are the analysts' tables: each row "
    "names its run, its window, its model and its taxonomy, and carries its denominator `n`."
)


def _section(table: Table) -> str:
    lines = [f"## {table.name}", "", str(table.comment), "", "| column | type | key | meaning |"]
    lines.append("|---|---|---|---|")
    for column in table.columns:
        keys = ["key"] if column.primary_key else []
        keys += [f"→ {foreign.target_fullname}" for foreign in column.foreign_keys]
        kind = str(column.type) + ("" if not column.nullable else ", may be empty")
        lines.append(f"| `{column.name}` | {kind} | {', '.join(keys)} | {column.comment} |")
    example = EXAMPLES.get(table.name)
    if example:
        lines += ["", "```sql", example, "```"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(data_dictionary())  # noqa: T201 - this is what it is run for
