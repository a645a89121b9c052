"""The data dictionary in the docs is the one that the tables give."""

from pathlib import Path

from models.tables import Base
from pipelines.dictionary import data_dictionary

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
