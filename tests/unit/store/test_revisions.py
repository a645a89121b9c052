"""Edits keep the former text, and what is gone is marked and no longer quoted."""

from datetime import UTC, datetime

from configs.load import load_taxonomy
from models.tables import LanguageRow, ManifestationRow, RevisionRow
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.report.gather import gather
from pipelines.store.read import insight_frame
from tests.unit.store.builders import (
    MARCH,
    MODEL,
    TAXONOMY,
    begun,
    classified,
    counted_texts,
    municipality,
    rows,
    said,
    save,
    vanish,
)

FIRST, SECOND, THIRD = (datetime(2026, 4, day, tzinfo=UTC) for day in (2, 3, 4))
LATER = datetime(2026, 4, 5, tzinfo=UTC)


def test_an_edit_keeps_the_former_text(store):
    run = begun(store)
    save(store, run, said(1, "No pasa la basura", title="Queja", fetched_at=FIRST, capture_id="a"))
    save(store, run, said(1, "Ya pasó la basura", title="Queja", fetched_at=SECOND))
    (kept,) = rows(store.engine, ManifestationRow)
    (former,) = rows(store.engine, RevisionRow)
    assert kept["text"] == "Ya pasó la basura"
    assert former == {
        "manifestation_id": kept["id"],
        "text_hash": said(1, "No pasa la basura", title="Queja").text_hash,
        "seen_from": FIRST,
        "seen_to": SECOND,
        "title": "Queja",
        "text": "No pasa la basura",
        "capture_id": "a",
    }


def test_a_text_that_comes_and_goes_is_kept_each_time(store):
    run = begun(store)
    for text, moment in (("uno", FIRST), ("dos", SECOND), ("uno", THIRD), ("dos", LATER)):
        save(store, run, said(1, text, fetched_at=moment))
    former = sorted(rows(store.engine, RevisionRow), key=lambda row: row["seen_from"])
    assert [row["text"] for row in former] == ["uno", "dos", "uno"]
    assert [row["seen_to"] for row in former] == [SECOND, THIRD, LATER]


def test_the_same_text_again_is_no_revision(store):
    run = begun(store)
    for text in ("La pista", "la pista!", "La pista"):
        save(store, run, said(1, text))
    assert rows(store.engine, RevisionRow) == []


def test_what_is_gone_is_marked_once(store):
    run = begun(store)
    item, other = said(1), said(2)
    save(store, run, item, other)
    vanish(store, SECOND, item.id, "unknown")
    vanish(store, THIRD, item.id)
    vanish(store, THIRD)
    marks = {row["id"]: row["gone_at"] for row in rows(store.engine, ManifestationRow)}
    assert marks == {item.id: SECOND, other.id: None}


def test_what_is_seen_again_later_is_back(store):
    run, item = begun(store), said(1, fetched_at=FIRST)
    save(store, run, item)
    vanish(store, SECOND, item.id)
    save(store, run, item)  # read again from the archive: an earlier sight of it
    assert rows(store.engine, ManifestationRow)[0]["gone_at"] == SECOND
    save(store, run, said(1, fetched_at=THIRD))
    assert rows(store.engine, ManifestationRow)[0]["gone_at"] is None


def counted(store, run, place):
    subject = Counted(run, place, MARCH, MODEL, TAXONOMY)
    return aggregate(store, subject, {})


def test_what_is_gone_is_counted_and_not_quoted(store):
    run, place = begun(store), municipality(suppress_below=1)
    items = [said(1, "La pista de Ceres sigue rota"), said(2, "El semáforo no funciona")]
    save(store, run, *items)
    store.set_model(run, MODEL)
    store.save_classifications(TAXONOMY, [classified(item) for item in items])
    vanish(store, SECOND, items[0].id)
    assert counted(store, run, place) == 2
    data = gather(store.engine, run, place, load_taxonomy())
    assert [quote.id for one in data.evidence for quote in one.quotes] == [items[1].id]


def test_foreign_texts_are_counted_apart(store):
    from models.insight_tables import InsightCategory, InsightOverview

    run, place = begun(store), municipality(suppress_below=1)
    items = [said(number, f"Texto {number}") for number in range(4)]
    save(store, run, *items)
    store.set_model(run, MODEL)
    store.save_classifications(TAXONOMY, [classified(item) for item in items])
    keys = [(item.id, item.text_hash) for item in items]
    store.save_languages("x", dict(zip(keys, ["es", "und", "qu", "en"], strict=True)))
    store.save_languages("y", {keys[0]: "pt"})
    assert {row["language"] for row in rows(store.engine, LanguageRow)} == {"es", "und", "qu", "en"}
    assert counted(store, run, place) == 4
    overview = insight_frame(store.engine, InsightOverview, run)
    spoken = overview[overview["measure"] == "language"].set_index("label")
    assert spoken["count"].to_dict() == {"en": 1, "es": 1, "qu": 1, "und": 1}
    assert set(spoken["n"]) == {4}
    assert set(overview[overview["measure"] != "language"]["n"]) == {2}
    categories = insight_frame(store.engine, InsightCategory, run)
    assert categories["count"].sum() == 2
    data = gather(store.engine, run, place, load_taxonomy())
    assert {quote.id for one in data.evidence for quote in one.quotes} <= {items[0].id, items[1].id}


def test_an_edit_waits_for_a_label_of_its_own(store):
    run, item = begun(store), said(1, "Texto en otra lengua")
    save(store, run, item)
    store.save_languages("x", {(item.id, item.text_hash): "qu"})
    edited = said(1, "Texto en castellano", fetched_at=SECOND)
    save(store, run, edited)
    store.save_classifications(TAXONOMY, [classified(edited)])
    assert [one.language for one in counted_texts(store.engine)] == ["und"]
