import pytest
from sqlalchemy import event, text

from models.errors import ManifiestaError
from pipelines.report.gather import QUOTE_LENGTH, gather
from tests.unit.report.town import RUN, Said, Town, busy_town, municipality, taxonomy


def quotes(data, category="transport"):
    return next(e.quotes for e in data.evidence if e.category == category)


def test_frames_hold_the_rows_of_the_run(busy_data):
    assert len(busy_data.category) == 16
    assert len(busy_data.day) == 30
    assert len(busy_data.source) == 9
    assert busy_data.category["count"].sum() == 900
    assert busy_data.run.id == RUN


def test_only_reads(busy, busy_engine):
    seen = []
    event.listen(busy_engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    gather(busy_engine, RUN, busy.town, taxonomy())
    assert seen
    assert all(sql.lstrip().startswith("SELECT") for sql in seen)


def test_evidence_is_of_the_eight_largest_categories_without_other(busy, gathered):
    town = busy_town(300)
    town.said += [Said("fuente-1", f"Cualquier cosa {i}", "other") for i in range(200)]
    data = gathered(town)
    counts = data.category.set_index("category")["count"].drop("other")
    shown = [e.category for e in data.evidence]
    assert len(shown) == 8
    assert [counts[c] for c in shown] == sorted(counts, reverse=True)[:8]


def test_quotes_are_of_different_sources_and_the_most_confident_first(gathered):
    said = [
        Said("fuente-0", f"Texto {i}", "transport", confidence=0.99 - i / 100) for i in range(6)
    ]
    said += [Said("fuente-1", "Otro texto", "transport", confidence=0.5)]
    chosen = quotes(gathered(Town(said=said)))
    assert [q.text for q in chosen] == ["Texto 0", "Texto 1", "Texto 2", "Otro texto"]
    assert chosen[-1].source_title == "Foro Vecinos de Santa Clara"


def test_equal_confidence_is_ordered_by_id(gathered):
    said = [Said("fuente-0", f"Texto {i}", "transport") for i in range(9)]
    assert [q.text for q in quotes(gathered(Town(said=said)))] == [f"Texto {i}" for i in range(4)]


@pytest.mark.parametrize(
    "hidden",
    [
        {"abstained": True},
        {"model": "otro-modelo"},
        {"stale": True},
        {"day": 30},
        {"day": -1},
    ],
)
def test_what_is_not_quoted(gathered, hidden):
    said = [Said("fuente-0", "Se ve", "transport"), Said("fuente-1", "No", "transport", **hidden)]
    assert [q.text for q in quotes(gathered(Town(said=said)))] == ["Se ve"]


def test_the_same_text_is_quoted_once(gathered):
    said = [Said(f"fuente-{i}", "Igual en todas partes", "transport") for i in range(5)]
    assert len(quotes(gathered(Town(said=said)))) == 1


def test_long_texts_are_shortened_and_bad_links_dropped(gathered):
    said = [
        Said("fuente-0", "palabra " * 200, "transport", confidence=0.99),
        Said("fuente-1", "x" * 1_000_000, "transport", confidence=0.98, url="javascript:alert(1)"),
    ]
    first, second = quotes(gathered(Town(said=said)))
    assert first.text.endswith("palabra…")
    assert max(len(first.text), len(second.text)) <= QUOTE_LENGTH
    assert first.url == "https://example.pe/nota"
    assert second.url is None


def test_a_run_without_a_model_has_no_evidence(gathered):
    assert gathered(Town(said=[Said("fuente-0", "a", "transport")], model=None)).evidence == ()


def test_rejections_are_counted_by_source_and_reason(busy_data):
    found = {(r.source, r.outcome, r.ignored): r.count for r in busy_data.rejections}
    assert found == {
        ("fuente-0", "duplicate", True): 41,
        ("fuente-2", "no_date", False): 6,
        ("fuente-3", "no_text", False): 2,
        ("fuente-8", "fetch_failed", False): 3,
    }


def test_unknown_runs_and_other_municipalities_are_refused(busy, busy_engine):
    with pytest.raises(ManifiestaError, match="no run «nada»"):
        gather(busy_engine, "nada", busy.town, taxonomy())
    with pytest.raises(ManifiestaError, match="belongs to «sandbox»"):
        gather(busy_engine, RUN, municipality(code="ate"), taxonomy())
    with busy_engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM run")).scalar_one() == 1
