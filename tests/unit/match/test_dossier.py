"""The dossier says what is known, escapes what is strange, and names nobody before the reveal."""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from configs.matchmaking import load_readiness
from models.errors import InputError, ManifiestaError
from models.match_records import Batch, Question
from pipelines.match import blind, dossier
from pipelines.match.draft import draft_call
from pipelines.match.exchange import import_records, store_records
from pipelines.match.needs import needs
from pipelines.match.plans import monitored, monthly_plan, quality_plan, readiness
from pipelines.match.read import pilot_of
from pipelines.report.formats import formats
from pipelines.report.paper import PROGRAMS, print_pdf
from pipelines.store import selection
from pipelines.store.partitions import touch_of
from pipelines.store.write import Store
from tests.unit.report.town import RUN, busy_town, taxonomy

TOWN = busy_town()
ES = formats("es", TOWN.town.zone)

RECORDS = {
    "entity": [
        {"code": "valle", "name": "Valle <script>alert(1)</script>", "municipality": "sandbox"}
    ],
    "official": [{"code": "e-1", "entity": "valle", "post": "Analista"}],
    "startup": [{"code": "acme", "name": "Acmelia"}, {"code": "beta", "name": "Betania"}],
}
PILOT = {
    "code": "p1",
    "entity": "valle",
    "call": "limpieza",
    "title": "Piloto de limpieza",
    "municipality": "sandbox",
    "work_categories": [1],
    "categories": ["waste"],
    "startups": ["acme"],
    "starts_on": "2021-11-10",
    "ends_on": "2021-11-20",
    "letter_on": "2021-11-01",
    "letter_document": "Carta 7",
    "state": "running",
    "results": "{{ 7 * 7 }}",
}


def put(engine: Engine, folder: Path, values: object, name: str) -> None:
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    done = import_records(engine, path)
    assert done.problems == []


@pytest.fixture
def ready(tmp_path: Path) -> Engine:
    """A call made from a finding, with two applications, and the pilot that is to follow."""
    engine = TOWN.engine(tmp_path / "town.db")
    put(engine, tmp_path, RECORDS, "records")
    found = needs(engine, RUN, TOWN.town, taxonomy())
    (need,) = [need for need in found.ranked if need.work_category == 1]
    call = draft_call(engine, found, need, TOWN.town, code="limpieza", entity="valle")
    one = call.model_copy(update={"assessors": 1})
    store_records(engine, Batch(technological_call=(one,)), "test")
    put(engine, tmp_path, {"pilot": [PILOT]}, "pilot")
    selection.publish(engine, "limpieza", "ana")
    for applicant in ("acme", "beta"):
        text = {"applicant": applicant, "title": "Idea", "text": "Rutas", "experience": "Ninguna"}
        (tmp_path / "a.yml").write_text(yaml.safe_dump(text), encoding="utf-8")
        blind.apply(engine, "limpieza", tmp_path / "a.yml", [])
    selection.close(engine, "limpieza", "ana")
    return engine


def page_of(engine: Engine, effect: str | None = None) -> str:
    return dossier.render(dossier.gather(engine, "p1", TOWN.town, taxonomy(), effect), ES)


def reveal(engine: Engine) -> None:
    codes = [one["code"] for one in dossier.call_page(engine, "limpieza").applications]
    selection.attest(engine, "limpieza", "e-1", None, "e-1")
    scores = {code: dict.fromkeys(blind.CRITERIA, 4) for code in codes}
    blind.unseal(engine, blind.seal(engine, "limpieza", "e-1", scores))
    blind.select(engine, "limpieza")
    selection.reveal(engine, "limpieza", "ana")


def test_nobody_is_named_before_the_reveal_and_the_chosen_after_it(ready: Engine) -> None:
    before = page_of(ready, "faltan días")
    assert "Acmelia" not in before
    assert "acme" not in before
    assert "ocultas hasta la revelación" in before
    assert "todavía no tiene selección cerrada" in before
    assert "faltan días" in before
    reveal(ready)
    after = page_of(ready)
    assert "Acmelia" in after
    assert re.search(r"<td>(<bdi[^>]*>)?(acme|beta)", after)
    assert "Empate en el último lugar" in after
    assert "La cadena de auditoría está íntegra" in after


def test_what_stands_in_records_is_escaped_and_runs_nowhere(ready: Engine) -> None:
    page = page_of(ready)
    assert "<script" not in page
    assert "Valle &lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_it_holds_need_evidence_indicator_requirements_and_data_protection(ready: Engine) -> None:
    page = page_of(ready)
    for wanted in (
        "Línea de base, corrida",
        "<blockquote>",
        "Indicador de éxito",
        "Requisitos funcionales (borrador)",
        "Ley N.° 29733",
        "Carta 7",
        "Hechos publicados",
    ):
        assert wanted in page
    ids = re.findall(r'<section id="([^"]+)"', page)
    assert [f"#{one}" for one in ids] == re.findall(r'<li><a href="(#[^"]+)"', page)


def test_without_chromium_it_says_how_to_get_a_pdf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ManifiestaError, match="apt-get install chromium"):
        print_pdf(tmp_path / "x.html")


def test_chromium_prints_it(ready: Engine, tmp_path: Path) -> None:
    if not any(map(shutil.which, PROGRAMS)):
        pytest.skip("Chromium is not installed: apt-get install chromium")
    page = tmp_path / "expediente.html"
    page.write_text(page_of(ready), encoding="utf-8")
    from pypdf import PdfReader

    text = "\n".join(one.extract_text() for one in PdfReader(print_pdf(page)).pages)
    assert "Registro del proceso ciego" in text


# --- plans -----------------------------------------------------------------------------------


def test_three_months_are_three_windows_one_after_the_other(ready: Engine) -> None:
    pilot = pilot_of(ready, "p1")
    plan = monthly_plan("m", pilot, date(2021, 11, 30), 3, [Question(text="¿Qué?")])
    days = [(str(one.start), str(one.end)) for one in plan.windows]
    assert days == [
        ("2021-11-30", "2021-12-30"),
        ("2021-12-30", "2022-01-30"),
        ("2022-01-30", "2022-02-28"),
    ]
    with pytest.raises(InputError, match="names no municipality"):
        monthly_plan("m", dict(pilot) | {"municipality": None}, date(2021, 1, 1), 3, plan.questions)


def test_a_plan_is_answered_from_what_was_said(ready: Engine) -> None:
    asked = [
        Question(text="¿Basura?", category="waste", intent="complaint"),
        Question(text="¿Todo?"),
    ]
    plan = monthly_plan("m", pilot_of(ready, "p1"), date(2021, 11, 1), 3, asked)
    store_records(ready, Batch(monitoring_plan=(plan,)), "test")
    with ready.begin() as connection:  # what a crawl does: it notes which days have changed
        touch_of(connection, [f"{number:032x}" for number in range(len(TOWN.said))])
    answers = monitored(
        Store(ready), plan.model_dump(mode="json"), TOWN.town, taxonomy(), date(2021, 11, 15)
    )
    assert [(one.question, one.n) for one in answers] == [("¿Basura?", 900), ("¿Todo?", 900)]
    mine = [s for s in TOWN.said if (s.category, s.intent) == ("waste", "complaint")]
    assert answers[0].count == len(mine)


def test_the_quality_plan_starts_from_what_was_measured(ready: Engine) -> None:
    steps = quality_plan(ready, "valle", TOWN.town)
    assert any("fuente-8: El sitio no respondió" in step.title for step in steps if step.phase == 1)
    assert any("retention_days" in step.title for step in steps if step.phase == 3)
    store_records(ready, Batch(quality_step=tuple(steps)), "test")


def test_readiness_adds_up_the_newest_answers(ready: Engine, tmp_path: Path) -> None:
    def answer(question: str, day: str, score: int) -> dict[str, object]:
        return {"entity": "valle", "question": question, "answered_on": day, "score": score}

    rows = [answer("gov-plan", "2021-01-01", 1), answer("gov-plan", "2021-06-01", 3)]
    put(ready, tmp_path, {"readiness_answer": [*rows, answer("gov-data", "2021-06-01", 4)]}, "r")
    pillars = {one.code: one for one in readiness(ready, "valle", load_readiness())}
    assert (pillars["government"].points, pillars["government"].most) == (7, 8)
    assert pillars["people"].share is None
    path = tmp_path / "bad.yml"
    path.write_text(yaml.safe_dump({"readiness_answer": [answer("gov-plam", "2021-01-01", 1)]}))
    assert "«gov-plam» is not allowed" in str(import_records(ready, path).problems[0])
    with pytest.raises(InputError, match="no entity"):
        readiness(ready, "nadie", load_readiness())


def test_its_file_bears_the_run_that_it_quotes(ready: Engine) -> None:
    told = dossier.gather(ready, "p1", TOWN.town, taxonomy(), None)
    assert told.file_name == f"expediente-p1-{RUN}.html"


def test_a_pilot_without_call_and_days_has_a_dossier_of_what_is_known(ready: Engine) -> None:
    import_records(ready, Path("govlink-2021-2022"))
    told = dossier.gather(ready, "arequipa-2021", None, taxonomy(), "faltan fechas")
    page = dossier.render(told, ES)
    assert "22 de octubre de 2021" in page
    assert "por completar" in page
    assert told.file_name == "expediente-arequipa-2021.html"
    assert "La convocatoria de la que proviene el piloto." in page
