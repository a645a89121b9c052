"""What the pages say about a busy town, and that it is what the tables say."""

import io
import re
from datetime import date
from html import unescape

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from httpx import URL
from sqlalchemy import insert

from models.insight_tables import InsightCategory, InsightSeries
from pipelines.store.audit import events
from tests.unit.report.town import RUN, START, busy_town

PAGES = (
    "/",
    "/categorias",
    "/categorias?category=transport",
    "/hallazgos",
    "/temas",
    "/lugares",
    "/lugares?zone=huaycan",
    "/fuentes",
    "/ejecuciones",
    f"/ejecuciones/{RUN}",
    "/metodologia",
)


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers_without_anything_inline(
    visit: TestClient, address: str, language: str
) -> None:
    answer = visit.get(str(URL(address).copy_set_param("lang", language)))

    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert " onclick" not in answer.text


def test_a_category_is_told_with_its_rank_and_its_sentences(visit: TestClient) -> None:
    page = visit.get("/categorias", params={"category": "transport"}).text

    assert "Transporte y vías" in page
    assert "puesto 1 de 16" in page
    assert '/manifestaciones?category=transport"' in page


def test_what_the_model_was_unsure_of_can_be_read(visit: TestClient) -> None:
    for path in ("/", "/categorias"):
        link, number = re.findall(
            r'href="(/manifestaciones\?[^"]*certainty=unsure)"[^>]*>(\d+)<', visit.get(path).text
        )[0]

        page = visit.get(unescape(link)).text

        assert f"{number} manifestaciones" in page or (number == "1" and "1 manifestación" in page)
        assert "sin certeza" in page


@pytest.mark.parametrize(
    "address", ["/?run=r-0", "/ejecuciones/r-0", f"/ejecuciones/{RUN}?beside=r-0"]
)
def test_a_run_that_is_not_there_is_told_in_the_readers_language(
    visit: TestClient, address: str
) -> None:
    for language, said in (("es", "no tiene esa ejecución"), ("en", "has no such run")):
        answer = visit.get(str(URL(address).copy_set_param("lang", language)))

        assert answer.status_code == 400
        assert said in answer.text


def test_small_cells_are_hidden_on_pages_and_in_files(visiting) -> None:
    town = busy_town(900)
    lonely = [said for said in town.said if said.category == "digital"][2:]
    town.said = [said for said in town.said if said not in lonely]
    visit = visiting(town)

    page = visit.get("/categorias").text
    table = pd.read_csv(io.BytesIO(visit.get("/tablas/insight_category.csv").content))

    hidden = table[table["suppressed"].isin(["small", "complement"])]
    assert "digital" in set(hidden["category"])
    assert hidden["count"].isna().all()
    assert page.count("oculto: muy pocos autores") >= len(hidden)


def test_a_chart_says_which_days_it_hides(visiting) -> None:
    visit = visiting(busy_town(300))

    page = visit.get("/").text
    days = pd.read_csv(io.BytesIO(visit.get("/tablas/insight_day.csv").content))["suppressed"]

    bare, toneless = days.isin(["small", "complement"]).sum(), (days == "sentiments").sum()
    assert bare
    assert toneless
    assert f"{bare} días no tienen barra: muy pocos autores." in page
    assert f"{toneless} días no muestran su parte negativa: muy pocos autores." in page


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet", "jsonl"])
def test_tables_are_given_as_files(visit: TestClient, form: str) -> None:
    answer = visit.get(f"/tablas/insight_category.{form}")

    read = {
        "csv": pd.read_csv,
        "xlsx": pd.read_excel,
        "parquet": pd.read_parquet,
        "jsonl": lambda file: pd.read_json(file, lines=True),
    }[form]
    frame = read(io.BytesIO(answer.content))
    assert len(frame) == 16
    assert f'filename="insight_category-{RUN}.{form}"' in answer.headers["content-disposition"]
    *_, noted = events(visit.app.state.house.engine, "export")
    assert noted.actor == "local"
    assert (noted.detail["table"], noted.detail["format"]) == ("insight_category", form)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/tablas/manifestation.csv", 400),
        ("/tablas/insight_category.geojson", 400),
        ("/tablas/insight_category.exe", 422),
        ("/ejecuciones/20200101T000000-000000", 400),
    ],
)
def test_what_is_not_there_is_refused(visit: TestClient, address: str, code: int) -> None:
    assert visit.get(address).status_code == code


def test_a_week_of_a_category_leads_to_its_sentences(visiting) -> None:
    town = busy_town()
    visit = visiting(town)
    end = date(2021, 11, 8)
    said = [one for one in town.said if 0 <= one.day < (end - START).days]
    count = sum(one.category == "transport" for one in said)
    with visit.app.state.house.engine.begin() as connection:
        common = connection.execute(InsightCategory.__table__.select()).mappings().first()
        columns = InsightSeries.__table__.columns.keys()
        week = {
            "grain": "week",
            "period": "2021-W44",
            "period_from": START,
            "period_to": end,
            "complete": True,
            "dimension": "category",
            "value": "transport",
            "second_dimension": "",
            "second_value": "",
            "count": count,
            "n": len(said),
        }
        row = {name: common[name] for name in columns if name in common} | week
        connection.execute(insert(InsightSeries).values(row))

    page = visit.get("/categorias?category=transport").text
    (link,) = re.findall(r'href="(/manifestaciones[^"]+from=2021-11-01[^"]+)"', page)

    assert "to=2021-11-08" in link
    assert f"<b>{count} manifestaciones</b>" in visit.get(link.replace("&amp;", "&")).text
    assert page.count("insight_series.parquet") >= 2  # the chart's own and the page's
