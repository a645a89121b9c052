"""Note which place each text of a window speaks of."""

from collections.abc import Sequence
from dataclasses import replace

from configs.schema import Municipality
from models.records import Window
from nlp.place_names import DISTRICT
from nlp.places import INHERITED, Gazetteer, Place, named_by
from pipelines.classify import reading
from pipelines.store.read import Unplaced, titles_and_texts, unplaced
from pipelines.store.write import Placed, Store

_BATCH = 512  # also how many openers one query asks for at most


def place_window(store: Store, municipality: Municipality, window: Window) -> int:
    """Look for places in the window's texts where it was not done; return in how many it was.

    A reply that tells no zone takes that of the text that opened its thread, of whatever day
    that is, unless it names another district. What was found stays for as long as text, names
    and rules do.
    """
    if not municipality.zones:
        return 0
    gazetteer_id = named_by(municipality)
    todo = unplaced(store.engine, municipality.code, window, gazetteer_id)
    if not todo.count():
        return 0
    gazetteer, done = Gazetteer.of(municipality), 0
    for batch in todo.pages(_BATCH):
        store.save_places(gazetteer_id, _place(store, municipality, gazetteer, batch))
        done += len(batch)
    return done


def _place(
    store: Store, municipality: Municipality, gazetteer: Gazetteer, batch: Sequence[Unplaced]
) -> list[Placed]:
    places = gazetteer.locate([reading(item.title, item.text) for item in batch])
    bare = [_is_bare(place, municipality.ubigeo) for place in places]
    asked = {item.opener_id for item, is_bare in zip(batch, bare, strict=True) if is_bare}
    openers = _openers(store, municipality.code, gazetteer, {one for one in asked if one})
    return [
        _placed(item, place, openers.get(item.opener_id or "") if is_bare else None)
        for item, place, is_bare in zip(batch, places, bare, strict=True)
    ]


def _is_bare(place: Place | None, home: str | None) -> bool:
    """Say whether a text leaves open where it is, as «la calle 6 también» and «#Ate» do."""
    if place is None or (place.kind == DISTRICT and place.district == home):
        return True
    return place.zone is None and not place.zones and place.kind != DISTRICT


def _openers(
    store: Store, municipality: str, gazetteer: Gazetteer, ids: set[str]
) -> dict[str, Place | None]:
    texts = titles_and_texts(store.engine, municipality, ids) if ids else {}
    places = gazetteer.locate([reading(title, text) for title, text in texts.values()])
    return dict(zip(texts, places, strict=True))


def _placed(item: Unplaced, place: Place | None, opener: Place | None) -> Placed:
    """Return what is kept of a text: its own place, and the zone, where need be its opener's."""
    own = Placed(item.manifestation_id, item.text_hash)
    if place is not None:
        own = replace(
            own,
            zone=place.zone,
            confidence=place.confidence if place.zone else 0.0,
            kind=place.kind,
            name=place.name,
            district=place.district,
            zones=" ".join(place.zones) or None,
        )
    if own.zone or opener is None or opener.zone is None:
        return own
    confidence = round(opener.confidence * INHERITED, 4)
    return replace(own, zone=opener.zone, confidence=confidence, inherited=True)
