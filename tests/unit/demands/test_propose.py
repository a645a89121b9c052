"""Complaints and requests become demands, once and for all."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demand_tables import DemandEventRow, DemandManifestationRow, DemandRow
from models.demands import Action, Status
from models.records import Window
from pipelines.corrections import correct
from pipelines.demands.group import SPAN, Asked, Ended, Why, group
from pipelines.store.demands import demands, evidence, find_demand, history
from pipelines.store.erase import Erasure, erase
from pipelines.store.write import Store
from tests.unit.demands.asking import (
    BINS,
    BINS_TOO,
    HOLE,
    answered,
    asked,
    bins,
    by,
    flow,
    only,
    put,
)
from tests.unit.store.builders import LIMA, at, rows, said, vanish


def test_texts_that_ask_for_the_same_in_one_place_become_one_demand(both: Store) -> None:
    put(both, said(1, BINS, when=at(3)))
    put(both, said(2, BINS_TOO, when=at(5)))
    put(both, said(3, "Los contenedores están llenos de basura", when=at(5)), zone="norte")
    put(both, said(4, HOLE, when=at(5)), category="transport")
    put(both, said(5, "¡Qué limpio está el parque!", when=at(5)), intent="praise")
    done = asked(both)
    assert (done.texts, done.founded) == (4, 3)
    found = {(one.category, one.zone): one for one in demands(both.engine, "villa")}
    here = found["waste", "centro"]
    assert (here.texts, here.status, here.area) == (2, Status.PROPOSED, "Limpieza")
    assert (here.first_said_on, here.last_said_on) == (date(2026, 3, 3), date(2026, 3, 5))
    assert found["waste", "norte"].texts == 1
    assert found["transport", "centro"].area == "Tránsito"
    assert [text.why for text in evidence(both.engine, here.id)] == [Why.FOUNDER, Why.ALIKE]


def test_proposing_again_changes_nothing(store: Store) -> None:
    bins(store)
    before = [rows(store.engine, t) for t in (DemandRow, DemandManifestationRow, DemandEventRow)]
    assert asked(store).texts == 0
    after = [rows(store.engine, t) for t in (DemandRow, DemandManifestationRow, DemandEventRow)]
    assert before == after


def test_a_persons_label_outranks_the_models(store: Store) -> None:
    put(store, said(1, BINS), intent="opinion")
    put(store, said(2, HOLE), category="waste")
    put(store, said(3, "Gracias por venir"), intent="complaint")
    none = {"category": None, "sentiment": None, "intent": None}
    correct(store, said(1).id, {**none, "intent": "request"}, "E-07")
    correct(store, said(2).id, {**none, "category": "transport"}, "E-07")
    correct(store, said(3).id, {**none, "intent": "praise"}, "E-07")
    asked(store)
    assert {one.category for one in demands(store.engine, "villa")} == {"waste", "transport"}


def test_a_later_text_joins_a_confirmed_demand_and_changes_nothing_else_of_it(store: Store) -> None:
    demand = bins(store)
    confirmed = flow(store).confirm(by(demand), zone="centro")
    put(store, said(3, BINS_TOO + " otra vez", when=at(6)))
    assert asked(store).joined == 1
    now = only(store)
    assert now.texts == 3
    assert (now.version, now.status, now.due_on) == (2, Status.NEW, confirmed.due_on)
    assert history(store.engine, demand.id)[-1].action is Action.JOIN


def test_an_ended_demand_is_never_touched_and_what_comes_later_follows_it(store: Store) -> None:
    demand = bins(store)
    ended = flow(store).reject(by(demand), "No es de la municipalidad")
    put(store, said(3, BINS, when=at(6)))
    asked(store)
    assert find_demand(store.engine, "villa", demand.id) == ended
    (new,) = [one for one in demands(store.engine, "villa") if one.id != demand.id]
    assert (new.follows, new.texts, new.status) == (demand.id, 1, Status.PROPOSED)


def test_what_was_said_much_later_is_another_demand(store: Store) -> None:
    put(store, said(1, BINS, when=at(3)))
    put(store, said(2, BINS_TOO, when=at(3 + SPAN.days + 1)))
    asked(store)
    assert len(demands(store.engine, "villa")) == 2


def test_a_purge_reaches_demands(both: Store) -> None:
    first = bins(both)
    purged = Erasure("villa", [said(1).id], [], [], [])
    erase(both.engine, purged, {}, "test")
    assert only(both).texts == 1
    assert history(both.engine, first.id)[-1].detail == {"texts": 1}
    erase(both.engine, Erasure("villa", [said(2).id], [], [], []), {}, "test")
    assert demands(both.engine, "villa") == []
    assert rows(both.engine, DemandEventRow) == []


def test_a_confirmed_demand_outlives_its_texts_without_a_word_of_them(store: Store) -> None:
    demand = answered(store, bins(store))
    erase(store.engine, Erasure("villa", [said(1).id, said(2).id], [], [], []), {}, "test")
    left = find_demand(store.engine, "villa", demand.id)
    assert (left.texts, left.reply) == (0, "Ya se recogió.")
    assert "contenedores" not in str(rows(store.engine, DemandEventRow))


def test_a_merged_demand_does_not_keep_a_purge_from_the_other(store: Store) -> None:
    put(store, said(1, BINS))
    put(store, said(2, HOLE))
    asked(store)
    one, other = demands(store.engine, "villa")
    flow(store).merge(by(one), other.id)
    erase(store.engine, Erasure("villa", [said(1).id, said(2).id], [], [], []), {}, "test")
    (gone,) = demands(store.engine, "villa")
    assert (gone.id, gone.merged_into) == (one.id, None)


def test_texts_that_are_gone_or_foreign_ask_for_nothing(store: Store) -> None:
    put(store, said(1, BINS))
    put(store, said(2, HOLE))
    vanish(store, datetime(2026, 5, 1, tzinfo=UTC), said(1).id)
    store.save_languages("x", {(said(2).id, said(2, HOLE).text_hash): "qu"})
    assert asked(store).texts == 0


def test_only_the_window_is_looked_at(store: Store) -> None:
    put(store, said(1, BINS, when=at(3)))
    assert asked(store, Window(date(2026, 3, 4), date(2026, 3, 9), LIMA)).texts == 0


# --- grouping by itself ----------------------------------------------------------------------

WORDS = ("basura", "contenedor", "esquina", "pista", "hueco", "semáforo", "agua", "desagüe")
TEXTS = st.lists(
    st.builds(
        Asked,
        id=st.uuids().map(str),
        cluster=st.sampled_from("abcdef"),
        thread=st.sampled_from("tuvw"),
        category=st.sampled_from(("waste", "transport")),
        zone=st.sampled_from((None, "centro")),
        day=st.dates(date(2026, 3, 1), date(2026, 3, 31)),
        text=st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join),
    ),
    max_size=25,
    unique_by=lambda text: text.id,
)


@given(TEXTS, st.integers(0, 25))
@settings(max_examples=60, deadline=None)
def test_every_text_has_one_demand_and_what_is_grouped_stays(texts: list[Asked], cut: int) -> None:
    found = group("villa", texts)
    placed = {part.manifestation_id: part.demand for part in found.joined}
    assert set(placed) == {text.id for text in texts}
    assert len(found.joined) == len(texts)
    assert set(placed.values()) == set(found.founded)
    shuffled = texts[cut:] + texts[:cut]
    again = {part.manifestation_id: part.demand for part in group("villa", shuffled).joined}
    assert again == placed


@pytest.mark.parametrize(("days", "together"), [(SPAN.days, True), (SPAN.days + 1, False)])
def test_a_copy_belongs_together_wherever_it_is_within_the_span(days: int, together: bool) -> None:
    one = Asked("1", "c", "t", "waste", "centro", date(2026, 3, 1), "uno")
    two = Asked("2", "c", "u", "water", None, date(2026, 3, 1 + days), "dos")
    assert (len(group("villa", [one, two]).founded) == 1) is together


def test_a_thread_holds_together_what_is_of_one_category() -> None:
    texts = [
        Asked("1", "a", "t", "waste", "centro", date(2026, 3, 1), "uno"),
        Asked("2", "b", "t", "waste", "centro", date(2026, 3, 2), "dos"),
        Asked("3", "c", "t", "water", "centro", date(2026, 3, 2), "tres"),
    ]
    found = group("villa", texts, [Ended("c", "antes")])
    assert [part.why for part in found.joined] == [Why.FOUNDER, Why.THREAD, Why.FOUNDER]
    assert list(found.follows.values()) == ["antes"]


def test_copies_agree_on_what_and_where_they_ask(both: Store) -> None:
    put(both, said(1, BINS, when=at(3)), category="energy", zone="norte")
    put(both, said(2, BINS, when=at(4)))
    put(both, said(3, BINS, when=at(5)))
    asked(both)
    one = only(both)
    assert (one.category, one.zone, one.texts) == ("waste", "centro", 3)
    assert one.area == "Limpieza"


def test_a_persons_category_outranks_all_other_copies(store: Store) -> None:
    for number in (1, 2, 3):
        put(store, said(number, BINS, when=at(number + 2)))
    named = {"category": "transport", "sentiment": None, "intent": None}
    correct(store, said(3).id, named, "E-07")
    asked(store)
    assert only(store).category == "transport"


@pytest.mark.parametrize(
    ("weights", "agreed"),
    [((0.9, 0.4, 0.4), "energy"), ((0.9, 0.5, 0.5), "waste"), ((0.5, 0.25, 0.25), "energy")],
)
def test_each_copy_votes_with_its_weight_and_of_equals_the_first_wins(
    weights: tuple[float, ...], agreed: str
) -> None:
    texts = [
        Asked(str(day), "c", str(day), category, None, date(2026, 3, day), "uno", weight=weight)
        for day, category, weight in zip(
            (1, 2, 3), ("energy", "waste", "waste"), weights, strict=True
        )
    ]
    (founder,) = group("villa", texts).founded.values()
    assert founder.category == agreed


def test_threads_do_not_chain() -> None:
    day = date(2026, 3, 1)
    texts = [
        Asked("1", "a", "t", "waste", "centro", day, "uno"),
        Asked("2", "a", "u", "waste", "centro", day, "uno"),  # a copy of it elsewhere
        Asked("3", "c", "u", "waste", "centro", date(2026, 3, 2), "tres"),
    ]
    assert len(group("villa", texts).founded) == 2
