"""From stored texts to findings with evidence, on both databases."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from configs.load import load_taxonomy
from configs.schema import Lens
from models.insight_tables import (
    InsightEvidence,
    InsightFinding,
    InsightOverview,
    InsightTerm,
    InsightTopic,
    TopicCentroidRow,
)
from models.records import Stage, State, Window
from models.tables import ClassificationRow
from pipelines import discover as discovering
from pipelines.aggregate import aggregate
from pipelines.corrections import correct
from pipelines.counted import Counted
from pipelines.discover import discover
from pipelines.lenses import look_at_window
from pipelines.store.write import Classified, Partition, Store
from tests.unit.store.builders import (
    LIMA,
    MARCH,
    MODEL,
    TAXONOMY,
    answer,
    at,
    begun,
    municipality,
    rows,
    said,
    vanish,
)

VILLA = municipality(feeds=("diario",))
TAPS = Lens(code="agua", es="Agua", en="Water", words=("agua",))
NOBODY = Lens(code="nadie", es="Nadie", en="Nobody", words=("unicornio",))
BURST = 27
LONG = 55  # characters; of thirty texts about water six have more
TABLES = (InsightTerm, InsightTopic, InsightFinding, InsightEvidence)


class SecondWords:
    """An encoder that lays texts with the same second word near each other."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        found = []
        for text in texts:
            words = text.split()
            place = np.random.default_rng(sum(map(ord, words[1]))).normal(size=32)
            found.append(place + np.random.default_rng(len(text)).normal(scale=0.1, size=32))
        vectors = np.array(found).reshape(len(found), 32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def reads_whole(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([len(text) <= LONG for text in texts], dtype=bool)


def speak(store: Store, run_id: str, lost: Sequence[int] = ()) -> None:
    """March: six people a day on roads and culture; on the 27th thirty more, angry about water."""
    items, labels = [], []

    def say(day: int, who: int, text: str, category: str, mood: str) -> None:
        number = len(items)
        name = f"a-{category}-{day}-{who}"
        items.append(
            said(number, text, when=at(day, 8 + who % 12), author=name, url="http://e.pe/1")
        )
        labels.append(answer(category, mood, "complaint"))

    for day in range(1, 32):
        for who in range(6):
            say(day, who, f"La pista {day} sigue rota {who}", "transport", "neutral")
            say(day, who, f"El concierto {day} estuvo lindo {who}", "culture", "positive")
    for who in range(30):
        say(BURST, who, f"El agua se fue {who} y nadie avisa {'x' * who}", "water", "negative")
    store.save_collected(run_id, VILLA, "diario", items)
    store.save_classifications(
        TAXONOMY,
        [
            Classified(item.id, item.text_hash, given)
            for item, given in zip(items, labels, strict=True)
        ],
    )
    partitions = [
        Partition("diario", day, Stage.COLLECT, State.FAILED if day.day in lost else State.DONE, 12)
        for day in MARCH.days
    ]
    store.save_partitions(run_id, partitions)


def found(
    store: Store, run_id: str, window: Window = MARCH, lenses: tuple[Lens, ...] = ()
) -> dict[str, list[dict[str, Any]]]:
    subject = Counted(run_id, VILLA, window, MODEL, TAXONOMY, lenses)
    look_at_window(store, VILLA, lenses, window)
    aggregate(store, subject, {})
    told = discover(store, subject, load_taxonomy(), SecondWords())
    tables = {
        table.__tablename__: [
            {key: value for key, value in row.items() if key != "run_id"}
            for row in rows(store.engine, table)
            if row["run_id"] == run_id
        ]
        for table in TABLES
    }
    assert told == sum(not row["lens"] for row in tables["insight_finding"])
    return tables


def test_a_burst_is_an_alert_with_the_texts_behind_it(store: Store) -> None:
    run_id = begun(store, VILLA)
    speak(store, run_id)
    tables = found(store, run_id)
    alerts = [row for row in tables["insight_finding"] if row["kind"] == "alert"]
    assert "category:water" in {row["subject"] for row in alerts}
    alert = next(row for row in alerts if row["subject"] == "category:water")
    assert alert["rule"] == "volume"
    assert alert["statistic"]["count"] == alert["value"] == 30
    assert "30 voces" in alert["sentence_es"]
    assert "30 voices" in alert["sentence_en"]
    behind = [r for r in tables["insight_evidence"] if r["number"] == alert["number"]]
    assert 3 <= len(behind) <= 10
    assert {row["said_on"].day for row in behind} == {BURST}
    assert {row["role"] for row in behind} == {"central", "diverse"}
    assert all("agua" in row["quote"] and row["url"] for row in behind)


def test_the_same_texts_give_the_same_rows_again(store: Store) -> None:
    run_id = begun(store, VILLA)
    speak(store, run_id)
    first = found(store, run_id)
    again = begun(store, VILLA)
    assert found(store, again) == first
    assert first["insight_term"]
    assert {row["known"] for row in first["insight_topic"]} <= {None}


def test_a_day_whose_source_failed_raises_no_alert(store: Store) -> None:
    run_id = begun(store, VILLA)
    speak(store, run_id, lost=[BURST])
    assert [r for r in found(store, run_id)["insight_finding"] if r["kind"] == "alert"] == []


def test_what_a_source_has_taken_back_is_not_quoted(store: Store) -> None:
    run_id = begun(store, VILLA)
    speak(store, run_id)
    before = found(store, run_id)["insight_evidence"]
    gone = before[0]["manifestation_id"]
    vanish(store, at(3, month=4), gone)  # later than it was fetched
    after = found(store, run_id)["insight_evidence"]
    assert gone not in {row["manifestation_id"] for row in after}


def test_the_next_window_knows_the_topics_of_the_one_before(store: Store) -> None:
    run_id = begun(store, VILLA)
    speak(store, run_id)
    first = found(store, run_id, Window(MARCH.start, MARCH.end - timedelta(days=1), LIMA))
    if not first["insight_topic"]:
        pytest.fail("the texts have topics")
    later = begun(store, VILLA)
    second = found(store, later, Window(MARCH.start + timedelta(days=1), MARCH.end, LIMA))
    old = {row["topic"] for row in first["insight_topic"]}
    kept = [row for row in second["insight_topic"] if row["topic"] in old]
    assert kept
    assert all(row["known"] for row in kept)
    assert len(rows(store.engine, TopicCentroidRow)) == len(old) + len(second["insight_topic"])


def test_a_lens_has_terms_topics_and_findings_of_its_own_texts(store: Store) -> None:
    run_id = begun(store, VILLA)
    speak(store, run_id)
    plain = found(store, run_id)
    seen = found(store, run_id, lenses=(TAPS, NOBODY))
    for table, every in seen.items():
        assert [row for row in every if not row["lens"]] == plain[table]
    assert {row["lens"] for every in seen.values() for row in every} == {"", "agua"}
    mine = {table: [row for row in every if row["lens"]] for table, every in seen.items()}
    assert {row["category"] for row in mine["insight_topic"]} == {"water"}
    assert {row["n"] for row in mine["insight_topic"]} == {30}
    alert = next(row for row in mine["insight_finding"] if row["subject"] == "category:water")
    assert alert["rule"] == "volume"
    assert alert["sentence_es"].startswith("Agua: ")
    assert alert["sentence_en"].startswith("Water: ")
    assert all("agua" in row["quote"] for row in mine["insight_evidence"])


def test_a_lens_is_no_way_around_coverage(store: Store) -> None:
    run_id = begun(store, VILLA)
    speak(store, run_id, lost=[BURST])
    tables = found(store, run_id, lenses=(TAPS,))
    assert [row for row in tables["insight_finding"] if row["kind"] == "alert"] == []


def test_topics_say_of_how_many_texts_they_were_found(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = begun(store, VILLA)
    speak(store, run_id)
    whole = found(store, run_id)["insight_topic"]
    assert {(row["texts_read"], row["texts_distinct"]) for row in whole} == {(402, 402)}
    assert {row["texts_cut"] for row in whole} == {6}
    monkeypatch.setattr(discovering, "MOST_EMBEDDED", 300)
    part = found(store, run_id)["insight_topic"]
    assert {(row["texts_read"], row["texts_distinct"], row["n"]) for row in part} == {
        (300, 402, 300)
    }


def test_an_empty_window_finds_nothing(store: Store) -> None:
    tables = found(store, begun(store, VILLA))
    assert tables == {table.__tablename__: [] for table in TABLES}


def test_a_finding_and_its_evidence_use_the_labels_that_people_gave(store: Store) -> None:
    run_id = begun(store, VILLA)
    speak(store, run_id)
    water = [r["manifestation_id"] for r in rows(store.engine, ClassificationRow) if _wet(r)]
    for id_ in water:
        labels = {"category": "transport", "sentiment": "positive", "intent": None}
        correct(store, id_, labels, "E-07")
    tables = found(store, run_id)
    assert "category:water" not in {row["subject"] for row in tables["insight_finding"]}
    alert = next(r for r in tables["insight_finding"] if r["subject"] == "category:transport")
    assert alert["rule"] == "volume"
    behind = {r["manifestation_id"] for r in tables["insight_evidence"] if _of(r, alert)}
    assert behind & set(water)
    assert "water" not in {row["category"] for row in tables["insight_term"]}
    assert "negative" not in {row["label"] for row in counted_moods(store)}


def _wet(row: dict[str, Any]) -> bool:
    return bool(row["category"] == "water")


def _of(row: dict[str, Any], finding: dict[str, Any]) -> bool:
    return bool(row["number"] == finding["number"])


def counted_moods(store: Store) -> list[dict[str, Any]]:
    found_rows = rows(store.engine, InsightOverview)
    return [r for r in found_rows if r["measure"] == "sentiment" and r["count"] and not r["lens"]]
