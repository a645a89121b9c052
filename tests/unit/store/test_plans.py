"""On PostgreSQL the queries of every run use indexes, also where years of data lie around them."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, event, text

from models.records import Stage, Window
from pipelines.store.crawled import seen_fingerprints
from pipelines.store.facets import Basis
from pipelines.store.leases import held
from pipelines.store.ledger import classified_digests, made_with, settled_days
from pipelines.store.read import (
    collect_attempts,
    latest_runs,
    manifestations_per_day,
    unclassified,
    unlabelled,
)
from pipelines.store.search import Asked, search
from pipelines.store.write import Store
from tests.unit.store.builders import LIMA, begun

WEEK = Window(date(2026, 3, 1), date(2026, 3, 8), LIMA)
BIG = (
    *("manifestation", "classification", "language_label", "run_partition", "run", "seen"),
    *("search_facet", "search_text"),
)
SEARCHED = Basis("m1", WEEK, "m", "t")

_ROWS = (
    """INSERT INTO manifestation (id, municipality, source, external_id, kind, text, text_hash,
         said_at, said_on, fetched_at)
       SELECT md5(n::text), 'm' || n % 20, 's' || n % 25, n::text, 'post', 'x', md5(n::text),
         timestamptz '2024-01-01' + n * interval '40 minutes',
         date '2024-01-01' + n / 36, now() FROM generate_series(1, 40000) n""",
    """INSERT INTO classification (manifestation_id, text_hash, model_version, taxonomy_version,
         category, sentiment, intent, confidence, abstained, categories, sentiments, intents)
       SELECT id, text_hash, 'm', 't', 'water', 'negative', 'complaint', 1, false, '{}', '{}', '{}'
       FROM manifestation""",
    """INSERT INTO run (id, municipality, command, window_from, window_to, state, started_at,
         taxonomy_version, software_version)
       SELECT 'r' || n, 'm' || n % 20, 'run', date '2024-01-01', date '2024-02-01', 'done',
         timestamptz '2024-01-01' + n * interval '1 hour', 't', '1'
       FROM generate_series(1, 4000) n""",
    """INSERT INTO run_partition (run_id, source, day, stage, state, rows, attempts)
       SELECT 'r' || n, 's' || s, date '2024-01-01' + n / 4, 'collect', 'done', 1, 1
       FROM generate_series(1, 4000) n, generate_series(1, 10) s""",
    """INSERT INTO language_label (manifestation_id, text_hash, language, identifier)
       SELECT id, text_hash, 'es', 'i' FROM manifestation""",
    "INSERT INTO seen (manifestation_id, fingerprint) SELECT id, 'f' FROM manifestation",
    """INSERT INTO search_text (manifestation_id, text_hash, stems)
       SELECT id, text_hash, 'bach' || right(external_id, 3) FROM manifestation""",
    """INSERT INTO search_basis (id, municipality, model_version, taxonomy_version)
       SELECT n, 'm' || n, 'm', 't' FROM generate_series(1, 19) n""",
    """INSERT INTO search_facet (text_id, basis_id, said_on, source, kind, category, sentiment,
         intent, certainty, lenses)
       SELECT t.id, substr(m.municipality, 2)::int, said_on, source, kind, 'water', 'negative',
         'complaint', 'sure', '' FROM manifestation m
       JOIN search_text t ON t.manifestation_id = m.id
       WHERE m.municipality <> 'm0'""",
)


@pytest.fixture
def years(postgres_engine: Engine) -> Engine:
    begun(Store(postgres_engine))
    with postgres_engine.begin() as connection:
        for rows in _ROWS:
            connection.execute(text(rows))
    with postgres_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return postgres_engine


QUERIES: dict[str, Callable[[Engine], object]] = {
    "per day": lambda engine: manifestations_per_day(engine, "m1", WEEK),
    "unclassified": lambda engine: list(unclassified(engine, "m1", WEEK, "m", "t").pages(512)),
    "unlabelled": lambda engine: list(unlabelled(engine, "m1", WEEK).pages(512)),
    "classified": lambda engine: classified_digests(engine, "m1", WEEK, "m", "t"),
    "attempts": lambda engine: collect_attempts(engine, "m1", WEEK),
    "settled": lambda engine: settled_days(engine, "m1", WEEK, timedelta(days=3)),
    "made with": lambda engine: made_with(engine, "m1", WEEK, Stage.COLLECT, "s1", "v"),
    "latest": lambda engine: latest_runs(engine, "m1", 10),
    "seen": lambda engine: seen_fingerprints(engine, "m1", "s1"),
    "listed": lambda engine: search(engine, SEARCHED, Asked(category="water"), 40, 20),
    "counted": lambda engine: search(engine, SEARCHED, Asked(sentiment="negative"), 0, 1),
    "found": lambda engine: search(engine, SEARCHED, Asked(words="bach123", source="s1"), 0, 20),
    "leases": lambda engine: held(engine, "m1"),
}


def test_no_query_of_a_run_reads_a_big_table_from_end_to_end(years: Engine) -> None:
    asked: list[tuple[str, object]] = []

    @event.listens_for(years, "before_cursor_execute")
    def note(_c: object, _cursor: object, sql: str, given: object, *_more: object) -> None:
        asked.append((sql, given))

    plans: dict[str, str] = {}
    for name, query in QUERIES.items():
        asked.clear()
        query(years)
        for sql, given in list(asked):
            with years.connect() as connection:
                rows = connection.exec_driver_sql(f"EXPLAIN {sql}", given)  # type: ignore[arg-type]
                plans[name] = "\n".join(str(row[0]) for row in rows)
    whole = {
        name: table
        for name, plan in plans.items()
        for table in BIG
        if f"Seq Scan on {table} " in f"{plan} "
    }
    assert plans.keys() == QUERIES.keys()
    assert whole == {}, "\n\n".join(plans[name] for name in whole)
