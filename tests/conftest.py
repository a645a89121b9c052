"""What every test stands on: an environment of its own, and two real databases."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, create_engine

from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Store

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DATABASES = ("sqlite", "postgresql")
ABSENT = "PostgreSQL is not installed: apt-get install postgresql"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the extraction gate takes (tests/unit/crawlers/test_real_pages.py)."""
    parser.addoption("--pin-floors", action="store_true", help="pin what extraction gets right")
    parser.addoption("--lower-floors", action="store_true", help="let --pin-floors lower a floor")


def pytest_configure() -> None:
    """Let a terminated run stop its database server, as an interrupted one does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MANIFIESTA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MANIFIESTA_PSEUDONYM_KEY", "a key that only the tests use")
    monkeypatch.delenv("MANIFIESTA_DATABASE_URL", raising=False)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process connect to this machine and to nothing else."""
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _only_here(getattr(socket.socket, name)))


def _only_here(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise RuntimeError(f"a test wanted to reach {address[0]}; serve it on loopback instead")
        return connect(self, address)

    return guarded


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture
def data_folder() -> Path:
    """Return the folder of real data, which is no part of the repository."""
    folder = os.environ.get("MANIFIESTA_DATA")
    if not folder:
        pytest.skip("real data is tried only where MANIFIESTA_DATA names its folder")
    return Path(folder)


# --- databases -------------------------------------------------------------------------------


@dataclass
class PostgresServer:
    """A server of the tests' own, on loopback, that trusts whoever connects."""

    port: int
    control: Callable[..., Any]
    start: Callable[[int], bool]
    numbers: Iterator[int] = field(default_factory=count)

    def restart(self, meanwhile: Callable[[], object]) -> None:
        """Stop the server under its clients, do something, and start it on the same port."""
        self.control("pg_ctl", "stop", "-m", "fast", "-w")
        meanwhile()
        if not self.start(self.port):
            pytest.fail("PostgreSQL did not start again")

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def command(self, sql: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(sql)
        finally:
            engine.dispose()

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Make a database, give its address, and drop it."""
        name = f"tests_{next(self.numbers)}"
        self.command(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.url(name)
        self.command(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start PostgreSQL as another user where this one is root, which it refuses to run as."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip(ABSENT)
    folder = Path(tempfile.mkdtemp(prefix="manifiesta-postgres-"))
    as_user = _unprivileged(folder)
    data, log = folder / "data", folder / "log"

    def call(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*as_user, str(programs / program), "-D", str(data), *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )

    try:
        made = call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        if made.returncode:
            pytest.fail(f"initdb failed: {made.stdout}")
        port = next((p for p in _free_ports(5) if _start(call, folder, p)), None)
        if port is None:
            pytest.fail(f"PostgreSQL did not start: {log.read_text() if log.exists() else ''}")
        try:
            yield PostgresServer(port, call, lambda again: _start(call, folder, again))
        finally:
            call("pg_ctl", "stop", "-m", "immediate", "-w")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(call: Callable[..., Any], folder: Path, port: int) -> bool:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": 40,
        "shared_buffers": "32MB",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    log = str(folder / "log")
    return not call("pg_ctl", "start", "-w", "-t", "60", "-l", log, "-o", options).returncode


def _free_ports(tries: int) -> Iterator[int]:
    for _ in range(tries):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        yield port


def _postgres_programs() -> Path | None:
    """Return the newest folder that holds PostgreSQL's own programs, if there is one."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda f: f.parent.name.zfill(4),
        reverse=True,
    )
    needed = ("initdb", "pg_ctl", "postgres")
    return next((f for f in folders if all((f / name).exists() for name in needed)), None)


def _unprivileged(folder: Path) -> list[str]:
    """Hand the folder to a user who is not root, and return how to run a command as that user."""
    if os.geteuid() != 0:
        return []
    users = {user.pw_name for user in pwd.getpwall()}
    user = "postgres" if "postgres" in users else "nobody"
    shutil.chown(folder, user)
    return ["runuser", "-u", user, "--"]


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    """Return the name of a migrated database, which copies are made from."""
    with postgres_server.database() as url:
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
        yield url.rpartition("/")[2]


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a database without tables, on each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'manifiesta.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.database() as url:
            yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated SQLite file, which copies are made from."""
    path = tmp_path_factory.mktemp("template") / "manifiesta.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_engine(tmp_path: Path, sqlite_template: Path) -> Iterator[Engine]:
    """Open a migrated SQLite file of its own."""
    path = tmp_path / "manifiesta.db"
    shutil.copyfile(sqlite_template, path)
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Engine]:
    """Open a migrated PostgreSQL database of its own."""
    with postgres_server.database(postgres_template) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Open a migrated database of each kind."""
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    opened: Engine = request.getfixturevalue(f"{kind}_engine")
    return opened


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One real Chromium for the pages of each module."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield chromium
        chromium.close()
