"""Planted secrets are found nowhere: not in logs, output, reports, ledger, database or archive."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import get_client
from sqlalchemy import inspect, make_url

from crawlers.sandbox.server import serve_town
from flows.logs import JsonLines, set_up_logs
from models.errors import ConfigError, StoreError
from pipelines.store.engine import open_engine
from tests.conftest import PostgresServer
from tests.flows.conftest import Said
from tests.flows.test_monitor import source, write_municipality
from tests.flows.test_rerun import WEEK, command

Manifiesta = Callable[..., Said]
PLANTED = ("planted-pseudonym-key-0123456789", "planted-password", "planted-token", "planted-user")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Nothing, for a file in the home, or an address with a password in it."""
    if request.param == "sqlite":
        yield None
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        planted = make_url(url).set(password=PLANTED[1])
        yield planted.render_as_string(hide_password=False)


def test_what_the_environment_holds_is_written_nowhere(
    database_url: str | None, home: Path, manifiesta: Manifiesta, prefect_server: None
) -> None:
    write_municipality(
        home,
        "prueba",
        source("video", "http://127.0.0.1:9", protocol="youtube", query="ate", token="EL_TOKEN"),
    )
    path = home / "municipalities" / "prueba.yml"
    document = yaml.safe_load(path.read_text())
    document["notify"] = [{"name": "guardia", "urls_from": "AVISOS", "about": ["failure"]}]
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    told: dict[str, bytes] = {}

    def run(code: int, town: str, **database: str) -> str:
        said = command(
            home,
            *("run", "-m", "prueba", *WEEK, "--base-url", town),
            AVISOS="json://planted-user:planted-password@127.0.0.1:9/",
            EL_TOKEN="planted-token",
            MANIFIESTA_LOGS="json",
            MANIFIESTA_LOG_LEVEL="DEBUG",
            key=PLANTED[0],
            **database,
        )
        assert said.returncode == code, said.stderr
        told[f"output {len(told)}"] = (said.stdout + said.stderr).encode()
        return said.stdout + said.stderr

    with serve_town(port=0) as town:
        here = {"MANIFIESTA_DATABASE_URL": database_url} if database_url else {}
        said = run(3, town, **here)  # the video source does not answer
    assert "guardia did not take" in said
    if database_url:
        nobody = make_url(database_url).set(port=9).render_as_string(hide_password=False)
        assert "does not answer" in run(1, town, MANIFIESTA_DATABASE_URL=nobody)
    told["database"] = everything_in(database_url or f"sqlite:///{home / 'manifiesta.db'}")
    assert b"foro-santa-clara" in told["database"]
    told["prefect"] = everything_in_prefect()
    assert b"run-prueba" in told["prefect"]
    told |= {str(each.relative_to(home)): each.read_bytes() for each in files(home)}
    assert "municipalities/prueba.yml" in told
    found = [
        (where, word)
        for where, content in told.items()
        for word in PLANTED
        if word.encode() in content
    ]
    assert found == []


def everything_in(database: str) -> bytes:
    """Every row of every table, whatever it is called."""
    engine = open_engine(database)
    with engine.connect() as connection:
        names = [name for name in inspect(connection).get_table_names() if "index" not in name]
        rows = [connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names]
    engine.dispose()
    return repr(rows).encode()


def everything_in_prefect() -> bytes:
    """The newest artifacts, runs with their parameters and states, and logs."""
    with get_client(sync_client=True) as client:
        return b"".join(
            client.request("POST", f"/{kind}/filter", json={"limit": 200, "sort": sort}).content
            for kind, sort in (
                ("artifacts", "CREATED_DESC"),
                ("flow_runs", "START_TIME_DESC"),
                ("task_runs", "EXPECTED_START_TIME_DESC"),
                ("logs", "TIMESTAMP_DESC"),
            )
        )


def int_of(words: str) -> int:
    return int(words)


def files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def test_a_log_line_is_json_and_quotes_no_citizen(capfd: pytest.CaptureFixture[str]) -> None:
    record = logging.makeLogRecord({"name": "pipelines.x", "msg": "run %s", "args": ("r1",)})
    record.run = "r1"
    with pytest.raises(ValueError, match="Vecino") as caught:
        int_of("Vecino: mi teléfono es 999")
    record.exc_info = (caught.type, caught.value, caught.tb)
    line = json.loads(JsonLines().format(record))
    assert (line["message"], line["run"], line["logger"]) == ("run r1", "r1", "pipelines.x")
    assert line["error"].startswith("ValueError at int_of, line")
    assert "999" not in json.dumps(line)
    record.exc_info = (StoreError, StoreError("the disk is full"), None)
    assert json.loads(JsonLines().format(record))["error"] == "StoreError: the disk is full"


def test_logs_go_to_standard_error_as_asked(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MANIFIESTA_LOGS", "json")
    set_up_logs()
    logging.getLogger("pipelines.x").info("begun")
    logging.getLogger("pipelines.x").debug("a citizen's text")
    out, err = capfd.readouterr()
    assert out == ""
    assert json.loads(err)["message"] == "begun"
    monkeypatch.setenv("MANIFIESTA_LOGS", "xml")
    with pytest.raises(ConfigError, match="MANIFIESTA_LOGS is «xml»"):
        set_up_logs()
    monkeypatch.delenv("MANIFIESTA_LOGS")
    set_up_logs()
