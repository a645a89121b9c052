"""One monitoring run, from HTTP to the report, on a part of the simulated town."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd
import pytest
import yaml
from sqlalchemy import Engine

from configs.schema import SHIPPED
from crawlers.sandbox.server import serve_town
from crawlers.sandbox.truth import TruthRow, truth
from models.insight_tables import INSIGHT_TABLES
from pipelines.privacy import mask
from pipelines.store.engine import open_engine
from tests.flows.conftest import Said

pytestmark = pytest.mark.usefixtures("prefect_server")

Manifiesta = Callable[..., Said]
SOURCES = ("radio-huaycan", "muni-noticias", "foro-santa-clara")


@pytest.fixture(scope="module")
def town() -> Iterator[str]:
    """The simulated town on a free port."""
    with serve_town(port=0) as base_url:
        yield base_url


@pytest.fixture
def said(town: str) -> list[TruthRow]:
    """What the sources of the test really say."""
    return [row for row in truth(base_url=town) if row.source in SOURCES]


def write_municipality(home: Path, code: str, *extra: dict[str, Any]) -> None:
    """Write a municipality that reads three of the town's sources, and others."""
    shipped = yaml.safe_load((SHIPPED / "municipalities" / "sandbox.yml").read_text())
    sources = [source for source in shipped["sources"] if source["name"] in SOURCES]
    folder = home / "municipalities"
    folder.mkdir(parents=True)
    document = shipped | {"code": code, "sources": [*sources, *extra]}
    (folder / f"{code}.yml").write_text(yaml.safe_dump(document, allow_unicode=True))


def source(name: str, url: str, **more: Any) -> dict[str, Any]:
    limits = {"delay": 0, "retries": 1, "retry_delay": 0}
    about = {"name": name, "title": name, "protocol": "feed", "url": url}
    return about | {"allow_private": True, "limits": limits} | more


def database(home: Path) -> Engine:
    return open_engine(f"sqlite:///{home / 'manifiesta.db'}")


def table(home: Path, query: str) -> pd.DataFrame:
    with database(home).connect() as connection:
        return pd.read_sql(query, connection)


def insights(home: Path, run_id: str) -> dict[str, pd.DataFrame]:
    return {
        row.__tablename__: table(
            home, f"SELECT * FROM {row.__tablename__} WHERE run_id = '{run_id}'"
        ).drop(columns="run_id")
        for row in INSIGHT_TABLES
    }


def test_a_run_stores_what_the_town_says_and_counts_all_of_it(
    manifiesta: Manifiesta, home: Path, town: str, said: list[TruthRow]
) -> None:
    write_municipality(home, "prueba")

    answer = manifiesta("run", "-m", "prueba", "--base-url", town, "--json")

    assert answer.code == 0, answer.err
    summary = json.loads(answer.out)
    stored = table(home, "SELECT source, external_id, text FROM manifestation")
    expected = {(row.source, row.external_id): " ".join(mask(row.text).split()) for row in said}
    found = {
        (row.source, row.external_id): " ".join(str(row.text).split())
        for row in stored.itertuples()
    }
    assert found == expected
    counted = insights(home, summary["run_id"])
    languages = counted["insight_overview"].query("measure == 'language' and lens == ''")
    languages = languages.set_index("label")
    assert languages["count"].sum() == len(said)
    spanish = languages["count"].reindex(["es", "und"]).sum()
    assert len(said) * 0.95 < spanish < len(said)  # some neighbours write in other languages
    for name in ("insight_category", "insight_day", "insight_source"):
        rows = counted[name].query("lens == ''")
        assert rows["count"].sum() == spanish
        assert set(rows["n"]) == {spanish}
    assert set(counted["insight_overview"]["sources_read"]) == {len(SOURCES)}
    page = Path(summary["report"]).read_text()
    assert f"{spanish:,}" in page
    assert summary["run_id"] in page


def test_a_second_run_adds_nothing_and_gives_the_same_insight_rows(
    manifiesta: Manifiesta, home: Path, town: str, said: list[TruthRow]
) -> None:
    write_municipality(home, "prueba")
    first = json.loads(manifiesta("run", "-m", "prueba", "--base-url", town, "--json").out)
    second = json.loads(manifiesta("run", "-m", "prueba", "--base-url", town, "--json").out)

    assert second["classified"] == 0
    assert sum(source["saved"]["new"] for source in second["sources"]) == 0
    assert second["in_window"] == first["in_window"] == len(said)
    before, after = insights(home, first["run_id"]), insights(home, second["run_id"])
    for name, rows in before.items():
        pd.testing.assert_frame_equal(rows, after[name])


def test_a_lost_source_leaves_the_others_and_says_so(
    manifiesta: Manifiesta, home: Path, town: str, said: list[TruthRow]
) -> None:
    write_municipality(home, "prueba", source("perdida", "/no-such-feed.xml"))

    answer = manifiesta("run", "-m", "prueba", "--base-url", town)

    assert answer.code == 3
    assert "perdida: " in answer.out
    assert "404" in answer.out
    every = "SELECT source, state, reason, count, n FROM insight_source WHERE lens = ''"
    rows = table(home, every)
    lost = rows[rows["source"] == "perdida"].iloc[0]
    assert (lost["state"], lost["count"]) == ("failed", 0)
    assert "404" in lost["reason"]
    assert rows["count"].sum() == rows["n"].iloc[0] > len(said) * 0.95
    stored = table(home, "SELECT source, external_id FROM manifestation")
    assert len(stored) == len(said)
    overview = table(home, "SELECT sources_read, sources_configured FROM insight_overview")
    assert set(overview.itertuples(index=False, name=None)) == {(3, 4)}


def test_with_every_source_lost_the_run_fails_and_still_leaves_a_report(
    manifiesta: Manifiesta, home: Path
) -> None:
    write_municipality(home, "prueba")
    nobody = "http://127.0.0.1:9"  # the discard port: nobody listens there
    path = home / "municipalities" / "prueba.yml"
    document = yaml.safe_load(path.read_text())
    for each in document["sources"]:
        each["limits"] = {"delay": 0, "retries": 0}
    path.write_text(yaml.safe_dump(document))

    answer = manifiesta("run", "-m", "prueba", "--base-url", nobody, "--json")

    assert answer.code == 1
    summary = json.loads(answer.out)
    assert {source["state"] for source in summary["sources"]} == {"failed"}
    assert "0 de 3 fuentes" in Path(summary["report"]).read_text()


class _Moody(BaseHTTPRequestHandler):
    """A feed that fails twice (robots.txt, then the feed of the first try), then answers."""

    feed_requests = 0

    def do_GET(self) -> None:
        if self.path == "/robots.txt":
            self.send_error(404)
            return
        type(self).feed_requests += 1
        if type(self).feed_requests <= 3:
            self.send_error(503)
            return
        item = {
            "id": "1",
            "content_text": "La vereda está rota",
            "date_published": "2021-09-05T10:00:00-05:00",
        }
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": [item]}
        self.send_response(200)
        self.send_header("Content-Type", "application/feed+json")
        self.end_headers()
        self.wfile.write(json.dumps(feed).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def test_a_source_that_recovers_is_tried_again(
    manifiesta: Manifiesta, home: Path, town: str
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Moody)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/feed.json"
    write_municipality(home, "prueba", source("terca", url, kind="post"))

    answer = manifiesta("run", "-m", "prueba", "--base-url", town, "--json")
    server.shutdown()
    server.server_close()

    states = {each["source"]: each["state"] for each in json.loads(answer.out)["sources"]}
    assert states["terca"] == "done"
    assert answer.code == 0


def test_the_ledger_holds_a_line_for_every_source_and_day(
    manifiesta: Manifiesta, home: Path, town: str
) -> None:
    write_municipality(home, "prueba")
    manifiesta(
        "run", "-m", "prueba", "--base-url", town, "--from", "2021-09-01", "--to", "2021-09-08"
    )
    ledger = table(home, "SELECT source, day, stage, state FROM run_partition")
    collected = ledger[ledger["stage"] == "collect"]
    assert len(collected) == len(SOURCES) * 7
    assert set(collected["state"]) == {"done"}
