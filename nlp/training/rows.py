"""Read the rows of a JSON-lines file."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any, TextIO

from models.errors import ModelError


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a JSON-lines file, plain or gzip.

    Raises ModelError naming file and line where a line is no JSON object.
    """
    rows = []
    with _open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as fault:
                raise ModelError(f"{path}, line {number} is no JSON: {fault}; mend it") from fault
    return rows


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.GzipFile(path), encoding="utf-8")
    return path.open(encoding="utf-8")
