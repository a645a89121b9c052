"""Insert very many rows at once, given by column.

What SQLAlchemy does for each row costs several times what the database does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.types import TypeEngine


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows by column: what is the same in all of them, and columns of one length."""

    same: Mapping[str, Any]
    columns: Mapping[str, Sequence[Any]]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> "Batch":
        """Turn rows that all have the same columns."""
        return cls({}, {name: [row[name] for row in rows] for name in (rows[0] if rows else ())})

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(next(iter(self.columns.values()), ()))


def insert_batch(connection: Connection, table: Table, batch: Batch) -> None:
    """Insert the rows of a batch, whose values can be hashed; columns that it lacks stay empty."""
    if not len(batch):
        return
    dialect, columns = connection.dialect, table.columns
    same = {name: _bound(columns[name].type, dialect)(value) for name, value in batch.same.items()}
    values = [
        *(repeat(value, len(batch)) for value in same.values()),
        *(_all_bound(columns[name].type, dialect, one) for name, one in batch.columns.items()),
    ]
    quoted = dialect.identifier_preparer
    names = ", ".join(quoted.quote(name) for name in (*same, *batch.columns))
    marks = ", ".join("?" if dialect.paramstyle == "qmark" else "%s" for _ in values)
    connection.exec_driver_sql(
        f"INSERT INTO {quoted.format_table(table)} ({names}) VALUES ({marks})",  # noqa: S608
        list(zip(*values, strict=True)),
    )


def _bound(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """Return what makes a value one that the database's driver takes."""
    return type_.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)


def _all_bound(type_: TypeEngine[Any], dialect: Dialect, values: Sequence[Any]) -> Sequence[Any]:
    process = type_.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return values
    known = {value: process(value) for value in set(values)}
    return [known[value] for value in values]
