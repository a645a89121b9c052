"""Zipped uploads: tables are read from them, and nothing that hostile zip files try works."""

import io
import os
import struct
import tempfile
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pipelines.unzip
from configs.schema import Source
from models.errors import InputError
from models.records import Extracted, Outcome, Protocol, Rejection
from pipelines.unzip import MAX_MEMBERS
from pipelines.upload import read_upload
from tests.unit.upload.test_upload import workbook

LIMA = ZoneInfo("America/Lima")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLE = "texto,fecha\nFalta agua,2026-02-01\n"
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def pack(path: Path, members: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return path


def read(path: Path) -> list[Extracted | Rejection]:
    source = Source(name="buzon", title="Buzón", protocol=Protocol.UPLOAD)
    return list(read_upload(path, source, LIMA, NOW))


def texts(path: Path) -> list[str]:
    return [record.text for record in read(path) if isinstance(record, Extracted)]


def left_behind() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob("manifiesta-unzip*"))


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


def test_a_table_among_what_systems_leave(tmp_path: Path) -> None:
    members: dict[str, str | bytes] = {
        "datos/": "",
        "datos/quejas.csv": TABLE,
        "__MACOSX/datos/._quejas.csv": b"\0\1",
        "datos/.DS_Store": b"\0",
        "léeme.pdf": b"%PDF",
    }
    assert texts(pack(tmp_path / "a.zip", members)) == ["Falta agua"]
    assert left_behind() == []


def test_every_format_and_several_parts(tmp_path: Path) -> None:
    book = workbook(tmp_path / "b.xlsx", [["texto", "fecha"], ["Hay ruido", "2026-02-03"]])
    members: dict[str, str | bytes] = {
        "1.csv": TABLE,
        "2.jsonl": '{"texto": "Falta luz", "fecha": "2026-02-02"}\n{"texto": "sin fecha"}\n',
        "3.xlsx": book.read_bytes(),
    }
    found = read(pack(tmp_path / "a.zip", members))
    assert [record.text for record in found if isinstance(record, Extracted)] == [
        "Falta agua",
        "Falta luz",
        "Hay ruido",
    ]
    (missing,) = (record for record in found if isinstance(record, Rejection))
    assert (missing.outcome, missing.where) == (Outcome.NO_DATE, "a.zip:2.jsonl:2")


def test_a_text_file_alone_is_a_table(tmp_path: Path) -> None:
    assert texts(pack(tmp_path / "a.zip", {"quejas.txt": TABLE})) == ["Falta agua"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"../../etc/cron.csv": TABLE}, "outside of its folder: «../../etc/cron.csv»"),
        ({"/etc/cron.csv": TABLE}, "outside of its folder"),
        ({"..\\..\\a.csv": TABLE}, "outside of its folder"),
        ({"C:\\a.csv": TABLE}, "outside of its folder"),
        ({"a.csv": TABLE, "dentro.zip": b"PK"}, "a packed file, «dentro.zip»"),
        ({"a.csv.gz": b"\x1f\x8b"}, "a packed file"),
        ({"foto.jpg": b"\xff", "nota.docx": b"PK"}, "but «foto.jpg», «nota.docx»"),
        ({}, "holds no .csv, .jsonl or .xlsx, but nothing"),
        ({"a.csv": TABLE, "b.csv": "texto,dia\nx,2026-01-01\n"}, "with different columns"),
        ({"a.csv": ""}, "a.zip, in it a.csv, is empty"),
        ({f"{n}.csv": TABLE for n in range(101)}, "101 tables; give 100 at a time"),
        ({f"{n}.pdf": b"" for n in range(MAX_MEMBERS + 1)}, "1,001 files"),
    ],
)
def test_what_is_refused(tmp_path: Path, members: dict[str, str | bytes], words: str) -> None:
    path = pack(tmp_path / "a.zip", members)
    with pytest.raises(InputError) as error:
        read(path)
    assert words in str(error.value)
    assert left_behind() == []


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    body = b"texto,fecha\n" + b"a" * 20_000_000
    path = pack(tmp_path / "a.zip", {"a.csv": body})
    with pytest.raises(InputError, match="times its size"):
        read(path)


def test_a_bomb_that_lies_about_its_size_is_stopped_while_it_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines.unzip, "MAX_UNPACKED", 1_000_000)
    path = pack(tmp_path / "a.zip", {"a.csv": os.urandom(2_000_000)}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 1_000)
    path.write_bytes(bytes(data))
    with suppress(InputError):
        assert len(read(path)) <= 1
    assert left_behind() == []


def test_a_password_is_asked_for_nowhere(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.csv": TABLE})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 8] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="protected by a password"):
        read(path)


def test_links_and_repeated_names(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = 0o120777 << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="a link in place of a file"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TABLE)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.csv", TABLE)
    with pytest.raises(InputError, match="two files of the same name"):
        read(path)


def test_what_is_no_zip_file(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"texto,fecha\n")
    with pytest.raises(InputError, match="damaged, or no zip file"):
        read(path)


@FUZZ
@given(data=st.data())
def test_a_zip_file_damaged_anywhere_ends_in_records_or_one_sentence(
    tmp_path: Path, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("quejas.csv", TABLE * 20)
        archive.writestr("más.jsonl", '{"texto": "a", "fecha": "2026-01-01"}\n')
    body = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(body[: data.draw(st.integers(1, len(body)))]))
    with suppress(InputError):
        assert all(isinstance(record, Extracted | Rejection) for record in read(path))
    assert left_behind() == []


@FUZZ
@given(name=st.text(min_size=1, max_size=60))
def test_any_name_stays_inside(tmp_path: Path, name: str) -> None:
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    path = tmp_path / "b.zip"
    with suppress(InputError, ValueError, UnicodeEncodeError):
        pack(path, {f"{name}.csv": TABLE})
        read(path)
    after = {str(each) for each in tmp_path.rglob("*")} - {str(path)}
    assert after <= set(before)
