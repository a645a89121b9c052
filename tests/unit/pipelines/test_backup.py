"""What a backup brings back equals what was there, on either kind of database."""

import json
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from models.errors import InputError, StoreError
from models.records import State
from models.tables import AuditRow, PartitionFactsRow
from pipelines.backup import back_up, restore
from pipelines.ledger import recorded_run
from pipelines.store.engine import open_engine
from pipelines.store.snapshot import one_moment, tables
from pipelines.store.write import Store
from tests.unit.store.builders import (
    TAXONOMY,
    at,
    begun,
    classified,
    municipality,
    said,
    save,
    start,
)

VILLA = municipality()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "vivienda"
    archive = folder / "archive" / "villa" / "diario"
    archive.mkdir(parents=True)
    (archive / "1.warc.gz").write_bytes(bytes(range(256)) * 50)
    (folder / "pseudonym.key").write_text("f" * 64)
    (folder / "prefect").mkdir()
    (folder / "prefect" / "prefect.db").write_text("no part of it")
    return folder


def filled(store: Store) -> Store:
    run = begun(store)
    texts = [said(n, text=f"Pista «rota» n.º {n} 🚧\nde noche") for n in range(5)]
    save(store, run, *texts)
    store.save_classifications(TAXONOMY, [classified(one) for one in texts[:3]])
    store.end_run(run, State.PARTIAL, "una fuente")
    with store.engine.begin() as connection:
        connection.execute(
            insert(AuditRow).values(
                at=at(3), actor="ana", action="purge", municipality="villa", detail={"n": 0.1}
            )
        )
        connection.execute(
            insert(PartitionFactsRow).values(
                municipality="villa",
                source="diario",
                day=at(3).date(),
                recipe="r",
                version=1,
                rows=1,
                texts="t",
                corrections="c",
                labels="l",
                facts=bytes(range(256)),
            )
        )
    return store


def content(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with one_moment(engine) as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in tables()
        }


def test_everything_comes_back_and_counts_on(
    store: Store, home: Path, tmp_path: Path, empty_url: str
) -> None:
    before = content(filled(store).engine)
    made = back_up(store.engine, home, tmp_path / "copia.tar", "1.2.3")
    assert made.rows["manifestation"] == 5
    assert (tmp_path / "copia.tar").stat().st_mode & 0o777 == 0o600

    new = tmp_path / "nueva"
    is_file = empty_url.startswith("sqlite")
    engine = open_engine(f"sqlite:///{new}/manifiesta.db" if is_file else empty_url)
    back = restore(lambda: engine, new, tmp_path / "copia.tar")

    assert back == made
    assert content(engine) == before
    warc = Path("archive/villa/diario/1.warc.gz")
    assert (new / warc).read_bytes() == (home / warc).read_bytes()
    assert (new / "pseudonym.key").read_text() == "f" * 64
    assert (new / "archive").stat().st_mode & 0o777 == 0o700
    assert not (new / "prefect").exists()
    with engine.begin() as connection:  # serial numbers go on from the highest
        connection.execute(
            insert(AuditRow).values(
                at=at(4), actor="b", action="purge", municipality="villa", detail={}
            )
        )
    with recorded_run(Store(engine), VILLA, start()):
        pass
    with pytest.raises(StoreError, match="not empty"):
        restore(lambda: engine, tmp_path / "otra", tmp_path / "copia.tar")
    engine.dispose()


def test_what_is_written_meanwhile_is_in_no_part_of_it(
    store: Store, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    before = content(store.engine)
    from pipelines import backup

    whole = backup.lines_of

    def meanwhile(connection: object, table: object) -> object:
        save(store, begun(store), said(100 + len(list(home.iterdir())), text="después"))
        (home / f"mark{len(list(home.iterdir()))}").touch()
        return whole(connection, table)  # type: ignore[arg-type]

    monkeypatch.setattr(backup, "lines_of", meanwhile)
    made = back_up(store.engine, home, tmp_path / "copia.tar", "1")
    assert made.rows == {name: len(rows) for name, rows in before.items()}


def test_a_damaged_or_foreign_file_changes_nothing(
    sqlite_engine: Engine, home: Path, tmp_path: Path
) -> None:
    path, new = tmp_path / "copia.tar", tmp_path / "nueva"
    back_up(filled(Store(sqlite_engine)).engine, home, path, "1")

    def refused(why: str) -> None:
        with pytest.raises(InputError, match=why):
            restore(lambda: open_engine(f"sqlite:///{new}/manifiesta.db"), new, path)
        assert not new.exists()

    whole = path.read_bytes()
    at_byte = whole.index(bytes(range(200)))
    path.write_bytes(whole[:at_byte] + b"\0\1" + whole[at_byte + 2 :].replace(b"\5", b"\6", 1))
    refused("1.warc.gz is not what was written")
    path.write_bytes(whole[: len(whole) // 2])
    refused("no backup")
    path.write_text("hello")
    refused("no backup")


def test_a_backup_of_another_revision_says_which_version_reads_it(
    sqlite_engine: Engine, home: Path, tmp_path: Path
) -> None:
    path, old = tmp_path / "copia.tar", tmp_path / "vieja.tar"
    back_up(sqlite_engine, home, path, "0.0.9")
    with tarfile.open(path) as tar, tarfile.open(old, "w") as out:
        for member in tar.getmembers():
            file = tar.extractfile(member)
            assert file is not None
            if member.name == "manifest.json":
                about = json.loads(file.read()) | {"revision": "0001"}
                (tmp_path / "manifest.json").write_text(json.dumps(about))
                out.add(tmp_path / "manifest.json", "manifest.json")
            else:
                out.addfile(member, file)
    with pytest.raises(InputError, match=r"Manifiesta 0\.0\.9 at revision 0001"):
        restore(lambda: sqlite_engine, tmp_path / "nueva", old)


def test_a_file_that_is_there_is_not_overwritten(
    sqlite_engine: Engine, home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "copia.tar"
    path.write_text("yesterday's")
    with pytest.raises(InputError, match="there already"):
        back_up(sqlite_engine, home, path, "1")
    assert path.read_text() == "yesterday's"
