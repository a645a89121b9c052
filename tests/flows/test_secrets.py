"""Planted secrets are found nowhere: not in logs, output, reports, ledger, database or archive."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from crawlers.sandbox.server import serve_town
from flows.logs import JsonLines, set_up_logs
from models.errors import ConfigError, StoreError
from tests.flows.conftest import Said
from tests.flows.test_monitor import source, table, write_municipality
from tests.flows.test_rerun import WEEK, command

Manifiesta = Callable[..., Said]
PLANTED = ("planted-pseudonym-key-0123456789", "planted-password", "planted-token", "planted-user")


def test_what_the_environment_holds_is_written_nowhere(
    home: Path, manifiesta: Manifiesta, prefect_server: None
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
    with serve_town(port=0) as town:
        said = command(
            home,
            "run",
            "-m",
            "prueba",
            *WEEK,
            "--base-url",
            town,
            AVISOS="json://planted-user:planted-password@127.0.0.1:9/",
            EL_TOKEN="planted-token",
            MANIFIESTA_LOGS="json",
            MANIFIESTA_LOG_LEVEL="DEBUG",
            key=PLANTED[0],
        )
    assert said.returncode == 3, said.stderr  # the video source does not answer
    assert "guardia did not take" in said.stdout + said.stderr
    assert table(home, "SELECT count(*) AS n FROM manifestation")["n"].iloc[0] > 0
    places = {str(each.relative_to(home)): each.read_bytes() for each in files(home)}
    assert {"manifiesta.db", "municipalities/prueba.yml"} <= places.keys()
    places |= {"output": said.stdout.encode(), "logs": said.stderr.encode()}
    found = [
        (where, word)
        for where, content in places.items()
        for word in PLANTED
        if word.encode() in content
    ]
    assert found == []


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
