"""Note which zone each text of a window speaks of."""

from collections.abc import Sequence

from configs.schema import Municipality
from models.records import Window
from nlp.places import INHERITED, Gazetteer, Place, identifier
from pipelines.classify import reading
from pipelines.store.read import Unplaced, titles_and_texts, unplaced
from pipelines.store.write import Placed, Store

_BATCH = 512  # also how many openers one query asks for at most


def place_window(store: Store, municipality: Municipality, window: Window) -> int:
    """Look for the zones in the window's texts where it was not done; return in how many it was.

    A reply that names no place takes the zone of the text that opened its thread, of whatever day
    that is. What was found stays for as long as text, zones and rules do.
    """
    if not municipality.zones:
        return 0
    named_by = identifier(municipality.zones)
    todo = unplaced(store.engine, municipality.code, window, named_by)
    if not todo.count():
        return 0
    gazetteer, done = Gazetteer(municipality.zones), 0
    for batch in todo.pages(_BATCH):
        store.save_places(named_by, _place(store, municipality.code, gazetteer, batch))
        done += len(batch)
    return done


def _place(
    store: Store, municipality: str, gazetteer: Gazetteer, batch: Sequence[Unplaced]
) -> list[Placed]:
    places = gazetteer.locate([reading(item.title, item.text) for item in batch])
    openers = _openers(
        store,
        municipality,
        gazetteer,
        {
            item.opener_id
            for item, place in zip(batch, places, strict=True)
            if place is None and item.opener_id
        },
    )
    return [
        _own(item, place) if place else _inherited(item, openers.get(item.opener_id or ""))
        for item, place in zip(batch, places, strict=True)
    ]


def _openers(
    store: Store, municipality: str, gazetteer: Gazetteer, ids: set[str]
) -> dict[str, Place | None]:
    texts = titles_and_texts(store.engine, municipality, ids) if ids else {}
    places = gazetteer.locate([reading(title, text) for title, text in texts.values()])
    return dict(zip(texts, places, strict=True))


def _own(item: Unplaced, place: Place) -> Placed:
    return Placed(item.manifestation_id, item.text_hash, place.zone, place.confidence)


def _inherited(item: Unplaced, place: Place | None) -> Placed:
    if place is None:
        return Placed(item.manifestation_id, item.text_hash)
    confidence = round(place.confidence * INHERITED, 4)
    return Placed(item.manifestation_id, item.text_hash, place.zone, confidence, inherited=True)
