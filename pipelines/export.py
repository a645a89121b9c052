"""Write insight rows to files that people and programs open.

A spreadsheet runs a cell that begins like a formula, so such texts get an apostrophe before them
(OWASP, «CSV Injection»). Numbers, «-5», «@usuario» and «- punto» can do no harm and stay.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from models.errors import InputError
from models.tables import Base
from pipelines.suppress import SUPPRESSED

_FORMULA = re.compile(r"^\s*(?:[=\t\r]|[+\-@](?=.*[(!|=]))", re.DOTALL)
_ADDED = {
    SUPPRESSED: "Why figures are missing: small (too few authors), complement (it would give a "
    "small one away), sentiments (only these, one has too few). Empty: nothing is missing."
}
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a workbook calls its rows, and what each of their columns means."""

    name: str
    meanings: Mapping[str, str | None]


def write_frame(frame: pd.DataFrame, table: type[Base], path: Path, form: str) -> None:
    """Write a table's rows, as `write_sheet` does."""
    meanings = {column.name: column.comment for column in table.__table__.columns}
    write_sheet(frame, Sheet(table.__tablename__, meanings), path, form)


def write_sheet(frame: pd.DataFrame, sheet: Sheet, path: Path, form: str) -> None:
    """Write rows as csv (UTF-8 with BOM), jsonl, parquet or xlsx (with a sheet of columns).

    Raises:
        InputError: the file cannot be written.
    """
    safe = frame.map(harmless) if form in ("csv", "xlsx") else frame
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "csv":
            safe.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")
        elif form == "jsonl":
            path.write_text(json_of(safe, lines=True), encoding="utf-8")
        elif form == "parquet":
            safe.to_parquet(path, index=False)
        else:
            _write_workbook(safe, sheet, path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}. Choose another file with --out."
        ) from error


def harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; other values stay as they are."""
    if not isinstance(value, str):
        return value
    text = _ILLEGAL.sub("", value)
    return f"'{text}" if _FORMULA.match(text) else text


def json_of(frame: pd.DataFrame, *, lines: bool = False) -> str:
    """Return rows as JSON objects, in a list or one a line; days are written without an hour."""
    return frame.map(_plain_day).to_json(
        orient="records", lines=lines, force_ascii=False, date_format="iso"
    )


def _plain_day(value: Any) -> Any:
    """Write a local day without an hour: pandas would make midnight of it, in no zone."""
    return str(value) if isinstance(value, date) and not isinstance(value, datetime) else value


def _write_workbook(frame: pd.DataFrame, sheet: Sheet, path: Path) -> None:
    added = ((name, _ADDED[name]) for name in frame if name in _ADDED)
    columns = pd.DataFrame([*sheet.meanings.items(), *added], columns=["column", "meaning"])
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        frame.to_excel(book, sheet_name=sheet.name[:31], index=False, freeze_panes=(1, 0))
        columns.to_excel(book, sheet_name="columns", index=False, freeze_panes=(1, 0))
