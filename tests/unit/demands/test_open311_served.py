"""Another system reads demands and sends requests: over real HTTP, in JSON and in XML."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import georeport
import pytest
import uvicorn
from civicbot import Open311Client
from civicbot.http import HttpError, HttpTransport, RateLimiter
from civicbot.registry import Endpoint

from configs.schema import Source
from crawlers.protocols.base import Answer
from crawlers.protocols.open311 import Open311
from models.demands import Status
from models.records import Protocol
from pipelines.store.demands import find_demand, history
from pipelines.store.engine import open_engine
from pipelines.store.write import Store
from tests.unit.demands.asking import answered, bins
from tests.unit.demands.georeport import GeoReport
from tests.unit.demands.panel import KEY, opened

Served = tuple[str, Store, str]
"""The server's address, what it serves, and a demand of it."""


@pytest.fixture(scope="module")
def served(migrated: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("open311")
    path: Path = folder / "manifiesta.db"
    path.write_bytes(migrated)
    store = Store(open_engine(f"sqlite:///{path}"))
    demand = answered(store, bins(store))
    panel = opened(store, folder / "municipalities")
    config = uvicorn.Config(panel.client.app, port=0, log_level="warning")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    with config.bind_socket() as listening:
        listening.listen()  # who comes early waits
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        host = f"http://127.0.0.1:{listening.getsockname()[1]}/open311/v2"
        yield host, store, demand.id
        server.should_exit = True
        thread.join()
    store.engine.dispose()


@pytest.mark.parametrize("form", ["json", "xml"])
def test_services_and_requests_are_read(served: Served, form: str) -> None:
    root, _, id_ = served
    city = GeoReport(root)
    assert {one["service_code"] for one in city.services(form)} == {"waste", "transport"}
    one = city.request(id_, form)
    assert one in city.requests(form)
    assert (one["status"], one["service_code"], one["agency_responsible"]) == (
        "open",
        "waste",
        "Limpieza",
    )
    assert one["status_notes"] == "Ya se recogió."
    assert city.requests(form, status="closed") == []
    assert city.requests(form, service_code="transport") == []
    assert city.requests(form, service_request_id=f"{id_},otro") == [one]
    assert city.requests(form, end_date="2020-01-01T00:00:00Z") == []
    assert city.requests(form, page="2") == []


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_client_of_others_reads_what_our_own_reads(served: Served, form: str) -> None:
    root, _, id_ = served
    theirs = georeport.GeoReport(root, output_format=form)

    services = theirs.get_service_list()
    assert {one["service_code"] for one in services} == {"waste", "transport"}
    one = theirs.get_service_request(id_)
    assert (one["service_request_id"], one["status"], one["service_code"]) == (id_, "open", "waste")
    assert one["status_notes"] == "Ya se recogió."
    both = theirs.get_service_requests(service_request_id=id_, service_code="waste", status="open")
    assert both == ([one] if form == "json" else one)  # of one XML element it makes no list


def theirs_that_sends(root: str) -> Open311Client:
    """A client of others that also sends, at the pace of the test."""
    endpoint = Endpoint("villa", "Villa de Prueba", root, write=True)
    transport = HttpTransport(rate_limiter=RateLimiter(min_interval=0))
    return Open311Client(endpoint, transport, jurisdiction_id="villa")


def test_a_client_of_others_sends_and_reads_back(served: Served) -> None:
    root, store, _ = served
    theirs = theirs_that_sends(root)

    sent = theirs.create_request(
        "waste",
        dry_run=False,
        confirm="SEND",
        api_key=KEY,
        validate_remote=True,  # it checks what it sends against the services that it reads
        address_string="Norte",
        description="Hay bolsas rotas en la esquina, llamen al 987654321",
        email="ana@example.pe",
        first_name="Ana",
    )

    (told,) = sent.response
    one = theirs.get_request(told["service_request_id"])
    assert one is not None
    assert one["description"] == "Hay bolsas rotas en la esquina, llamen al [teléfono]"
    assert (one["status"], one["address"]) == ("open", "Norte, Villa de Prueba")
    assert one in theirs.list_requests(service_code="waste", status="open")
    assert theirs.list_requests(service_request_ids=[told["service_request_id"]]) == [one]
    demand = find_demand(store.engine, "villa", told["service_request_id"])
    assert (demand.origin, demand.status, demand.area) == ("open311", Status.NEW, "Limpieza")
    assert "Ana" not in str(one)


@pytest.mark.parametrize(
    ("key", "code", "status"), [("wrong", "waste", 403), (KEY, "no-such-service", 400)]
)
def test_a_client_of_others_is_told_why_nothing_was_taken(
    served: Served, key: str, code: str, status: int
) -> None:
    theirs = theirs_that_sends(served[0])
    asked = {"api_key": key, "address_string": "Norte", "description": "Bolsas"}

    with pytest.raises(HttpError) as refused:
        theirs.create_request(code, dry_run=False, confirm="SEND", **asked)

    assert refused.value.status == status
    assert json.loads(refused.value.body)[0]["code"] == status


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_request_is_sent_and_read_back(served: Served, form: str) -> None:
    root, store, _ = served
    city = GeoReport(root)
    id_ = city.send(
        form,
        api_key=KEY,
        service_code="waste",
        description="Bolsas rotas. Mi DNI es 12345678",
        address_string="Norte",
        email="ana@example.pe",
        first_name="Ana",
        phone="987654321",
    )
    one = city.request(id_, form)
    assert one["description"] == "Bolsas rotas. Mi DNI es [dni]"
    assert one["address"] == "Norte, Villa de Prueba"
    demand = find_demand(store.engine, "villa", id_)
    assert (demand.status, demand.zone) == (Status.NEW, "norte")
    assert [event.actor for event in history(store.engine, id_)] == ["open311"]


@pytest.mark.parametrize(
    ("path", "fields", "code", "why"),
    [
        ("requests/nada.json", {}, 404, "service_request_id was not found"),
        ("requests/nada.xml", {}, 404, "service_request_id was not found"),
        ("services/nada.xml", {}, 404, "service_code was not found"),
        ("services.json?jurisdiction_id=lima", {}, 404, "jurisdiction_id was not found"),
        ("requests.json?status=lost", {}, 400, "status is open"),
        ("requests.json?start_date=ayer", {}, 400, "start_date is no moment"),
        ("requests.json?start_date=2020-01-01&end_date=2021-01-01", {}, 400, "90 days"),
        ("requests.json?page=0", {}, 400, "whole numbers"),
        ("requests.json", {"description": "x"}, 403, "api_key is missing or wrong"),
        ("requests.xml", {"api_key": "ñ"}, 403, "api_key is missing or wrong"),
        ("requests.json", {"api_key": KEY, "service_code": "x"}, 400, "no service «x»"),
        ("requests.xml", {"api_key": KEY, "service_code": "waste"}, 400, "description is empty"),
    ],
)
def test_a_refusal_has_its_code_and_reason_in_the_form_asked_for(
    served: Served, path: str, fields: dict[str, str], code: int, why: str
) -> None:
    found, told = GeoReport(served[0]).error(path, **fields)
    assert found == code
    assert why in told


@pytest.mark.parametrize("form", ["json", "xml"])
def test_our_own_crawler_reads_it_as_any_citys(served: Served, form: str) -> None:
    from datetime import UTC, datetime
    from urllib.request import urlopen

    source = Source(name="ciudad", title="Ciudad", protocol=Protocol.OPEN311, url=served[0])
    reader = Open311(source, served[0], None)
    address = f"{served[0]}/requests.{form}"
    with urlopen(address, timeout=60) as got:
        answer = Answer(
            url=address,
            status=200,
            body=got.read(),
            headers={"content-type": got.headers["content-type"]},
            fetched_at=datetime.now(UTC),
            about=reader.start().about,
        )
    step = reader.read(answer)
    assert served[2] in {draft.external_id for draft in step.drafts}
    assert step.problems == ()


def test_a_server_without_a_key_takes_nothing(store: Store, tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    from dashboard.app import create_app

    client = TestClient(create_app(store.engine, tmp_path))
    answer = client.post("/open311/v2/requests.json", data={"api_key": ""})
    assert answer.status_code == 403
    assert "MANIFIESTA_OPEN311_KEY" in answer.text
