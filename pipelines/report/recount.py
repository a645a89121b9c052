"""The SQL that a reader can run to check a figure. The report prints it; nothing here runs it."""

from pipelines.report.data import Run


def quoted(value: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def published(table: str, run: Run, **key: str) -> str:
    """Return the query of one row of an insight table: the figure as it was published."""
    conditions = "".join(f"\n   AND {name} = {quoted(value)}" for name, value in key.items())
    columns = "count, distinct_count, n, share, share_low, share_high"
    return (
        f"SELECT {columns}\n  FROM {table}\n"  # noqa: S608
        f" WHERE run_id = {quoted(run.id)} AND lens = ''{conditions};"
    )


def whole(table: str, run: Run) -> str:
    """Return the query of all rows of an insight table."""
    return f"SELECT * FROM {table} WHERE run_id = {quoted(run.id)} AND lens = '';"  # noqa: S608


def by_day(run: Run) -> str:
    """Return the query that counts the classified texts again by day."""
    return f"SELECT m.said_on, COUNT(*) AS count\n{_texts(run, {})}\n GROUP BY m.said_on;"


def by_source(run: Run) -> str:
    """Return the query that counts the classified texts again by source."""
    return f"SELECT m.source, COUNT(*) AS count\n{_texts(run, {})}\n GROUP BY m.source;"


def by_zone(run: Run, gazetteer: str) -> str:
    """Return the query that counts the classified texts again by zone."""
    join = (
        "  LEFT JOIN place_mention AS p\n"
        "    ON p.manifestation_id = m.id AND p.text_hash = m.text_hash\n"
        f"   AND p.gazetteer = {quoted(gazetteer)}\n"
    )
    return f"SELECT p.zone, COUNT(*) AS count\n{_texts(run, {}, join)}\n GROUP BY p.zone;"


def counted(run: Run, **labels: str) -> str:
    """Return the query that counts again, from the classified texts themselves."""
    return (
        "SELECT COUNT(*) AS count,\n"
        "       COUNT(DISTINCT COALESCE(d.cluster_id, m.text_hash)) AS distinct_count\n"
        f"{_texts(run, labels)};"
    )


def sentences(run: Run, **labels: str) -> str:
    """Return the query that lists the sentences behind a figure."""
    return (
        f"SELECT m.said_on, m.source, m.text, m.url\n{_texts(run, labels)}\n"
        " ORDER BY m.said_on, m.id;"
    )


def _texts(run: Run, labels: dict[str, str], join: str = "") -> str:
    wanted = {
        "m.municipality =": run.municipality,
        "m.said_on >=": run.window_from.isoformat(),
        "m.said_on <": run.window_to.isoformat(),
        "c.model_version =": run.model_version or "",
        "c.taxonomy_version =": run.taxonomy_version,
    } | {f"{_counting(name)} =": value for name, value in labels.items()}
    conditions = "\n   AND ".join(f"{name} {quoted(value)}" for name, value in wanted.items())
    return (
        "  FROM manifestation AS m\n"
        "  JOIN classification AS c\n"
        "    ON c.manifestation_id = m.id AND c.text_hash = m.text_hash\n"
        "  LEFT JOIN language_label AS l\n"
        "    ON l.manifestation_id = m.id AND l.text_hash = m.text_hash\n"
        "  LEFT JOIN near_duplicate AS d\n"
        "    ON d.manifestation_id = m.id AND d.text_hash = m.text_hash\n"
        f"{join} WHERE {conditions}\n   AND COALESCE(l.language, 'und') IN ('es', 'und')"
    )


def _counting(task: str) -> str:
    """Return the label that was counted: a person's newest, else the model's."""
    return (
        f"COALESCE((SELECT k.{task} FROM correction AS k\n"  # noqa: S608
        "       WHERE k.manifestation_id = m.id AND k.text_hash = m.text_hash\n"
        f"         AND k.{task} IS NOT NULL ORDER BY k.id DESC LIMIT 1), c.{task})"
    )
