"""The data's version: the same while nothing is committed, another after anybody has written."""

from sqlalchemy import Engine, select, update

from models.tables import RunRow
from pipelines.store.engine import open_engine
from pipelines.store.version import DataVersion
from pipelines.store.write import Store
from tests.unit.store.builders import begun

CHANGE = update(RunRow).values(software_version="otra")


def test_the_version_changes_with_each_commit_of_whoever_writes(engine: Engine) -> None:
    version = DataVersion(engine)
    at_first = version()
    assert version() == at_first
    with engine.connect() as reader:
        reader.execute(select(RunRow.id)).all()
    assert version() == at_first

    begun(Store(engine))
    ours = version()
    assert ours != at_first

    other = open_engine(engine.url.render_as_string(hide_password=False))
    with other.connect().execution_options(writes=True) as connection:
        connection.execute(CHANGE)
        while_writing = version()
        connection.commit()
    assert version() not in (ours, while_writing)
    other.dispose()
    assert version() == version()


def test_what_is_taken_back_is_nothing_new_to_see(sqlite_engine: Engine) -> None:
    begun(Store(sqlite_engine))
    version = DataVersion(sqlite_engine)
    before = version()
    with sqlite_engine.connect().execution_options(writes=True) as connection:
        connection.execute(CHANGE)
        connection.rollback()
    assert version() == before
