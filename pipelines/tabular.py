"""The rows of a CSV, JSON Lines, Excel or zip file, one at a time, whatever state it is in.

A row that cannot be read is a `Broken` with its line, and the rows after it are still read. Only
a file that is none of these formats is an error.
"""

import codecs
import csv
import json
import re
import zipfile
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

from models.errors import InputError
from pipelines.unzip import DAMAGED, tables_in, unpacked

MAX_RECORD_CHARS: Final = 2_000_000
MAX_RECORD_LINES: Final = 2_000
MAX_UNZIPPED: Final = 1_000_000_000

_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_LINES: Final = 40
_KEYS_FROM: Final = 1_000
_CP1252: Final = "manifiesta-cp1252"
_ENCODINGS: Final = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the line it begins in, and its cells by column.

    ``part`` is the table that it comes from, in a file with several.
    """

    line: int
    cells: Mapping[str, Any]
    part: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that is there but cannot be read."""

    line: int
    reason: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a file, and a way to read its rows."""

    header: list[str]
    rows: Callable[[], Iterator[Row | Broken]]


def open_table(path: Path, wanted: Collection[str] = ()) -> Table:
    """Look into a file and return its table.

    Args:
        path: a .csv, .tsv, .txt, .jsonl, .ndjson or .xlsx file, or a .zip of such files with the
            same columns.
        wanted: columns that are expected; they help to tell which delimiter is used.

    Raises:
        InputError: the file is missing, empty, or not what its name says.
    """
    readers = {
        (".csv", ".tsv", ".txt"): _open_csv,
        (".jsonl", ".ndjson"): _open_jsonl,
        (".xlsx", ".xlsm"): _open_xlsx,
        (".zip",): _open_zip,
    }
    suffix = path.suffix.lower()
    reader = next((r for suffixes, r in readers.items() if suffix in suffixes), None)
    if reader is None:
        raise InputError(
            f"{path}: «{suffix or 'no ending'}» cannot be imported; give a .csv, .jsonl, .xlsx or "
            ".zip"
        )
    _check_beginning(path, suffix)
    return reader(path, wanted)


def _check_beginning(path: Path, suffix: str) -> None:
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a file; give a .csv, .jsonl or .xlsx")
    try:
        with path.open("rb") as file:
            beginning = file.read(8)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    if not beginning:
        raise InputError(f"{path} is empty; there is nothing to import")
    if beginning.startswith(b"PK\x03\x04") and not suffix.startswith((".xls", ".zip")):
        raise InputError(
            f"{path} is an Excel or zip file; name it .xlsx if Excel opens it, or .zip"
        )
    if beginning.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(f"{path} is an old or encrypted Excel file; save it as .xlsx or .csv")


# --- text ------------------------------------------------------------------------------------


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Decode the bytes that are no UTF-8 as Windows does; exports are often a mix of both."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_CP1252, _as_cp1252)


def _open_text(path: Path) -> TextIO:
    with path.open("rb") as file:
        beginning = file.read(2)
    for mark, encoding in _ENCODINGS:
        if beginning == mark:
            return path.open(encoding=encoding, errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors=_CP1252, newline="")


def _lines(file: TextIO) -> Iterator[str]:
    """Give the physical lines; of one that has no end, only the beginning."""
    while line := file.readline(MAX_RECORD_CHARS):
        yield line
        while len(line) == MAX_RECORD_CHARS and not line.endswith(("\n", "\r")):
            line = file.readline(MAX_RECORD_CHARS)


# --- CSV -------------------------------------------------------------------------------------


class _Feeder:
    """Gives lines to the csv module, and takes back those of a record that went wrong.

    A quote that is never closed would swallow the rest of the file. Here only its first line is
    lost, and reading goes on with the line after it.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._chars = 0
        self.number = 0

    def __iter__(self) -> "_Feeder":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        self._taken.append(line)
        self._chars += len(line)
        if len(self._taken) > MAX_RECORD_LINES or self._chars >= MAX_RECORD_CHARS:
            raise csv.Error("the record has no end")
        return line.replace("\0", "")

    def begin(self) -> None:
        """Begin a new record."""
        self._taken.clear()
        self._chars = 0

    def take_back(self) -> None:
        """Put all lines of the record but its first back."""
        self._again.extendleft(reversed(self._taken[1:]))
        self.number -= max(len(self._taken) - 1, 0)


def _open_csv(path: Path, wanted: Collection[str]) -> Table:
    with _open_text(path) as file:
        sample = list(islice(_lines(file), _SAMPLE_LINES))
    delimiter, skip = _dialect(sample, wanted)
    header = next((f for _, f in _csv_records(iter(sample[skip:]), delimiter) if f), None)
    if not isinstance(header, list) or not any(header):
        raise InputError(f"{path} has no header line; the first line must name the columns")
    names = [name.strip() for name in header]

    def rows() -> Iterator[Row | Broken]:
        with _open_text(path) as file:
            records = _csv_records(islice(_lines(file), skip, None), delimiter)
            yield from _csv_rows(records, names, skip)

    return Table([name for name in names if name], rows)


def _csv_records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Give each record's line and its fields, or what is wrong with it."""
    csv.field_size_limit(MAX_RECORD_CHARS)  # a process-wide setting; the default is 131,072
    feeder = _Feeder(lines)
    reader = csv.reader(feeder, delimiter=delimiter, strict=True)
    while True:
        feeder.begin()
        line = feeder.number + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            feeder.take_back()
            yield line, str(error)


def _csv_rows(
    records: Iterator[tuple[int, list[str] | str]], names: Sequence[str], skipped: int
) -> Iterator[Row | Broken]:
    past_header = False
    for number, fields in records:
        line = number + skipped
        if not fields:
            continue  # a blank line is no record
        if not past_header:
            past_header = True
        elif isinstance(fields, str):
            yield Broken(line, fields)
        elif len(fields) < len(names) or any(fields[len(names) :]):
            yield Broken(line, f"{len(fields)} fields where the header has {len(names)}")
        else:
            yield Row(line, dict(zip(names, fields, strict=False)))


def _dialect(sample: Sequence[str], wanted: Collection[str]) -> tuple[str, int]:
    """Return the delimiter, and how many lines stand before the header."""
    if sample and (found := re.match(r"sep=([,;\t|])\s*$", sample[0])):
        return found[1], 1  # Excel writes it

    def fitness(delimiter: str) -> tuple[int, float, int]:
        records = [f for _, f in _csv_records(iter(sample), delimiter) if isinstance(f, list) and f]
        if not records:
            return 0, 0.0, 0
        width = len(records[0])
        same = sum(len(fields) == width for fields in records) / len(records)
        hits = sum(name.strip() in wanted for name in records[0])
        return hits, same if width > 1 else 0.0, width

    return max(_DELIMITERS, key=fitness), 0


# --- JSON Lines ------------------------------------------------------------------------------


def _open_jsonl(path: Path, wanted: Collection[str]) -> Table:
    def rows() -> Iterator[Row | Broken]:
        with _open_text(path) as file:
            for number, line in enumerate(_lines(file), start=1):
                if line.strip():
                    yield _json_row(number, line)

    header: dict[str, None] = {}
    for row in islice(rows(), _KEYS_FROM):
        if isinstance(row, Row):
            header.update(dict.fromkeys(row.cells))
    if not header:
        raise InputError(
            f"{path} holds no JSON object in its first lines; write one object a line, "
            'such as {"text": "…", "date": "2026-03-01"}'
        )
    return Table(list(header), rows)


def _json_row(number: int, line: str) -> Row | Broken:
    if len(line) >= MAX_RECORD_CHARS:
        return Broken(number, "the line has no end")
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return Broken(number, f"no JSON: {error.msg} at character {error.colno}")
    except (ValueError, RecursionError):
        return Broken(number, "no JSON that can be held")
    if not isinstance(value, dict):
        return Broken(number, "JSON, but not an object")
    return Row(number, value)


# --- Excel -----------------------------------------------------------------------------------


def _open_xlsx(path: Path, wanted: Collection[str]) -> Table:
    _check_zip(path)
    filled = (row for row in _sheet(path) if any(cell is not None for cell in row[1]))
    first, top = next(filled, (0, ()))
    names = ["" if cell is None else str(cell).strip() for cell in top]
    if not any(names):
        raise InputError(f"{path} has no header; the first row of the first sheet names columns")
    while not names[-1]:
        names.pop()

    def rows() -> Iterator[Row | Broken]:
        for number, cells in _sheet(path):
            if number <= first or all(cell is None for cell in cells):
                continue
            if any(cell is not None for cell in cells[len(names) :]):
                yield Broken(number, "cells beyond the last column of the header")
            else:
                padded = [*cells, *[None] * len(names)]
                yield Row(number, dict(zip(names, padded, strict=False)))

    return Table([name for name in names if name], rows)


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except DAMAGED:
        raise InputError(f"{path} is no Excel file, or is damaged; save it again") from None
    if size > MAX_UNZIPPED:
        raise InputError(f"{path} unpacks to {size:,} bytes; export it as .csv")


def _sheet(path: Path) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Give the rows of the first sheet, numbered as Excel numbers them."""
    from openpyxl import load_workbook

    number = 0
    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # some programs write a wrong size
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                yield number, cells
        finally:
            book.close()
    except DAMAGED as error:
        kind = type(error).__name__
        raise InputError(
            f"{path} is damaged after row {number} ({kind}); open and save it again"
        ) from None


# --- zip -------------------------------------------------------------------------------------


def _open_zip(path: Path, wanted: Collection[str]) -> Table:
    """Open all tables of a zip file as one; each is unpacked only while it is read."""
    names = tables_in(path)
    header: list[str] | None = None
    for name in names:
        with _inside(path, name, wanted) as table:
            if header is not None and set(table.header) != set(header):
                raise InputError(
                    f"{path} holds tables with different columns, {names[0]} and {name}; import "
                    "them one by one"
                )
            header = header or table.header

    def rows() -> Iterator[Row | Broken]:
        for name in names:
            with _inside(path, name, wanted) as table:
                for row in table.rows():
                    yield replace(row, part=name)

    return Table(header or [], rows)


@contextmanager
def _inside(path: Path, name: str, wanted: Collection[str]) -> Iterator[Table]:
    """Open one table of a zip file; what is wrong with it is said under its own name."""
    with unpacked(path, name) as file:
        try:
            yield open_table(file, wanted)
        except InputError as error:
            said = str(error).replace(str(file), f"{path}, in it {name},")
            raise InputError(said) from None
