"""The verbs on demands, from the proposal to a city's answer, as a person types them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Store
from tests.unit.demands.asking import BINS, BINS_TOO, HOLE, VILLA, put
from tests.unit.store.builders import MODEL, at, begun, said

Manifiesta = Callable[..., Any]
HERE = ("-m", "villa")
MARCH = ("--from", "2026-03-01", "--to", "2026-04-01")


@pytest.fixture
def asked(manifiesta: Manifiesta, home: Path) -> None:
    folder = home / "municipalities"
    folder.mkdir(parents=True)
    values = VILLA.model_dump(mode="json", exclude_unset=True) | {"base_url": "https://example.pe"}
    (folder / "villa.yml").write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    engine = open_engine(f"sqlite:///{home / 'manifiesta.db'}")
    migrate(engine)
    store = Store(engine)
    store.set_model(begun(store, VILLA), MODEL)
    put(store, said(1, BINS, when=at(3)))
    put(store, said(2, BINS_TOO, when=at(4)))
    put(store, said(3, HOLE, when=at(5)), category="transport")
    engine.dispose()
    answer = manifiesta("demands", "propose", *HERE, *MARCH)
    assert "3 texts found a demand; 2 demands are new, 0 were joined" in answer.out


@pytest.mark.usefixtures("asked")
def test_from_the_proposal_to_a_citys_answer(manifiesta: Manifiesta, tmp_path: Path) -> None:
    def told(*arguments: str, code: int = 0) -> str:
        answer = manifiesta("demands", *arguments, *HERE)
        assert answer.code == code, answer.err
        return answer.out + answer.err

    again = json.loads(told("propose", *MARCH, "--json"))
    assert (again["texts"], again["founded"]) == (0, 0)
    listed = json.loads(told("list", "--category", "waste", "--json"))
    (one,) = listed["demands"]
    assert (listed["total"], one["status"], one["texts"]) == (1, "proposed", 2)
    id_ = one["id"]
    assert "What can be done now: confirm, reject, merge, split" in told("show", id_[:8])
    assert "«answer» is for one that is in-progress" in told(
        "answer", id_, "--by", "P-1", "--reply", "Ya", code=2
    )
    told("confirm", id_, "--by", "E-07", "--summary", "Recoger a diario")
    assert "has changed since you read it" in told(
        "reject", id_, "--by", "E-08", "--reason", "No", "--version", "1", code=1
    )
    assert json.loads(told("assign", id_, "--by", "E-07", "--to", "P-1", "--json"))["due_on"]
    file = tmp_path / "requests.json"
    told("export", "--out", str(file))
    (request,) = json.loads(file.read_text())
    assert (request["description"], request["status"]) == ("Recoger a diario", "open")
    assert "<service_code>waste</service_code>" in told("export", "--services", "--format", "xml")
    city = [request | {"status": "closed", "status_notes": "Se recoge"}, request]
    city[1] = city[1] | {"service_request_id": "otro"}
    file.write_text(json.dumps(city))
    done = json.loads(told("import", str(file), "--json", code=3))
    assert (done["changed"], done["unknown"]) == ([id_], ["otro"])
    shown = json.loads(told("show", id_, "--json"))
    assert (shown["status"], shown["reply"]) == ("closed", "Se recoge")
    assert shown["possible"] == ["reopen"]
    assert [event["actor"] for event in shown["history"]][-1] == "open311"


@pytest.mark.usefixtures("asked")
def test_wrong_words_are_answered_with_the_right_ones(manifiesta: Manifiesta) -> None:
    wrong = manifiesta("demands", "list", *HERE, "--status", "perdida")
    assert wrong.code == 2
    assert "There are: proposed, new, assigned" in wrong.err
    nobody = manifiesta("demands", "show", "abcdef12", *HERE)
    assert nobody.code == 2
    assert "`manifiesta demands list` lists them" in nobody.err
