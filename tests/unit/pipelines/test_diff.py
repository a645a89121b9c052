"""What changed between two runs, and why; the views show the newest."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text

from models.errors import InputError
from models.insight_tables import InsightChange, InsightFinding, InsightOverview, InsightSeries
from models.views import latest
from pipelines.aggregate import TABLES, aggregate
from pipelines.counted import Counted
from pipelines.diff import Difference, biggest, diff
from pipelines.store.erase import Erasure, erase
from pipelines.store.read import counted_run
from pipelines.store.write import Correction, RunStart, Store
from tests.unit.store.builders import (
    MARCH,
    MODEL,
    TAXONOMY,
    at,
    begun,
    classified,
    municipality,
    rows,
    said,
    save,
)

VILLA = municipality()
COMMON = (
    *("municipality", "window_from", "window_to", "model_version", "taxonomy_version"),
    *("sources_read", "sources_configured", "days_complete", "days"),
)
COUNTED = (*TABLES, InsightSeries, InsightChange)
ITEMS = [said(n, f"Texto {n}", when=at(n)) for n in range(1, 6)]
ZONES = [{"code": "centro", "name": "Centro"}]


def count(store: Store, model: str = MODEL, place: Any = VILLA, taxonomy: str = TAXONOMY) -> str:
    run_id = store.begin_run(place, RunStart("run", MARCH, taxonomy, "0.1.0"))
    store.set_model(run_id, model)
    aggregate(store, Counted(run_id, place, MARCH, model, taxonomy), {})
    return run_id


@pytest.fixture
def first(store: Store) -> str:
    save(store, begun(store), *ITEMS)
    store.save_classifications(TAXONOMY, [classified(item) for item in ITEMS])
    return count(store)


def reasons(found: Difference) -> dict[str, int | None]:
    return {reason.code: reason.partitions for reason in found.reasons}


def test_counting_the_same_again_makes_no_difference(store: Store, first: str) -> None:
    found = diff(store.engine, first, count(store))
    assert (found.reasons, found.rows) == ((), {})


def test_new_and_edited_and_purged_texts_are_told_apart(store: Store, first: str) -> None:
    new, same_day = said(9, "Otro", when=at(20)), said(10, "Otro más", when=at(2))
    save(store, begun(store), new, same_day)
    store.save_classifications(TAXONOMY, [classified(new), classified(same_day)])
    erase(store.engine, Erasure("villa", [ITEMS[0].id], [], [], []), {}, "root")
    found = diff(store.engine, first, count(store))
    assert reasons(found) == {"new": 1, "gone": 1, "texts": 1}
    day = found.changes[found.changes["table"] == "insight_day"].set_index("cell")
    assert day.loc["2026-03-20", ["count_a", "count_b"]].tolist() == [0, 1]
    assert day.loc["2026-03-01", ["count_a", "count_b"]].tolist() == [1, 0]


def found_by(store: Store, run_id: str, *told: tuple[str, str, str]) -> None:
    """Keep findings of a run: subject, day and sentence of each."""
    about = {
        **{name: rows(store.engine, InsightOverview)[0][name] for name in COMMON},
        **{"run_id": run_id, "lens": "", "kind": "alert", "rule": "volume", "value": 1.0, "n": 5},
    }
    findings = [
        {
            **about,
            "number": number,
            "subject": subject,
            "sentence_es": sentence,
            "sentence_en": sentence,
            "statistic": {"day": day},
        }
        for number, (subject, day, sentence) in enumerate(told, start=1)
    ]
    store.save_insights(run_id, {InsightFinding: findings})


def test_findings_that_came_and_went_are_told(store: Store, first: str) -> None:
    second = count(store)
    stays = ("zone:norte", "2026-03-02")
    found_by(store, first, (*stays, "Doce voces"), ("zone:norte", "2026-03-03", "Nueve voces"))
    found_by(store, second, ("zone:sur", "2026-03-02", "Diez voces"), (*stays, "Trece voces"))
    found = diff(store.engine, first, second)
    assert (found.gained, found.lost) == (("Diez voces",), ("Nueve voces",))


def test_a_corrected_label_is_named(store: Store, first: str) -> None:
    item = ITEMS[1]
    moment = datetime(2026, 4, 3, tzinfo=UTC)
    store.save_corrections([Correction(item.id, item.text_hash, "Rosa", moment, "health")])
    found = diff(store.engine, first, count(store))
    assert reasons(found) == {"corrections": 1}
    shown = biggest(found.changes, 10)
    moved = {row["cell"]: row for row in shown.to_dict("records")}
    assert (moved["health"]["count_a"], moved["health"]["count_b"]) == (0, 1)
    assert (moved["transport"]["count_a"], moved["transport"]["count_b"]) == (5, 4)


def test_another_model_is_named(store: Store, first: str) -> None:
    labels = [classified(item, "water", model="prueba-2") for item in ITEMS]
    store.save_classifications(TAXONOMY, labels)
    found = diff(store.engine, first, count(store, "prueba-2"))
    assert reasons(found) == {"model_version": None, "recipe": 5}


def test_another_taxonomy_is_named(store: Store, first: str) -> None:
    store.save_classifications("2027.1", [classified(item, "water") for item in ITEMS])
    found = diff(store.engine, first, count(store, taxonomy="2027.1"))
    assert reasons(found) == {"taxonomy_version": None, "recipe": 5}


def test_other_zones_are_named(store: Store, first: str) -> None:
    found = diff(store.engine, first, count(store, place=municipality(zones=ZONES)))
    assert reasons(found) == {"zones": None}


def test_a_run_of_another_municipality_is_refused(store: Store, first: str) -> None:
    other = begun(store, municipality(code="lurin"))
    with pytest.raises(InputError, match="only runs of one municipality"):
        diff(store.engine, first, other)
    with pytest.raises(InputError, match="There is no run nada"):
        diff(store.engine, first, "nada")


def test_a_run_that_counted_nothing_is_refused(store: Store, first: str) -> None:
    with pytest.raises(InputError, match="it counted nothing, or they were purged"):
        diff(store.engine, first, begun(store))


def newest(store: Store, table: str) -> set[str]:
    with store.engine.connect() as connection:
        return set(connection.scalars(text(f"SELECT run_id FROM {latest(table)}")))


def test_the_views_show_the_newest_run_of_each_window(store: Store, first: str) -> None:
    second = count(store)
    april = begun(store, VILLA)
    later = Counted(
        april, VILLA, type(MARCH)(date(2026, 4, 1), date(2026, 5, 1), MARCH.zone), MODEL, TAXONOMY
    )
    aggregate(store, later, {})
    for table in COUNTED:
        before = rows(store.engine, table)
        assert newest(store, table.__tablename__) == {second, april}, table
        assert {row["run_id"] for row in before} == {first, second, april}  # nothing is lost


def test_the_newest_is_the_run_that_began_last_also_within_a_second(
    store: Store, first: str
) -> None:
    others = [count(store) for _ in range(4)]
    assert counted_run(store.engine, InsightOverview, "villa") == others[-1]
