"""What every command opens first: the settings, the store, the municipality, its window."""

from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from configs.load import load_municipality
from configs.schema import Municipality
from configs.settings import Settings
from models.records import Window
from pipelines.privacy import Pseudonymiser
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Store
from pipelines.windows import resolve_window

if TYPE_CHECKING:
    from dashboard.open311 import Receiving

SOFTWARE_VERSION = version("manifiesta")


def open_store(settings: Settings) -> Store:
    """Open the database and bring it up to date."""
    engine = open_engine(settings.database)
    migrate(engine)
    return Store(engine)


def open_municipality(settings: Settings, code: str, base_url: str | None = None) -> Municipality:
    """Load a municipality, read from another server if ``base_url`` says so."""
    municipality = load_municipality(code, settings.municipalities)
    return municipality.with_base_url(base_url) if base_url else municipality


def window_of(municipality: Municipality, start: date | None, end: date | None) -> Window:
    """Return the window asked for, or the municipality's usual one."""
    return resolve_window(municipality, start, end, now=datetime.now(UTC))


def pseudonymiser_of(settings: Settings, municipality: Municipality) -> Pseudonymiser:
    """Return the pseudonymiser of a municipality, with this installation's key."""
    plates = municipality.privacy.mask_plates
    return Pseudonymiser(municipality.code, settings.pseudonym_secret(), plates)


def receiving_of(settings: Settings) -> "Receiving | None":
    """Return how the dashboard takes Open311 requests in; None without a key for them."""
    from dashboard.open311 import Receiving

    if settings.open311_key is None:
        return None
    key = settings.open311_key.get_secret_value()
    return Receiving(key, lambda municipality: pseudonymiser_of(settings, municipality))
