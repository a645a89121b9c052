"""Open311 GeoReport v2: what is written can be read, and a city's answers bring demands along."""

import json
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.load import load_taxonomy
from models.demands import PUBLIC, Action, Status
from models.errors import InputError
from models.tables import ManifestationRow
from pipelines.demands import open311
from pipelines.demands.open311 import as_json, as_xml, import_requests, read_requests
from pipelines.demands.receive import SOURCE, Request, receive
from pipelines.privacy import Pseudonymiser
from pipelines.store.demands import Demand, Wanted, demands, evidence, find_demand, history
from pipelines.store.write import Store
from tests.unit.demands.asking import VILLA, answered, bins, by, flow
from tests.unit.store.builders import rows

TAXONOMY = load_taxonomy()
PSEUDONYMS = Pseudonymiser("villa", b"a key that only the tests use")


def written(store: Store) -> list[dict[str, Any]]:
    found = demands(store.engine, "villa", Wanted(statuses=PUBLIC))
    return open311.requests(store, found, TAXONOMY, VILLA)


def told(demand: Demand, **changes: Any) -> bytes:
    return json.dumps([{"service_request_id": demand.id, "status": "open", **changes}]).encode()


def imported(store: Store, body: bytes) -> open311.Imported:
    return import_requests(store, VILLA, read_requests(body, VILLA))


def test_a_proposal_is_not_shown_outside_and_a_confirmed_demand_is(store: Store) -> None:
    demand = bins(store)
    assert written(store) == []
    flow(store).confirm(by(demand))
    (row,) = written(store)
    assert row["service_request_id"] == demand.id
    assert (row["status"], row["service_code"]) == ("open", "waste")
    assert row["agency_responsible"] == "Limpieza"
    assert row["address"] == "Centro, Villa de Prueba"
    assert row["expected_datetime"].endswith("T23:59:59-05:00")
    assert row["description"] == "Limpieza y residuos en Centro: 2 manifestaciones de vecinos."


def test_its_end_and_its_answer_are_told(store: Store) -> None:
    demand = answered(store, bins(store))
    assert [(r["status"], r["status_notes"]) for r in written(store)] == [
        ("open", "Ya se recogió.")
    ]
    flow(store).close(by(demand))
    assert written(store)[0]["status"] == "closed"


def test_services_are_the_categories_that_somebody_answers_for() -> None:
    found = open311.services(TAXONOMY, VILLA)
    assert [(s["service_code"], s["group"]) for s in found] == [
        ("transport", "Tránsito"),
        ("waste", "Limpieza"),
    ]
    assert all(s["type"] == "realtime" and s["metadata"] is False for s in found)


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(max_examples=80, deadline=None)
def test_any_text_survives_in_both_forms(text: str) -> None:
    row = {"description": text, "metadata": False, "lat": None}
    assert json.loads(as_json([row])) == [row]
    (item,) = ET.fromstring(as_xml([row], "service_requests", "request"))
    kept = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    assert (item.findtext("description") or "") == kept
    assert (item.findtext("metadata"), item.findtext("lat")) == ("false", "")


# --- a city's answers ------------------------------------------------------------------------


def test_what_is_written_here_changes_nothing_when_it_is_read_here(store: Store) -> None:
    demand = answered(store, bins(store))
    before = find_demand(store.engine, "villa", demand.id)
    for body in (
        as_json(written(store)),
        as_xml(written(store), "service_requests", "request"),
    ):
        assert imported(store, body).same == [demand.id]
    assert find_demand(store.engine, "villa", demand.id) == before


def test_a_citys_answer_answers_and_closes_once(store: Store) -> None:
    demand = flow(store).confirm(by(bins(store)))
    body = told(
        demand,
        status="closed",
        status_notes="Se recogió. Llame al 987654321",
        agency_responsible="Tránsito",
        expected_datetime="2030-01-02T12:00:00-05:00",
    )
    assert imported(store, body).changed == [demand.id]
    now = find_demand(store.engine, "villa", demand.id)
    assert (now.status, now.reply) == (Status.CLOSED, "Se recogió. Llame al [teléfono]")
    assert (now.area, str(now.due_on)) == ("Tránsito", "2030-01-02")
    assert now.answered_at
    assert now.ended_at
    last = history(store.engine, demand.id)[-1]
    assert (last.actor, last.action, last.from_status) == ("open311", Action.UPDATE, Status.NEW)
    assert last.detail["area"] == ["Limpieza", "Tránsito"]
    assert imported(store, body).same == [demand.id]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"status": "closed"}, "closed there without a word"),
        ({"status": "open", "service_request_id": "otro"}, None),
    ],
)
def test_what_cannot_be_taken_over_is_told(
    store: Store, given: dict[str, str], why: str | None
) -> None:
    demand = flow(store).confirm(by(bins(store)))
    done = imported(store, told(demand, **given))
    assert done.changed == []
    if why is None:
        assert done.unknown == ["otro"]
    else:
        assert why in done.refused[demand.id]
    assert find_demand(store.engine, "villa", demand.id) == demand


def test_other_words_and_unconfirmed_demands_are_left(store: Store) -> None:
    demand = bins(store)
    body = told(demand, status="closed", status_notes="Otra cosa")
    assert "is proposed here" in imported(store, body).refused[demand.id]
    answered(store, demand)
    assert "in other words" in imported(store, body).refused[demand.id]
    beginning = told(demand, service_request_id=demand.id[:8])
    assert imported(store, beginning).unknown == [demand.id[:8]]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"hola", "neither JSON nor XML"),
        (b"{}", "no list of service requests"),
        (b'[{"status": "open"}]', "Request 1 has no service_request_id"),
        (b'[{"service_request_id": "1", "status": "perdido"}]', "not open or closed"),
        (b"<html><body>x</body></html>", "is an HTML page"),
        (b"<services/>", "root is not service_requests"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><service_requests/>', "document type"),
        (b"[" * 100_000, "neither JSON nor XML"),
    ],
)
def test_what_is_no_georeport_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_requests(body, VILLA)


@given(st.binary(max_size=200))
@settings(max_examples=80, deadline=None)
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with suppress(InputError):
        read_requests(body, VILLA)


# --- a request that comes in -----------------------------------------------------------------


def test_a_request_becomes_a_masked_text_and_a_new_demand(both: Store) -> None:
    sent = Request("waste", "Basura en el Centro. Soy Ana, 987654321", sender="ana@example.pe")
    id_ = receive(both, VILLA, PSEUDONYMS, sent)
    demand = find_demand(both.engine, "villa", id_)
    assert (demand.status, demand.zone, demand.area) == (Status.NEW, "centro", "Limpieza")
    (text,) = evidence(both.engine, id_)
    assert (text.source, text.text) == (SOURCE, "Basura en el Centro. Soy Ana, [teléfono]")
    (row,) = rows(both.engine, ManifestationRow)
    assert row["author"].startswith("a-")
    assert "example.pe" not in str(row)
    assert history(both.engine, id_)[0].action is Action.RECEIVE
    assert written(both)[0]["description"] == text.text


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (Request("water", "No hay agua"), "no service «water»"),
        (Request("basura", "Basura"), "no service «basura»"),
        (Request("waste", "  "), "description is empty"),
        (Request("waste", "x" * 4001), "has 4,001"),
    ],
)
def test_a_request_for_nothing_or_nobody_is_refused(store: Store, sent: Request, why: str) -> None:
    with pytest.raises(InputError, match=why):
        receive(store, VILLA, PSEUDONYMS, sent)
    assert rows(store.engine, ManifestationRow) == []
