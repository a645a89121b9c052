"""Files for spreadsheets and programs: nothing runs, nothing is lost."""

import json
from datetime import date
from io import StringIO
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from models.errors import InputError
from models.insight_tables import InsightSource
from pipelines.export import harmless, write_frame

FRAME = pd.DataFrame(
    {
        "source": ["diario", "=cmd|' /C calc'!A0", "ñandú, «S.A.»"],
        "window_from": [date(2026, 3, 1)] * 3,
        "reason": [None, "-5", "línea 1\nlínea 2"],
        "count": [3, -5, 0],
        "share": [0.5, None, 1.0],
    }
)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        " =1+1",
        '=HYPERLINK("http://example.pe")',
        "+cmd(1)",
        "-cmd|' /C calc'!A0",
        "+A1=2",
        "@SUM(A1:A9)",
        "\t=1+1",
        "\tcmd",
        "\rcmd",
        "\n=1+1",
        "\x00=1+1",
    ],
)
def test_a_formula_is_made_a_text(text: str) -> None:
    cell = harmless(text)
    assert cell.startswith("'")
    assert cell[1:] == text.replace("\x00", "")


@pytest.mark.parametrize(
    "text",
    [
        *("-5", "-5.25", "@usuario", "- punto", "+51", "+51 987", "a=b", "¿=?", "", "hola"),
        *("1 - 2", "'comillas", "a@b", "uno\tdos"),
    ],
)
def test_a_harmless_text_stays(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize("value", [None, -5, 0.5, True, date(2026, 3, 1)])
def test_what_is_no_text_stays(value: object) -> None:
    assert harmless(value) is value


def test_csv_opens_in_spreadsheets(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "insight.csv"
    write_frame(FRAME, InsightSource, path, "csv")
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf" + b"source,window_from,reason,count,share\r\n")
    found = pd.read_csv(StringIO(raw.decode("utf-8-sig")))
    assert found["source"].tolist() == ["diario", "'=cmd|' /C calc'!A0", "ñandú, «S.A.»"]
    assert found["count"].tolist() == [3, -5, 0]
    assert found["window_from"].tolist() == ["2026-03-01"] * 3
    assert found["reason"].tolist()[2].split() == ["línea", "1", "línea", "2"]


def test_a_workbook_has_the_meaning_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "insight.xlsx"
    write_frame(FRAME, InsightSource, path, "xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["insight_source", "columns"]
    assert {sheet.freeze_panes for sheet in book} == {"A2"}
    head, *body = book["insight_source"].iter_rows(values_only=True)
    assert head == tuple(FRAME.columns)
    assert [row[0] for row in body] == ["diario", "'=cmd|' /C calc'!A0", "ñandú, «S.A.»"]
    assert [row[3] for row in body] == [3, -5, 0]
    assert "f" not in {cell.data_type for row in book["insight_source"] for cell in row}
    meanings = dict(list(book["columns"].iter_rows(values_only=True))[1:])
    assert set(meanings) == {column.name for column in InsightSource.__table__.columns}
    assert meanings["ignored"] == "Input records ignored for a stated reason."
    assert all(meanings.values())


def test_parquet_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "insight.parquet"
    write_frame(FRAME, InsightSource, path, "parquet")
    found = pd.read_parquet(path)
    assert found["source"].tolist() == FRAME["source"].tolist()
    assert found["window_from"].tolist() == FRAME["window_from"].tolist()
    assert found["count"].tolist() == FRAME["count"].tolist()
    assert found["share"].isna().tolist() == [False, True, False]


def test_lines_of_json_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "insight.jsonl"
    write_frame(FRAME, InsightSource, path, "jsonl")
    text = path.read_text("utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    assert [row["source"] for row in found] == FRAME["source"].tolist()
    assert [row["share"] for row in found] == [0.5, None, 1.0]
    assert [row["reason"] for row in found] == [None, "-5", "línea 1\nlínea 2"]
    assert {row["window_from"] for row in found} == {"2026-03-01"}
    assert "ñandú" in text


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_frame_without_rows_is_a_file_without_rows(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"insight.{form}"
    write_frame(FRAME.head(0), InsightSource, path, form)
    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet, "xlsx": pd.read_excel}
    if form == "jsonl":
        assert path.read_text().strip() == ""
    else:
        assert readers[form](path).empty
        assert list(readers[form](path).columns) == list(FRAME.columns)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_path_that_cannot_be_written_is_named(tmp_path: Path, form: str) -> None:
    (tmp_path / "file").write_text("no soy una carpeta")
    with pytest.raises(InputError, match=r"cannot be written: .*--out"):
        write_frame(FRAME, InsightSource, tmp_path / "file" / f"insight.{form}", form)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"folder cannot be written: .*--out"):
        write_frame(FRAME, InsightSource, tmp_path / "folder", form)
