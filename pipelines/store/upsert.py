"""Insert rows, or replace what is there under their keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from models.tables import Base
from pipelines.store.chunks import chunks


def table_of(row: type[Base]) -> Table:
    """Return the table of a mapped class."""
    table = row.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{row.__name__} is not mapped to a table")
    return table


def upsert(
    connection: Connection,
    row: type[Base],
    rows: Sequence[Mapping[str, Any]],
    replace: Sequence[str] = (),
    only_where: str | None = None,
) -> None:
    """Insert rows; on a known primary key replace the named columns, or leave the row alone.

    With ``only_where`` a known row is replaced only if that column differs. Rows go in the order
    of their keys: two writers of the same rows in different orders would wait for each other.
    """
    if not rows:
        return
    table = table_of(row)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    if replace:
        changed = None
        if only_where is not None:
            changed = table.columns[only_where] != statement.excluded[only_where]
        statement = statement.on_conflict_do_update(
            index_elements=keys,
            set_={name: statement.excluded[name] for name in replace},
            where=changed,
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    for chunk in chunks(sorted(rows, key=lambda values: [values[key] for key in keys])):
        connection.execute(statement, list(chunk))
