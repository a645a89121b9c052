"""A lens gives the same tables for the texts that have its words."""

from typing import Any

from configs.load import load_taxonomy
from configs.schema import Lens, lenses_of
from models.insight_tables import InsightCategory, InsightChange, InsightSeries
from models.labels import EVERYTHING
from pipelines.aggregate import TABLES, aggregate
from pipelines.counted import Counted
from pipelines.lenses import look_at_window
from pipelines.store.write import Store
from tests.unit.store.builders import (
    MARCH,
    MODEL,
    TAXONOMY,
    begun,
    classified,
    municipality,
    rows,
    said,
    save,
)

VILLA = municipality()
COUNTED = (*TABLES, InsightSeries, InsightChange)
MARKET = Lens(code="mercado", es="Mercado", en="Market", words=["mercado*", "paradita*"])
WATER = Lens(code="agua", es="Agua", en="Water", words=["mercado*"], categories=["water"])


def counted(store: Store, *lenses: Lens) -> str:
    run_id = begun(store, VILLA)
    items = [
        said(1, "Asaltan en el mercado", author="a-1"),
        said(2, "Sin agua en los MERCADOS", author="a-1"),
        said(3, "Las paraditas tapan la pista", author="a-1"),
        said(4, "Nada de eso", author="a-1"),
    ]
    save(store, run_id, *items)
    labels = ("security", "water", "transport", "water")
    store.save_classifications(
        TAXONOMY, [classified(item, label) for item, label in zip(items, labels, strict=True)]
    )
    look_at_window(store, VILLA, lenses, MARCH)
    aggregate(store, Counted(run_id, VILLA, MARCH, MODEL, TAXONOMY, lenses), {})
    return run_id


def counts(store: Store, lens: str) -> dict[str, int]:
    found = [row for row in rows(store.engine, InsightCategory) if row["lens"] == lens]
    return {row["category"]: row["count"] for row in found if row["count"]}


def test_each_lens_has_all_tables(store: Store) -> None:
    counted(store, MARKET, WATER)
    for table in COUNTED:
        lenses = {row["lens"] for row in rows(store.engine, table)}
        assert lenses >= {EVERYTHING, "mercado", "agua"}, table
    assert counts(store, EVERYTHING) == {"security": 1, "water": 2, "transport": 1}
    assert counts(store, "mercado") == {"security": 1, "water": 1, "transport": 1}
    assert counts(store, "agua") == {"water": 1}
    shares = {
        row["lens"]: row["n"]
        for row in rows(store.engine, InsightCategory)
        if row["category"] == "water"
    }
    assert shares == {EVERYTHING: 4, "mercado": 3, "agua": 1}


def test_of_a_lens_only_what_was_counted_is_in_the_series(store: Store) -> None:
    counted(store, MARKET)
    found = [row for row in rows(store.engine, InsightSeries) if row["lens"] == "mercado"]
    assert {row["dimension"] for row in found if not row["count"]} == {"all"}
    assert {row["lens"] for row in rows(store.engine, InsightChange)} == {EVERYTHING, "mercado"}


def test_other_words_look_again_and_the_same_do_not(store: Store) -> None:
    counted(store, MARKET)
    assert look_at_window(store, VILLA, (MARKET,), MARCH) == 0
    changed = MARKET.model_copy(update={"words": ("agua",)})
    assert look_at_window(store, VILLA, (changed,), MARCH) == 4
    aggregate(store, Counted(begun(store, VILLA), VILLA, MARCH, MODEL, TAXONOMY, (changed,)), {})
    newest = [row for row in rows(store.engine, InsightCategory) if row["lens"] == "mercado"]
    assert {row["category"] for row in newest if row["count"]} >= {"water"}
    assert sum(row["count"] for row in newest) == 3 + 1


def test_a_municipalitys_own_lens_outranks_the_shared_one() -> None:
    shared = load_taxonomy()
    own: dict[str, Any] = {"code": "covid", "es": "C", "en": "C", "words": ["dengue"]}
    found = {one.code: one for one in lenses_of(municipality(lenses=[own]), shared)}
    assert set(found) == {"solidaridad", "comercio-ambulante", "covid"}
    assert found["covid"].words == ("dengue",)
