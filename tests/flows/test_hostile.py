"""Several sources of the town misbehave at once; the others finish, and the run says so."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from configs.schema import SHIPPED
from crawlers.sandbox.server import serve_town
from crawlers.sandbox.truth import truth
from pipelines.store.engine import open_engine
from tests.flows.conftest import Said

pytestmark = pytest.mark.usefixtures("prefect_server")

WELL = ("muni-noticias", "foro-santa-clara")
CHAOS = {
    "muro-huaycan": "hang",
    "muro-vitarte": "drip",
    "buzon-vecinal": "gzip_bomb",
    "radio-huaycan": "redirect_private",
    "foro-salamanca": "captcha",
    "telegram-ate": "endless",
    "reddit-ate": "deep_nesting",
}
SAYS = {
    "muro-huaycan": "did not answer within 0.5 seconds",
    "muro-vitarte": "did not answer within 0.5 seconds",
    "buzon-vecinal": "once unpacked",
    "radio-huaycan": "may not be read",
    "foro-salamanca": "asks to solve a captcha",
    "telegram-ate": "is larger than the limit of",
    "reddit-ate": "is nested too deeply",
}


def write_municipality(home: Path, code: str) -> None:
    """Write a municipality that reads two sources that are well and those that are not."""
    shipped = yaml.safe_load((SHIPPED / "municipalities" / "sandbox.yml").read_text())
    chosen = [source for source in shipped["sources"] if source["name"] in {*WELL, *CHAOS}]
    for source in chosen:
        never_answers = CHAOS.get(source["name"]) in {"hang", "drip"}
        timeout = 0.5 if never_answers else 30
        source["limits"] = {"delay": 0, "retries": 0, "timeout": timeout}
    folder = home / "municipalities"
    folder.mkdir(parents=True)
    document = shipped | {"code": code, "sources": chosen}
    (folder / f"{code}.yml").write_text(yaml.safe_dump(document, allow_unicode=True))


def test_hostile_sources_stop_none_of_the_others(
    manifiesta: Callable[..., Said], home: Path
) -> None:
    write_municipality(home, "prueba")

    with serve_town(0, chaos=CHAOS) as url:
        answer = manifiesta("run", "-m", "prueba", "--base-url", url, "--json")
        expected = {(r.source, r.external_id) for r in truth(base_url=url) if r.source in WELL}

    assert answer.code == 3, answer.err
    summary = json.loads(answer.out)
    assert summary["state"] == "partial"
    reasons = {source["source"]: source["reason"] or "" for source in summary["sources"]}
    assert {name for name, reason in reasons.items() if reason} == set(CHAOS)
    for name, words in SAYS.items():
        assert words in reasons[name]
    with open_engine(f"sqlite:///{home / 'manifiesta.db'}").connect() as connection:
        stored = pd.read_sql("SELECT source, external_id FROM manifestation", connection)
        read = pd.read_sql(
            "SELECT sources_read, sources_configured FROM insight_overview", connection
        )
        states = pd.read_sql("SELECT source, state FROM insight_source", connection)
    assert set(stored.itertuples(index=False, name=None)) == expected
    assert set(read.itertuples(index=False, name=None)) == {(len(WELL), len(WELL) + len(CHAOS))}
    assert dict(states.itertuples(index=False, name=None)) == {
        **dict.fromkeys(WELL, "done"),
        **dict.fromkeys(CHAOS, "failed"),
    }
