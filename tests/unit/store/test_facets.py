"""Lists by labels: the copies that they are read from say the same as what is stored."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, select

from models.labels import NOWHERE
from models.records import Manifestation, Window
from models.search_tables import FacetRow, SearchBasisRow
from models.tables import ManifestationRow
from pipelines.privacy import text_hash
from pipelines.searching import index_labels, index_texts
from pipelines.store.engine import open_engine
from pipelines.store.facets import Basis, derived
from pipelines.store.search import Asked, search
from pipelines.store.write import Correction, Placed, Store
from tests.unit.store.builders import (
    LIMA,
    MARCH,
    MODEL,
    TAXONOMY,
    at,
    begun,
    classified,
    said,
    save,
)

ZONES, LENSES = "places-1", "lenses-1"
BASIS = Basis("villa", MARCH, MODEL, TAXONOMY, ZONES, LENSES)
LABELS = {
    "category": ("transport", "water"),
    "sentiment": ("negative", "positive"),
    "intent": ("complaint", "request"),
    "source": ("diario", "foro"),
    "zone": ("norte", None),
}
WORDS = ("pista rota", "agua sucia", "pista con agua")


@dataclass(frozen=True)
class Truth:
    """A text as the test has written it, with the labels that count."""

    item: Manifestation
    category: str
    sentiment: str
    intent: str
    zone: str | None
    lenses: tuple[str, ...]
    day: int
    certainty: str

    def meets(self, asked: Asked) -> bool:
        mine = {name: getattr(self, name, None) for name in ("category", "sentiment", "intent")}
        mine |= {"certainty": self.certainty}
        mine |= {"source": self.item.source, "zone": self.zone or NOWHERE}
        return (
            all(getattr(asked, name) in ("", value) for name, value in mine.items())
            and asked.lens in ("", *self.lenses)
            and all(word in self.item.text for word in asked.words.split())
        )


def written(store: Store) -> list[Truth]:
    """Write texts of all kinds, some of which people have corrected; return those that count."""
    chance, found = random.Random(8), []
    run = begun(store)
    for number, labels in enumerate([*product(*LABELS.values())] * 2):
        category, sentiment, intent, source, zone = labels
        day = 1 + chance.randrange(28)
        words = chance.choice(WORDS)
        item = said(number, words, when=at(day), source=str(source))
        save(store, run, item)
        key = (item.id, item.text_hash)
        speaks = "qu" if number % 9 == 0 else "es"
        store.save_languages("i", {key: speaks})
        model = "water" if number % 5 == 0 else str(category)
        doubtful = number % 7 == 0
        labelled = classified(item, model, str(sentiment), str(intent), abstained=doubtful)
        store.save_classifications(TAXONOMY, [labelled])
        store.save_places(ZONES, [Placed(*key, zone=zone)])
        lenses = chance.choice(((), ("obras", "agua")))
        store.save_lenses(LENSES, {key: lenses})
        if model != category:
            store.save_corrections([Correction(*key, "p-1", datetime.now(UTC), str(category))])
        if speaks == "es":
            counted = str(category), str(sentiment), str(intent)
            certainty = "unsure" if doubtful and model == category else "sure"
            found.append(Truth(item, *counted, zone, lenses, day, certainty))
    return found


ASKED = (
    *(Asked(**{name: value or NOWHERE}) for name in LABELS for value in LABELS[name]),  # type: ignore[arg-type]
    Asked(),
    Asked(lens="obras"),
    Asked(lens="obra"),
    Asked(certainty="unsure"),
    Asked(certainty="unsure", words="pista", category="water"),
    Asked(certainty="sure", source="foro"),
    Asked(words="pista agua", sentiment="negative"),
    Asked(words="pista", zone="norte", source="foro"),
    Asked(category="water", sentiment="negative", intent="request", source="foro", zone=NOWHERE),
)


@pytest.mark.parametrize("kept", [True, False], ids=["copied", "derived"])
def test_every_list_holds_what_was_written(store: Store, kept: bool) -> None:
    texts = written(store)
    index_texts(store.engine, "villa")
    if kept:
        assert index_labels(store.engine, BASIS) == len(texts)

    for asked in ASKED:
        wanted = [text for text in texts if text.meets(asked)]
        found = search(store.engine, BASIS, asked, 0, 100).found
        assert {one.id for one in found} == {text.item.id for text in wanted}, asked
        assert search(store.engine, BASIS, asked, 0, 1).count == len(wanted)
        labels = {text.item.id: (text.category, text.sentiment, text.intent) for text in wanted}
        assert {one.id: (one.category, one.sentiment, one.intent) for one in found} == labels
        days = [one.said_on for one in found]
        assert asked.words or days == sorted(days, reverse=True)
        pages = [search(store.engine, BASIS, asked, skip, 5).found for skip in range(0, 70, 5)]
        assert [one for page in pages for one in page] == found


def test_only_the_days_of_the_window_are_listed(store: Store) -> None:
    texts = written(store)
    index_texts(store.engine, "villa")
    index_labels(store.engine, BASIS)
    week = replace(BASIS, window=Window(date(2026, 3, 8), date(2026, 3, 15), LIMA))

    found = search(store.engine, week, Asked(), 0, 100).found

    assert {one.id for one in found} == {t.item.id for t in texts if 8 <= t.day < 15}


def test_a_correction_is_listed_at_once(store: Store) -> None:
    item = said(1)
    save(store, begun(store), item)
    store.save_classifications(TAXONOMY, [classified(item, abstained=True)])
    index_texts(store.engine, "villa")
    index_labels(store.engine, BASIS)
    assert search(store.engine, BASIS, Asked(certainty="unsure"), 0, 1).count == 1
    correction = Correction(item.id, item.text_hash, "p-1", datetime.now(UTC), "health")

    store.save_corrections([correction])

    assert search(store.engine, BASIS, Asked(category="transport"), 0, 1).count == 0
    assert search(store.engine, BASIS, Asked(certainty="unsure"), 0, 1).count == 0
    assert [
        one.id for one in search(store.engine, BASIS, Asked(category="health"), 0, 9).found
    ] == [item.id]


def test_zones_of_another_gazetteer_are_not_taken_from_the_copies(store: Store) -> None:
    item = said(1)
    save(store, begun(store), item)
    store.save_classifications(TAXONOMY, [classified(item)])
    store.save_places(ZONES, [Placed(item.id, item.text_hash, zone="norte")])
    store.save_places("places-2", [Placed(item.id, item.text_hash, zone="sur")])
    index_texts(store.engine, "villa")
    index_labels(store.engine, BASIS)
    other = replace(BASIS, gazetteer="places-2")

    assert search(store.engine, other, Asked(zone="norte"), 0, 1).count == 0
    assert search(store.engine, other, Asked(zone="sur"), 0, 1).count == 1
    assert index_labels(store.engine, other) == 1
    assert search(store.engine, other, Asked(zone="sur"), 0, 1).count == 1
    assert search(store.engine, BASIS, Asked(zone="norte"), 0, 1).count == 1


def test_copies_by_labels_that_no_figures_show_are_forgotten(store: Store) -> None:
    item = said(1)
    save(store, begun(store), item)
    store.save_classifications(TAXONOMY, [classified(item), classified(item, model="prueba-2")])
    index_texts(store.engine, "villa")
    index_labels(store.engine, BASIS)

    index_labels(store.engine, replace(BASIS, model_version="prueba-2"))

    with store.engine.connect() as connection:
        assert connection.scalars(select(SearchBasisRow.model_version)).all() == ["prueba-2"]
        assert len(connection.execute(select(FacetRow.text_id)).all()) == 1
    assert search(store.engine, BASIS, Asked(category="transport"), 0, 1).count == 1


def test_nothing_is_left_of_what_is_purged(store: Store) -> None:
    written(store)
    index_texts(store.engine, "villa")
    index_labels(store.engine, BASIS)

    with store.engine.execution_options(writes=True).begin() as connection:
        connection.execute(delete(ManifestationRow).where(ManifestationRow.source == "foro"))

    with store.engine.connect() as connection:
        assert set(connection.scalars(select(FacetRow.source))) == {"diario"}


# --- whatever happens, the copies are what they are copies of -------------------------------------

_number = st.integers(0, 5)
_label = st.sampled_from(LABELS["category"])
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("say"), _number, st.integers(0, 2)),
        st.tuples(st.just("classify"), _number, _label),
        st.tuples(st.just("correct"), _number, _label),
        st.tuples(st.just("place"), _number, st.sampled_from(["norte", "sur"])),
        st.tuples(st.just("speak"), _number, st.sampled_from(["es", "qu"])),
        st.tuples(st.just("purge"), _number, st.none()),
        st.tuples(st.just("index"), st.just(0), st.none()),
    ),
    max_size=25,
)


class _House:
    """A store in which one thing after another happens to six manifestations."""

    def __init__(self, engine: Engine) -> None:
        self.store = Store(engine)
        self.run = begun(self.store)
        self.now = datetime(2026, 4, 2, tzinfo=UTC)
        self.texts: dict[int, Manifestation] = {}

    def do(self, step: str, number: int, value: Any) -> None:
        self.now += timedelta(minutes=1)
        item = self.texts.get(number)
        if step in ("say", "index"):
            self.say(number, value) if step == "say" else self.index()
        elif item is not None:
            acts: dict[str, Callable[[Manifestation, Any], None]] = {
                "classify": lambda one, label: self.store.save_classifications(
                    TAXONOMY, [classified(one, label)]
                ),
                "correct": lambda one, label: self.store.save_corrections(
                    [Correction(one.id, one.text_hash, "p-1", self.now, label)]
                ),
                "place": lambda one, zone: self.store.save_places(
                    ZONES, [Placed(one.id, one.text_hash, zone=zone)]
                ),
                "speak": lambda one, code: self.store.save_languages(
                    "i", {(one.id, one.text_hash): code}
                ),
                "purge": lambda one, _: self.purge(number, one),
            }
            acts[step](item, value)

    def say(self, number: int, edition: int) -> None:
        words = WORDS[edition]
        item = said(number, words, when=at(1 + number), fetched_at=self.now)
        self.texts[number] = replace(item, text_hash=text_hash(None, words))
        save(self.store, self.run, self.texts[number])

    def purge(self, number: int, item: Manifestation) -> None:
        with self.store.engine.execution_options(writes=True).begin() as connection:
            connection.execute(delete(ManifestationRow).where(ManifestationRow.id == item.id))
        del self.texts[number]

    def index(self) -> None:
        index_texts(self.store.engine, "villa")
        index_labels(self.store.engine, BASIS)


@settings(max_examples=30, deadline=None)
@given(steps=_steps)
def test_copies_kept_up_are_those_made_anew(
    steps: list[tuple[str, int, Any]],
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("facets") / "manifiesta.db"
    shutil.copy(sqlite_template, file)
    engine = open_engine(f"sqlite:///{file}")
    house = _House(engine)

    for step in steps:
        house.do(*step)
    house.index()

    copied = select(*(column for column in FacetRow.__table__.c if column.name != "basis_id"))
    with engine.connect() as connection:
        kept = sorted(connection.execute(copied).all())
        assert kept == sorted(connection.execute(derived(BASIS)).all())
    assert index_labels(engine, BASIS) == 0
    engine.dispose()


# --- one index for each kind of list --------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (Asked(), "day"),
        (Asked(sentiment="negative", intent="complaint", kind="comment"), "day"),
        (Asked(category="transport"), "category"),
        (Asked(category="transport", sentiment="negative", lens="obras"), "category"),
        (Asked(source="foro", intent="request"), "source"),
        (Asked(zone="norte", sentiment="negative"), "zone"),
        (Asked(zone=NOWHERE), "zone"),
    ],
)
def test_a_list_is_read_from_one_index_in_its_order(
    sqlite_engine: Engine, asked: Asked, index: str
) -> None:
    save(Store(sqlite_engine), begun(Store(sqlite_engine)), said(1))
    index_texts(sqlite_engine, "villa")
    index_labels(sqlite_engine, BASIS)
    statements: list[tuple[str, Any]] = []
    event.listen(
        sqlite_engine,
        "before_cursor_execute",
        lambda _c, _cursor, sql, values, *_: statements.append((sql, values)),
    )

    search(sqlite_engine, BASIS, asked, 40, 20)

    plans = []
    for sql, values in [one for one in statements if "search_facet" in one[0]]:
        with sqlite_engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            plans.append([str(row[3]) for row in plan])
    assert len(plans) == 2
    for plan in plans:
        reads = [line for line in plan if "search_facet" in line]
        assert len(reads) == 1
        assert f"USING COVERING INDEX ix_search_facet_by_{index} " in reads[0]
        assert "said_on>? AND said_on<?" in reads[0]
    assert not any("TEMP B-TREE" in line for line in plans[1])
