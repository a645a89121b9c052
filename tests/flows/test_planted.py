"""A surge that is planted in the town is told as an alert, and a lost source raises none.

Of the same finished run every printed share is read, in tables, report and pages.
"""

import io
import json
import signal
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml
from fastapi.testclient import TestClient
from lxml import html
from sqlalchemy import Engine

from configs.schema import SHIPPED
from crawlers.sandbox.events import read_event
from crawlers.sandbox.server import serve_town
from crawlers.sandbox.town import build_town, window_of
from dashboard.app import create_app
from models.tables import INSIGHT_TABLES
from pipelines.store.engine import open_engine
from tests.unit.certificate import Read, certified, shares_of_page, shares_of_rows
from tests.unit.store.builders import rows

EVENT = "waste:huaycan:2021-09-17:3:volume"
LOST = "telegram-ate"
READ = ("facebook-ate", "x-ate", "masto-lima", "muro-huaycan")
DAYS = 20
HOLDING = {"all:all", "category:waste", "zone:huaycan", "category+zone:waste+huaycan"}
"""The cells that hold the event's texts."""


def write_municipality(home: Path) -> None:
    """Write a municipality that reads a few sources, one of which is lost."""
    shipped = yaml.safe_load((SHIPPED / "municipalities" / "sandbox.yml").read_text())
    chosen = [each for each in shipped["sources"] if each["name"] in {*READ, LOST}]
    for source in chosen:
        source["limits"] = {"delay": 0, "retries": 0}
    window = {"start": window_of().start, "days": DAYS}
    document = shipped | {"code": "prueba", "sources": chosen, "windows": window}
    folder = home / "municipalities"
    folder.mkdir(parents=True)
    (folder / "prueba.yml").write_text(yaml.safe_dump(document, allow_unicode=True))


@dataclass(frozen=True)
class Finished:
    """A run that is over: its exit code, what it said, and where it left what it made."""

    code: int
    summary: dict[str, object]
    home: Path

    @property
    def engine(self) -> Engine:
        """Its database."""
        return open_engine(f"sqlite:///{self.home / 'manifiesta.db'}")


@pytest.fixture(scope="module")
def finished(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    from flows.cli import main

    home, said = tmp_path_factory.mktemp("planted"), io.StringIO()
    write_municipality(home)
    town = build_town(2021, window=window_of(DAYS), events=[read_event(EVENT)])
    handler = signal.getsignal(signal.SIGTERM)
    with (
        pytest.MonkeyPatch.context() as patch,
        serve_town(0, town=town, chaos={LOST: "error500"}) as url,
    ):
        patch.setenv("MANIFIESTA_HOME", str(home))
        patch.setenv("MANIFIESTA_PSEUDONYM_KEY", "a key that only the tests use")
        patch.delenv("MANIFIESTA_DATABASE_URL", raising=False)
        patch.setattr(
            "sys.argv", ["manifiesta", "run", "-m", "prueba", "--base-url", url, "--json"]
        )
        with redirect_stdout(said), pytest.raises(SystemExit) as end:
            main()
    signal.signal(signal.SIGTERM, handler)
    return Finished(int(end.value.code or 0), json.loads(said.getvalue()), home)


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
