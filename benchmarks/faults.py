"""Kill a run with SIGKILL at seeded random moments of all stages, resume it, compare every row.

``python benchmarks/faults.py [--kills 100] [--seed 2021] [--postgres ADDRESS]``

Each round is a command on an empty database: `manifiesta run`, which crawls three sources of
the simulated town, or `manifiesta rerun --replay` of their archive. It is killed, and so is the
`manifiesta resume` that goes on, five times in all, before one is left to end. Then the tables
are compared, row for row, with those of a command that nothing disturbed. With ``--postgres``, the
address of a server on which databases may be made, every fifth round uses a database there,
otherwise a file of SQLite.

A moment is drawn as a stage and how much of its time has passed, so that short stages are hit as
often as long ones; the stage in which a kill really fell is told. Killed is the process of
the command. So that a round takes seconds, it is a fork of this one, which has imported what a
command imports and made the gazetteer, which depends on nothing but the configuration.
"""

import argparse
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from sqlalchemy import Engine, Integer, Table, create_engine
from sqlalchemy import select as query

from configs.load import load_municipality
from configs.schema import SHIPPED
from flows.environment import prepare_prefect
from flows.server import standing_server
from models.tables import Base, UtcDateTime
from pipelines.store.engine import open_engine

CODE = "prueba"
SOURCES = ("radio-huaycan", "muni-noticias", "foro-santa-clara")
DAYS = ("--from", "2021-09-01", "--to", "2021-09-08")
KEY = "a key that only this trial uses"
KILLS_A_ROUND = 5
"""Each is meant for another stage: a partition that is under way in three is set aside."""

STAGES: Mapping[str, Sequence[str]] = {
    "start": (),
    "collect": ("flows.rerun._collect", "flows.monitor._collect"),
    "classify": ("flows.rerun._classify", "pipelines.analyse.classify_window"),
    "near-duplicates": ("pipelines.analyse.update_clusters",),
    "places": ("pipelines.analyse.place_window",),
    "search": ("pipelines.analyse.index_texts",),
    "lenses": ("pipelines.analyse.look_at_window",),
    "count": ("pipelines.analyse.aggregate",),
    "findings": ("pipelines.analyse.discover",),
    "demands": ("pipelines.analyse.propose",),
    "report": ("flows.rerun.report_run", "flows.monitor.report_run"),
}
"""The stages in their order, and the functions by whose call each begins."""

NAMES = tuple(STAGES)

OF_THE_ATTEMPTS = frozenset(
    {"run", "lease", "audit_event", "notification", "capture", "validator", "source_state"}
    | {"partition_version", "search_day"}
)
"""Tables that tell what was tried, and how often, and not what it gave."""

OF_ONE_ATTEMPT = frozenset({"run_id", "capture_id", "attempts"})
"""Columns of the same kind."""

OF_THE_ORDER: Mapping[str, frozenset[str]] = {
    "near_duplicate": frozenset({"position"}),
    "partition_facts": frozenset({"version", "facts", "labels"}),
    "run_input": frozenset({"labels"}),
    "search_facet": frozenset({"basis_id", "text_id"}),
}
"""What hangs on the order in which sources came in: of copies, the first names all of them."""

SAID = "said_at"
"""The one moment that is not of our doing: all others differ between any two runs."""


@dataclass(frozen=True)
class Kind:
    """A command to be disturbed, and what an undisturbed one left and took."""

    words: tuple[str, ...]
    with_archive: bool
    seconds: dict[str, float] = field(default_factory=dict)
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)


# --- a command in a process of its own -------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """A process that runs a command, and the pipe on which it says which stage it has begun."""

    pid: int
    said: int

    def end(self) -> int:
        """Wait for its end; return its exit code, minus the signal's number if it was killed."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.said)
        return code


def start(
    words: Sequence[str],
    home: Path,
    database: str | None,
    output: Path,
    imported: Path | None = None,
) -> Command:
    """Fork a process that runs the command line; ``imported`` is to list what it imported."""
    said, says = os.pipe()
    pid = os.fork()
    if pid:
        os.close(says)
        return Command(pid, said)
    code = 1
    try:
        os.close(said)
        with output.open("ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        os.environ["MANIFIESTA_HOME"] = str(home)
        if database:
            os.environ["MANIFIESTA_DATABASE_URL"] = database
        for number, functions in enumerate(STAGES.values()):
            for name in functions:
                announce(name, says, number)
        sys.argv = ["manifiesta", *words]
        import_module("flows.cli").main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        if imported is not None:
            imported.write_text("\n".join(sys.modules))
        os._exit(code)


def announce(name: str, says: int, number: int) -> None:
    """Have a function say the number of its stage whenever it is called."""
    place, _, attribute = name.rpartition(".")
    module = import_module(place)
    whole: Callable[..., Any] = getattr(module, attribute)

    def announced(*arguments: Any, **options: Any) -> Any:
        os.write(says, bytes([number]))
        return whole(*arguments, **options)

    setattr(module, attribute, announced)


def watch(command: Command, seconds: dict[str, float]) -> int:
    """Let a command end; keep how long each stage took."""
    stage, since = NAMES[0], time.monotonic()
    while said := os.read(command.said, 1):
        now = time.monotonic()
        seconds[stage] = seconds.get(stage, 0) + now - since
        stage, since = NAMES[said[0]], now
    seconds[stage] = seconds.get(stage, 0) + time.monotonic() - since
    return command.end()


def kill(command: Command, target: str, wait: float) -> str | None:
    """Kill a command so long after a stage began; return the stage in which it then was.

    A stage that is left out, because nothing is left to do in it, is taken for the next one.
    None: the command had ended before.
    """
    stage, aim = 0, NAMES.index(target)
    due = time.monotonic() + wait if aim == 0 else None
    while True:
        left = None if due is None else max(0.0, due - time.monotonic())
        if not select.select([command.said], [], [], left)[0]:
            break
        said = os.read(command.said, 1)
        if not said:
            return stage_at_end(command, stage)
        stage = said[0]
        if due is None and stage >= aim:
            due = time.monotonic() + wait
    os.kill(command.pid, signal.SIGKILL)
    return stage_at_end(command, stage)


def stage_at_end(command: Command, stage: int) -> str | None:
    """Return the stage that a command said last, or None if it was not killed in it."""
    os.set_blocking(command.said, True)
    while select.select([command.said], [], [], 0)[0] and (said := os.read(command.said, 1)):
        stage = said[0]
    return NAMES[stage] if command.end() == -signal.SIGKILL else None


# --- what is left in the tables --------------------------------------------------------------


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every table that tells what a run gave, in an order of their own."""
    with engine.connect() as connection:
        run_id = connection.exec_driver_sql("SELECT max(id) FROM run").scalar_one()
        found = {}
        for table in Base.metadata.sorted_tables:
            if table.name in OF_THE_ATTEMPTS:
                continue
            chosen = query(table)
            if "run_id" in table.c:
                chosen = chosen.where(table.c.run_id == run_id)
            rows = [dict(row) for row in connection.execute(chosen).mappings()]
            if table.name == "near_duplicate":
                name_clusters(rows)
            found[table.name] = sorted((comparable(table, row) for row in rows), key=repr)
    return found


def comparable(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Leave out what differs between any two runs: serial numbers, ids of runs, our own clock."""
    values = []
    for column in table.columns:
        serial = column.name == "id" and isinstance(column.type, Integer)
        if serial or column.name in OF_ONE_ATTEMPT | OF_THE_ORDER.get(table.name, frozenset()):
            continue
        value = row[column.name]
        if column.name == "checksum" and row["stage"] == "count":
            continue  # of the facts, which hang on the order too
        is_ours = isinstance(column.type, UtcDateTime) and column.name != SAID
        values.append((column.name, value is not None if is_ours else value))
    return tuple(values)


def name_clusters(rows: list[dict[str, Any]]) -> None:
    """Name each cluster by its smallest member: by which came first it depends on the network."""
    smallest: dict[str, str] = {}
    for row in rows:
        cluster, member = row["cluster_id"], row["manifestation_id"]
        smallest[cluster] = min(member, smallest.get(cluster, member))
    for row in rows:
        row["cluster_id"] = smallest[row["cluster_id"]]


def differences(
    expected: Mapping[str, list[tuple[Any, ...]]], found: Mapping[str, list[tuple[Any, ...]]]
) -> list[str]:
    """Say in which tables rows differ, how many, and show one of each side."""
    told = []
    for name, rows in expected.items():
        mine, theirs = Counter(map(repr, rows)), Counter(map(repr, found[name]))
        lost, more = mine - theirs, theirs - mine
        if lost or more:
            example = "\n".join(f"    {one[:600]}" for one in (*list(lost)[:1], *list(more)[:1]))
            told.append(f"{name}: {lost.total()} rows lost, {more.total()} others\n{example}")
    return told


# --- the trial -------------------------------------------------------------------------------


@dataclass
class Trial:
    """Where rounds take place, and what came of them."""

    folder: Path
    archived: Path
    kinds: Sequence[Kind]
    postgres: str | None
    chance: random.Random
    fell: Counter[tuple[str, str]] = field(default_factory=Counter)
    unequal: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many there were."""
        return self.fell.total()

    def round(self, number: int, kills: int) -> None:
        """Kill a command up to so many times, let it end, and compare."""
        kind = self.kinds[number % len(self.kinds)]
        on_postgres = self.postgres is not None and number % 5 == 4
        home, output = self.folder / f"home-{number}", self.folder / "output"
        output.write_bytes(b"")
        prepare(home, self.archived if kind.with_archive else None)
        with database(self.postgres, f"faults_{number}") if on_postgres else nullcontext() as url:
            where = "postgresql" if url else "sqlite"
            words, moments = kind.words, []
            for target in sorted(self.chance.sample(NAMES, kills), key=NAMES.index):
                share = self.chance.random()
                stage = kill(start(words, home, url, output), target, share * kind.seconds[target])
                if stage is None:
                    break
                moments.append(stage)
                words = ("resume", "-m", CODE) if began(home, url) else kind.words
            code = start(words, home, url, output).end()
            engine = open_engine(url or f"sqlite:///{home / 'manifiesta.db'}")
            told = [f"exit code {code}: {output.read_text()[-2000:]}"] if code else []
            told += differences(kind.rows, contents(engine))
            engine.dispose()
        self.fell.update((where, stage) for stage in moments)
        verdict = "equal" if not told else "UNEQUAL"
        print(f"{number:3} {where:10} {kind.words[0]:6} {verdict:8} {', '.join(moments)}")
        for one in told:
            print(f"  {one}")
        sys.stdout.flush()
        if told:
            self.unequal.append(f"round {number}")
        shutil.rmtree(home)


def began(home: Path, url: str | None) -> bool:
    """Say whether the command came as far as to open a run: else there is none to resume."""
    file = home / "manifiesta.db"
    if url is None and not file.exists():
        return False
    engine = open_engine(url or f"sqlite:///{file}")
    try:
        with engine.connect() as connection:
            if not engine.dialect.has_table(connection, "run"):
                return False
            return bool(connection.exec_driver_sql("SELECT count(*) FROM run").scalar_one())
    finally:
        engine.dispose()


def prepare(home: Path, archived: Path | None) -> None:
    """Make a home with a municipality, and with an archive where one is given."""
    if archived is not None:
        shutil.copytree(archived, home)
        return
    shipped = yaml.safe_load((SHIPPED / "municipalities" / "sandbox.yml").read_text())
    chosen = [source for source in shipped["sources"] if source["name"] in SOURCES]
    folder = home / "municipalities"
    folder.mkdir(parents=True)
    document = shipped | {"code": CODE, "sources": chosen}
    (folder / f"{CODE}.yml").write_text(yaml.safe_dump(document, allow_unicode=True))


@contextmanager
def database(server: str | None, name: str) -> Iterator[str]:
    """Make a database on a server, give its address, and drop it."""
    assert server is not None
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
        yield engine.url.set(database=name).render_as_string(hide_password=False)
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@contextmanager
def town() -> Iterator[str]:
    """Serve the town from a process of its own: one that forks has no threads."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = "from flows.cli import main; main()"
    command = [sys.executable, "-c", serve, "sandbox", "serve", "--port", str(port)]
    silent = subprocess.DEVNULL
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=silent, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def warm_up(kind: Kind, home: Path, output: Path) -> None:
    """Run a command to its end, and have ready for all forks what it needed."""
    imported = home / "imported"
    finished(start(kind.words, home, None, output, imported), {}, output)
    for name in imported.read_text().split():
        with suppress(ImportError):  # what was made up by the module that it names
            import_module(name)
    imported.unlink()
    places = import_module("nlp.places")
    made = places.Gazetteer.of(load_municipality(CODE, home / "municipalities"))
    places.Gazetteer.of = lambda _municipality: made


def undisturbed(kind: Kind, home: Path, output: Path) -> None:
    """Run a command to its end; keep its rows, and how long its stages took."""
    finished(start(kind.words, home, None, output), kind.seconds, output)
    engine = open_engine(f"sqlite:///{home / 'manifiesta.db'}")
    kind.rows.update(contents(engine))
    engine.dispose()


def finished(command: Command, seconds: dict[str, float], output: Path) -> None:
    """Watch a command that nothing disturbs, and give up if it fails."""
    if code := watch(command, seconds):
        sys.exit(f"Without any kill it ended with {code}: {output.read_text()}")


def main(arguments: Sequence[str]) -> int:
    """Run the trial; the exit code is 1 if any row differed."""
    parser = argparse.ArgumentParser(description="Kill, resume, compare every row.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2021)
    parser.add_argument("--postgres", help="address of a server on which databases may be made")
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that servers end with it
    os.environ["MANIFIESTA_PSEUDONYM_KEY"] = KEY
    os.environ.pop("MANIFIESTA_DATABASE_URL", None)
    with TemporaryDirectory(prefix="manifiesta-faults-") as place, town() as address:
        folder = Path(place)
        prepare_prefect(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with standing_server(port) as api:
            os.environ["PREFECT_API_URL"] = api
            common = ("-m", CODE, *DAYS, "--base-url", address)
            crawl = Kind(("run", *common), with_archive=False)
            replay = Kind(("rerun", *common, "--replay"), with_archive=True)
            first, archived, output = folder / "first", folder / "archived", folder / "output"
            prepare(first, None)
            warm_up(crawl, first, output)
            unwanted = shutil.ignore_patterns("*.db*", "reports", "prefect")
            shutil.copytree(first, archived, ignore=unwanted)
            for kind in (crawl, replay):
                home = folder / kind.words[0]
                prepare(home, archived if kind.with_archive else None)
                undisturbed(kind, home, output)
            trial = Trial(
                folder,
                archived,
                (crawl, replay),
                asked.postgres,
                random.Random(asked.seed),
            )
            number = 0
            try:
                while trial.kills < asked.kills:
                    trial.round(number, min(KILLS_A_ROUND, asked.kills - trial.kills))
                    number += 1
            except KeyboardInterrupt:
                print("interrupted: the round that was under way does not count")
    return told(trial, number)


def told(trial: Trial, rounds: int) -> int:
    """Print how many kills there were in which stage; return the exit code."""
    print(f"{trial.kills} kills in {rounds} rounds; rows differ in {len(trial.unequal)}")
    for (where, stage), count in sorted(
        trial.fell.items(), key=lambda one: (one[0][0], NAMES.index(one[0][1]))
    ):
        print(f"  {where:10} {stage:16} {count:3}")
    return 1 if trial.unequal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
