"""Propose demands from what neighbours complain of and ask for."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from configs.schema import Municipality
from models.demands import Action, Origin, Status
from models.records import Window
from nlp.places import named_by
from pipelines.demands.group import SPAN, group
from pipelines.places import place_window
from pipelines.store.demand_texts import Asked, asking, ended_texts, waiting_texts
from pipelines.store.demands import SOFTWARE, Event, Founded, save_proposals
from pipelines.store.write import Store


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a proposal added: texts that found a place, new demands, and those that were joined."""

    texts: int
    founded: int
    joined: int


def propose(
    store: Store, municipality: Municipality, window: Window, versions: tuple[str, str]
) -> Proposed:
    """Group the window's complaints and requests into demands for a person to confirm.

    Every text that asks for something becomes part of one demand. What is part of one stays there;
    a demand that waits for its answer is joined by later texts, which its history tells, and one
    that was answered, closed or rejected is never touched: what comes later founds another.

    Args:
        store: where the texts are and the demands go.
        municipality: whose texts they are; its areas say who is responsible.
        window: the days on which the texts were said.
        versions: of the model and the taxonomy whose labels count.
    """
    engine, code = store.engine, municipality.code
    place_window(store, municipality, window)
    new = asking(engine, code, window, versions, named_by(municipality))
    if not new:
        return Proposed(0, 0, 0)
    waiting = waiting_texts(engine, code, window, SPAN)
    found = group(code, [*waiting, *new], ended_texts(engine, code, window))
    parts: dict[str, dict[str, str]] = defaultdict(dict)
    for part in found.joined:
        parts[part.demand][part.manifestation_id] = part.why
    now = datetime.now(UTC)
    founded = [
        _founded(municipality, demand, text, parts.pop(demand), found.follows.get(demand), now)
        for demand, text in found.founded.items()
    ]
    placed = save_proposals(engine, founded, parts)
    return Proposed(placed, len(founded), len(parts))


def _founded(
    municipality: Municipality,
    demand: str,
    text: Asked,
    parts: dict[str, str],
    follows: str | None,
    now: datetime,
) -> Founded:
    area = municipality.area_for(text.category)
    values = {
        "id": demand,
        "municipality": municipality.code,
        "category": text.category,
        "zone": text.zone,
        "area": area.name if area else None,
        "status": Status.PROPOSED,
        "origin": Origin.PROPOSED,
        "follows": follows,
        "version": 1,
        "proposed_at": now,
        "updated_at": now,
    }
    event = Event(now, SOFTWARE, Action.PROPOSE, None, Status.PROPOSED, None, {"texts": len(parts)})
    return Founded(values, parts, event)
