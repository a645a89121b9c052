"""Importing a file: every row ends stored or rejected, and columns are remembered."""

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

import pipelines.importing
from models.errors import ConfigError, InputError
from models.records import Outcome, State, Window
from models.tables import ManifestationRow, PartitionRow, RejectionRow, RunRow, SourceRow
from pipelines.importing import Imported, import_file, upload_source
from pipelines.ledger import STOPPED
from pipelines.privacy import Pseudonymiser
from pipelines.store.collecting import Saved
from pipelines.store.crawled import remembered_source
from pipelines.store.read import find_run, latest_runs
from pipelines.store.write import Store
from tests.unit.pipelines.fakes import quiet
from tests.unit.store.builders import MARCH, municipality, rows, start

VILLA = municipality()
SECRET = Pseudonymiser("villa", b"a secret of sixteen")
HEADER = ("fecha", "texto")
GOOD = [("2026-03-01 10:00", "Falta agua"), ("2026-03-03 23:59", "Bonito parque")]


def write(path: Path, body: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *body])
    return path


def load(store: Store, path: Path, name: str = "buzon", **given: str) -> Imported:
    source = upload_source(store, VILLA, name, path, given)
    return import_file(store, VILLA, SECRET, source, path, start(MARCH, "import"), quiet)


def test_a_good_file(store: Store, tmp_path: Path) -> None:
    done = load(store, write(tmp_path / "buzon.csv", GOOD))
    assert (done.rows, done.saved, done.state) == (2, Saved(new=2), State.DONE)
    assert (done.first, done.last) == (date(2026, 3, 1), date(2026, 3, 3))
    run = find_run(store.engine, done.run_id)
    assert (run.state, run.command) == ("done", "import")
    assert (run.window_from, run.window_to) == (date(2026, 3, 1), date(2026, 3, 4))
    found = [
        (row["day"].day, row["state"], row["rows"]) for row in rows(store.engine, PartitionRow)
    ]
    assert found == [(1, "done", 1), (2, "done", 0), (3, "done", 1)]
    stored = {row["text"]: row["said_on"].day for row in rows(store.engine, ManifestationRow)}
    assert stored == {"Falta agua": 1, "Bonito parque": 3}


def test_a_file_covers_also_days_on_which_nobody_spoke(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "buzon.csv", GOOD)
    source = upload_source(store, VILLA, "buzon", path, {})
    week = Window(date(2026, 2, 28), date(2026, 3, 3), VILLA.zone)
    begin = start(MARCH, "import")
    done = import_file(store, VILLA, SECRET, source, path, begin, quiet, week)
    found = {(row["day"], row["state"], row["rows"]) for row in rows(store.engine, PartitionRow)}
    assert found == {
        (date(2026, 2, 28), "done", 0),
        (date(2026, 3, 1), "done", 1),
        (date(2026, 3, 2), "done", 0),
        (date(2026, 3, 3), "done", 1),
    }
    run = find_run(store.engine, done.run_id)
    assert (run.window_from, run.window_to) == (date(2026, 2, 28), date(2026, 3, 4))


def test_the_same_file_twice_is_all_known(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "buzon.csv", GOOD)
    load(store, path)
    before = rows(store.engine, ManifestationRow)
    again = load(store, path)
    assert (again.saved, again.state) == (Saved(known=2), State.DONE)
    assert rows(store.engine, ManifestationRow) == before
    assert len(rows(store.engine, RunRow)) == 2


def test_bad_rows_are_counted_and_the_rest_is_stored(store: Store, tmp_path: Path) -> None:
    body = [
        *GOOD,
        ("2026-03-02", ""),
        ("", "Sin fecha"),
        ("pronto", "Mala fecha"),
        ("31/02/2026", "Mala fecha también"),
        GOOD[0],
    ]
    done = load(store, write(tmp_path / "buzon.csv", body))
    assert (done.rows, done.saved, done.state) == (7, Saved(new=2), State.PARTIAL)
    assert done.rejections == {
        Outcome.NO_TEXT: 1,
        Outcome.NO_DATE: 1,
        Outcome.BAD_DATE: 2,
        Outcome.DUPLICATE: 1,
    }
    assert find_run(store.engine, done.run_id).state == "partial"
    assert len(rows(store.engine, RejectionRow)) == 5
    assert {one.where for one in done.examples} == {f"buzon.csv:{n}" for n in (4, 5, 6, 7, 8)}
    (reason,) = {row["error"] for row in rows(store.engine, PartitionRow)}
    assert "2 × bad_date" in reason


def test_a_repeated_row_alone_leaves_nothing_to_look_at(store: Store, tmp_path: Path) -> None:
    done = load(store, write(tmp_path / "buzon.csv", [*GOOD, GOOD[0]]))
    assert (done.state, done.rejections) == (State.DONE, {Outcome.DUPLICATE: 1})


def test_a_file_without_one_good_row_failed(store: Store, tmp_path: Path) -> None:
    done = load(store, write(tmp_path / "buzon.csv", [("", "Sin fecha"), ("2026-03-01", "")]))
    assert (done.rows, done.saved, done.state) == (2, Saved(), State.FAILED)
    assert find_run(store.engine, done.run_id).state == "failed"
    assert rows(store.engine, PartitionRow) == []


def test_a_file_of_a_header_alone_failed(store: Store, tmp_path: Path) -> None:
    done = load(store, write(tmp_path / "buzon.csv", []))
    assert (done.rows, done.state) == (0, State.FAILED)


def test_several_batches(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines.importing, "_BATCH", 4)
    body = [(f"2026-03-{n:02} 12:00", f"Texto {n}" if n % 5 else "") for n in range(1, 12)]
    done = load(store, write(tmp_path / "buzon.csv", body))
    assert (done.rows, done.saved.new, done.rejections) == (11, 9, {Outcome.NO_TEXT: 2})
    assert (done.first, done.last) == (date(2026, 3, 1), date(2026, 3, 11))


def test_a_file_that_breaks_off_keeps_what_was_read(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines.importing, "_BATCH", 2)
    path = write(tmp_path / "buzon.csv", [*GOOD, ("2026-03-05", "Se pierde")])
    source = upload_source(store, VILLA, "buzon", path, {})
    told: list[int] = []

    def interrupt(done: int, _total: int) -> None:
        told.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(store, VILLA, SECRET, source, path, start(MARCH, "import"), interrupt)
    assert told == [2]
    assert len(rows(store.engine, ManifestationRow)) == 2
    (run,) = latest_runs(store.engine, "villa", 5)
    assert (run.state, run.error) == ("failed", STOPPED)
    assert load(store, path).saved == Saved(new=1, known=2)


def test_personal_data_is_masked(store: Store, tmp_path: Path) -> None:
    body = [("2026-03-01", "Llamen al 987654321", "Rosa Quispe")]
    load(store, write(tmp_path / "buzon.csv", body, ("fecha", "texto", "autor")))
    (row,) = rows(store.engine, ManifestationRow)
    assert row["text"] == "Llamen al [teléfono]"
    assert row["author"] == SECRET.author("buzon", "Rosa Quispe")


# --- columns ---------------------------------------------------------------------------------

STRANGE = ("cuando", "que_paso", "quien")
BODY = [("2026-03-01", "Falta agua", "Rosa")]


def test_columns_that_are_given_once_are_remembered(store: Store, tmp_path: Path) -> None:
    first = write(tmp_path / "marzo.csv", BODY, STRANGE)
    load(store, first, text="que_paso", date="cuando", author="quien")
    second = write(tmp_path / "abril.csv", [("2026-04-01", "Falta luz", "Rosa")], STRANGE)
    done = load(store, second)
    assert done.saved == Saved(new=1)
    assert done.columns.model_dump(exclude_none=True) == {
        "text": "que_paso",
        "date": "cuando",
        "author": "quien",
    }


def test_a_column_that_is_given_wins_over_the_remembered_one(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "marzo.csv", BODY, STRANGE)
    load(store, path, text="que_paso", date="cuando")
    done = load(store, path, text="quien")
    assert (done.columns.text, done.columns.date) == ("quien", "cuando")
    known = remembered_source(store.engine, "villa", "buzon")
    assert known is not None
    assert known.columns == done.columns
    assert {row["text"] for row in rows(store.engine, ManifestationRow)} == {"Falta agua", "Rosa"}


def test_a_column_that_is_given_wins_over_a_guess(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [("2026-03-01", "uno", "dos")], ("fecha", "texto", "queja"))
    assert load(store, path, text="queja").columns.text == "queja"
    assert [row["text"] for row in rows(store.engine, ManifestationRow)] == ["dos"]


def test_sources_remember_for_themselves(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "marzo.csv", BODY, STRANGE)
    load(store, path, text="que_paso", date="cuando")
    with pytest.raises(InputError, match="which column holds the text"):
        load(store, path, name="otro-buzon")


def test_columns_that_nobody_knows_are_asked_for(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "marzo.csv", BODY, STRANGE)
    with pytest.raises(InputError, match=r"--text and --date\. .*cuando, que_paso, quien"):
        load(store, path, text="que_paso")
    assert rows(store.engine, RunRow) == []


def test_what_an_older_version_remembered_is_asked_for_again(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "marzo.csv", BODY, STRANGE)
    load(store, path, text="que_paso", date="cuando")
    with store.engine.begin() as connection:
        named = SourceRow.name == "buzon"
        was = connection.execute(select(SourceRow.config).where(named)).scalar_one()
        stale = was | {"robots": True, "kind": "rumour"}
        connection.execute(update(SourceRow).where(named).values(config=stale))

    with pytest.raises(InputError, match=r"source buzon cannot be read .*\(kind, robots\)"):
        load(store, path)
    again = load(store, path, text="que_paso", date="cuando")
    assert (again.saved.new, again.saved.known) == (0, len(BODY))
    assert load(store, path).columns == again.columns


def test_a_column_that_the_file_lacks_is_named(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "marzo.csv", GOOD)
    with pytest.raises(InputError, match=r"no column «testo».*Did you mean «texto»"):
        load(store, path, text="testo")
    assert rows(store.engine, RunRow) == []
    assert remembered_source(store.engine, "villa", "buzon") is None


@pytest.mark.parametrize("name", ["Mal Nombre", "ñandú", "a_b", "x" * 61, "-"])
def test_a_name_that_is_no_code_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="small letters, digits and hyphens"):
        load(store, write(tmp_path / "marzo.csv", GOOD), name=name)


def test_a_feed_takes_no_imports(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"«diario» is read by itself \(feed\)"):
        load(store, write(tmp_path / "marzo.csv", GOOD), name="diario")


# --- nothing is lost -------------------------------------------------------------------------

CELLS = st.one_of(
    st.sampled_from(
        ["", "2026-03-01", "2026-03-02 10:00", "ayer", "Falta agua", "nan", "9999-01-01"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_is_stored_or_rejected(
    sqlite_engine: Any, tmp_path: Path, body: list[list[str]]
) -> None:
    store = Store(sqlite_engine)
    before = len(rows(store.engine, RejectionRow))
    done = load(store, write(tmp_path / "any.csv", body))
    saved = done.saved
    assert done.rows == saved.new + saved.changed + saved.known + done.rejections.total()
    assert done.rows <= len(body)
    assert len(rows(store.engine, RejectionRow)) - before == done.rejections.total()
