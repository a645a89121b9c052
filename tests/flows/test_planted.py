"""A surge that is planted in the town is told as an alert, and a lost source raises none.

Of the same finished run every printed share is read, in tables, report and pages.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from lxml import html
from pypdf import PdfReader

from crawlers.sandbox.events import read_event
from dashboard.app import create_app
from models.insight_tables import INSIGHT_TABLES, InsightCategory, InsightOverview
from models.tables import Base
from pipelines.export import write_frame
from pipelines.report.paper import print_pdf
from tests.flows.planted import EVENT, LOST, READ, Finished
from tests.unit.certificate import Read, certified, shares_of_page, shares_of_rows
from tests.unit.store.builders import rows

HOLDING = {"category:waste", "zone:huaycan", "category+zone:waste+huaycan"}
"""The cells that hold the event's texts, but for the whole district, in which it is no surge."""


def test_a_planted_surge_is_an_alert_and_a_lost_source_is_none(finished: Finished) -> None:
    event = read_event(EVENT)
    assert finished.code == 3
    reasons = {each["source"]: each["reason"] for each in finished.summary["sources"]}
    assert {name for name, reason in reasons.items() if reason} == {LOST}
    with finished.engine.connect() as connection:
        alerts = pd.read_sql(
            "SELECT subject, statistic, sources_read FROM insight_finding"
            " WHERE kind = 'alert' AND lens = ''",
            connection,
        )
    told = {row.subject: json.loads(row.statistic) for row in alerts.itertuples()}
    surge = told["category+zone:waste+huaycan"]
    assert surge["day"] == event.start.isoformat()
    assert surge["until"] < event.end.isoformat()
    assert surge["count"] > 5 * surge["expected_high"]
    assert set(alerts["sources_read"]) == {len(READ)}
    begun = {
        subject
        for subject, each in told.items()
        if str(event.start) <= each["day"] < str(event.end)
    }
    assert begun == HOLDING


def printed(finished: Finished) -> Iterator[tuple[str, Read]]:
    """Read the shares of every insight table, of both reports and of every page."""
    for table in INSIGHT_TABLES:
        yield table.__tablename__, Read(shares_of_rows(rows(finished.engine, table)), [])
    for report in finished.home.glob("reports/*/*.html"):
        yield report.name, shares_of_page(report.read_text("utf-8"))
    visitor = TestClient(create_app(finished.engine, finished.home / "municipalities"))
    links = html.fromstring(visitor.get("/").text).xpath("//nav//a/@href")
    for path in sorted({link for link in links if link.startswith("/")}):
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        yield path, shares_of_page(answer.text)


def test_every_printed_share_of_a_finished_run_passes_the_certificate(finished: Finished) -> None:
    found = dict(printed(finished))
    assert len([name for name in found if name.endswith(".html")]) == 2
    assert sum(bool(read.shares) for read in found.values()) >= 14
    for name, read in found.items():
        assert [pair for pair in read.shares if not certified(*pair)] == [], name
        assert read.left == [], name


@pytest.mark.parametrize("table", [InsightOverview, InsightCategory], ids=lambda t: t.__tablename__)
def test_every_share_of_a_workbook_passes_the_certificate(
    finished: Finished, table: type[Base], tmp_path: Path
) -> None:
    path = tmp_path / "insight.xlsx"
    write_frame(pd.DataFrame(rows(finished.engine, table)), table, path, "xlsx")
    heads, *cells = openpyxl.load_workbook(path)[table.__tablename__].values
    found = shares_of_rows(dict(zip(heads, row, strict=True)) for row in cells)
    assert len(found) >= len(cells)
    assert [pair for pair in found if not certified(*pair)] == []


@pytest.mark.skipif(shutil.which("chromium") is None, reason="apt-get install chromium")
def test_the_paper_prints_the_shares_of_the_page_and_no_others(
    finished: Finished, tmp_path: Path
) -> None:
    source = min(finished.home.glob("reports/*/*.html"))
    page = tmp_path / source.name
    page.write_bytes(source.read_bytes())
    paper = " ".join(sheet.extract_text() for sheet in PdfReader(print_pdf(page)).pages)
    decimals = re.compile(r"\d+\.\d+%")
    on_page = set(decimals.findall(" ".join(html.fromstring(page.read_text("utf-8")).itertext())))
    on_paper = set(decimals.findall(paper))
    assert len(on_paper) >= 30
    assert on_paper <= on_page
    certain = {f"{share}%" for share, n in shares_of_page(page.read_text("utf-8")).shares}
    assert certain <= on_paper
