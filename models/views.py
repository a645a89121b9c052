"""The views `latest_insight_…`: of every insight table the newest rows of each window and lens."""

from collections.abc import Iterable

from sqlalchemy import Connection, inspect, text

from models.insight_tables import INSIGHT_TABLES

NEWEST = "latest_insight_run"
"""The view that says which run is the newest: (run_id, lens) of each window."""

_NEWEST_SQL = f"""
CREATE VIEW {NEWEST} AS
SELECT run_id, lens, municipality, window_from, window_to FROM (
  SELECT o.run_id, o.lens, o.municipality, o.window_from, o.window_to,
         ROW_NUMBER() OVER (
           PARTITION BY o.municipality, o.lens, o.window_from, o.window_to
           ORDER BY r.started_at DESC, r.id DESC
         ) AS place
  FROM insight_overview AS o JOIN run AS r ON r.id = o.run_id
  WHERE o.measure = 'total'
) AS counted WHERE place = 1
"""  # noqa: S608


_GRANTS_SQL = """
SELECT c.relname, COALESCE(r.rolname, 'PUBLIC'), a.privilege_type,
       CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE c.relkind = 'v' AND c.relnamespace = CURRENT_SCHEMA()::regnamespace
  AND c.relname LIKE 'latest\\_insight\\_%' AND a.grantee <> c.relowner
ORDER BY 1, 2, 3
"""


def latest(table: str) -> str:
    """Return the name of the view over an insight table."""
    return f"latest_{table}"


def create_views(connection: Connection) -> None:
    """Make the views over the insight tables that are there."""
    present = set(inspect(connection).get_table_names())
    names = [table.__tablename__ for table in INSIGHT_TABLES]
    if not present.issuperset(names):
        return  # on the way back to an older schema
    connection.execute(text(_NEWEST_SQL))
    for name in names:
        connection.execute(
            text(
                f"CREATE VIEW {latest(name)} AS SELECT t.* FROM {name} AS t "  # noqa: S608
                f"JOIN {NEWEST} AS n ON n.run_id = t.run_id AND n.lens = t.lens"
            )
        )


def granted(connection: Connection) -> list[tuple[str, str, str, str]]:
    """Return who else may do what with our views: view, role, privilege, and how it is passed on.

    SQLite knows no such rights.
    """
    if connection.dialect.name != "postgresql":
        return []
    return [tuple(row) for row in connection.execute(text(_GRANTS_SQL))]


def grant_again(connection: Connection, rights: Iterable[tuple[str, str, str, str]]) -> None:
    """Give the rights on views back that went with them, on those that are there again."""
    present = set(inspect(connection).get_view_names())
    quote = connection.dialect.identifier_preparer.quote
    for view, role, privilege, option in rights:
        if view in present:
            to = "PUBLIC" if role == "PUBLIC" else quote(role)
            connection.execute(text(f"GRANT {privilege} ON {quote(view)} TO {to}{option}"))


def drop_views(connection: Connection) -> None:
    """Take the views away: no table can be altered under them."""
    present: Iterable[str] = inspect(connection).get_view_names()
    ours = [name for name in present if name.startswith("latest_insight_")]
    for name in sorted(ours, key=lambda name: name == NEWEST):  # the others stand on it
        connection.execute(text(f"DROP VIEW {name}"))
