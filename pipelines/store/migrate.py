"""Bring a database to the newest schema; Alembic is driven from code, so the wheel can do it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, select

import models.metadata
from models.errors import StoreError
from pipelines.store.engine import explained, writing

_MIGRATIONS = Path(models.metadata.__file__).parent / "migrations"
_MIGRATING = 29_733  # any number that every version of the software locks


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def newest_revision() -> str | None:
    """Return the revision that this version of the software needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(engine: Engine) -> str | None:
    """Return the database's revision, or None where it holds no tables of ours yet."""
    with explained(engine), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine) -> None:
    """Create the tables or bring them up to date; nothing happens where they are.

    Raises:
        StoreError: the database was made by a newer version of the software.
    """
    current = current_revision(engine)
    if current == newest_revision():
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"The database is at revision {current}, which this version of Manifiesta does not "
            "know. Install the newer version that made it."
        )
    config = _config()
    with writing(engine) as connection:  # one transaction: Alembic would end one a step on SQLite
        if engine.dialect.name == "postgresql":  # SQLite locks the whole file by itself
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
