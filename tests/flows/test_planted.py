"""A surge that is planted in the town is told as an alert, and a lost source raises none.

Of the same finished run every printed share is read, in tables, report and pages.
"""

import json
from collections.abc import Iterator

import pandas as pd
from fastapi.testclient import TestClient
from lxml import html

from crawlers.sandbox.events import read_event
from dashboard.app import create_app
from models.tables import INSIGHT_TABLES
from tests.flows.planted import EVENT, LOST, READ, Finished
from tests.unit.certificate import Read, certified, shares_of_page, shares_of_rows
from tests.unit.store.builders import rows

HOLDING = {"all:all", "category:waste", "zone:huaycan", "category+zone:waste+huaycan"}
"""The cells that hold the event's texts."""


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
