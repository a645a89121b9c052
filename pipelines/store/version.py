"""Tell whether anything was written to the database since somebody looked. Nothing here writes."""

from threading import Lock
from typing import Any

from sqlalchemy import Engine, text

from pipelines.store.engine import explained


class DataVersion:
    """Calling it gives a value that is the same again only if nothing was committed in between.

    By whichever process: SQLite counts what other connections commit, and PostgreSQL tells which
    transactions are over (https://www.sqlite.org/pragma.html#pragma_data_version;
    https://www.postgresql.org/docs/current/functions-info.html, «pg_current_snapshot»).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._own: Any = None
        self._lock = Lock()

    def __call__(self) -> int | str:
        """Return the version as it is now.

        Raises:
            StoreError: the database cannot be asked.
        """
        with explained(self._engine):
            if self._engine.dialect.name == "sqlite":
                return self._counted()
            with self._engine.connect() as connection:
                found = connection.execute(text("SELECT CAST(pg_current_snapshot() AS text)"))
                return str(found.scalar_one())

    def _counted(self) -> int:
        """Ask always the same connection, which writes nothing: each counts for itself."""
        with self._lock:
            if self._own is None:
                self._own = self._engine.raw_connection()
                self._own.detach()
            cursor = self._own.cursor()
            try:
                return int(cursor.execute("PRAGMA data_version").fetchone()[0])
            finally:
                cursor.close()
