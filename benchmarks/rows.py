"""Classified manifestations by the hundred thousand, written straight into the tables."""

import json
import random
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from configs.schema import Municipality
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from nlp.places import identifier

LIMA = ZoneInfo("America/Lima")
FIRST = date(2026, 1, 1)
MODEL, TAXONOMY = "bench-1", "2026.1"
_AT = datetime(2026, 7, 1, tzinfo=UTC).replace(tzinfo=None).isoformat(sep=" ")


def town() -> Municipality:
    """Return a municipality of 25 sources and 20 zones."""
    return Municipality.model_validate(
        {
            "code": "bench",
            "name": "Bench",
            "country": "PE",
            "time_zone": "America/Lima",
            "contact": {"name": "Equipo", "email": "equipo@example.pe"},
            "zones": [{"code": f"zona-{i}", "name": f"Zona {i}"} for i in range(20)],
            "sources": [
                {"name": f"fuente-{i}", "title": f"Fuente {i}", "protocol": "feed", "url": f"/{i}"}
                for i in range(25)
            ],
        }
    )


def counted_up(number: int) -> str:
    """Return the id of the manifestation of a number: in order, so that writing is quick."""
    return f"{number:032x}"


def fill(
    file: Path,
    place: Municipality,
    rows: int,
    days: int,
    id_of: Callable[[int], str] = counted_up,
) -> None:
    """Write classified manifestations: a tenth are copies, a fifth are of unknown author."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA synchronous=OFF")
    zones = [*(zone.code for zone in place.zones), None, None, None]
    chance, named = random.Random(5), identifier(place.zones)
    into = {
        "manifestation": "id, municipality, source, external_id, kind, text, text_hash, author,"
        " said_at, said_on, fetched_at",
        "classification": "manifestation_id, text_hash, model_version, taxonomy_version, category,"
        " sentiment, intent, confidence, abstained, categories, sentiments, intents",
        "near_duplicate": "manifestation_id, municipality, text_hash, cluster_id, position,"
        " signature",
        "language_label": "manifestation_id, text_hash, language, identifier",
        "place_mention": "manifestation_id, text_hash, gazetteer, zone, confidence, inherited",
    }
    for start in range(0, rows, 20_000):
        batch: list[list[tuple[Any, ...]]] = [[] for _ in into]
        for number in range(start, min(rows, start + 20_000)):
            _add(batch, (number, id_of), chance, days, (zones, named))
        for (table, columns), values in zip(into.items(), batch, strict=True):
            marks = ", ".join("?" * (columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)
    connection.execute(
        "INSERT INTO partition_version SELECT municipality, source, said_on, 1 FROM manifestation"
        " GROUP BY 1, 2, 3"
    )
    connection.commit()
    connection.close()


def _add(
    batch: Sequence[list[tuple[Any, ...]]],
    one: tuple[int, Callable[[int], str]],
    chance: random.Random,
    days: int,
    where: tuple[Sequence[str | None], str],
) -> None:
    number, id_of = one
    id_, text_hash = id_of(number), f"{number:064x}"
    day = (FIRST + timedelta(days=int(days * chance.random()))).isoformat()
    author = None if chance.random() < 0.2 else f"a-{int(chance.paretovariate(0.7)) % 10**6:016x}"
    copied = number if chance.random() > 0.1 else chance.randrange(number + 1)
    category = chance.choices(CATEGORIES, range(16, 0, -1))[0]
    probabilities = json.dumps(dict.fromkeys(CATEGORIES, 0.0625))
    source = f"fuente-{int(25 * chance.random() ** 2)}"
    said = ("comment", "Texto de prueba " * 8, text_hash, author, _AT, day, _AT)
    batch[0].append((id_, "bench", source, str(number), *said))
    labels = (category, chance.choice(SENTIMENTS), chance.choice(INTENTS))
    sure = (0.8, chance.random() < 0.1, probabilities, '{"negative": 1.0}', '{"praise": 1.0}')
    batch[1].append((id_, text_hash, MODEL, TAXONOMY, *labels, *sure))
    batch[2].append((id_, "bench", text_hash, id_of(copied), number, None))
    batch[3].append((id_, text_hash, "qu" if chance.random() < 0.02 else "es", "x"))
    zone = chance.choice(where[0])
    batch[4].append((id_, text_hash, where[1], zone, 0.9, chance.random() < 0.2))
