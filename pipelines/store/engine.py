"""Open the database and turn its failures into errors that a person can act on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from models.errors import ConfigError, StoreError

CONNECTIONS = 5
"""What one process keeps open; it opens as many again where many threads ask at once."""

_BUSY_SECONDS = 30
_CACHE_KIB = 65_536  # of a connection: joins over a million texts miss SQLite's 2 MiB all the time
_MAPPED_BYTES = 2**31 - 2**16  # what SQLite maps at most unless it was built otherwise
_RECYCLE_SECONDS = 1_800
_CONNECT_SECONDS = 10


def open_engine(url: str, *, busy_seconds: float = _BUSY_SECONDS) -> Engine:
    """Open a database by its SQLAlchemy address.

    SQLite files get write-ahead logging, enforced foreign keys and a wait of ``busy_seconds``
    for another process's lock. ``postgresql://`` addresses use psycopg 3.

    Raises:
        ConfigError: the address cannot be understood.
        StoreError: the folder of an SQLite file cannot be made.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "MANIFIESTA_DATABASE_URL is no database address. Write, for instance, "
            "postgresql://user:password@localhost/manifiesta or sqlite:///data/manifiesta.db."
        ) from None
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address.database, address, busy_seconds)
    try:
        return create_engine(
            address,
            pool_pre_ping=True,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            pool_recycle=_RECYCLE_SECONDS,
            connect_args={"connect_timeout": _CONNECT_SECONDS, "application_name": "manifiesta"},
        )
    except (NoSuchModuleError, ModuleNotFoundError):
        raise ConfigError(
            f"MANIFIESTA_DATABASE_URL asks for «{address.drivername}», which is not supported. "
            "Use sqlite or postgresql."
        ) from None


def _open_sqlite(file: str | None, address: Any, busy_seconds: float) -> Engine:
    if file and file != ":memory:" and not file.startswith("file:"):  # a URI is no path
        try:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder of the database {file} cannot be made: {error.strerror}. "
                "Set MANIFIESTA_HOME to a folder that you may write to."
            ) from error
    engine = create_engine(address, connect_args={"timeout": busy_seconds})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy sends BEGIN itself, see below
        cursor = connection.cursor()
        _use_wal(cursor, busy_seconds)
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    # A transaction that reads first and writes later would fail at once when another process
    # wrote in between, without waiting; one that takes the write lock at its start waits.
    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _use_wal(cursor: sqlite3.Cursor, seconds: float) -> None:
    """Turn write-ahead logging on.

    While another program does the same to a new file, SQLite refuses at once instead of waiting.
    """
    deadline = monotonic() + seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or monotonic() >= deadline:
                raise
            sleep(0.02)
        else:
            return


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn a database failure into a `StoreError` that says what to do."""
    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"{_where(engine)}: {_advice(str(error.orig))}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{_where(engine)}: {error}") from error


@contextmanager
def sweeping(engine: Engine) -> Iterator[Connection]:
    """Open a connection for reading much of the database, one small part after the other.

    SQLite reads its file as memory meanwhile, which the system takes back when it needs it: a
    join over a large file needs ten pages for each text, and half of the time goes into copying
    them. Elsewhere a disk that fails shall be an error, not a signal.
    """
    with explained(engine), engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            yield connection
            return
        connection.exec_driver_sql(f"PRAGMA mmap_size={_MAPPED_BYTES}")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("PRAGMA mmap_size=0")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes: all that is done in it is kept, or nothing."""
    with (
        explained(engine),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        yield connection


def _where(engine: Engine) -> str:
    return f"The database {engine.url.render_as_string(hide_password=True)}"


def _advice(message: str) -> str:
    known = {
        "database is locked": (
            "is locked by another process. Wait for it to end, or stop it, and run again: "
            "what was done so far is kept."
        ),
        "database or disk is full": (
            "cannot grow: the disk is full. Free some space and run again: what was done so far "
            "is kept."
        ),
        "disk I/O error": (
            "cannot be written to: the disk is full, or a quota or limit is reached. Free some "
            "space and run again: what was done so far is kept."
        ),
        "attempt to write a readonly database": (
            "is read-only. Give yourself the right to write to it, or set MANIFIESTA_HOME."
        ),
        "unable to open database file": (
            "cannot be opened. Check that its folder exists and may be written to."
        ),
        "file is not a database": (
            "is not a database file. Move it away, or point MANIFIESTA_DATABASE_URL elsewhere."
        ),
        "No space left on device": "cannot grow: the disk is full. Free some space and run again.",
        "password authentication failed": ("refused the password. Check MANIFIESTA_DATABASE_URL."),
        "the database system is": "is starting or stopping. Run again in a moment.",
        "connection is closed": (
            "went away in the middle. What was done so far is kept: run again once it is back."
        ),
        "server closed the connection": (
            "went away in the middle. What was done so far is kept: run again once it is back."
        ),
        "terminating connection": (
            "went away in the middle. What was done so far is kept: run again once it is back."
        ),
        "onnection refused": (
            "does not answer. Start PostgreSQL, or check host and port in MANIFIESTA_DATABASE_URL."
        ),
        "no such table": "lacks a table. Run `manifiesta init` to bring it up to date.",
        "does not exist": f"refused: {message.strip()}. Run `manifiesta init`, or check it.",
    }
    for part, advice in known.items():
        if part in message:
            return advice
    return f"failed: {message.strip()}"
