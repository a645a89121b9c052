"""How sure the report is of what it says: the model's errors, and whose scores it shows."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html

from nlp.manifest import SHIPPED, read_manifest
from pipelines.report.card import card_of
from pipelines.report.data import ReportData
from pipelines.report.page import render
from pipelines.report.texts import texts
from pipelines.report.view import figures

INSTALLED = f"manifiesta-{read_manifest(SHIPPED).version}"
FIRST = "transport"


def corrected(
    data: ReportData, first: tuple[float, float], rest: tuple[float, float]
) -> ReportData:
    """Give the first category one corrected interval, and all others another."""
    category, code = data.category.copy(), data.category["category"]
    for column, mine, theirs in zip(("corrected_low", "corrected_high"), first, rest, strict=True):
        category[column] = [mine if one == FIRST else theirs for one in code]
    return replace(data, category=category)


def with_shares(data: ReportData, shares: tuple[float, float], half: float) -> ReportData:
    """Let the first category have one share and the others another, with plain intervals."""
    category = data.category.copy()
    mine = category["category"] == FIRST
    category["count"] = [100 if one else 50 for one in mine]
    category["share"] = [shares[0] if one else shares[1] for one in mine]
    category["share_low"] = category["share"] - half
    category["share_high"] = category["share"] + half
    return replace(data, category=category)


@pytest.mark.parametrize(
    ("half", "first", "rest", "verdict"),
    [
        (0.2, (0.28, 0.32), (0.05, 0.15), "chance"),
        (0.01, (0.1, 0.5), (0.05, 0.2), "errors"),
        (0.01, (0.25, 0.35), (0.05, 0.2), "sure"),
        (0.01, (float("nan"), float("nan")), (float("nan"), float("nan")), "unknown"),
    ],
)
def test_which_category_comes_first_is_judged_with_the_models_errors(
    busy_data: ReportData, half, first, rest, verdict
) -> None:
    data = corrected(with_shares(busy_data, (0.3, 0.1), half), first, rest)

    assert figures(data, "es", texts("es")).first == verdict
    assert html.fromstring(render(data, "es")).xpath("//p[@class='sureness']/text()") == [
        texts("es")(f"summary.first.{verdict}")
    ]


def test_the_summary_says_the_interval_to_cite(busy_data: ReportData) -> None:
    data = corrected(with_shares(busy_data, (0.3, 0.1), 0.01), (0.104, 0.497), (0.0, 0.2))
    summary = html.fromstring(render(data, "es")).get_element_by_id("resumen")

    said = [" ".join(one.split()) for one in summary.xpath(".//ol//*[@class='doubt']/text()")]

    assert said[0] == "contando los errores del modelo: 10% a 50%"
    assert set(said[1:]) == {"contando los errores del modelo: 0% a 20%"}


def test_the_chart_draws_it_behind_the_whisker(busy_data: ReportData) -> None:
    plain = with_shares(busy_data, (0.3, 0.1), 0.01)
    data = corrected(plain, (0.1, 0.5), (0.0, 0.2))

    with_errors, without = (
        render(one, "es").count('fill="#ecd9b0"') for one in (data, corrected(plain, *NONE))
    )

    assert with_errors - without == 2 * len(data.category)  # for a page and for a telephone


NONE = ((float("nan"),) * 2,) * 2


def test_the_scores_shown_are_those_of_the_version_that_counted(busy_data: ReportData) -> None:
    measured = read_manifest(SHIPPED).measured
    assert measured is not None

    shown = section(replace(busy_data, run=replace(busy_data.run, model_version=INSTALLED)))

    for scores in measured.gold_scores.values():
        assert f"{scores['macro_f1']:.2f}" in shown
        assert f"{scores['macro_f1_low']:.2f} a {scores['macro_f1_high']:.2f}" in shown


def test_another_versions_scores_are_not_shown(busy_data: ReportData) -> None:
    shown = section(replace(busy_data, run=replace(busy_data.run, model_version="manifiesta-0.1")))

    assert "se contaron con manifiesta-0.1, y sus puntajes no están a la mano" in shown
    assert f"El modelo instalado ahora es {INSTALLED}" in shown
    assert "F1" not in shown


def test_a_task_that_another_model_answered_has_no_score_of_ours(busy_data: ReportData) -> None:
    card = card_of(f"{INSTALLED}+sentiment=robertuito@0123456", busy_data.municipality)

    assert sorted(card.scores) == ["category", "intent"]
    assert card.others == ("sentiment=robertuito@0123456",)


def test_a_towns_own_model_speaks_for_itself(busy_data: ReportData, tmp_path: Path) -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_text("utf-8"))
    own = manifest | {"name": "propio", "version": "7"}
    (tmp_path / "manifest.json").write_text(json.dumps(own), "utf-8")
    model = busy_data.municipality.model.model_copy(update={"path": tmp_path})
    town = busy_data.municipality.model_copy(update={"model": model})

    assert card_of("propio-7", town).scores
    assert not card_of(INSTALLED, town).scores
    assert card_of(INSTALLED, town).installed == "propio-7"


def test_without_a_manifest_the_scores_are_not_at_hand(
    busy_data: ReportData, tmp_path: Path
) -> None:
    model = busy_data.municipality.model.model_copy(update={"path": tmp_path})
    town = busy_data.municipality.model_copy(update={"model": model})

    assert "pida su ficha" in section(replace(busy_data, municipality=town))


def section(data: ReportData) -> str:
    element = html.fromstring(render(data, "es")).get_element_by_id("modelo")
    return " ".join(element.text_content().split())


def test_what_a_model_said_when_it_counted_outlives_its_weights(
    busy_data: ReportData, tmp_path: Path
) -> None:
    then = json.loads((SHIPPED / "manifest.json").read_text("utf-8")) | {"version": "0.1"}
    then["measured"]["gold_scores"]["category"]["macro_f1"] = 0.4321
    run = replace(busy_data.run, model_version="manifiesta-0.1")

    shown = section(replace(busy_data, run=run, manifest=then))

    assert "manifiesta-0.1" in shown
    assert "0.43" in shown
    assert then["files"]["model.safetensors"] in shown
    assert "no están a la mano" not in shown


@pytest.mark.parametrize("broken", [{"name": "x"}, {"labels": 3}])
def test_a_manifest_of_another_form_is_not_believed(busy_data: ReportData, broken) -> None:
    assert "pida su ficha" in section(replace(busy_data, manifest=broken))
