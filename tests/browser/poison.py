"""Hostile texts in every text column that what is crawled or uploaded reaches."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import cycle
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    Engine,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    func,
    insert,
    select,
    update,
)

from configs.schema import Municipality
from models.tables import Base, UtcDateTime
from tests.unit.report.town import MODEL, RUN, START

HOSTILE = (
    "<script>window.hit=1</script><img src=x onerror='window.hit=1'>\u202eabc pistas",
    "pistas " + "M" * 1_000_000,
    "pistas " + "\u0e49" * 400,
    "pistas {{ 7*7 }}{% raw %}</style></svg><script>window.hit=1</script><svg onload=alert(1)>",
    "javascript:window.hit=1//pistas",
    "\"><a href='javascript:window.hit=1' style='position:fixed;inset:0;width:9999px'>pistas",
    "{0.__class__} ${7*7} %s %(x)s \x00\x1b[2J\r\n=cmd|'/c calc'!A1 pistas",
)
FOUND = f"{301:032x}"
"""The manifestation that the rows which had to be made are about."""
DEMAND, TOPIC = "d" * 32, "t-1a2b3c"

OURS: Mapping[str, str] = MappingProxyType(
    {
        "id manifestation_id text_hash cluster_id parent_id capture_id example_id examples": "hash",
        "run_id version checksum digest sha256 warc_file recipe texts corrections labels": "ours",
        "fingerprint topic demand_id merged_into follows identifier gazetteer": "made by us",
        "municipality name.source source lens lenses codes zone zones area": "configuration",
        "dimension second_dimension value second_value measure label band grain period": "closed",
        "category sentiment intent kind outcome state stage role why rule baseline": "closed",
        "categories sentiments intents language status from_status to_status action": "closed",
        "origin queue protocol": "closed",
        "model_version taxonomy_version software_version model_category": "ours",
        "model_sentiment model_intent command options": "ours",
        "actor reader assignee": "code of a member of staff",
        "config": "the house's own file, validated; `manifiesta validate` has its own cases",
        "subject": "like category:water",
        "stems": "only searched, never shown",
    }
)
"""Columns that hold nothing of a stranger's; a name with a table is for that table alone."""

HOUSE = frozenset(
    {
        *("activity", "application", "area", "attachment", "attestation", "blind_assessment"),
        *("entity", "fact", "indicator", "interruption", "monitoring_plan", "official", "partner"),
        *("pilot", "pilot_phase", "proposal", "quality_step", "readiness_answer", "reveal"),
        *("selection", "solution", "startup", "survey_response", "technological_call", "training"),
        *("work_category", "api_key", "audit_event", "dashboard_user", "lease", "model_version"),
        *("notification", "partition_version", "search_basis", "search_day", "search_facet"),
        "tombstone",
    }
)
"""Tables that staff or the software alone write; `tests/unit/match` attacks staff's records."""


def named(town: Municipality) -> Municipality:
    """Return a municipality whose zones and sources have hostile names, of lengths that it may."""
    words = cycle(word[:60] for word in HOSTILE)
    zones = [one.model_copy(update={"name": f"{next(words)} {one.code}"}) for one in town.zones]
    sources = [
        one.model_copy(update={"title": f"{next(words)} {one.name}"}) for one in town.sources
    ]
    values = town.model_copy(update={"zones": tuple(zones), "sources": tuple(sources)})
    return Municipality.model_validate(values.model_dump(mode="json", exclude_unset=True))


def attacked(table: Table) -> list[Column[Any]]:
    """Return the text columns of a table that a stranger's text may reach."""
    if table.name in HOUSE:
        return []
    known = {name for names in OURS for name in names.split()}
    return [
        column
        for column in table.columns
        if isinstance(column.type, String | JSON)
        and column.name not in known
        and f"{column.name}.{table.name}" not in known
    ]


def poison(engine: Engine) -> dict[str, int]:
    """Put hostile texts into every such column, and return how many values each got.

    The manifestations whose text is not hostile already keep theirs: somebody has to be quoted.
    """
    done = {}
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            columns = attacked(table)
            if not columns:
                continue
            if not connection.scalar(select(func.count()).select_from(table)):
                for nth in range(len(HOSTILE) if _key_is_text(table) else 1):
                    connection.execute(insert(table).values(**_row(table, nth)))
            for column in columns:
                done[f"{table.name}.{column.name}"] = _fill(connection, table, column)
    return done


def _key_is_text(table: Table) -> bool:
    return any(column.primary_key for column in attacked(table))


def _fill(connection: Connection, table: Table, column: Column[Any]) -> int:
    keys = list(table.primary_key.columns)
    rows = connection.execute(select(*keys, column)).all()
    count, kept, said = 0, len(rows) - len(HOSTILE), ("title", "text")
    for nth, row in enumerate(rows):
        if column.table.name == "manifestation" and column.name in said and nth < kept:
            continue
        evil = HOSTILE[nth % len(HOSTILE)] if len(rows) >= len(HOSTILE) else " ".join(HOSTILE)
        alone = column.primary_key or column.unique or column.name == "external_id"
        value = _leaves(row[-1], evil) if isinstance(column.type, JSON) else evil
        here = [key == value for key, value in zip(keys, row, strict=False)]
        connection.execute(
            update(table).where(*here).values({column.name: f"{nth} {evil}" if alone else value})
        )
        count += 1
    return count


def _leaves(value: Any, evil: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _leaves(one, evil) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_leaves(one, evil) for one in value]
    return evil if isinstance(value, str) else value


_WORDS: Mapping[str, Any] = MappingProxyType(
    {
        **{"manifestation_id": FOUND, "example_id": FOUND, "examples": [FOUND], "topic": TOPIC},
        **{"run_id": RUN, "municipality": "sandbox", "lens": "", "source": "fuente-0"},
        **{"model_version": MODEL, "taxonomy_version": "2026.1", "category": "transport"},
        **{"sentiment": "negative", "intent": "complaint", "zone": "huaycan", "terms": "a, b"},
        **{"role": "central", "kind": "alert", "origin": "proposed", "status": "answered"},
        **{"demand_id": DEMAND, "action": "confirm", "from_status": "new", "to_status": "assigned"},
        **{"detail": {"area": ["a", "b"]}, "statistic": {"term": "x"}, "stage": "collect"},
        **{"merged_into": None, "follows": None, "baseline": "previous", "dimension": "category"},
        **{"second_dimension": "", "second_value": "", "value": "transport", "state": "failed"},
        **{"state.source_state": "quarantined", "id.demand": DEMAND},
    }
)
_NUMBERS: Mapping[str, Any] = MappingProxyType({"number": 1, "position": 1, "comparable": False})
_NOW = datetime(2021, 11, 20, 12, tzinfo=UTC)
_BY_TYPE: tuple[tuple[Any, Any], ...] = (
    (Boolean, True),
    (Float, 0.5),
    (Integer, 30),
    (UtcDateTime, _NOW),
    (Date, START),
    (LargeBinary, b"x"),
    (JSON, ["x"]),
    (String, "x"),
)


def _row(table: Table, nth: int) -> dict[str, Any]:
    """Return a row that a page would show."""
    texts = {column.name: f"{nth}" for column in attacked(table) if column.primary_key}
    return {column.name: _value(table, column) for column in table.columns} | texts


def _value(table: Table, column: Column[Any]) -> Any:
    known = _WORDS if isinstance(column.type, String | JSON) else _NUMBERS
    otherwise = next(value for kind, value in _BY_TYPE if isinstance(column.type, kind))
    return known.get(f"{column.name}.{table.name}", known.get(column.name, otherwise))
