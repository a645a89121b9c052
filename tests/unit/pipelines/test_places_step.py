"""The step that notes zones: once per text and gazetteer, replies by their thread, counted."""

from typing import Any

import pytest

import pipelines.places
from configs.schema import Municipality
from models.insight_tables import InsightPlace
from models.labels import NOWHERE
from models.records import Manifestation
from models.tables import PlaceRow
from nlp.places import INHERITED, identifier
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.places import place_window
from pipelines.store.write import Store
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

HUAYCAN = {"code": "huaycan", "name": "Huaycán"}
GLORIA = {"code": "gloria", "name": "La Gloria"}
VILLA = municipality(zones=[HUAYCAN, GLORIA])
OPENER = said(1, "en la cuadra dos", title="Falta agua en Huaycán", when=at(1))


def reply(number: int, text: str, opener: Manifestation = OPENER, **changes: Any) -> Manifestation:
    return said(number, text, thread_id=opener.id, parent_id=opener.id, **changes)


def placed(store: Store, place: Municipality = VILLA) -> dict[str, tuple[Any, ...]]:
    gazetteer = identifier(place.zones)
    return {
        row["manifestation_id"]: (row["zone"], row["confidence"], row["inherited"])
        for row in rows(store.engine, PlaceRow)
        if row["gazetteer"] == gazetteer
    }


def test_texts_and_replies_get_their_zones(store: Store) -> None:
    items = [
        OPENER,
        reply(2, "Lo mismo por mi casa"),
        reply(3, "Acá en La Gloria también"),
        said(4, "Qué bonito parque"),
        reply(5, "Así es", said(4)),
        reply(6, "Su primer texto no se guardó", said(99)),
        said(7, "Otro mes en Huaycán", when=at(1, month=4)),
    ]
    save(store, begun(store), *items)
    assert place_window(store, VILLA, MARCH) == 6
    found = placed(store)
    assert {key: zone for key, (zone, _, _) in found.items()} == {
        items[0].id: "huaycan",
        items[1].id: "huaycan",
        items[2].id: "gloria",
        items[3].id: None,
        items[4].id: None,
        items[5].id: None,
    }
    assert [item.id for item in items if found.get(item.id, (0, 0, False))[2]] == [items[1].id]
    assert found[items[1].id][1] == pytest.approx(found[OPENER.id][1] * INHERITED)
    assert found[items[3].id][1] == 0


def test_kinds_names_and_several_zones_are_kept(store: Store) -> None:
    road = {"name": "Carretera Central", "kind": "road", "zones": ["huaycan", "gloria"]}
    market = {"name": "Mercado Uno", "kind": "market", "zones": ["gloria"]}
    place = municipality(zones=[HUAYCAN, GLORIA], landmarks=[road, market], ubigeo="150103")
    items = [
        said(1, "Hay un hueco en la Carretera Central"),
        said(2, "El Mercado Uno está sucio"),
        said(3, "En San Juan de Lurigancho sí barren"),
        said(4, "Falta agua en Huaycán"),
        reply(5, "La calle 6 también", said(4)),
        reply(6, "En San Juan de Lurigancho no", said(4)),
        reply(7, "Así estamos en Ate", said(4)),
    ]
    save(store, begun(store), *items)
    place_window(store, place, MARCH)
    columns = ("zone", "kind", "name", "district", "zones", "inherited")
    found = {
        row["manifestation_id"]: tuple(row[c] for c in columns)
        for row in rows(store.engine, PlaceRow)
    }
    assert [found[item.id] for item in items] == [
        (None, "road", "Carretera Central", None, "huaycan gloria", False),
        ("gloria", "market", "Mercado Uno", None, None, False),
        (None, "district", "San Juan de Lurigancho", "150132", None, False),
        ("huaycan", "zone", "Huaycán", None, None, False),
        ("huaycan", "street", "calle 6", None, None, True),
        (None, "district", "San Juan de Lurigancho", "150132", None, False),
        ("huaycan", "district", "Ate", "150103", None, True),
    ]


def test_an_opener_of_another_month_gives_its_zone(store: Store) -> None:
    old = said(1, "Falta agua en Huaycán", when=at(27, month=2))
    save(store, begun(store), old, reply(2, "Sigue igual", old))
    place_window(store, VILLA, MARCH)
    assert placed(store) == {said(2).id: ("huaycan", pytest.approx(0.95 * INHERITED), True)}


def test_an_opener_that_opens_itself_inherits_nothing(store: Store) -> None:
    save(store, begun(store), said(1, "Sin lugar", thread_id=said(1).id))
    place_window(store, VILLA, MARCH)
    assert placed(store) == {said(1).id: (None, 0, False)}


def test_the_window_is_placed_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines.places, "_BATCH", 2)
    save(store, begun(store), *(said(n, f"Texto {n} de Huaycán") for n in range(5)))
    assert place_window(store, VILLA, MARCH) == 5
    before = rows(store.engine, PlaceRow)
    assert len(before) == 5
    assert place_window(store, VILLA, MARCH) == 0
    assert rows(store.engine, PlaceRow) == before


def test_a_changed_gazetteer_places_again_and_keeps_the_old(store: Store) -> None:
    save(store, begun(store), OPENER)
    place_window(store, VILLA, MARCH)
    renamed = municipality(zones=[{"code": "cuadra", "name": "Cuadra Dos"}])
    assert place_window(store, renamed, MARCH) == 1
    assert placed(store)[OPENER.id][0] == "huaycan"
    assert placed(store, renamed)[OPENER.id][0] == "cuadra"
    assert len(rows(store.engine, PlaceRow)) == 2


def test_an_edited_text_is_placed_again(store: Store) -> None:
    run_id = begun(store)
    save(store, run_id, said(1, "Falta agua en Huaycán"), said(2, "Nada"))
    place_window(store, VILLA, MARCH)
    save(store, run_id, said(1, "Falta agua en La Gloria"))
    assert place_window(store, VILLA, MARCH) == 1
    zones = {row["text_hash"]: row["zone"] for row in rows(store.engine, PlaceRow)}
    assert zones[said(1, "Falta agua en La Gloria").text_hash] == "gloria"
    assert len(zones) == 3


def test_without_zones_nothing_is_looked_for(store: Store) -> None:
    save(store, begun(store), OPENER)
    assert place_window(store, municipality(), MARCH) == 0
    assert rows(store.engine, PlaceRow) == []


def counted(store: Store, run_id: str, place: Municipality) -> dict[str, dict[str, Any]]:
    aggregate(store, Counted(run_id, place, MARCH, MODEL, TAXONOMY), {})
    return {row["zone"]: row for row in rows(store.engine, InsightPlace)}


def test_the_zones_are_counted_and_conserve(store: Store) -> None:
    run_id = begun(store)
    items = [
        OPENER,
        reply(2, "Lo mismo por mi casa"),
        said(3, "Bonito parque"),
        said(4, "Bonito PARQUE"),
        said(5, "Nadie sabe"),
    ]
    save(store, run_id, *items)
    labels = [
        ("water", "negative", "complaint"),
        ("water", "positive", "praise"),
        ("environment", "positive", "praise"),
        ("environment", "positive", "praise"),
        ("other", "neutral", "other"),
    ]
    store.save_classifications(
        TAXONOMY, [classified(item, *given) for item, given in zip(items, labels, strict=True)]
    )
    place_window(store, VILLA, MARCH)
    found = counted(store, run_id, VILLA)
    names = ("count", "distinct_count", "n", "inherited", "negative", "neutral", "positive")
    assert {zone: tuple(row[name] for name in names) for zone, row in found.items()} == {
        "huaycan": (2, 2, 5, 1, 1, 0, 1),
        "gloria": (0, 0, 5, 0, 0, 0, 0),
        NOWHERE: (3, 2, 5, 0, 0, 1, 2),
    }
    assert found["huaycan"]["share"] == pytest.approx(0.4)
    assert found["huaycan"]["share_low"] < 0.4 < found["huaycan"]["share_high"]
    assert found["gloria"]["negative_share"] is None
    assert {row["gazetteer"] for row in found.values()} == {identifier(VILLA.zones)}


def test_without_zones_everything_is_nowhere(store: Store) -> None:
    run_id = begun(store)
    save(store, run_id, OPENER)
    store.save_classifications(TAXONOMY, [classified(OPENER, "water", "negative", "complaint")])
    found = counted(store, run_id, municipality())
    assert {zone: row["count"] for zone, row in found.items()} == {NOWHERE: 1}
