"""The files through which a crawl's child process tells its parent what it found."""

from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from crawlers.archive import Exchange
from models.records import (
    Capture,
    Extracted,
    Failure,
    Listing,
    Rejection,
    Validator,
    Vanished,
)

EXTRACTED, CAPTURES, REJECTIONS = "extracted.jsonl", "captures.jsonl", "rejections.jsonl"
VALIDATORS, VANISHED, LISTINGS = "validators.jsonl", "vanished.jsonl", "listings.jsonl"
SUMMARY = "summary.json"

AnyRecord = Extracted | Capture | Rejection | Validator | Vanished | Listing | Exchange
Record = TypeVar("Record", Extracted, Capture, Rejection, Validator, Vanished, Listing, Exchange)


class Summary(BaseModel):
    """How a crawl ended; ``settings`` are those that really ran.

    ``unchanged`` counts what is as it was stored and was not read again, ``not_modified`` the
    answers that said so (304); ``unsettled`` are the external ids whose threads lack a page;
    ``looked`` are the fingerprints of old pages that need no further look, ``old_before`` is the
    moment before which a record was said that needs none either;
    ``peak_memory`` is the most that the process had, in bytes.
    ``bounded`` says that what was said before the window was left out, ``fields`` are the names
    of what the source's answers hold.
    """

    model_config = ConfigDict(frozen=True)

    finished: bool
    reason: str = ""
    failure: Failure | None = None
    requests: int = 0
    unchanged: int = 0
    not_modified: int = 0
    unsettled: list[str] = []
    looked: list[str] = []
    old_before: datetime | None = None
    bounded: bool = False
    fields: list[str] = []
    peak_memory: int = 0
    settings: dict[str, Any] = {}


_ADAPTERS: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind)
    for kind in (Extracted, Capture, Rejection, Validator, Vanished, Listing, Exchange)
}


def to_line(record: AnyRecord) -> bytes:
    """Return a record as one line of JSON."""
    line: bytes = _ADAPTERS[type(record)].dump_json(record)
    return line + b"\n"


def read_lines(path: Path, kind: type[Record]) -> list[Record]:
    """Read a file of records; a line that a killed writer left half written is no record."""
    if not path.exists():
        return []
    records: list[Record] = []
    with path.open("rb") as file:
        for line in file:
            record = parse_line(line, kind)
            if record is not None:
                records.append(record)
    return records


def parse_line(line: bytes, kind: type[Record]) -> Record | None:
    """Return the record of a line, or nothing where a killed writer left half of one."""
    try:
        record: Record = _ADAPTERS[kind].validate_json(line)
    except ValidationError:
        return None
    return record
