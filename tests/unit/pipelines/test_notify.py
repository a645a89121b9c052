"""People are told once, by a real webhook, and never an address or a citizen's text."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine

from configs.schema import Channel, Municipality
from models.errors import ConfigError
from models.insight_tables import InsightFinding
from pipelines.counted import Counted, common_columns
from pipelines.coverage import coverage
from pipelines.notify import Message, addresses_of, failure, findings_of, tell
from pipelines.store.write import Store
from tests.unit.store.builders import MARCH, MODEL, TAXONOMY, begun, municipality

ALERT = Message("alert", "alert volume zone:gloria 2026-03-04", "Se habló más de lo usual.")
FINDING = Message("finding", "surprise sentiment", "Hay más elogios que antes.")


@pytest.fixture
def store(sqlite_engine: Engine) -> Store:
    return Store(sqlite_engine)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    """A webhook on loopback; what it was sent."""
    taken: list[dict[str, str]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            taken.append(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("AVISOS", f"json://user:secreto@127.0.0.1:{server.server_address[1]}/")
    yield taken
    server.shutdown()
    server.server_close()


def place(**more: object) -> Municipality:
    channel = Channel.model_validate({"name": "guardia", "urls_from": "AVISOS", **more})
    return municipality().model_copy(update={"notify": (channel,)})


def test_the_same_thing_is_told_once(store: Store, hook: list[dict[str, str]]) -> None:
    villa = place(about=["alert", "finding"])
    assert tell(store, villa, "r1", [ALERT, FINDING], "Informe: x") == []
    assert tell(store, villa, "r2", [ALERT], "Informe: x") == []
    again = Message("alert", "alert volume zone:gloria 2026-03-05", "Otra vez.")
    assert tell(store, villa, "r3", [ALERT, again], "Informe: x") == []
    assert [one["title"].rpartition(": ")[2] for one in hook] == [
        "1 alerta, 1 hallazgo",
        "1 alerta",
    ]
    assert hook[0]["message"].splitlines()[0] == f"• {ALERT.sentence}"
    assert "Otra vez." in hook[1]["message"]
    assert ALERT.sentence not in hook[1]["message"]


def test_a_channel_is_told_only_what_it_is_for(store: Store, hook: list[dict[str, str]]) -> None:
    villa = place(about=["failure"])
    tell(store, villa, "r1", [ALERT, FINDING, failure("fuente rpp", "HTTP 503")], "x")
    (one,) = hook
    assert "fuente rpp: HTTP 503" in one["message"]
    assert ALERT.sentence not in one["message"]


def test_what_was_not_taken_is_told_again_and_the_address_stays_secret(
    store: Store, hook: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    villa, good = place(), str(addresses_of(place().notify[0])[0])
    monkeypatch.setenv("AVISOS", "json://user:secreto@127.0.0.1:9/")  # nobody listens there
    (problem,) = tell(store, villa, "r1", [ALERT], "x")
    assert "guardia did not take" in problem
    assert "secreto" not in problem
    monkeypatch.setenv("AVISOS", good)
    assert tell(store, villa, "r2", [ALERT], "x") == []
    assert len(hook) == 1


def test_addresses_come_from_a_file_too(tmp_path: Path) -> None:
    channel = Channel(name="guardia", urls_from="AVISOS")
    file = tmp_path / "secret"
    file.write_text("mailto://a:b@example.org\nslack://x\n")
    assert addresses_of(channel, {"AVISOS_FILE": str(file)}) == [
        "mailto://a:b@example.org",
        "slack://x",
    ]
    with pytest.raises(ConfigError, match="AVISOS_FILE cannot be read"):
        addresses_of(channel, {"AVISOS_FILE": str(tmp_path / "none")})
    with pytest.raises(ConfigError, match="set AVISOS in the environment"):
        addresses_of(channel, {"AVISOS": "  "})


def _found(store: Store, kind: str, rule: str, day: str) -> Message:
    """Return the message of a run that found one thing, on a day."""
    villa = municipality()
    run_id = begun(store)
    subject = Counted(run_id, villa, MARCH, MODEL, TAXONOMY)
    row = {
        **common_columns(subject, coverage(store.engine, villa, MARCH, run_id)),
        **{"lens": "", "number": 1, "kind": kind, "rule": rule, "subject": "topic:t-1"},
        **{"sentence_es": "Hay algo.", "sentence_en": "There is something."},
        **{"value": 2.0, "low": None, "high": None, "n": 9, "q": None, "statistic": {"day": day}},
    }
    store.save_insights(run_id, {InsightFinding: [row]})
    (message,) = findings_of(store, run_id)
    return message


@pytest.mark.parametrize(
    ("kind", "rule", "again"),
    [
        ("emerging", "new_topic", False),
        ("emerging", "growing_topic", False),
        ("alert", "volume", True),
    ],
)
def test_a_window_that_has_moved_tells_another_day_of_an_alert_and_no_topic_twice(
    store: Store, hook: list[dict[str, str]], kind: str, rule: str, again: bool
) -> None:
    villa = place(about=["alert", "finding"])
    for day in ("2026-03-02", "2026-03-03"):
        tell(store, villa, "r1", [_found(store, kind, rule, day)], "x")
    assert len(hook) == 1 + again
