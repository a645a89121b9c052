"""Uploaded files: every row is one record or one rejection, whatever the file holds."""

import csv
import io
import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from configs.schema import Columns, Source
from models.errors import InputError
from models.records import Extracted, Kind, Outcome, Protocol, Rejection
from pipelines.tabular import MAX_RECORD_CHARS
from pipelines.upload import guess_columns, parse_moment, read_upload

LIMA = ZoneInfo("America/Lima")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FULL = Columns(text="texto", date="fecha", title="titulo", id="id", url="url", author="autor")
FUZZ = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def source(columns: Columns | None = None, kind: Kind = Kind.COMMENT) -> Source:
    return Source(name="buzon", title="Buzón", protocol=Protocol.UPLOAD, kind=kind, columns=columns)


def read(
    path: Path, content: str | bytes, columns: Columns | None = None
) -> list[Extracted | Rejection]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_upload(path, source(columns), LIMA, NOW))


def outcomes(records: list[Extracted | Rejection]) -> list[str]:
    return [r.outcome.value if isinstance(r, Rejection) else r.text for r in records]


def rejected(records: list[Extracted | Rejection]) -> list[tuple[str, str]]:
    return [(r.outcome.value, r.where) for r in records if isinstance(r, Rejection)]


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_a_full_row(tmp_path: Path) -> None:
    (record,) = read(
        tmp_path / "a.csv",
        "id,fecha,titulo,texto,url,autor\n7,2026-02-01 10:00,Baches,Arreglen,https://a.pe/7,Rosa\n",
        FULL,
    )
    assert record == Extracted(
        source="buzon", external_id="7", kind=Kind.COMMENT, text="Arreglen", title="Baches",
        said_at=datetime(2026, 2, 1, 15, tzinfo=UTC), fetched_at=NOW, author="Rosa",
        url="https://a.pe/7",
    )  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_encodings_and_line_ends(
    tmp_path: Path, delimiter: str, encoding: str, newline: str
) -> None:
    text = newline.join(
        delimiter.join(fields)
        for fields in (["Descripción", "Fecha"], ['"¿Señal? así, no; ¡más!"', "2026-01-02"], [])
    )
    (record,) = read(tmp_path / "a.csv", text.encode(encoding))
    assert isinstance(record, Extracted)
    assert record.text == "¿Señal? así, no; ¡más!"


def test_one_windows_line_in_a_utf8_file(tmp_path: Path) -> None:
    data = "texto,fecha\naño uno,2026-01-01\n".encode() + "año dos,2026-01-02\n".encode("cp1252")
    assert outcomes(read(tmp_path / "a.csv", data)) == ["año uno", "año dos"]


def test_excels_separator_line(tmp_path: Path) -> None:
    records = read(tmp_path / "a.csv", "sep=;\ntexto;fecha\nhola;2026-01-01\nx;\n")
    assert outcomes(records) == ["hola", "no_date"]
    assert rejected(records) == [("no_date", "a.csv:4")]


def test_quoted_line_breaks_keep_line_numbers_right(tmp_path: Path) -> None:
    text = 'texto,fecha\n"uno\ndos ""tres""",2026-01-01\n\nb,mañana\n'
    records = read(tmp_path / "a.csv", text)
    assert outcomes(records) == ['uno\ndos "tres"', "bad_date"]
    assert rejected(records) == [("bad_date", "a.csv:5")]


def test_every_kind_of_rejection_and_the_rest_goes_on(tmp_path: Path) -> None:
    long = "x" * 200_001
    text = (
        "id,texto,titulo,fecha\n1,,,2026-01-01\n2,a,,\n3,a,,ayer\n4,a,,1989-12-31\n"
        f"5,a,,2026-03-03\n6,{long},,2026-01-01\n7,a\n8,a,,2026-01-01,extra\n"
        "9,bien,,2026-01-01\n9,otra,,2026-01-01\n10,,solo titular,2026-01-01\n"
    )
    records = read(tmp_path / "a.csv", text)
    assert outcomes(records) == [
        *("no_text", "no_date", "bad_date", "bad_date", "bad_date", "too_long"),
        *("unreadable", "unreadable", "bien", "duplicate", "solo titular"),
    ]
    assert [where for _, where in rejected(records)] == [
        f"a.csv:{line}" for line in (2, 3, 4, 5, 6, 7, 8, 9, 11)
    ]


def test_a_rejection_never_quotes_the_row(tmp_path: Path) -> None:
    secret = "Rosa Quispe 999888777"
    text = f'texto,fecha\na,{secret}\n"{secret}"x,2026-01-01\n{secret},b,c\n'
    records = [*read(tmp_path / "a.csv", text), *read(tmp_path / "a.jsonl", secret_json(secret))]
    details = " ".join(r.detail for r in records if isinstance(r, Rejection))
    assert details
    assert not any(word in details for word in secret.split())


def secret_json(secret: str) -> str:
    good = '{"texto": "a", "fecha": "2026-01-01"}\n'
    return good + f'{{"texto": "{secret}", \n["{secret}"]\n{{"texto": ["{secret}"], "fecha": 1}}\n'


def test_an_unclosed_quote_costs_one_line(tmp_path: Path) -> None:
    good = "".join(f"texto {i},2026-01-01\n" for i in range(5000))
    records = read(tmp_path / "a.csv", f'texto,fecha\n{good}"roto,2026-01-01\n{good}')
    assert Counter(type(r) for r in records) == {Extracted: 5000, Rejection: 5001}
    assert rejected(records)[0] == ("unreadable", "a.csv:5002")
    assert Counter(o for o, _ in rejected(records)) == {"unreadable": 1, "duplicate": 5000}


def test_a_line_without_end_is_skipped_in_bounded_pieces(tmp_path: Path) -> None:
    text = f"texto,fecha\n{'x' * (3 * MAX_RECORD_CHARS)}\nb,2026-01-01\n"
    records = read(tmp_path / "a.csv", text)
    assert outcomes(records) == ["unreadable", "b"]
    line = '{"texto": "b", "fecha": "2026-01-01"}\n'
    records = read(tmp_path / "a.jsonl", f"{line}{'x' * (3 * MAX_RECORD_CHARS)}\n{line}")
    assert outcomes(records) == ["b", "unreadable", "duplicate"]


def test_nuls_and_lone_surrogates_are_removed(tmp_path: Path) -> None:
    (record,) = read(tmp_path / "a.csv", b"texto,fecha\nho\0la,2026-01-01\n")
    assert isinstance(record, Extracted)
    assert record.text == "hola"
    (record,) = read(
        tmp_path / "a.jsonl", r'{"texto": "ho\ud800la\u0000 \ud83d\ude00", "fecha": "2026-01-01"}'
    )
    assert isinstance(record, Extracted)
    assert record.text == "hola 😀"


def test_identity_is_id_then_address_then_what_was_said(tmp_path: Path) -> None:
    text = "id,texto,fecha,url\n1,a,2026-01-01,https://a.pe\n,a,2026-01-01,https://a.pe\n,a,2026-01-01,\n"
    first, second, third = read(tmp_path / "a.csv", text)
    again = read(tmp_path / "b.csv", text)
    assert isinstance(first, Extracted)
    assert isinstance(second, Extracted)
    assert isinstance(third, Extracted)
    assert (first.external_id, second.external_id) == ("1", "https://a.pe")
    assert len(third.external_id) == 64
    assert again == [first, second, third]


def test_an_address_that_is_no_web_address_is_not_kept(tmp_path: Path) -> None:
    (record,) = read(tmp_path / "a.csv", "texto,fecha,url\na,2026-01-01,javascript:alert(1)\n")
    assert isinstance(record, Extracted)
    assert record.url is None


def test_jsonl(tmp_path: Path) -> None:
    rows = [
        json.dumps({"id": 12, "message": "uno", "created_time": 1767225600}),
        "{", "[1]", "", '"x"', "[" * 100_000, '{"id": ' + "9" * 5000 + "}",
        json.dumps({"id": 13, "message": {"a": 1}, "created_time": "2026-01-01"}),
        json.dumps({"id": 14, "message": "tres"}),
        json.dumps({"id": 12.0, "message": "uno", "created_time": 1767225600.5}),
    ]  # fmt: skip
    records = read(tmp_path / "a.jsonl", "\n".join(rows))
    assert outcomes(records) == ["uno", *["unreadable"] * 6, "no_date", "duplicate"]
    assert [where for _, where in rejected(records)] == [
        f"a.jsonl:{line}" for line in (2, 3, 5, 6, 7, 8, 9, 10)
    ]


def test_xlsx(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        [
            [],
            ["Código", "Comentario", "Fecha", None],
            [1, "uno", datetime(2026, 1, 2, 8, 30)],  # noqa: DTZ001
            [],
            [2, "dos", "03/01/2026"],
            [3, None, datetime(2026, 1, 2)],  # noqa: DTZ001
            [4, "x", "2026-01-02", None, "beyond"],
            [1.0, "uno", "2026-01-02"],
        ],
    )
    records = list(read_upload(path, source(), LIMA, NOW))
    assert outcomes(records) == ["uno", "dos", "no_text", "unreadable", "duplicate"]
    assert [where for _, where in rejected(records)] == ["a.xlsx:6", "a.xlsx:7", "a.xlsx:8"]
    assert isinstance(records[0], Extracted)
    assert records[0].said_at == datetime(2026, 1, 2, 13, 30, tzinfo=UTC)


WRONG = [
    ("a.csv", "", "is empty"),
    ("a.csv", "\n\n", "no header line"),
    ("a.csv", "a,b\n1,2\n", "has a, b"),
    ("a.jsonl", "[\n1\n]\n", "no JSON object"),
    ("a.jsonl", '{"a": 1}\n', "which column holds the text"),
    ("a.xlsx", "texto,fecha\n", "no Excel file"),
    ("a.csv", b"PK\x03\x04....", "is an Excel or zip file"),
    ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1", "old or encrypted"),
    ("a.pdf", "x", "cannot be imported"),
    ("noending", "x", "cannot be imported"),
]


@pytest.mark.parametrize(("name", "content", "message"), WRONG)
def test_what_is_no_table(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path / name, content)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_upload(tmp_path / "a.csv", source(), LIMA, NOW)
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(InputError, match="not a file"):
        read_upload(tmp_path / "b.csv", source(), LIMA, NOW)


def test_an_empty_workbook(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [])
    with pytest.raises(InputError, match="no header"):
        read_upload(path, source(), LIMA, NOW)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_mapped_column_that_is_not_there(tmp_path: Path, suffix: str) -> None:
    content = "comentarios;fecha\na;b\n" if suffix == "csv" else '{"comentarios": "a", "fecha": 1}'
    with pytest.raises(InputError) as caught:
        read(tmp_path / f"a.{suffix}", content, Columns(text="Comentario", date="fecha"))
    assert "no column «Comentario». Did you mean «comentarios»?" in str(caught.value)
    assert "comentarios, fecha" in str(caught.value)


def test_a_mapped_column_that_is_there_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="«texto» twice"):
        read(tmp_path / "a.csv", "texto,texto,fecha\na,b,c\n")


def test_a_header_without_rows_has_no_records(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "texto,fecha\n") == []


def test_a_damaged_workbook_is_an_input_error(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["texto", "fecha"], *[["a", "2026-01-01"]] * 50])
    data = bytearray(path.read_bytes())
    for position in range(0, len(data), 97):
        broken = data.copy()
        broken[position] ^= 0xFF
        path.write_bytes(broken)
        try:
            records = list(read_upload(path, source(), LIMA, NOW))
        except InputError:
            continue
        assert len(records) <= 60


GUESSES = [
    ("title,description,image_url,original_url,created_at,website",
     {"text": "description", "title": "title", "url": "original_url", "date": "created_at"}),
    ("ID;Fecha de publicación;Título;Texto;Autor", {"id": "ID", "date": "Fecha de publicación",
     "title": "Título", "text": "Texto", "author": "Autor"}),
    ("Comentario;FECHA;Usuario;Link",
     {"text": "Comentario", "date": "FECHA", "author": "Usuario", "url": "Link"}),
    ("titular;fecha", {"text": "titular", "date": "fecha"}),
    ("fecha;otro", None),
    ("texto;otro", None),
    ("", None),
]  # fmt: skip


@pytest.mark.parametrize(("header", "expected"), GUESSES)
def test_guessing_columns(header: str, expected: dict[str, str] | None) -> None:
    names = header.replace(";", ",").split(",")
    found = guess_columns(names)
    assert (found.model_dump(exclude_none=True) if found else None) == expected


DATES = [
    ("2024-03-07 00:30:20+00:00", "2024-03-07T00:30:20+00:00"),
    ("2024-03-07T00:30:20Z", "2024-03-07T00:30:20+00:00"),
    ("2024-03-07", "2024-03-07T05:00:00+00:00"),
    ("20240307", "2024-03-07T05:00:00+00:00"),
    ("07/03/2024", "2024-03-07T05:00:00+00:00"),
    ("7/3/2024 5:30", "2024-03-07T10:30:00+00:00"),
    ("07-03-2024 17:30:05", "2024-03-07T22:30:05+00:00"),
    ("07/03/24", "2024-03-07T05:00:00+00:00"),
    ("07/03/2024 05:30 p. m.", "2024-03-07T22:30:00+00:00"),
    ("2024/03/07 10:00", "2024-03-07T15:00:00+00:00"),
    ("Thu, 07 Mar 2024 00:30:20 GMT", "2024-03-07T00:30:20+00:00"),
    ("Thu Mar 07 00:30:20 +0000 2024", "2024-03-07T00:30:20+00:00"),
    ("2024-03-07 00:30:20 UTC", "2024-03-07T00:30:20+00:00"),
    ("7 de marzo de 2024", "2024-03-07T05:00:00+00:00"),
    ("7 de setiembre de 2023", "2023-09-07T05:00:00+00:00"),
    ("jueves, 7 de marzo de 2024, 10:30 a. m.", "2024-03-07T15:30:00+00:00"),
    ("March 7, 2024", "2024-03-07T05:00:00+00:00"),
    ("1709771420", "2024-03-07T00:30:20+00:00"),
    ("1709771420000", "2024-03-07T00:30:20+00:00"),
]


@pytest.mark.parametrize(("typed", "expected"), DATES)
def test_dates_as_they_are_written(typed: str, expected: str) -> None:
    moment = parse_moment(typed, LIMA)
    assert moment is not None
    assert moment.astimezone(UTC).isoformat() == expected


@pytest.mark.parametrize(
    "typed",
    ["ayer", "hoy", "hace 2 horas", "lunes", "12:30", "marzo 2024", "2024", "5", "", "12/25/2024",
     "32/01/2024", "2024-02-30", "x" * 10_000, "0" * 13, "9" * 10 + "e9", True, None, "nan"],
)  # fmt: skip
def test_what_is_no_date(typed: Any) -> None:
    assert parse_moment(typed, LIMA) is None


def test_a_date_a_few_hours_ahead_is_a_wrong_clock(tmp_path: Path) -> None:
    ahead = [(NOW + timedelta(hours=h)).isoformat() for h in (23, 25)]
    records = read(tmp_path / "a.csv", f"texto,fecha\na,{ahead[0]}\nb,{ahead[1]}\n")
    assert outcomes(records) == ["a", "bad_date"]


CELL = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "2026-01-01", "07/03/2024", 'a"b', "a,b;c", "x\ny", "9999-12-31", "nan"]),
)


@FUZZ
@given(st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=12))
def test_no_row_is_lost_or_doubled_csv(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["id", "texto", "titulo", "fecha"])
    writer.writerows(rows)
    content = buffer.getvalue().encode("utf-8", "replace")
    assert len(read(tmp_path / "a.csv", content)) == len(rows)


@FUZZ
@given(st.lists(st.dictionaries(
    st.sampled_from(["id", "texto", "fecha", "url", "otro"]),
    st.one_of(CELL, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.text())),
), max_size=12))  # fmt: skip
def test_no_row_is_lost_or_doubled_jsonl(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    rows = [{"texto": "a", "fecha": "2026-01-01"}, *rows]
    content = "\n".join(json.dumps(row) for row in rows)
    assert len(read(tmp_path / "a.jsonl", content)) == len(rows)


@FUZZ
@given(
    st.binary(max_size=300),
    st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.xlsx"]),
    st.sampled_from([b"", b"texto,fecha\n", b'{"texto": "a", "fecha": "b"}\n']),
)
def test_no_bytes_raise_anything_but_an_input_error(
    tmp_path: Path, data: bytes, name: str, beginning: bytes
) -> None:
    with suppress(InputError):
        records = read(tmp_path / name, beginning + data)
        assert all(isinstance(r, Extracted | Rejection) for r in records)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.from_regex(r"[0-9/:. apm-]{1,25}", fullmatch=True)))
def test_no_text_makes_a_date_raise(typed: str) -> None:
    moment = parse_moment(typed, LIMA)
    assert moment is None or moment.utcoffset() is not None


def test_outcomes_are_those_of_the_records_module(tmp_path: Path) -> None:
    (record,) = read(tmp_path / "a.csv", "texto,fecha\n,2026-01-01\n")
    assert isinstance(record, Rejection)
    assert (record.source, record.outcome) == ("buzon", Outcome.NO_TEXT)
