"""Clusters in the store: stable names, edits, and what counts as distinct."""

from models.tables import NearDuplicateRow
from pipelines.duplicates import update_clusters
from tests.unit.nlp.test_duplicates import COPIES, OTHER, STORY
from tests.unit.store.builders import (
    TAXONOMY,
    begun,
    classified,
    counted_texts,
    municipality,
    rows,
    said,
    save,
)


def clusters(store):
    return {
        row["manifestation_id"]: row["cluster_id"] for row in rows(store.engine, NearDuplicateRow)
    }


def test_a_cluster_keeps_the_name_of_its_first_member(store):
    run, place = begun(store), municipality()
    first, other = said(1, STORY), said(2, OTHER)
    save(store, run, first, other)
    assert update_clusters(store, place) == 2
    before = clusters(store)
    late = [said(number, text) for number, text in enumerate(COPIES.values(), start=3)]
    save(store, run, *late)
    assert update_clusters(store, place) == len(late)
    after = clusters(store)
    assert {key: after[key] for key in before} == before
    assert {after[item.id] for item in late} == {before[first.id]}
    assert update_clusters(store, place) == 0
    assert clusters(store) == after


def test_clusters_that_meet_take_the_older_name(store):
    run, place = begun(store), municipality()
    words = STORY.split()
    left, right = " ".join(words[:20]), " ".join(words[12:])
    for number, text in ((1, left), (2, right)):
        save(store, run, said(number, text))
        update_clusters(store, place)
    assert len(set(clusters(store).values())) == 2
    save(store, run, said(3, STORY))
    update_clusters(store, place.model_copy(update={"duplicate_threshold": 0.4}))
    assert set(clusters(store).values()) == {said(1, left).id}


def test_an_edited_text_leaves_its_cluster(store):
    run, place = begun(store), municipality()
    first, copy, later = said(1, STORY), said(2, COPIES["lead"]), said(3, COPIES["typos"])
    save(store, run, first, copy, later)
    update_clusters(store, place)
    assert set(clusters(store).values()) == {first.id} or len(set(clusters(store).values())) == 1
    founder = next(iter(clusters(store).values()))
    others = sorted({first.id, copy.id, later.id} - {founder})
    number = {first.id: 1, copy.id: 2, later.id: 3}[founder]
    save(store, run, said(number, OTHER))
    assert update_clusters(store, place) == 1
    now = clusters(store)
    assert now[founder] == founder
    assert now[others[0]] == now[others[1]] != founder
    assert now[others[0]] in others


def test_distinct_counts_clusters_and_hashes_until_there_are_some(store):
    run, place = begun(store), municipality()
    items = [said(1, STORY), said(2, COPIES["lead"]), said(3, COPIES["case"]), said(4, OTHER)]
    save(store, run, *items)
    store.save_classifications(TAXONOMY, [classified(item) for item in items])

    def distinct():
        return len({one.cluster for one in counted_texts(store.engine)})

    assert distinct() == 3
    update_clusters(store, place)
    assert distinct() == 2


def test_other_municipalities_are_not_compared(store):
    run = begun(store)
    save(store, run, said(1, STORY))
    assert update_clusters(store, municipality(code="lurin")) == 0


def test_many_texts_are_read_in_chunks_and_compared_as_one(store, monkeypatch):
    monkeypatch.setattr("pipelines.duplicates._BATCH", 2)
    monkeypatch.setattr("pipelines.store.copies._CHUNK", 2)
    run, place = begun(store), municipality()
    early = [said(1, STORY), said(2, OTHER), said(3, COPIES["lead"])]
    late = [said(4, COPIES["case"]), said(5, OTHER.upper()), said(6, COPIES["typos"])]
    save(store, run, *early)
    assert update_clusters(store, place) == 3
    save(store, run, *late)
    assert update_clusters(store, place) == 3
    now = clusters(store)
    assert len({now[item.id] for item in (early[0], early[2], late[0], late[2])}) == 1
    assert now[early[1].id] == now[late[1].id] == early[1].id
    positions = {row["position"] for row in rows(store.engine, NearDuplicateRow)}
    assert positions == set(range(6))


def test_rounds_give_the_clusters_of_one_comparison(store, monkeypatch):
    run, place = begun(store), municipality()
    texts = [OTHER, *COPIES.values(), STORY, f"{OTHER} ¡Vayan!"]
    save(store, run, *(said(number, text) for number, text in enumerate(texts)))
    monkeypatch.setattr("pipelines.duplicates._ROUND", 2)
    assert update_clusters(store, place) == len(texts)
    found = clusters(store)
    assert len(set(found.values())) == 2
    assert found[said(0, OTHER).id] == found[said(len(texts) - 1, texts[-1]).id]
