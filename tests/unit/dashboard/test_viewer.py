"""Whoever may only look sees no pseudonym anywhere, and nothing that waits for a decision."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select, update

from dashboard.app import PAGES, create_app
from models.tables import INSIGHT_TABLES, ManifestationRow
from pipelines.accounts import add, make_key
from pipelines.searching import index_texts
from pipelines.store.counted import counted_municipalities
from tests.unit.dashboard.conftest import opened
from tests.unit.dashboard.test_access import PASSWORD, sign_in
from tests.unit.report.town import busy_town

TABLES = [table.__tablename__ for table in INSIGHT_TABLES]

AUTHOR = "3f9c0a77b1e2d4c5"
"""The pseudonym of whoever said anything in the town."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    made = opened(busy_town(60), tmp_path_factory.mktemp("viewer") / "town.db")
    index_texts(made, counted_municipalities(made)[0])
    add(made, "mira", "viewer", PASSWORD, "tests")
    return made


def test_no_page_table_or_interface_tells_a_pseudonym(engine: Engine, own: Path) -> None:
    with engine.begin() as connection:
        connection.execute(update(ManifestationRow).values(author=AUTHOR))
        ids = list(connection.scalars(select(ManifestationRow.id).limit(3)))
    client = TestClient(create_app(engine, own), follow_redirects=False)
    sign_in(client, "mira")
    key = {"authorization": f"Bearer {make_key(engine, 'mira', 'tests')}"}
    addresses = [
        *(page.PAGE.path for page in PAGES if page.PAGE.role == "viewer"),
        *(f"/manifestaciones/{id_}" for id_ in ids),
        *(f"/tablas/{name}.{form}" for name in TABLES for form in ("csv", "jsonl")),
        "/open311/v2/requests.json",
        "/api/v1/runs",
    ]
    answers = [client.get(address) for address in addresses]
    answers += [client.get(f"/api/v1/tables/{name}", headers=key) for name in TABLES]

    assert {answer.status_code for answer in answers} == {200}
    assert [str(answer.url) for answer in answers if AUTHOR in answer.text] == []
    review = [page.PAGE.path for page in PAGES if page.PAGE.role != "viewer"]
    assert review
    assert {client.get(path).status_code for path in review} == {403}
