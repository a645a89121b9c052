"""Matchmaking records in the database: what is known, and one transaction that adds to it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, and_, insert, select, update

from configs.schema import Taxonomy
from models.match_records import KINDS, Batch, Record, record_type
from models.match_tables import CallRow, WorkCategoryRow
from models.tables import Base
from pipelines.store.audit import Event, append
from pipelines.store.engine import explained, writing

Identity = tuple[str, ...]


def table_of(kind: str) -> Table:
    """Return the table of a kind of record."""
    return Base.metadata.tables[kind]


def stored(engine: Engine, kind: str) -> list[dict[str, Any]]:
    """Return the records of a kind as plain values, with the fields that an import takes."""
    table, record = table_of(kind), record_type(kind)
    columns = [table.c[name] for name in record.model_fields]
    order = [table.c[name] for name in record.key]
    with explained(engine), engine.connect() as connection:
        rows = connection.execute(select(*columns).order_by(*order)).mappings()
        return [dict(row) for row in rows]


def identities(engine: Engine) -> dict[str, dict[Identity, dict[str, Any]]]:
    """Return every record that is stored, by kind and identity."""
    found: dict[str, dict[Identity, dict[str, Any]]] = {}
    for kind in KINDS:
        key = record_type(kind).key
        found[kind] = {tuple(str(row[name]) for name in key): row for row in stored(engine, kind)}
    return found


def call_states(engine: Engine) -> dict[str, str]:
    """Return the state of every call."""
    with explained(engine), engine.connect() as connection:
        rows = connection.execute(select(CallRow.code, CallRow.state))
        return {row.code: row.state for row in rows}


def save_records(engine: Engine, batch: Batch, taxonomy: Taxonomy, who: str) -> dict[str, int]:
    """Write a checked batch and note it in the audit, all or nothing; return how many of each.

    A record that is there already is brought to what the batch says.
    """
    written: dict[str, int] = {}
    with writing(engine) as connection:
        _save_work_categories(connection, taxonomy)
        for kind in KINDS:
            records: Sequence[Record] = getattr(batch, kind)
            for record in records:
                _save(connection, kind, record)
            if records:
                written[kind] = len(records)
        append(connection, Event("match.import", "", written), who)
    return written


def _save_work_categories(connection: Connection, taxonomy: Taxonomy) -> None:
    known = set(connection.scalars(select(WorkCategoryRow.number)))
    for number, name in taxonomy.work_categories.items():
        values = {"es": name.es, "en": name.en}
        if number in known:
            row = WorkCategoryRow
            connection.execute(update(row).where(row.number == number).values(values))
        else:
            connection.execute(insert(WorkCategoryRow).values(number=number, **values))


def _save(connection: Connection, kind: str, record: Record) -> None:
    table = table_of(kind)
    values = _values(record)
    same = and_(*(table.c[name].is_not_distinct_from(values[name]) for name in record.key))
    if connection.execute(update(table).where(same).values(values)).rowcount:
        return
    if table is CallRow.__table__:
        values["state"] = "draft"
    connection.execute(insert(table).values(values))


def _values(record: Record) -> dict[str, Any]:
    """Return the values of a record; what is inside a JSON column is plain JSON."""
    python, plain = record.model_dump(), record.model_dump(mode="json")
    return {
        name: plain[name] if isinstance(value, tuple | dict) else value
        for name, value in python.items()
    }
