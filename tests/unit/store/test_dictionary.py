"""The data dictionary in the docs is the one that the tables give."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from models.tables import Base
from pipelines.dictionary import EXAMPLES, data_dictionary

DOCS = Path(__file__).parents[3] / "docs" / "data-dictionary.md"


def test_the_docs_hold_what_the_tables_say() -> None:
    assert DOCS.read_text().strip() == data_dictionary().strip(), "run `make docs`"


def test_every_column_of_every_table_says_what_it_means() -> None:
    silent = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if not column.comment
    ]
    assert silent == []


GIVEN = {"run": "r", "municipality": "villa", "from": "2026-03-01", "to": "2026-04-01"}


@pytest.mark.parametrize("table", EXAMPLES)
def test_every_example_runs(sqlite_engine: Engine, table: str) -> None:
    query = text(EXAMPLES[table])
    given = {name: GIVEN[name] for name in query.compile().params}
    with sqlite_engine.connect() as connection:
        assert connection.execute(query, given).all() == []
