"""The migrations make exactly the tables that the models describe."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from models import metadata
from models.errors import StoreError
from models.metadata import METADATA
from models.search_tables import INDEX
from models.tables import RunRow
from pipelines.store.engine import open_engine
from pipelines.store.migrate import current_revision, migrate, newest_revision
from pipelines.store.write import Store
from tests.unit.store.builders import begun, rows

MIGRATIONS = Path(metadata.__file__).parent / "migrations"
OURS = set(METADATA.tables) | {"alembic_version"}


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_url)
    yield engine
    engine.dispose()


def differences(engine: Engine) -> list[object]:
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, _kind, _parents: not str(name).startswith(INDEX),
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, METADATA))


def downgrade(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect().execution_options(writes=True) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()


def test_an_empty_database_has_no_revision(empty: Engine) -> None:
    assert current_revision(empty) is None


def test_migrating_makes_what_the_models_describe(empty: Engine) -> None:
    migrate(empty)
    assert differences(empty) == []
    assert {n for n in inspect(empty).get_table_names() if not n.startswith(INDEX)} == OURS
    assert current_revision(empty) == newest_revision()


def test_a_missing_index_would_be_seen(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_manifestation_municipality_said_on_source"))
    assert [change[0] for change in differences(engine)] == ["add_index"]


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    run_id = begun(Store(engine))
    migrate(engine)
    assert [row["id"] for row in rows(engine, RunRow)] == [run_id]
    assert differences(engine) == []


def test_a_database_of_a_newer_version_is_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_from_tomorrow'"))
    with pytest.raises(StoreError, match=r"revision 9999_from_tomorrow.*newer version"):
        migrate(engine)
    assert current_revision(engine) == "9999_from_tomorrow"
    assert {n for n in inspect(engine).get_table_names() if not n.startswith(INDEX)} == OURS


def test_the_way_back_leaves_nothing(engine: Engine) -> None:
    downgrade(engine)
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    assert current_revision(engine) is None


def test_rights_on_the_views_outlive_a_migration(postgres_engine: Engine) -> None:
    role = "manifiesta_lector"
    right = text("SELECT has_table_privilege(:role, 'latest_insight_day', :what)")

    def may(what: str) -> bool:
        with postgres_engine.connect() as connection:
            return bool(connection.execute(right, {"role": role, "what": what}).scalar_one())

    with postgres_engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role}"))
        connection.execute(text(f"GRANT SELECT ON latest_insight_day TO {role} WITH GRANT OPTION"))
    try:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with postgres_engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "-1")
        migrate(postgres_engine)
        assert may("SELECT WITH GRANT OPTION")
        assert not may("INSERT")
    finally:
        with postgres_engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))


def test_the_way_back_and_forth_ends_where_it_began(engine: Engine) -> None:
    downgrade(engine)
    migrate(engine)
    assert differences(engine) == []
