"""Small records of an invented municipality, and the rows that a table holds."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from configs.schema import Municipality
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import (
    Capture,
    Classification,
    Extracted,
    Kind,
    Manifestation,
    Window,
    manifestation_id,
)
from models.tables import Base
from pipelines.privacy import text_hash
from pipelines.store.collecting import Learnt
from pipelines.store.read import Countable, corrections_of, countable
from pipelines.store.write import Classified, RunStart, Store

LIMA = ZoneInfo("America/Lima")
MARCH = Window(date(2026, 3, 1), date(2026, 4, 1), LIMA)
TAXONOMY = "2026.1"
MODEL = "prueba-1"


def municipality(feeds: Sequence[str] = ("diario", "foro"), **changes: Any) -> Municipality:
    values: dict[str, Any] = {
        "code": "villa",
        "name": "Villa de Prueba",
        "country": "PE",
        "time_zone": "America/Lima",
        "contact": {"name": "Equipo", "email": "equipo@example.pe"},
        "sources": [
            {"name": name, "title": name.title(), "protocol": "feed", "url": f"/{name}.xml"}
            for name in feeds
        ],
    }
    return Municipality.model_validate(values | changes)


def at(day: int, hour: int = 12, minute: int = 0, second: int = 0, *, month: int = 3) -> datetime:
    """Return a moment of 2026 on the clocks of Lima."""
    return datetime(2026, month, day, hour, minute, second, tzinfo=LIMA)


def said(
    number: int,
    text: str = "La pista está rota",
    *,
    when: datetime | None = None,
    source: str = "diario",
    **changes: Any,
) -> Manifestation:
    values: dict[str, Any] = {
        "id": manifestation_id("villa", source, str(number)),
        "municipality": "villa",
        "source": source,
        "external_id": str(number),
        "kind": Kind.COMMENT,
        "text": text,
        "text_hash": text_hash(changes.get("title"), text),
        "said_at": (when or at(10)).astimezone(UTC),
        "fetched_at": datetime(2026, 4, 2, tzinfo=UTC),
    }
    return Manifestation(**(values | changes))


def extracted(
    number: int, text: str = "La pista está rota", *, when: datetime | None = None, **changes: Any
) -> Extracted:
    values: dict[str, Any] = {
        "source": "diario",
        "external_id": str(number),
        "kind": Kind.COMMENT,
        "text": text,
        "said_at": when or at(10),
        "fetched_at": datetime(2026, 4, 2, tzinfo=UTC),
    }
    return Extracted(**(values | changes))


def capture(number: int) -> Capture:
    return Capture(
        id=f"urn:uuid:{number}",
        url=f"https://example.pe/{number}",
        status=200,
        fetched_at=datetime(2026, 4, 2, tzinfo=UTC),
        content_type="text/html",
        size=10,
        sha256="0" * 64,
        warc_file="villa.warc.gz",
        warc_offset=number,
    )


def _sure(labels: Sequence[str], label: str) -> dict[str, float]:
    return {one: 0.9 if one == label else 0.1 / (len(labels) - 1) for one in labels}


def answer(
    category: str = "transport",
    sentiment: str = "negative",
    intent: str = "complaint",
    *,
    abstained: bool = False,
    model: str = MODEL,
) -> Classification:
    return Classification(
        _sure(CATEGORIES, category),
        _sure(SENTIMENTS, sentiment),
        _sure(INTENTS, intent),
        abstained,
        model,
    )


def classified(item: Manifestation, *labels: str, **changes: Any) -> Classified:
    return Classified(item.id, item.text_hash, answer(*labels, **changes))


def start(window: Window = MARCH, command: str = "run") -> RunStart:
    return RunStart(command, window, TAXONOMY, "0.1.0")


def begun(store: Store, place: Municipality | None = None, window: Window = MARCH) -> str:
    return store.begin_run(place or municipality(), start(window))


def save(store: Store, run_id: str, *items: Manifestation) -> None:
    """Store manifestations, whatever source each is of."""
    store.save_collected(run_id, municipality(), "diario", items)


def vanish(store: Store, moment: datetime, *ids: str) -> None:
    """Have a crawl see that manifestations are gone."""
    learnt = Learnt(gone=dict.fromkeys(ids, moment))
    store.save_collected(begun(store), municipality(), "diario", (), learnt=learnt)


def counted_texts(engine: Engine, taxonomy: str = TAXONOMY, gazetteer: str = "") -> list[Countable]:
    """Return what of March is counted, day by day."""
    sources = ("diario", "foro")
    versions = (MODEL, taxonomy, gazetteer, "")
    with engine.connect() as connection:
        days = [countable(connection, "villa", day, sources, versions) for day in MARCH.days]
    return [one for day in days for _, texts in sorted(day.items()) for one in texts]


def labels_given(engine: Engine, day: date) -> dict[tuple[str, str], dict[str, str]]:
    """Return what people labelled of a day of the first source."""
    with engine.connect() as connection:
        return corrections_of(connection, "villa", day, ["diario"])


def rows(engine: Engine, table: type[Base]) -> list[dict[str, Any]]:
    """Return the rows of a table in the order of its key."""
    key = list(table.__table__.primary_key)
    with engine.connect() as connection:
        found = connection.execute(select(table.__table__).order_by(*key))
        return [dict(row._mapping) for row in found]
