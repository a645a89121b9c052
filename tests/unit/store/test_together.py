"""Several writers at once: all that each wrote is there, once."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from subprocess import PIPE, Popen
from threading import Barrier
from typing import Any

from models.records import State
from models.tables import ClassificationRow, ManifestationRow, RunRow
from pipelines.store.engine import open_engine
from pipelines.store.migrate import current_revision, newest_revision
from pipelines.store.write import Store
from tests.unit.store.builders import TAXONOMY, begun, classified, municipality, rows, said, save

VILLA = municipality()


def together(*works: Callable[[], Any]) -> list[Any]:
    """Do several things in threads that set out at the same moment."""
    ready = Barrier(len(works))

    def set_out(work: Callable[[], Any]) -> Any:
        ready.wait(timeout=30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(set_out, work) for work in works]]


def test_two_writers_of_different_sources(store: Store) -> None:
    run_id = begun(store)

    def write(source: str) -> int:
        batches = range(0, 100, 10)
        return sum(
            store.save_collected(
                run_id, VILLA, source, [said(n, source=source) for n in range(b, b + 10)]
            ).new
            for b in batches
        )

    assert together(lambda: write("diario"), lambda: write("foro")) == [100, 100]
    assert len(rows(store.engine, ManifestationRow)) == 200


def test_two_writers_of_the_same_manifestations(store: Store) -> None:
    """One reads them forwards and one backwards, so each soon wants a row that the other holds."""
    run_id = begun(store)
    batch = [said(n) for n in range(2_000)]
    edited = [said(n, "La pista ya está arreglada") for n in reversed(range(2_000))]
    together(
        lambda: store.save_collected(run_id, VILLA, "diario", batch),
        lambda: store.save_collected(run_id, VILLA, "diario", edited),
    )
    texts = [row["text"] for row in rows(store.engine, ManifestationRow)]
    assert len(texts) == 2_000
    assert len(set(texts)) == 1


def test_two_classifiers_of_the_same_texts(store: Store) -> None:
    items = [said(n) for n in range(1_000)]
    save(store, begun(store), *items)
    forwards = [classified(item, "transport") for item in items]
    backwards = [classified(item, "water") for item in reversed(items)]
    together(
        lambda: store.save_classifications(TAXONOMY, forwards),
        lambda: store.save_classifications(TAXONOMY, backwards),
    )
    categories = [row["category"] for row in rows(store.engine, ClassificationRow)]
    assert len(categories) == 1_000
    assert set(categories) in ({"transport"}, {"water"})


def test_two_runs_that_begin_and_end_at_once(store: Store) -> None:
    def run() -> str:
        run_id = begun(store)
        store.end_run(run_id, State.DONE)
        return run_id

    ids = together(run, run, run)
    assert sorted(ids) == [row["id"] for row in rows(store.engine, RunRow)]
    assert {row["state"] for row in rows(store.engine, RunRow)} == {"done"}


PROGRAM = """
import sys
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
engine = open_engine(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate(engine)
"""


def test_two_programs_that_find_an_empty_database(empty_url: str) -> None:
    programs = [
        Popen([sys.executable, "-c", PROGRAM, empty_url], stdin=PIPE, stdout=PIPE, text=True)
        for _ in range(2)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    for program in programs:
        program.communicate(timeout=60)
    assert [program.returncode for program in programs] == [0, 0]
    engine = open_engine(empty_url)
    assert current_revision(engine) == newest_revision()
    engine.dispose()
