"""The page of hostile sources names a test for every case, and they exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "hostile.md"


def test_every_named_test_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    sources = (file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    written = {name for text in sources for name in re.findall(r"^def (test_\w+)", text, re.M)}

    assert len(named) > 20
    assert named <= written


def test_every_row_names_a_test() -> None:
    rows = PAGE.read_text(encoding="utf-8").partition("|---|---|---|\n")[2].splitlines()

    assert len(rows) > 25
    assert [row for row in rows if not re.search(r"\| `test_\w+`", row)] == []
