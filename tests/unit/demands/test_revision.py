"""The page «Revisión»: which texts it shows to whom, and what comes of their labels."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.pages.revision import KEYS
from models.demand_tables import ReviewRow
from models.errors import ConflictError, InputError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.tables import CorrectionRow
from pipelines.corrections import export_corrections
from pipelines.review import (
    FEWEST,
    SLICE,
    Desk,
    Queue,
    agreement_of_readers,
    agreement_with_model,
)
from pipelines.review import _agreement as agreement
from pipelines.review import _alpha as alpha
from pipelines.review import _kappa as kappa
from pipelines.store.write import Store
from tests.unit.demands.asking import VERSIONS, VILLA, put
from tests.unit.demands.panel import opened
from tests.unit.store.builders import (
    MARCH,
    TAXONOMY,
    begun,
    classified,
    labels_given,
    rows,
    said,
    save,
)

AS_MODEL = {"category": "waste", "sentiment": "negative", "intent": "complaint"}
OTHER = {"category": "transport", "sentiment": "neutral", "intent": "request"}
DRAWN = [n for n in range(400) if int(said(n).id[:8], 16) < SLICE * 16**8]
REST = [n for n in range(400) if n not in DRAWN]


def desk(store: Store, reader: str = "E-01") -> Desk:
    return Desk(store, "villa", MARCH, VERSIONS, reader)


def read(store: Store, queue: Queue, labels: dict[str, str], reader: str = "E-01") -> str:
    text = desk(store, reader).next(queue)
    assert text is not None
    desk(store, reader).read(queue, text.id, text.text_hash, labels)
    return text.id


def test_a_twentieth_is_drawn_whatever_it_says() -> None:
    assert len(DRAWN) == pytest.approx(400 * SLICE, abs=12)


def test_a_drawn_text_is_read_once_then_blindly_by_another_and_in_no_other_queue(
    store: Store,
) -> None:
    item = said(DRAWN[0], "¿Qué será esto?")
    save(store, begun(store, VILLA), item)
    store.save_classifications(TAXONOMY, [classified(item, "waste", abstained=True)])
    counts = desk(store).counts()
    assert counts == {Queue.RANDOM: 1, Queue.SECOND: 0, Queue.UNSURE: 0, Queue.CLOSE: 0} | {
        Queue.DISPUTED: 0
    }
    read(store, Queue.RANDOM, OTHER)
    assert set(desk(store).counts().values()) == {0}
    second = desk(store, "E-02").counts()
    assert (second[Queue.RANDOM], second[Queue.SECOND], second[Queue.DISPUTED]) == (0, 1, 0)
    read(store, Queue.SECOND, AS_MODEL, "E-02")
    assert desk(store, "E-03").counts()[Queue.DISPUTED] == 1
    read(store, Queue.DISPUTED, OTHER, "E-03")
    assert set(desk(store, "E-04").counts().values()) == {0}


def test_an_unsure_text_goes_to_its_queue_and_a_contradiction_is_read_again(store: Store) -> None:
    item = said(REST[0], "¿Qué será esto?")
    save(store, begun(store, VILLA), item)
    store.save_classifications(TAXONOMY, [classified(item, "waste", abstained=True)])
    assert desk(store).counts()[Queue.UNSURE] == 1
    read(store, Queue.UNSURE, OTHER)
    assert desk(store, "E-02").counts()[Queue.DISPUTED] == 1
    read(store, Queue.DISPUTED, OTHER, "E-02")
    assert set(desk(store, "E-03").counts().values()) == {0}


def test_what_is_read_is_a_correction_that_is_counted_and_handed_out(
    store: Store, tmp_path: Path
) -> None:
    item = put(store, said(DRAWN[0], "La pista"))
    read(store, Queue.RANDOM, OTHER)
    found = labels_given(store.engine, date(2026, 3, 10))
    assert found == {(item.id, item.text_hash): OTHER}
    assert export_corrections(store, "villa", tmp_path / "gold.jsonl") == 1
    (kept,) = rows(store.engine, ReviewRow)
    assert (kept["model_category"], kept["category"]) == ("waste", "transport")
    assert (kept["reader"], kept["queue"]) == ("E-01", "random")


def test_a_text_edited_meanwhile_is_to_be_read_again(store: Store) -> None:
    put(store, said(DRAWN[0], "Antes"))
    text = desk(store).next(Queue.RANDOM)
    assert text is not None
    with pytest.raises(ConflictError, match="read it again"):
        desk(store).read(Queue.RANDOM, text.id, "otro", OTHER)
    with pytest.raises(InputError, match="Choose a category"):
        desk(store).read(Queue.RANDOM, text.id, text.text_hash, {**OTHER, "category": "basura"})
    assert rows(store.engine, CorrectionRow) == []


def test_agreement_counts_drawn_texts_alone_and_says_nothing_of_few(store: Store) -> None:
    for number in (DRAWN[0], DRAWN[1], REST[0]):
        put(store, said(number, f"Texto {number}"))
    read(store, Queue.RANDOM, AS_MODEL)
    read(store, Queue.RANDOM, OTHER)
    read(store, Queue.SECOND, OTHER, "E-02")
    category = agreement_with_model(store, "villa")[0]
    assert (category.n, category.equal, category.coefficient) == (2, 1, None)
    assert category.share == 0.5
    people = agreement_of_readers(store, "villa")[0]
    assert (people.n, people.share_low is not None) == (1, True)


def test_kappa_and_alpha_of_a_table_from_a_book() -> None:
    # 50 texts of two labels: both a 20, a then b 5, b then a 10, both b 15 (Cohen's kappa 0.4)
    pairs = [
        *[("negative", "negative")] * 20,
        *[("negative", "positive")] * 5,
        *[("positive", "negative")] * 10,
        *[("positive", "positive")] * 15,
    ]
    found = agreement("sentiment", pairs, kappa)
    assert found.coefficient == pytest.approx(0.4)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4 < found.high
    # nominal alpha = 1 - (n - 1) * disagreements / (n_a * n_b), n = 100 values: 55 and 45
    assert agreement("sentiment", pairs, alpha).coefficient == pytest.approx(
        1 - 99 * 30 / (2 * 55 * 45)
    )


@given(st.lists(st.tuples(*[st.sampled_from(INTENTS)] * 2), max_size=60))
@settings(max_examples=20, deadline=None)
def test_coefficients_are_in_range_or_missing(pairs: list[tuple[str, str]]) -> None:
    found = agreement("intent", pairs, kappa)
    if len(pairs) < FEWEST:
        assert found.coefficient is None
    if found.coefficient is not None:
        assert -1 <= found.coefficient <= 1 + 1e-9


def test_the_form_works_without_script_and_hides_the_models_labels(
    store: Store, tmp_path: Path
) -> None:
    put(store, said(DRAWN[0], "La pista está rota"))
    panel = opened(store, tmp_path / "municipalities")
    page = panel.get("/revision")
    assert "La pista está rota" in page
    assert "checked" not in page
    done = panel.send("/revision", "/revision", **OTHER)
    assert done.status_code == 303
    assert "No queda ningún texto" in panel.get("/revision")
    (kept,) = rows(store.engine, ReviewRow)
    assert kept["reader"] == "local"


@pytest.mark.parametrize("missing", ["category", "sentiment", "intent"])
def test_an_unfinished_form_keeps_nothing(store: Store, tmp_path: Path, missing: str) -> None:
    put(store, said(DRAWN[0], "La pista"))
    panel = opened(store, tmp_path / "municipalities")
    labels: dict[str, Any] = {name: value for name, value in OTHER.items() if name != missing}
    answer = panel.send("/revision", "/revision", **labels)
    assert answer.status_code == 400
    assert "Marque las tres" in answer.text
    assert rows(store.engine, ReviewRow) == []


def test_every_label_has_a_key_of_its_own() -> None:
    assert set(KEYS["category"]) == set(CATEGORIES)
    assert set(KEYS["intent"]) == set(INTENTS)
    assert set(KEYS["sentiment"]) == set(SENTIMENTS)
    keys = [key for labels in KEYS.values() for key in labels.values()]
    assert len(set(keys)) == len(keys) == 27


def test_a_wrong_label_is_put_right_where_it_is_seen(store: Store, tmp_path: Path) -> None:
    put(store, *(said(n, f"No recogen la basura {n}") for n in REST[:2]))
    panel = opened(store, tmp_path / "municipalities")
    id_ = said(REST[0]).id
    link = f"/revision/{id_}"
    assert link in panel.get(f"/manifestaciones/{id_}")
    assert "El modelo dijo:" in panel.get(link)

    done = panel.send(link, link, **OTHER)

    assert (done.status_code, done.headers["location"]) == (303, f"/manifestaciones/{id_}")
    (kept,) = rows(store.engine, CorrectionRow)
    assert {task: kept[task] for task in OTHER} == OTHER
    assert rows(store.engine, ReviewRow) == []
    assert "categoría corregida por una persona" in panel.get(f"/manifestaciones/{id_}")


def test_what_cannot_be_put_right_is_said(store: Store, tmp_path: Path) -> None:
    put(store, said(REST[0], "No recogen la basura"))
    panel = opened(store, tmp_path / "municipalities")
    link = f"/revision/{said(REST[0]).id}"

    assert panel.send(link, link, category="waste").status_code == 400
    assert panel.send(link, link, **OTHER, text_hash="0" * 64).status_code == 409
    panel.get(f"/revision/{'0' * 32}", 404)
    assert rows(store.engine, CorrectionRow) == []
