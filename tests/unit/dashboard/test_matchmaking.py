"""What the pages of the matchmaking show, and what they keep until the reveal."""

import re
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
import yaml
from fastapi.testclient import TestClient
from sqlalchemy import Engine, update

from dashboard.app import create_app
from models.match_records import Batch
from models.match_tables import SelectionRow
from pipelines.match import blind
from pipelines.match.draft import draft_call
from pipelines.match.exchange import import_records, store_records
from pipelines.match.needs import needs
from pipelines.store import selection
from pipelines.store.records import stored
from tests.unit.dashboard.conftest import opened
from tests.unit.report.town import RUN, Town, busy_town, taxonomy

CALL = "/emparejamiento/convocatorias/ruta"
PILOT = "/emparejamiento/pilotos/ruta-2021"
ADDRESSES = ("/emparejamiento", CALL, PILOT, "/", "/hallazgos", "/categorias")
LEAKS = ("acmelia", "firma-ac", "rosaura quispe", "bestelia", "firma-be")
RECORDS = {
    "entity": [{"code": "valle", "name": "San Martín del Valle", "municipality": "sandbox"}],
    "official": [{"code": f"e-{i}", "entity": "valle", "post": "Analista"} for i in (1, 2, 3)],
    "startup": [
        {"code": "firma-ac", "name": "Acmelia Labs", "website": "https://acmelia.example"},
        {"code": "firma-be", "name": "Bestelia", "website": "https://bestelia.example"},
    ],
    "solution": [
        {"code": "s-ac", "startup": "firma-ac", "title": "Rutas Acmelia", "work_categories": [7]}
    ],
}
PILOTS = {
    "pilot": [
        {
            "code": "ruta-2021",
            "entity": "valle",
            "call": "ruta",
            "title": "Rutas con Acmelia",
            "work_categories": [7],
            "categories": ["transport"],
            "startups": ["firma-ac"],
            "starts_on": "2021-12-01",
            "ends_on": "2022-02-01",
            "letter_on": "2021-11-25",
            "letter_document": "Carta de Acmelia 12",
            "state": "interrupted",
            "results": "Acmelia redujo la espera.",
        },
        {
            "code": "luces-2020",
            "entity": "valle",
            "title": "Luces",
            "work_categories": [5],
            "year": 2020,
        },
    ],
    "pilot_phase": [
        {
            "pilot": "ruta-2021",
            "number": 1,
            "title": "Instalar Acmelia",
            "planned_from": "2021-12-01",
            "done_on": "2021-12-10",
        }
    ],
    "activity": [
        {"pilot": "ruta-2021", "number": 1, "title": "Visita", "done_on": "2021-12-05"},
        {"pilot": "ruta-2021", "number": 2, "title": "Taller", "due_on": "2022-01-05"},
    ],
    "interruption": [
        {
            "subject_kind": "pilot",
            "subject": "ruta-2021",
            "stopped_on": "2021-12-20",
            "reason": "Cambio de gestión; avisó Acmelia.",
        }
    ],
}


def imported(engine: Engine, folder: Path, records: dict[str, object]) -> None:
    path = folder / "records.yml"
    path.write_text(yaml.safe_dump(records, allow_unicode=True), "utf-8")
    assert import_records(engine, path).problems == []


def drafted(engine: Engine, town: Town) -> None:
    """Draft the call of the mobility need, as `manifiesta match propose` does."""
    found = needs(engine, RUN, town.town, taxonomy())
    (need,) = [one for one in found.ranked if one.work_category == 7]
    call = draft_call(engine, found, need, town.town, code="ruta", entity="valle", fall=0.05)
    store_records(engine, Batch(technological_call=(call,)), "test")


@pytest.fixture
def desk(own: Path, tmp_path: Path):
    """Return the engine and a visitor of a town with a drafted call."""

    def of(town: Town) -> tuple[Engine, TestClient]:
        engine = opened(town, tmp_path / "match.db")
        imported(engine, tmp_path, RECORDS)
        drafted(engine, town)
        return engine, TestClient(create_app(engine, own))

    return of


def told(visit: TestClient) -> str:
    """Return everything the pages say, in both languages, as letters alone would be read."""
    answers = [visit.get(a, params={"lang": n}) for a in ADDRESSES for n in ("es", "en")]
    assert {one.status_code for one in answers} == {200}
    return "\n".join(one.text for one in answers).lower()


FILES = ("convocatorias", "pilotos", "convocatorias/ruta/postulaciones")
READERS = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet}


def taken(visit: TestClient, name: str, form: str = "csv") -> pd.DataFrame:
    answer = visit.get(f"/emparejamiento/{name}.{form}")
    assert answer.status_code == 200
    return READERS[form](BytesIO(answer.content))


def told_in_files(visit: TestClient) -> str:
    return "\n".join(
        taken(visit, name, form).to_csv() for name in FILES for form in READERS
    ).lower()


def applied(engine: Engine, folder: Path, applicant: str) -> str:
    path = folder / "apply.yml"
    content = {
        "applicant": applicant,
        "title": "Rutas mejores",
        "text": "Acmelia Labs ordena rutas: https://acmelia.example, rosa@acmelia.example. "
        "Bestelia también, en bestelia.example.",
        "experience": "Rosaura Quispe la llevó a Chile.",
        "people": ["Rosaura Quispe"],
    }
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return blind.apply(engine, "ruta", path, []).code


def test_no_page_says_who_applied_before_the_reveal_and_then_it_does(desk, tmp_path) -> None:
    engine, visit = desk(busy_town())
    imported(engine, tmp_path, PILOTS)
    selection.publish(engine, "ruta", "ana")
    codes = [applied(engine, tmp_path, name) for name in ("firma-ac", "firma-be")]
    selection.close(engine, "ruta", "ana")
    selection.attest(engine, "ruta", "e-3", "Es primo de Rosaura Quispe, de Acmelia", "e-3")
    scores = {c: dict.fromkeys(blind.CRITERIA, v) for c, v in zip(codes, (5, 3), strict=True)}
    sealed = []
    pages, files = [told(visit)], [told_in_files(visit)]
    for official in ("e-1", "e-2"):
        selection.attest(engine, "ruta", official, None, official)
        sealed.append(blind.seal(engine, "ruta", official, scores))
    pages.append(told(visit))
    files.append(told_in_files(visit))
    assert "puntajes sellados</dt><dd>2" in pages[-1]
    for one in sealed:
        blind.unseal(engine, one)
    pages.append(told(visit))
    assert "promedio" not in pages[-1]  # scores stay out until the selection is closed
    assert taken(visit, FILES[2])["total"].isna().all()
    blind.select(engine, "ruta")
    pages.append(told(visit))
    files.append(told_in_files(visit))
    assert sorted(taken(visit, FILES[2])["total"]) == [3, 5]
    assert "promedio" in pages[-1]

    for page in pages:
        assert all(code.lower() in page for code in codes)
        assert "rutas mejores" in page
        assert [leak for leak in (*LEAKS, "@acmelia", "acmelia.example") if leak in page] == []
    for text in files:
        assert all(code.lower() in text for code in codes)
        assert [leak for leak in (*LEAKS, "rutas con") if leak in text] == []

    selection.reveal(engine, "ruta", "ana")
    page = visit.get(CALL).text
    assert re.search(rf"{codes[0]}</code></th><td class=\"word\"><bdi[^>]*>Acmelia Labs", page)
    assert "Bestelia" in page
    pilot = visit.get(PILOT).text
    for text in ("Rutas con Acmelia", "Acmelia Labs", "Instalar Acmelia", "redujo la espera"):
        assert text in pilot
    assert "Cambio de gestión" in pilot
    assert "Actividades hechas: 1 de 2." in pilot
    applicants = taken(visit, FILES[2]).set_index("code")["applicant"].to_dict()
    assert applicants == dict(zip(codes, ("Acmelia Labs", "Bestelia"), strict=True))
    assert "Rutas con Acmelia" in set(taken(visit, "pilotos")["title"])


def test_a_call_shows_its_need_as_the_tables_count_it(desk) -> None:
    town = busy_town()
    engine, visit = desk(town)
    (need,) = [n for n in needs(engine, RUN, town.town, taxonomy()).ranked if n.work_category == 7]

    page = visit.get(CALL).text

    assert f"<td>{need.volume.count}</td><td>{need.volume.n}</td>" in page
    assert f"<td>{need.negative.count}</td><td>{need.negative.n}</td>" in page
    assert "80 % de potencia" in page
    (call,) = stored(engine, "technological_call")
    assert page.count("<blockquote") == len(call["need"]["quotes"]) > 0
    assert "Nadie ha postulado todavía." in page
    assert "su publicación" in page
    assert "its publication (match publish ruta)" in visit.get(f"{CALL}?lang=en").text
    for form in READERS:
        (row,) = taken(visit, "convocatorias", form).to_dict("records")
        assert (row["count"], row["n"]) == (need.volume.count, need.volume.n)
        assert row["negative_share"] == pytest.approx(need.negative.value)


@pytest.mark.parametrize("address", ["/emparejamiento", CALL])
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_page_says_how_it_was_counted_and_links_to_its_files(desk, address, language) -> None:
    _, visit = desk(busy_town())

    page = visit.get(address, params={"lang": language}).text

    assert ("Cómo se contó" if language == "es" else "How this was counted") in page
    links = re.findall(r'href="(/emparejamiento/[^"]+\.(?:csv|xlsx|parquet)[^"]*)"', page)
    assert len(links) == 3
    assert {visit.get(link.replace("&amp;", "&")).status_code for link in links} == {200}


def test_without_calls_the_files_have_no_rows(visit: TestClient) -> None:
    for form in READERS:
        assert taken(visit, "convocatorias", form).empty
        assert taken(visit, "pilotos", form).empty
    assert visit.get("/emparejamiento/convocatorias/none/postulaciones.csv").status_code == 404
    assert visit.get("/emparejamiento/convocatorias.exe").status_code == 422


def test_a_need_of_few_people_hides_its_figures_and_its_statement(desk) -> None:
    town = busy_town()
    mobility = {c.code for c in taxonomy().categories if c.work_category == 7}
    few = [said for said in town.said if said.category in mobility][3:]
    town.said = [said for said in town.said if said not in few]
    _, visit = desk(town)

    page = visit.get(CALL).text

    assert "El enunciado repite cifras de muy pocos autores" in page
    assert "80 % de potencia" not in page
    assert f"<td>{len(town.said)}</td>" not in page
    assert page.count("oculto: muy pocos autores") >= 2
    assert "oculto: muy pocos autores" in visit.get("/emparejamiento").text
    (row,) = taken(visit, "convocatorias").to_dict("records")
    assert row["suppressed"] == "small"
    for name in ("count", "n", "share", "negative_count", "negative_n", "negative_share"):
        assert pd.isna(row[name])


def test_the_state_in_the_address_filters_the_calls(desk) -> None:
    _, visit = desk(busy_town())

    assert CALL in visit.get("/emparejamiento?status=draft").text
    assert CALL not in visit.get("/emparejamiento?status=open").text
    assert visit.get("/emparejamiento?status=lost").status_code == 400


@pytest.mark.parametrize("address", [CALL, PILOT])
def test_what_is_not_there_is_not_found(visit: TestClient, address: str) -> None:
    assert visit.get(address).status_code == 404


def test_without_calls_the_page_says_how_to_begin(visit: TestClient) -> None:
    page = visit.get("/emparejamiento").text

    assert "manifiesta match propose" in page
    assert "manifiesta match import" in page


@pytest.mark.parametrize("need", [{}, {"volume": "<script>"}, {"volume": None, "quotes": 3}])
def test_figures_that_cannot_be_read_are_left_out(visiting, tmp_path, need) -> None:
    visit = visiting(busy_town(60))
    engine = visit.app.state.house.engine
    call = {"code": "ruta", "entity": "valle", "title": "<script>x", "problem": "p", "need": need}
    imported(engine, tmp_path, RECORDS | {"technological_call": [call]})

    page = visit.get(CALL)

    assert page.status_code == 200
    assert "no trae cifras" in page.text
    assert "<script" not in page.text


def test_the_pages_only_read(visit: TestClient) -> None:
    for address in ("/emparejamiento", CALL, PILOT):
        assert visit.post(address).status_code == 405


def test_the_record_of_a_selection_is_told_in_the_readers_language(desk, own, tmp_path) -> None:
    engine, visit = desk(busy_town())
    selection.publish(engine, "ruta", "ana")
    codes = [applied(engine, tmp_path, name) for name in ("firma-ac", "firma-be")]
    selection.close(engine, "ruta", "ana")
    alike = {code: dict.fromkeys(blind.CRITERIA, 4) for code in codes}
    for official in ("e-1", "e-2"):
        selection.attest(engine, "ruta", official, None, official)
    for sealed in [blind.seal(engine, "ruta", official, alike) for official in ("e-1", "e-2")]:
        blind.unseal(engine, sealed)
    blind.select(engine, "ruta")

    assert "se resolvió por sorteo con las claves" in visit.get(CALL).text
    english = visit.get(f"{CALL}?lang=en").text
    assert "broken by a lot drawn with the keys of all assessors" in english
    assert "sorteo" not in english

    with engine.begin() as connection:  # as an earlier version kept it
        connection.execute(update(SelectionRow).values(notes=["Empate entre A y B."]))
    assert "Empate entre A y B." in TestClient(create_app(engine, own)).get(CALL).text
