"""A surge that is planted in the town is told as an alert, and a lost source raises none."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from configs.schema import SHIPPED
from crawlers.sandbox.events import read_event
from crawlers.sandbox.server import serve_town
from crawlers.sandbox.town import build_town, window_of
from pipelines.store.engine import open_engine
from tests.flows.conftest import Said

pytestmark = pytest.mark.usefixtures("prefect_server")

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


def test_a_planted_surge_is_an_alert_and_a_lost_source_is_none(
    manifiesta: Callable[..., Said], home: Path
) -> None:
    write_municipality(home)
    event = read_event(EVENT)
    town = build_town(2021, window=window_of(DAYS), events=[event])

    with serve_town(0, town=town, chaos={LOST: "error500"}) as url:
        answer = manifiesta("run", "-m", "prueba", "--base-url", url, "--json")

    assert answer.code == 3, answer.err
    reasons = {each["source"]: each["reason"] for each in json.loads(answer.out)["sources"]}
    assert {name for name, reason in reasons.items() if reason} == {LOST}
    with open_engine(f"sqlite:///{home / 'manifiesta.db'}").connect() as connection:
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
