"""All rows of all tables, as one moment has them, in a form that every kind of database reads."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Engine,
    Integer,
    LargeBinary,
    Table,
    func,
    insert,
    select,
    text,
)

from models.errors import InputError, StoreError
from models.metadata import METADATA
from models.tables import UtcDateTime
from pipelines.store.engine import explained, writing

_PAGE = 1_000


def tables() -> list[Table]:
    """Return the tables, each after those that it refers to."""
    return list(METADATA.sorted_tables)


@contextmanager
def one_moment(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees one moment of the database, whatever is written meanwhile."""
    level = "REPEATABLE READ" if engine.dialect.name == "postgresql" else "SERIALIZABLE"
    with explained(engine), engine.connect().execution_options(isolation_level=level) as connection:
        connection.execute(text("SELECT version_num FROM alembic_version"))  # the moment is now
        yield connection


def lines_of(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield a table's rows as JSON lines, in the order of their keys."""
    encode = [_encoder(column) for column in table.columns]
    rows = connection.execution_options(yield_per=_PAGE).execute(
        select(table).order_by(*table.primary_key)
    )
    for row in rows:
        values = [code(value) for code, value in zip(encode, row, strict=True)]
        yield json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def is_empty(engine: Engine) -> bool:
    """Say whether no table holds anything."""
    with explained(engine), engine.connect() as connection:
        return not any(connection.execute(select(one).limit(1)).first() for one in tables())


def load(engine: Engine, content: Mapping[str, Callable[[], Iterable[bytes]]]) -> dict[str, int]:
    """Fill an empty database; all of it or nothing. Return how many rows each table got.

    Args:
        engine: the database, at the revision that the lines were written at.
        content: by table, what opens its lines.

    Raises:
        InputError: there is a table that this version does not know, or one is missing.
        StoreError: the database is not empty.
    """
    known = {table.name: table for table in tables()}
    if content.keys() != known.keys():
        odd = ", ".join(sorted(content.keys() ^ known.keys()))
        raise InputError(f"The backup and this version differ in these tables: {odd}.")
    if not is_empty(engine):
        raise StoreError(
            "The database is not empty. Restore into a new one: set MANIFIESTA_HOME or "
            "MANIFIESTA_DATABASE_URL to a place that holds nothing yet."
        )
    counts = {}
    with writing(engine) as connection:
        for name, table in known.items():
            counts[name] = _fill(connection, table, content[name]())
            _raise_numbers(connection, table)
    return counts


def _fill(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    decode = [(column.name, _decoder(column)) for column in table.columns]
    count, left = 0, iter(lines)
    while page := list(islice(left, _PAGE)):
        rows = [
            {
                name: code(value)
                for (name, code), value in zip(decode, json.loads(line), strict=True)
            }
            for line in page
        ]
        connection.execute(insert(table), rows)
        count += len(rows)
    return count


def _raise_numbers(connection: Connection, table: Table) -> None:
    """Let PostgreSQL count on from the highest number; SQLite does so by itself."""
    column = table.autoincrement_column
    if connection.dialect.name != "postgresql" or column is None:
        return
    highest = connection.execute(select(func.max(column))).scalar_one()
    if highest is not None and isinstance(column.type, Integer):
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)"),
            {"table": table.name, "column": column.name, "highest": highest},
        )


def _encoder(column: Column[Any]) -> Callable[[Any], Any]:
    if isinstance(column.type, LargeBinary):
        return lambda value: None if value is None else b64encode(value).decode()
    if isinstance(column.type, UtcDateTime | Date):
        return lambda value: None if value is None else value.isoformat()
    return lambda value: value


def _decoder(column: Column[Any]) -> Callable[[Any], Any]:
    if isinstance(column.type, LargeBinary):
        return lambda value: None if value is None else b64decode(value)
    if isinstance(column.type, UtcDateTime):
        return lambda value: None if value is None else datetime.fromisoformat(value)
    if isinstance(column.type, Date):
        return lambda value: None if value is None else date.fromisoformat(value)
    return lambda value: value
