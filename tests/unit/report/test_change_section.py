"""The window beside the one before: never a difference without its interval."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import html

from models.records import Stage, State, Window
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.report.data import ReportData
from pipelines.report.gather import gather
from pipelines.report.page import render
from pipelines.store.write import Classified, Partition, Store
from tests.unit.certificate import certified, shares_of_page
from tests.unit.report.town import taxonomy
from tests.unit.store.builders import (
    LIMA,
    MODEL,
    TAXONOMY,
    answer,
    at,
    begun,
    municipality,
    said,
    save,
)

VILLA = municipality(feeds=("diario", "foro"), suppress_below=1)
NOW = Window(at(8).date(), at(15).date(), LIMA)
BEFORE = Window(at(1).date(), at(8).date(), LIMA)


def fill(store: Store, window: Window, negatives: int, n: int, model: str = MODEL) -> None:
    items, given = [], []
    for number in range(n):
        when = at(window.start.day) + timedelta(days=number % 7)
        items.append(said(window.start.day * 1000 + number, f"Texto {number}", when=when))
        mood = "negative" if number < negatives else "positive"
        item = items[-1]
        given.append(Classified(item.id, item.text_hash, answer("water", mood, model=model)))
    save(store, begun(store, VILLA), *items)
    store.save_classifications(TAXONOMY, given)


def reported(store: Store, *read: Window) -> ReportData:
    run_id = begun(store, VILLA, NOW)
    for window in read:
        store.save_partitions(
            run_id,
            [Partition("diario", day, Stage.COLLECT, State.DONE, 1) for day in window.days],
        )
    aggregate(store, Counted(run_id, VILLA, NOW, MODEL, TAXONOMY), {})
    return gather(store.engine, run_id, VILLA, taxonomy())


def section(data: ReportData, language: str = "es") -> html.HtmlElement:
    return html.fromstring(render(data, language)).get_element_by_id("cambios")


def cells(section: html.HtmlElement, table: str) -> dict[str, list[str]]:
    rows = section.xpath(f".//table[@id='{table}']/tbody/tr")
    found = [[re.sub(r"\s+", " ", c.text_content()).strip() for c in row] for row in rows]
    return {row[0]: row[1:] for row in found}


def test_a_change_has_points_interval_q_and_both_shares(store: Store) -> None:
    fill(store, BEFORE, 20, 100)
    fill(store, NOW, 60, 100)
    shown = section(reported(store, BEFORE, NOW))
    assert "1–7 de marzo de 2026" in shown.text_content()
    assert "en la fuente que se leyó" in shown.text_content()
    moods = cells(shown, "tabla-cambios-sentiment")
    assert list(moods) == ["Negativo", "Positivo"]  # not the neutral that nobody used
    now, before, difference, q, verdict = moods["Negativo"]
    assert now.startswith("60.0%")
    assert "n = 100" in now
    assert before.startswith("20.0%")
    assert "n = 100" in before
    assert re.fullmatch(r"\+40\.0 puntos \+2\d\.\d a \+5\d\.\d", difference)
    assert (q, verdict) == ("< 0.001", "cambió")
    (same,) = cells(shown, "tabla-cambios-category").values()
    assert same[2].startswith("0.0 puntos -")
    assert same[4] == "no se distingue del azar"


def test_its_shares_can_be_of_their_denominators(store: Store) -> None:
    fill(store, BEFORE, 20, 97)
    fill(store, NOW, 61, 103)
    printed = shares_of_page(html.tostring(section(reported(store, BEFORE, NOW)), encoding=str))
    assert {n for _, n in printed.shares} == {97, 103}
    assert [pair for pair in printed.shares if not certified(*pair)] == []
    assert printed.left == []


def test_it_speaks_english(store: Store) -> None:
    fill(store, BEFORE, 20, 100)
    fill(store, NOW, 60, 100)
    moods = cells(section(reported(store, BEFORE, NOW), "en"), "tabla-cambios-sentiment")
    assert moods["Positive"][2].startswith("-40.0 points -")
    assert moods["Positive"][4] == "changed"


@pytest.mark.parametrize(
    ("read", "model", "es", "en"),
    [
        ((NOW,), MODEL, "Ninguna fuente se leyó hasta el final en ambos", "No source was read"),
        ((BEFORE, NOW), "otro", "Faltan clasificar 100 textos", "100 texts of that period"),
    ],
)
def test_what_cannot_be_compared_says_why_and_shows_no_figure(
    store: Store, read: tuple[Window, ...], model: str, es: str, en: str
) -> None:
    fill(store, BEFORE, 20, 100, model)
    fill(store, NOW, 60, 100)
    data = reported(store, *read)
    for language, reason in (("es", es), ("en", en)):
        shown = section(data, language)
        assert reason in shown.text_content()
        assert shown.xpath(".//table") == []


def test_nothing_said_before_is_a_reason(store: Store) -> None:
    fill(store, NOW, 60, 100)
    shown = section(reported(store, BEFORE, NOW)).text_content()
    assert "no hay nada de ese periodo" in shown


def test_a_run_of_an_older_version_has_no_comparison(busy_data: ReportData) -> None:
    shown = section(replace(busy_data, change=busy_data.change.iloc[:0]))
    assert "no se comparó" in shown.text_content()
