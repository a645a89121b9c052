"""The tables of the whole database, whatever module they are in."""

from models import (  # noqa: F401 - their tables join the metadata
    access_tables,
    demand_tables,
    insight_tables,
    match_tables,
    operations_tables,
    search_tables,
)
from models.tables import Base

METADATA = Base.metadata
