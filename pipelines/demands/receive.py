"""Take a service request in that somebody sent through Open311."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from configs.calendar import due_day
from configs.schema import Municipality
from models.demands import Action, Origin, Status
from models.errors import InputError
from models.labels import CATEGORIES
from models.records import Extracted, Kind
from nlp.places import Gazetteer
from pipelines.demands.group import Why, demand_id
from pipelines.demands.open311 import ACTOR
from pipelines.people import check_person
from pipelines.privacy import Pseudonymiser
from pipelines.store.demands import Event, Founded, receive_demand
from pipelines.store.write import Store

SOURCE = "open311-received"
"""The source of what came in by this way."""

LONGEST = 4_000
"""Characters of a description."""


@dataclass(frozen=True, slots=True)
class Request:
    """A service request as its sender wrote it. ``sender`` is kept as a pseudonym only."""

    service_code: str
    description: str
    address: str = ""
    sender: str | None = None


def receive(
    store: Store,
    municipality: Municipality,
    pseudonymiser: Pseudonymiser,
    request: Request,
    system: str = ACTOR,
) -> str:
    """Store a request as a manifestation and a new demand, and return the demand's id.

    Its personal data are masked. Its words are classified and counted with the next run, under the
    category that the model finds; the demand keeps the one that it was sent with. The zone is the
    one that address or description name.

    Args:
        store: where it is kept.
        municipality: that it was sent to.
        pseudonymiser: of that municipality.
        request: what was sent.
        system: code of the system that sent it, for the history.

    Raises:
        InputError: it says nothing, too much, or is for a service that nobody answers for.
    """
    area = municipality.area_for(request.service_code)
    if request.service_code not in CATEGORIES or area is None:
        raise InputError(f"There is no service «{request.service_code[:60]}»: see services.")
    said = request.description.strip()
    if not said:
        raise InputError("The description is empty: say what is asked for.")
    if len(said) > LONGEST:
        raise InputError(f"The description has {len(said):,} characters; {LONGEST:,} are kept.")
    now = datetime.now(UTC)
    kept = pseudonymiser.storable(
        Extracted(
            source=SOURCE,
            external_id=secrets.token_hex(16),
            kind=Kind.POST,
            text=said,
            said_at=now,
            fetched_at=now,
            author=request.sender,
        )
    )
    places = Gazetteer.of(municipality).locate([request.address[:300], said])
    zone = next((place.zone for place in places if place and place.zone), None)
    today = now.astimezone(municipality.zone).date()
    values = {
        "id": demand_id(municipality.code, kept.id),
        "municipality": municipality.code,
        "category": request.service_code,
        "zone": zone,
        "area": area.name,
        "status": Status.NEW,
        "origin": Origin.OPEN311,
        "due_on": due_day(area, today, municipality.country),
        "version": 1,
        "proposed_at": now,
        "confirmed_at": now,
        "updated_at": now,
    }
    event = Event(now, check_person(system), Action.RECEIVE, None, Status.NEW, None, {"texts": 1})
    receive_demand(store.engine, kept, today, Founded(values, {kept.id: Why.FOUNDER}, event))
    return str(values["id"])
