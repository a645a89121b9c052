"""A municipality whose neighbours ask for things, and demands of it."""

from datetime import UTC, datetime

from models.records import Manifestation, Window
from nlp.places import named_by
from pipelines.demands.propose import Proposed, propose
from pipelines.demands.workflow import Decision, Workflow
from pipelines.store.demands import Demand, demands
from pipelines.store.write import Placed, Store
from tests.unit.store.builders import (
    MARCH,
    MODEL,
    TAXONOMY,
    at,
    begun,
    classified,
    municipality,
    said,
    save,
)

VILLA = municipality(
    zones=[{"code": "centro", "name": "Centro"}, {"code": "norte", "name": "Norte"}],
    areas=[
        {"name": "Limpieza", "categories": ["waste"], "answer_days": 7},
        {"name": "Tránsito", "categories": ["transport"], "answer_days": 5, "working_days": True},
    ],
)
GAZETTEER = named_by(VILLA)
VERSIONS = (MODEL, TAXONOMY)
BINS = "Los contenedores de basura de la esquina están llenos y nadie recoge"
BINS_TOO = "Nadie recoge la basura, los contenedores de la esquina rebalsan"
HOLE = "Hay un hueco enorme en la pista de la avenida, una moto se cayó"


def put(
    store: Store,
    item: Manifestation,
    category: str = "waste",
    intent: str = "complaint",
    zone: str | None = "centro",
    sentiment: str = "negative",
) -> Manifestation:
    """Store a text, classified and placed."""
    save(store, begun(store, VILLA), item)
    store.save_classifications(TAXONOMY, [classified(item, category, sentiment, intent)])
    if zone:
        store.save_places(GAZETTEER, [Placed(item.id, item.text_hash, zone, 0.9)])
    return item


def asked(store: Store, window: Window = MARCH) -> Proposed:
    return propose(store, VILLA, window, VERSIONS)


def only(store: Store) -> Demand:
    """Return the one demand that there is."""
    (one,) = demands(store.engine, "villa")
    return one


def flow(store: Store) -> Workflow:
    return Workflow(store, VILLA)


def by(demand: Demand, version: int | None = None, note: str | None = None) -> Decision:
    return Decision(demand.id, "E-07", version, note)


def bins(store: Store) -> Demand:
    """Propose one demand of two texts."""
    put(store, said(1, BINS, when=at(3)))
    put(store, said(2, BINS_TOO, when=at(4)))
    asked(store)
    return only(store)


def answered(store: Store, demand: Demand) -> Demand:
    """Bring a proposed demand to its answer."""
    flow(store).confirm(by(demand))
    flow(store).assign(by(demand))
    flow(store).start(by(demand))
    return flow(store).answer(by(demand), "Ya se recogió.")


NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
