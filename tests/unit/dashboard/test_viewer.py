"""Whoever may only look sees no pseudonym, no unmasked text, and nothing that is undecided."""

import csv
from datetime import date
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, insert, select, update

from dashboard.app import PAGES, create_app
from models.insight_tables import INSIGHT_TABLES, InsightCategory, InsightTopic
from models.records import Window
from models.tables import ClassificationRow, ManifestationRow
from pipelines.accounts import add, make_key
from pipelines.demands.propose import propose
from pipelines.importing import import_file, upload_source
from pipelines.privacy import Pseudonymiser
from pipelines.searching import index_texts
from pipelines.store.counted import counted_municipalities
from pipelines.store.write import Store
from tests.unit.dashboard.conftest import opened
from tests.unit.dashboard.test_access import PASSWORD, sign_in
from tests.unit.pipelines.fakes import quiet
from tests.unit.report.town import MODEL, START, busy_town
from tests.unit.store.builders import start

TABLES = [table.__tablename__ for table in INSIGHT_TABLES]

AUTHOR = "3f9c0a77b1e2d4c5"
"""The pseudonym of whoever said anything in the town."""

SECRETS = ("987 654 321", "987654321", "46128537", "rosa.quispe", "vecina_rosa_77")
"""What a citizen wrote of herself, and under what name."""

PLANTED = 8
TITLE = "Marcavalle: avisen al 987654321"
TEXT = (
    "La pista de Marcavalle sigue rota desde el lunes {i}. Llámenme al 987 654 321, mi DNI es "
    "46128537, o escriban a rosa.quispe@correo.example."
)


def plant(engine: Engine, folder: Path) -> None:
    """Import texts with personal data as anybody would, label them, and quote them everywhere."""
    path, store, town = folder / "buzon.csv", Store(engine), busy_town(0).town
    lines = [(f"2021-11-{3 + i:02} 10:00", TITLE, TEXT.format(i=i)) for i in range(PLANTED)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("fecha", "titulo", "texto", "autor"))
        writer.writerows((*line, SECRETS[-1]) for line in lines)
    window = Window(START, date(2021, 12, 1), town.zone)
    source = upload_source(store, town, "buzon", path, {"title": "titulo"})
    secret = Pseudonymiser(town.code, b"a secret of sixteen")
    done = import_file(store, town, secret, source, path, start(window, "import"), quiet)
    assert done.saved.new == PLANTED
    row = ManifestationRow
    with engine.begin() as connection:
        stored = connection.execute(select(row.id, row.text_hash).where(row.source == "buzon"))
        found = stored.all()
        label = dict(connection.execute(select(ClassificationRow.__table__)).mappings().first())
        label |= {"model_version": MODEL, "category": "transport", "intent": "complaint"}
        labels = [label | {"manifestation_id": id_, "text_hash": hash_} for id_, hash_ in found]
        connection.execute(insert(ClassificationRow), labels)
        counted = connection.execute(select(InsightCategory.__table__)).mappings().first()
        columns = InsightTopic.__table__.columns.keys()
        topic = {
            "topic": "marcavalle",
            "terms": "marcavalle, pista",
            "category": "transport",
            "count": PLANTED,
            "distinct_count": PLANTED,
            "voices": PLANTED,
            "negative": 0,
            "n": 60,
            "first_seen": START,
            "recent": 0,
            "growth": 1.0,
            "examples": [id_ for id_, _ in found],
        }
        common = {name: counted[name] for name in columns if name in counted}
        connection.execute(insert(InsightTopic).values(common | topic))
    propose(store, town, window, (MODEL, "2026.1"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("viewer")
    made = opened(busy_town(60), folder / "town.db")
    plant(made, folder)
    index_texts(made, counted_municipalities(made)[0])
    add(made, "mira", "viewer", PASSWORD, "tests")
    return made


def told(answer: Response) -> str:
    """Return all that an answer says, also one that is a file of another form."""
    form = answer.url.path.rsplit(".", 1)[-1]
    if form == "parquet":
        return pd.read_parquet(BytesIO(answer.content)).to_csv()
    if form == "xlsx":
        sheets = pd.read_excel(BytesIO(answer.content), sheet_name=None)
        return "\n".join(sheet.to_csv() for sheet in sheets.values())
    return answer.text


@pytest.fixture(scope="module")
def answers(engine: Engine, own: Path) -> dict[str, str]:
    """Return what a viewer is told at every address that there is for one."""
    row = ManifestationRow
    with engine.begin() as connection:
        imported = list(connection.scalars(select(row.author).where(row.source == "buzon")))
        assert all(imported)  # whoever said it was pseudonymised
        connection.execute(update(row).values(author=AUTHOR))
        ids = list(connection.scalars(select(row.id).where(row.source == "buzon")))
        ids += connection.scalars(select(row.id).limit(3))
    client = TestClient(create_app(engine, own), follow_redirects=False)
    sign_in(client, "mira")
    key = {"authorization": f"Bearer {make_key(engine, 'mira', 'tests')}"}
    files = ("convocatorias", "pilotos")
    addresses = [
        *(page.PAGE.path for page in PAGES if page.PAGE.role == "viewer"),
        *(f"/manifestaciones/{id_}" for id_ in ids),
        "/manifestaciones?q=Marcavalle",
        *(f"/tablas/{name}.{form}" for name in TABLES for form in FORMS),
        *(f"/emparejamiento/{name}.{form}" for name in files for form in ("csv", "parquet")),
        "/open311/v2/requests.json",
        "/api/v1/runs",
    ]
    found = [client.get(address) for address in addresses]
    found += [client.get(f"/api/v1/tables/{name}", headers=key) for name in TABLES]
    assert {answer.status_code for answer in found} == {200}
    review = [page.PAGE.path for page in PAGES if page.PAGE.role != "viewer"]
    assert review
    assert {client.get(path).status_code for path in review} == {403}
    return {str(answer.url): told(answer) for answer in found}


FORMS = ("csv", "jsonl", "xlsx", "parquet")


def test_no_page_table_or_interface_tells_a_pseudonym(answers: dict[str, str]) -> None:
    assert [address for address, text in answers.items() if AUTHOR in text] == []


def test_no_page_table_or_interface_tells_what_is_masked(answers: dict[str, str]) -> None:
    words = ("La pista de Marcavalle", "Marcavalle: avisen")
    shown = {address for address, text in answers.items() if any(one in text for one in words)}

    assert len([one for one in shown if "/manifestaciones/" in one]) == PLANTED
    for page in ("/temas", "/demandas", "/manifestaciones?q=Marcavalle"):
        assert any(one.endswith(page) for one in shown), page
    assert [
        (address, secret)
        for address, text in answers.items()
        for secret in SECRETS
        if secret in text
    ] == []
