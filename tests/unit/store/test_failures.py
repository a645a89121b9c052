"""A database that fails: a clear error that says what to do, and nothing half written."""

from collections.abc import Iterator
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from models.errors import ConfigError, StoreError
from models.tables import ManifestationRow
from pipelines.store.engine import open_engine
from pipelines.store.migrate import current_revision, migrate
from pipelines.store.read import latest_runs
from pipelines.store.write import Store
from tests.unit.store.builders import begun, municipality, rows, said, save

VILLA = municipality()


@pytest.fixture
def file(sqlite_engine: Engine) -> Path:
    """Return the file of a migrated SQLite database."""
    assert sqlite_engine.url.database is not None
    return Path(sqlite_engine.url.database)


@pytest.fixture
def impatient(file: Path) -> Iterator[Store]:
    """Open the same file without waiting for anybody's lock."""
    engine = open_engine(f"sqlite:///{file}", busy_seconds=0.01)
    yield Store(engine)
    engine.dispose()


def test_a_locked_database_says_so(sqlite_engine: Engine, impatient: Store) -> None:
    run_id = begun(impatient)
    with sqlite_engine.connect().execution_options(writes=True) as other, other.begin():
        with pytest.raises(StoreError, match="is locked by another process") as caught:
            save(impatient, run_id, said(1))
        assert "manifiesta.db" in str(caught.value)
        assert [run.id for run in latest_runs(impatient.engine, "villa", 5)] == [run_id]
    save(impatient, run_id, said(1))
    assert len(rows(impatient.engine, ManifestationRow)) == 1


def test_a_full_disk_leaves_nothing_half_written(sqlite_engine: Engine, file: Path) -> None:
    run_id = begun(Store(sqlite_engine))
    save(Store(sqlite_engine), run_id, said(0))
    engine = open_engine(f"sqlite:///{file}")

    @event.listens_for(engine, "connect")
    def _no_room(connection: Any, _record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 5}")

    with pytest.raises(StoreError, match="the disk is full"):
        save(Store(engine), run_id, *(said(n, f"Texto {n} " + "largo " * 500) for n in range(50)))
    save(Store(engine), run_id, said(1))
    engine.dispose()
    found = [row["external_id"] for row in rows(sqlite_engine, ManifestationRow)]
    assert sorted(found) == ["0", "1"]


def test_a_read_only_database_says_so(
    sqlite_engine: Engine, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_id = begun(Store(sqlite_engine))
    engine = open_engine(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert [run.id for run in latest_runs(engine, None, 5)] == [run_id]
    with pytest.raises(StoreError, match="is read-only"):
        begun(Store(engine))
    engine.dispose()
    assert not Path("file:").exists()


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a' / 'b' / 'manifiesta.db'}")
    migrate(engine)
    engine.dispose()
    assert (tmp_path / "a" / "b" / "manifiesta.db").stat().st_size > 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no soy una carpeta")
    with pytest.raises(StoreError, match=r"file/manifiesta\.db cannot be made.*MANIFIESTA_HOME"):
        open_engine(f"sqlite:///{tmp_path / 'file' / 'manifiesta.db'}")


def test_a_database_where_a_folder_stands_cannot_be_opened(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}")
    with pytest.raises(StoreError, match="cannot be opened"):
        migrate(engine)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    file = tmp_path / "notas.db"
    file.write_text("esto no es una base de datos, son mis notas de la reunión\n" * 100)
    engine = open_engine(f"sqlite:///{file}")
    with pytest.raises(StoreError, match="is not a database file"):
        migrate(engine)
    assert file.read_text().startswith("esto no es")


def test_a_database_without_tables_says_how_to_make_them(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with pytest.raises(StoreError, match="manifiesta init"):
        begun(Store(engine))
    engine.dispose()


def test_a_table_of_somebody_else_stops_the_migration_whole(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE rejection (id integer)"))
    with pytest.raises(StoreError, match="already exists"):
        migrate(engine)
    assert current_revision(engine) is None
    engine.dispose()


@pytest.mark.parametrize("url", ["", "manifiesta.db", "/var/lib/manifiesta.db", "sqlite//x.db"])
def test_an_address_that_is_none_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match="MANIFIESTA_DATABASE_URL is no database address"):
        open_engine(url)


@pytest.mark.parametrize("kind", ["mysql", "oracle", "carpeta", "postgresql+nada"])
def test_another_kind_of_database_is_a_configuration_error(kind: str) -> None:
    with pytest.raises(ConfigError, match=r"not supported\. Use sqlite or postgresql"):
        open_engine(f"{kind}://ana:s3creto@localhost/manifiesta")


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with socket() as taken:  # bound and never listening: connections to it are refused
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        engine = open_engine(f"postgresql://ana:s3creto@127.0.0.1:{port}/manifiesta")
        with pytest.raises(StoreError, match=r"does not answer\. Start PostgreSQL") as caught:
            migrate(engine)
    assert f"ana:***@127.0.0.1:{port}" in str(caught.value)
    assert "s3creto" not in str(caught.value)


def test_a_database_that_the_server_does_not_have(postgres_engine: Engine) -> None:
    url = postgres_engine.url.set(database="no_hay", password="s3creto")
    engine = open_engine(url.render_as_string(hide_password=False))
    with pytest.raises(StoreError, match=r'database "no_hay" does not exist') as caught:
        migrate(engine)
    assert "s3creto" not in str(caught.value)


def test_a_server_that_restarts_is_reached_again(postgres_engine: Engine) -> None:
    store = Store(postgres_engine)
    begun(store)
    with postgres_engine.connect() as connection:
        others = connection.execute(
            text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        assert others.scalar_one() == 0
        own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    killer = open_engine(postgres_engine.url.render_as_string(hide_password=False))
    with killer.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
    killer.dispose()
    begun(store)
    assert len(latest_runs(postgres_engine, "villa", 5)) == 2
