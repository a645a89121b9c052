"""Counting what changed gives the same rows as counting everything again."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from configs.schema import Lens
from models.insight_tables import INSIGHT_TABLES, InsightSeries
from models.labels import CATEGORIES, EVERYTHING, INTENTS, SENTIMENTS
from models.records import Kind, Manifestation, Window
from models.tables import (
    ClassificationRow,
    CorrectionRow,
    LanguageRow,
    ManifestationRow,
    NearDuplicateRow,
    PartitionFactsRow,
    PlaceRow,
)
from nlp.places import identifier
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.duplicates import update_clusters
from pipelines.facts import Recipe, up_to_date
from pipelines.lenses import look_at_window
from pipelines.series import PAIRS
from pipelines.store.engine import open_engine
from pipelines.store.erase import Erasure, erase
from pipelines.store.partitions import Facts, save_facts, saved_versions, versions
from pipelines.store.write import Classified, Correction, Placed, Store
from tests.conftest import PostgresServer
from tests.unit.store.builders import (
    LIMA,
    MODEL,
    TAXONOMY,
    answer,
    at,
    begun,
    classified,
    municipality,
    rows,
    said,
    save,
)

VILLA = municipality(
    zones=[{"code": "centro", "name": "Centro"}, {"code": "norte", "name": "Norte"}]
)
WINDOW = Window(date(2026, 2, 27), date(2026, 3, 11), LIMA)
GAZETTEER = identifier(VILLA.zones)
MARKET = Lens(code="mercado", es="Mercado", en="Market", words=("mercado*", "agua"))
WORDS = (
    "Falta agua en el centro y nadie responde desde el lunes",
    "Falta agua en el centro y nadie responde desde el martes",
    "Asaltaron a dos señoras frente al mercado",
    "Gracias por el parque",
    "sí",
)
SOURCES = ("diario", "foro", "otro")


@dataclass
class Town:
    """A store that things happen to."""

    store: Store
    run_id: str
    items: dict[str, Manifestation] = field(default_factory=dict)
    model: str = MODEL
    taxonomy: str = TAXONOMY
    lenses: tuple[Lens, ...] = ()
    moment: datetime = datetime(2026, 4, 2, tzinfo=UTC)

    def later(self) -> datetime:
        self.moment += timedelta(minutes=1)
        return self.moment

    def say(self, item: Manifestation) -> None:
        self.items[item.id] = item
        save(self.store, self.run_id, item)

    def read_otherwise(self, step: str, number: int) -> None:
        if step == "model":
            self.model = (MODEL, "prueba-2")[number % 2]
        elif step == "taxonomy":
            self.taxonomy = (TAXONOMY, "2027.1")[number % 2]
        elif step == "lens":
            self.lenses = ((), (MARKET,))[number % 2]
            look_at_window(self.store, VILLA, self.lenses, WINDOW)

    @property
    def subject(self) -> Counted:
        return Counted(self.run_id, VILLA, WINDOW, self.model, self.taxonomy, self.lenses)

    def count(self) -> None:
        aggregate(self.store, self.subject, {})


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("say", "label", "label", "edit", "correct", "speak", "place", "compare"),
                *("purge", "model", "taxonomy", "lens"),
            )
        ),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
    ),
    min_size=1,
    max_size=30,
)


def happen(town: Town, step: str, one: int, two: int) -> None:
    """Do something that can happen to a store: what, and to what, the numbers say."""
    if step == "say":
        town.say(_said(one, two))
        return
    if step == "compare":
        update_clusters(town.store, VILLA)
        return
    town.read_otherwise(step, two)
    if not town.items:
        return
    item = list(town.items.values())[one % len(town.items)]
    key = (item.id, item.text_hash)
    if step in ("label", "model", "taxonomy"):
        labels = (
            CATEGORIES[two % 3],
            SENTIMENTS[two % len(SENTIMENTS)],
            INTENTS[two % 2],
        )
        said_of_it = answer(*labels, abstained=two % 5 == 0, model=town.model)
        town.store.save_classifications(town.taxonomy, [Classified(*key, said_of_it)])
    elif step == "edit":
        other = _said(one, two, fetched_at=town.later(), author=item.author)
        edited = Manifestation(
            **{
                name: getattr(other if name in ("text", "text_hash", "fetched_at") else item, name)
                for name in Manifestation.__dataclass_fields__
            }
        )
        town.say(edited)
        if two % 2:
            labelled = classified(edited, CATEGORIES[two % 3], model=town.model)
            town.store.save_classifications(town.taxonomy, [labelled])
    elif step == "correct":
        town.store.save_corrections(
            [Correction(*key, "Rosa", town.later(), CATEGORIES[two % 4], sentiment="positive")]
        )
    elif step == "speak":
        town.store.save_languages("x", {key: ("es", "qu", "und")[two % 3]})
    elif step == "place":
        zone = ("centro", "norte", None)[two % 3]
        town.store.save_places(GAZETTEER, [Placed(*key, zone, 0.9, two % 2 == 0)])
    elif step == "purge":
        del town.items[item.id]
        erase(town.store.engine, Erasure("villa", [item.id], [], [], []), {}, "root")


def _said(one: int, two: int, **changes: Any) -> Manifestation:
    values = {
        "when": at(1, one % 24) + timedelta(days=one % 15 - 3),
        "source": SOURCES[one % len(SOURCES)],
        "author": (None, "a-1", "a-2")[two % 3],
        "kind": tuple(Kind)[two % 3],
    }
    return said(one % 15, WORDS[two % len(WORDS)], **(values | changes))


def tables(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    return {table.__tablename__: rows(engine, table) for table in INSIGHT_TABLES}


@given(STEPS)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_update_equals_counting_everything_again(
    sqlite_template: Path, steps: list[tuple[str, int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "manifiesta.db"
        copyfile(sqlite_template, path)
        counts_the_same(open_engine(f"sqlite:///{path}"), steps)


@given(STEPS)
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_so_it_does_with_postgresql(
    postgres_server: PostgresServer, postgres_template: str, steps: list[tuple[str, int, int]]
) -> None:
    with postgres_server.database(postgres_template) as url:
        counts_the_same(open_engine(url), steps)


def counts_the_same(engine: Engine, steps: list[tuple[str, int, int]]) -> None:
    """Count after each of many steps, then count all of it again."""
    town = Town(Store(engine), begun(Store(engine), VILLA))
    for number in range(6):
        happen(town, "say", number, number)
        happen(town, "label", number, number)
    for step in steps:
        happen(town, *step)
        up_to_date(town.store, town.subject.recipe, WINDOW)
    town.count()
    updated = tables(engine)
    with engine.begin() as connection:
        connection.execute(delete(PartitionFactsRow))
    town.count()
    assert tables(engine) == updated
    assert _series(updated["insight_series"]) == _counted_plainly(town)
    engine.dispose()


def _series(found: list[dict[str, Any]]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    names = ("grain", "period", "dimension", "value", "second_dimension", "second_value")
    measures = (
        "count",
        "distinct_count",
        "voices",
        "anonymous",
        "authors",
        "negative",
        "positive",
        "n",
    )
    return {
        tuple(row[name] for name in names): tuple(row[name] for name in measures)
        for row in found
        if row["count"] and row["lens"] == EVERYTHING
    }


def _counted_plainly(town: Town) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Count the series again, one manifestation after the other."""
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for one in _listed(town):
        day = one["said_on"]
        year, week, _ = day.isocalendar()
        periods = {
            "day": str(day),
            "week": f"{year}-W{week:02}",
            "month": f"{day:%Y-%m}",
            "window": "window",
        }
        for grain, period in periods.items():
            cells[grain, period, "all", "all", "", ""].append(one)
            for name in ("category", "sentiment", "intent", "source", "zone"):
                cells[grain, period, name, one[name], "", ""].append(one)
            for first, second in PAIRS if grain != "day" else ():
                cells[grain, period, first, one[first], second, one[second]].append(one)
    return {
        key: _measures(cell, len(cells[(*key[:4], "", "") if key[4] else _whole(key)]))
        for key, cell in list(cells.items())
    }


def _whole(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*key[:2], "all", "all", "", "")


def _measures(cell: list[dict[str, Any]], n: int) -> tuple[int, ...]:
    unknown = [one for one in cell if one["author"] is None]
    known = {(one["author"], one["category"], one["said_on"]) for one in cell if one["author"]}
    sentiments = [one["sentiment"] for one in cell]
    return (
        len(cell),
        len({one["cluster"] for one in cell}),
        len(known) + len(unknown),
        len(unknown),
        len({one["author"] for one in cell if one["author"]}) + len(unknown),
        sentiments.count("negative"),
        sentiments.count("positive"),
        n,
    )


def _listed(town: Town) -> list[dict[str, Any]]:
    engine, versions = town.store.engine, (town.model, town.taxonomy)
    said_by = {row["id"]: row for row in rows(engine, ManifestationRow)}
    spoken = {(r["manifestation_id"], r["text_hash"]): r for r in rows(engine, LanguageRow)}
    placed = {(r["manifestation_id"], r["text_hash"]): r for r in rows(engine, PlaceRow)}
    copies = {(r["manifestation_id"], r["text_hash"]): r for r in rows(engine, NearDuplicateRow)}
    given = {(r["manifestation_id"], r["text_hash"]): r for r in rows(engine, CorrectionRow)}
    listed = []
    for label in rows(engine, ClassificationRow):
        key = (label["manifestation_id"], label["text_hash"])
        item = said_by[key[0]]
        language = spoken.get(key, {}).get("language", "und")
        if item["text_hash"] != key[1] or language not in ("es", "und"):
            continue
        if (label["model_version"], label["taxonomy_version"]) != versions:
            continue
        if not WINDOW.start <= item["said_on"] < WINDOW.end:
            continue
        labels = given.get(key) or label
        listed.append(
            {
                **item,
                "category": labels["category"],
                "sentiment": labels["sentiment"],
                "intent": label["intent"],
                "zone": placed.get(key, {}).get("zone") or "(none)",
                "cluster": copies.get(key, {}).get("cluster_id", item["text_hash"]),
            }
        )
    return listed


def test_only_what_changed_is_read_again(store: Store) -> None:
    run_id = begun(store, VILLA)
    items = [said(n, when=at(n), author="a-1") for n in range(1, 4)]
    save(store, run_id, *items)
    store.save_classifications(TAXONOMY, [classified(item) for item in items])
    recipe = Recipe(VILLA, MODEL, TAXONOMY)
    before = {(facts.source, facts.day): facts for facts in up_to_date(store, recipe, WINDOW)}
    with store.engine.begin() as connection:  # whoever reads these again finds other facts
        connection.execute(delete(ClassificationRow))
    assert [facts.rows for facts in up_to_date(store, recipe, WINDOW)] == [1, 1, 1]
    store.save_corrections([Correction(items[1].id, items[1].text_hash, "Rosa", at(5), "health")])
    after = up_to_date(store, recipe, WINDOW)
    assert [facts.day.day for facts in after] == [1, 3]
    assert [before[facts.source, facts.day] for facts in after] == after


def test_a_text_that_is_seen_again_changes_no_partition(store: Store) -> None:
    run_id = begun(store, VILLA)
    save(store, run_id, said(1, when=at(2)))
    before = versions(store.engine, "villa", WINDOW)
    save(store, run_id, said(1, when=at(2), fetched_at=datetime(2026, 4, 9, tzinfo=UTC)))
    assert versions(store.engine, "villa", WINDOW) == before == {("diario", date(2026, 3, 2)): 1}


def test_another_model_or_another_gazetteer_makes_facts_of_its_own(store: Store) -> None:
    run_id = begun(store, VILLA)
    item = said(1, when=at(2))
    save(store, run_id, item)
    store.save_classifications(TAXONOMY, [classified(item), classified(item, model="prueba-2")])
    first = Recipe(VILLA, MODEL, TAXONOMY)
    assert len(up_to_date(store, first, WINDOW)) == 1
    for other in (Recipe(VILLA, "prueba-2", TAXONOMY), Recipe(municipality(), MODEL, TAXONOMY)):
        assert saved_versions(store.engine, "villa", WINDOW, other.digest) == {}
        assert len(up_to_date(store, other, WINDOW)) == 1


def test_facts_hold_no_pseudonym_and_go_with_a_purge(store: Store) -> None:
    run_id = begun(store, VILLA)
    item = said(1, "Texto que nadie debe ver", when=at(2), author="a-0123456789abcdef")
    save(store, run_id, item)
    store.save_classifications(TAXONOMY, [classified(item)])
    [facts] = up_to_date(store, Recipe(VILLA, MODEL, TAXONOMY), WINDOW)
    assert b"0123456789abcdef" not in facts.facts
    erase(store.engine, Erasure("villa", [item.id], [], [], []), {}, "root")
    with store.engine.connect() as connection:
        assert connection.execute(select(PartitionFactsRow.facts)).all() == []
    assert up_to_date(store, Recipe(VILLA, MODEL, TAXONOMY), WINDOW) == []


def test_what_is_purged_while_facts_are_made_is_not_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = begun(store, VILLA)
    items = [said(n, when=at(n)) for n in (1, 2)]
    save(store, run_id, *items)
    store.save_classifications(TAXONOMY, [classified(item) for item in items])
    days = []

    def purging(engine: Engine, code: str, made: list[Facts]) -> None:
        [day] = {facts.day.day for facts in made}
        if day == 2 and day not in days:  # what was read of it is gone before it is kept
            erase(engine, Erasure("villa", [items[1].id], [], [], []), {}, "root")
        days.append(day)
        save_facts(engine, code, made)

    monkeypatch.setattr("pipelines.facts.save_facts", purging)
    found = up_to_date(store, Recipe(VILLA, MODEL, TAXONOMY), WINDOW)
    assert [(facts.day.day, facts.rows) for facts in found] == [(1, 1)]
    assert {row["rows"] for row in rows(store.engine, PartitionFactsRow) if row["facts"]} == {1}
    assert sorted(days) == [1, 2, 2]


def test_a_label_in_the_series_is_there_without_a_count(store: Store) -> None:
    town = Town(store, begun(store, VILLA))
    town.count()
    found = rows(store.engine, InsightSeries)
    assert {row["count"] for row in found} == {0}
    assert {row["share"] for row in found} == {None}
    weeks = {row["period"]: row for row in found if row["grain"] == "week"}
    assert list(weeks) == ["2026-W09", "2026-W10", "2026-W11"]
    edge = weeks["2026-W09"]
    assert (edge["period_from"], edge["period_to"]) == (date(2026, 2, 27), date(2026, 3, 2))
