"""What machines do to a run: the database goes away, the disk is full, the clock is set back."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, text

from models.errors import StoreError
from models.records import Stage, State, Window
from models.tables import ManifestationRow
from pipelines.ledger import recorded_run
from pipelines.rerun import FATAL, TRIES, Wish, Work, left_of, note_plan, plan_collection
from pipelines.store.ledger import lines_of, settled_days
from pipelines.store.write import Partition, Store
from tests.conftest import PostgresServer
from tests.unit.store.builders import LIMA, MARCH, begun, municipality, rows, said, save, start

VILLA = municipality()


def test_writes_go_on_once_a_database_that_went_away_under_load_is_back(
    postgres_engine: Engine, postgres_server: PostgresServer
) -> None:
    store, run = Store(postgres_engine), begun(Store(postgres_engine))
    batches = [[said(100 * batch + n) for n in range(20)] for batch in range(30)]
    lost: list[str] = []
    under_way, again = Event(), Event()

    def write() -> None:
        for number, batch in enumerate(batches):
            while True:
                try:
                    save(store, run, *batch)
                    break
                except StoreError as error:
                    lost.append(str(error))
            if number == 3:
                under_way.set()
                again.wait(60)

    writer = Thread(target=write)
    writer.start()
    assert under_way.wait(60)
    postgres_server.restart(meanwhile=again.set)
    writer.join(120)
    assert not writer.is_alive()
    stored = {row["external_id"] for row in rows(postgres_engine, ManifestationRow)}
    assert stored == {one.external_id for batch in batches for one in batch}
    told = ("does not answer", "went away", "is starting or stopping")
    assert [one for one in lost if not any(words in one for words in told)] == []


_FILL = """
import resource, sys
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Store
from tests.unit.store.builders import begun, said, save
engine = open_engine(sys.argv[1])
migrate(engine)
store = Store(engine)
run = begun(store)
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
for batch in range(20):
    save(store, run, *(said(100 * batch + n, text="pista rota " * 50) for n in range(50)))
"""


def test_a_full_disk_is_told_and_what_was_stored_before_it_is_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'manifiesta.db'}"

    def fill(limit: int) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", _FILL, url, str(limit)]
        root = Path(__file__).parents[3]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    full = fill(600_000)
    assert full.returncode == 1
    assert "StoreError" in full.stderr
    assert "Free some space" in full.stderr
    from pipelines.store.engine import open_engine

    engine = open_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        stored = connection.execute(text("SELECT count(*) FROM manifestation")).scalar_one()
    assert stored < 1_000
    assert stored % 50 == 0  # whole batches or nothing
    assert fill(0).returncode == 0
    assert len(rows(engine, ManifestationRow)) == 1_000
    engine.dispose()


def test_after_the_clock_was_set_back_the_newest_run_is_still_the_one_begun_last(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = begun(store)

    class Back(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Back":
            return cls.fromtimestamp(datetime.now(UTC).timestamp() - 7_200, UTC)

    monkeypatch.setattr("pipelines.store.write.datetime", Back)
    with recorded_run(store, VILLA, start()) as run:
        assert run.id > before


@pytest.mark.parametrize(
    ("read_at", "settled"),
    [
        (datetime(2026, 4, 1, 3, 0, tzinfo=UTC), False),  # in Lima still the 31st of March
        (datetime(2026, 4, 1, 5, 0, tzinfo=UTC), True),  # midnight in Lima
    ],
)
def test_a_day_is_over_at_midnight_in_lima_not_at_the_end_of_the_month_in_utc(
    store: Store, read_at: datetime, settled: bool
) -> None:
    day = date(2026, 3, 31)
    run = begun(store)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE run SET started_at = :at"), {"at": read_at})
    store.save_partitions(run, [Partition("diario", day, Stage.COLLECT, State.DONE, 1)])
    none = timedelta(0)
    assert (("diario", day) in settled_days(store.engine, "villa", MARCH, none)) is settled


def test_recent_days_are_open_again_for_what_came_late(store: Store, tmp_path: Path) -> None:
    window = Window(date(2026, 3, 1), date(2026, 3, 11), LIMA)
    run = begun(store)
    read_at = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE run SET started_at = :at"), {"at": read_at})
    read = [Partition("diario", day, Stage.COLLECT, State.DONE, 1) for day in window.days]
    store.save_partitions(run, read)
    work = Work("", None, VILLA, window, "t", "1")
    now = datetime(2026, 3, 20, tzinfo=UTC)
    due = plan_collection(store, work, Wish(), tmp_path, now)
    assert due["diario"] == [date(2026, 3, day) for day in (7, 8, 9, 10)]  # less than 3 days old
    assert due["foro"] == window.days
    early = plan_collection(store, work, Wish(), tmp_path, datetime(2026, 3, 9, tzinfo=UTC))
    assert max(early["foro"]) == date(2026, 3, 8)  # nothing is asked of days to come


def test_a_partition_that_was_under_way_at_three_deaths_is_set_aside_and_the_rest_goes_on(
    store: Store,
) -> None:
    day, run = date(2026, 3, 5), begun(store)
    work = Work(run, None, VILLA, MARCH, "t", "1")
    note_plan(store, work, Stage.CLASSIFY, [("diario", day), ("foro", day)])
    for _ in range(TRIES):  # each time the kernel ends the process for want of memory, say
        assert {one.source for one in left_of(store, work, Stage.CLASSIFY)} == {"diario", "foro"}
        store.begin_partitions(run, Stage.CLASSIFY, [("diario", day)])
    assert [one.source for one in left_of(store, work, Stage.CLASSIFY)] == ["foro"]
    (aside,) = [one for one in lines_of(store.engine, run) if one.source == "diario"]
    assert (aside.state, aside.error) == (State.FAILED, FATAL)
