"""Saved page in, expected JSON out: one case per folder of tests/pages."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from crawlers.extract.feed import read_feed
from crawlers.extract.links import read_links
from crawlers.extract.page import read_page

PAGES = Path(__file__).parents[2] / "pages"
CASES = sorted(path.parent for path in PAGES.glob("*/expected.json"))

READERS: dict[str, Callable[[bytes, str, str], Any]] = {
    "feed": lambda body, url, kind: asdict(read_feed(body, url, kind)),
    "article": lambda body, url, kind: asdict(read_page(body, url, kind).article),
    "comments": lambda body, url, kind: [
        asdict(comment) for comment in read_page(body, url, kind).thread.comments
    ],
    "links": lambda body, url, kind: asdict(read_links(body, url, ".portada h2 a", kind)),
}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_page_reads_as_expected(case: Path) -> None:
    told = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    body = (case / told["file"]).read_bytes()

    found = READERS[told["read"]](body, told["url"], told["content_type"])

    # through JSON, which knows no tuples and no sets
    assert json.loads(json.dumps(found, default=sorted)) == told["expected"]


def test_there_are_cases_of_every_kind() -> None:
    kinds = {json.loads((case / "expected.json").read_text())["read"] for case in CASES}

    assert kinds == set(READERS)
