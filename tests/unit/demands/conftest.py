"""A store for each test: an SQLite file copied from a migrated one, or each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Store


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of a migrated database."""
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path.read_bytes()


@pytest.fixture
def store(migrated: bytes, tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "manifiesta.db"
    path.write_bytes(migrated)
    engine = open_engine(f"sqlite:///{path}")
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def both(engine: Engine) -> Store:
    """Return a store on each kind of database."""
    return Store(engine)
