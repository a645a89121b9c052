"""The role of docs/metabase.md reads the views on PostgreSQL, and nothing else."""

import re
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

PAGE = (Path(__file__).parents[2] / "docs" / "metabase.md").read_text(encoding="utf-8")
MAKE_ROLE, QUESTION = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
ROLE = "manifiesta_tablero"


def test_the_role_reads_the_views_and_nothing_else(postgres_engine: Engine) -> None:
    owner = postgres_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(MAKE_ROLE)
        try:
            _try(owner.replace("postgres@", f"{ROLE}@"))
        finally:
            connection.execute(f"DROP OWNED BY {ROLE}")
            connection.execute(f"DROP ROLE {ROLE}")


def _try(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as reader:
        assert reader.execute(QUESTION.replace("{{municipio}}", "'ate'")).fetchall() == []
        assert reader.execute("SELECT * FROM latest_insight_change").fetchall() == []
        for table in ("manifestation", "correction", "insight_category", "latest_insight_evidence"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(f"SELECT * FROM {table}")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("CREATE TABLE mine (id int)")
