"""What people have corrected is counted, quoted and recounted alike, on both databases."""

import pytest
from sqlalchemy import text

from models.insight_tables import InsightCategory, InsightOverview
from pipelines.aggregate import aggregate
from pipelines.corrections import correct
from pipelines.counted import Counted
from pipelines.report import recount
from pipelines.report.gather import gather
from pipelines.report.page import render
from pipelines.store.write import Classified, Store
from tests.unit.report.town import taxonomy
from tests.unit.store.builders import (
    MARCH,
    MODEL,
    TAXONOMY,
    answer,
    begun,
    municipality,
    rows,
    said,
    save,
)

VILLA = municipality(feeds=("diario",), suppress_below=1)
UNSURE, OTHER = said(1, "El camión no pasa hace días"), said(2, "La pista sigue rota")


@pytest.fixture
def data(store: Store):
    """Two texts that the model took for angry ones about transport; a person read the first."""
    run_id = begun(store, VILLA)
    save(store, run_id, UNSURE, OTHER)
    labels = {UNSURE: answer("transport", abstained=True), OTHER: answer("transport")}
    store.save_classifications(
        TAXONOMY, [Classified(t.id, t.text_hash, given) for t, given in labels.items()]
    )
    first = {"category": "security", "sentiment": "positive", "intent": None}
    correct(store, UNSURE.id, first, "E-07")
    correct(store, UNSURE.id, {"category": "waste", "sentiment": None, "intent": None}, "E-09")
    aggregate(store, Counted(run_id, VILLA, MARCH, MODEL, TAXONOMY), {})
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE run SET model_version = :m"), {"m": MODEL})
    return gather(store.engine, run_id, VILLA, taxonomy())


def test_the_counted_category_has_the_quote(data):
    quotes = {e.category: e.quotes for e in data.evidence}
    assert set(quotes) == {"waste", "transport"}
    (quote,) = quotes["waste"]
    assert (quote.id, quote.sentiment, quote.confidence) == (UNSURE.id, "positive", None)
    assert [q.id for q in quotes["transport"]] == [OTHER.id]
    assert "categoría corregida por una persona" in render(data, "es")
    assert "category corrected by a person" in render(data, "en")


def test_the_printed_queries_give_the_published_counts(store: Store, data):
    published = {
        ("category", r["category"]): r["count"]
        for r in rows(store.engine, InsightCategory)
        if r["lens"] == ""
    } | {
        (r["measure"], r["label"]): r["count"]
        for r in rows(store.engine, InsightOverview)
        if r["lens"] == "" and r["measure"] in {"sentiment", "intent"}
    }
    assert {label for label, count in published.items() if count} == {
        ("category", "waste"),
        ("category", "transport"),
        ("sentiment", "positive"),
        ("sentiment", "negative"),
        ("intent", "complaint"),
    }
    with store.engine.connect() as connection:
        for (task, label), count in published.items():
            again = connection.execute(text(recount.counted(data.run, **{task: label})))
            assert again.one().count == count
            sentences = connection.execute(text(recount.sentences(data.run, **{task: label})))
            assert len(sentences.all()) == count
