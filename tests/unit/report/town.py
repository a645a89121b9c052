"""A small town in SQLite for the report's tests: invented counts, invented sentences."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from math import sqrt
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, create_engine, insert

from configs.schema import SHIPPED, Municipality, Taxonomy
from models.insight_tables import (
    InsightCategory,
    InsightDay,
    InsightOverview,
    InsightPlace,
    InsightSource,
)
from models.labels import CATEGORIES, INTENTS, NOWHERE, SENTIMENTS
from models.records import Kind
from models.tables import (
    Base,
    ClassificationRow,
    ManifestationRow,
    PlaceRow,
    RejectionRow,
    RunRow,
    SourceRow,
)

GAZETTEER = "places-1/0123456789ab"
RUN = "20211201T080000-123456"
MODEL = "manifiesta-beto-2026.1"
START = date(2021, 11, 1)

SENTENCES = {
    "transport": (
        "Los micros no respetan el paradero de Puruchuco y recogen pasajeros en plena pista.",
        "Otra vez la Carretera Central parada hora y media, nadie dirige el tránsito.",
        "Repararon los huecos de la avenida Metropolitana, ya era hora, se agradece.",
        "¿Hasta cuándo las obras de la línea 2? Los desvíos cambian cada semana y nadie avisa.",
    ),
    "security": (
        "Asaltaron a dos señoras en el mercado y el serenazgo llegó a los cuarenta minutos.",
        "Pedimos cámaras en el parque de la cuadra ocho, todas las noches hay gente consumiendo.",
        "El patrullaje de los sábados sí se nota, ojalá lo hagan toda la semana.",
    ),
    "waste": (
        "Tres días sin camión de basura en Huaycán, las bolsas ya llegan a la esquina.",
        "Los vecinos limpiamos el parque el domingo, pero el desmonte sigue ahí.",
        "Pusieron contenedores nuevos frente al colegio y ya no hay mal olor.",
    ),
}


def municipality(**changes: Any) -> Municipality:
    """A municipality with nine sources and two areas."""
    sources = [
        {"name": f"fuente-{i}", "title": title, "protocol": "feed", "url": f"/f{i}.xml"}
        for i, title in enumerate(
            (
                "Diario del Este",
                "Foro Vecinos de Santa Clara",
                "Radio Huaycán, noticias",
                "Portal municipal, comentarios",
                "Blog Ate en Movimiento",
                "Semanario La Carretera",
                "Grupo Mercado Central",
                "Canal Vitarte TV",
                "Foro Zona Este",
            )
        )
    ]
    values: dict[str, Any] = {
        "code": "sandbox",
        "name": "San Martín del Valle",
        "country": "PE",
        "time_zone": "America/Lima",
        "contact": {"name": "Equipo", "email": "equipo@example.pe"},
        "areas": [
            {"name": "Subgerencia de Transporte", "categories": ["transport"]},
            {"name": "Gerencia de Seguridad Ciudadana", "categories": ["security", "emergency"]},
            {"name": "Gerencia de Servicios Públicos", "categories": ["waste", "environment"]},
        ],
        "zones": [
            {"code": "santa-clara", "name": "Santa Clara"},
            {"code": "huaycan", "name": "Huaycán"},
            {"code": "vitarte", "name": "Vitarte"},
        ],
        "sources": sources,
    }
    return Municipality.model_validate(values | changes)


def taxonomy() -> Taxonomy:
    """The taxonomy that ships."""
    return Taxonomy.model_validate(yaml.safe_load((SHIPPED / "taxonomy.yml").read_text("utf-8")))


@dataclass
class Said:
    """One manifestation with its labels."""

    source: str
    text: str
    category: str
    sentiment: str = "negative"
    intent: str = "complaint"
    day: int = 0
    confidence: float = 0.9
    abstained: bool = False
    title: str | None = None
    url: str | None = "https://example.pe/nota"
    kind: str = Kind.COMMENT
    model: str = MODEL
    stale: bool = False  # the classification is of an earlier text
    zone: str | None = None
    inherited: bool = False


@dataclass
class Town:
    """What the database is filled with."""

    said: list[Said] = field(default_factory=list)
    days: int = 30
    state: str = "done"
    error: str | None = None
    failed: dict[str, str] = field(default_factory=dict)
    rejections: list[tuple[str, str, bool]] = field(default_factory=list)
    corrected: bool = True
    insights: bool = True
    model: str | None = MODEL
    run: str = RUN
    town: Municipality = field(default_factory=municipality)
    incomplete_days: frozenset[int] = frozenset()

    def engine(self, path: Path) -> Engine:
        """Write everything and return the engine."""
        engine = create_engine(f"sqlite:///{path}")
        Base.metadata.create_all(engine)
        with engine.begin() as connection:
            for table, rows in self._tables():
                if rows:
                    connection.execute(insert(table), rows)
        return engine

    def _tables(self) -> Iterable[tuple[type[Base], list[dict[str, Any]]]]:
        now = datetime(2021, 12, 1, 13, 5, tzinfo=UTC)
        yield (
            RunRow,
            [
                {
                    "id": self.run,
                    "municipality": self.town.code,
                    "command": "run",
                    "window_from": START,
                    "window_to": START + timedelta(days=self.days),
                    "state": self.state,
                    "started_at": now - timedelta(minutes=9),
                    "finished_at": now,
                    "model_version": self.model,
                    "taxonomy_version": "2026.1",
                    "software_version": "0.1.0",
                    "error": self.error,
                }
            ],
        )
        yield (
            SourceRow,
            [
                {
                    "municipality": self.town.code,
                    "name": s.name,
                    "title": s.title,
                    "protocol": s.protocol,
                    "config": {},
                    "updated_at": now,
                }
                for s in self.town.sources
            ],
        )
        yield ManifestationRow, [self._manifestation(i, s) for i, s in enumerate(self.said)]
        yield ClassificationRow, [self._classification(i, s) for i, s in enumerate(self.said)]
        yield PlaceRow, [self._place(i, s) for i, s in enumerate(self.said)]
        yield (
            RejectionRow,
            [
                {
                    "run_id": self.run,
                    "source": source,
                    "outcome": outcome,
                    "ignored": ignored,
                    "place": "/x",
                    "detail": "x",
                }
                for source, outcome, ignored in self.rejections
            ],
        )
        if self.insights:
            yield from self._insights()

    def _manifestation(self, i: int, said: Said) -> dict[str, Any]:
        at = datetime(2021, 11, 1, 17, 0, tzinfo=UTC) + timedelta(days=said.day)
        return {
            "id": f"{i:032x}",
            "municipality": self.town.code,
            "source": said.source,
            "external_id": str(i),
            "kind": said.kind,
            "title": said.title,
            "text": said.text,
            "text_hash": _hash(said.text),
            "author": None,
            "url": said.url,
            "said_at": at,
            "said_on": START + timedelta(days=said.day),
            "fetched_at": at,
        }

    def _classification(self, i: int, said: Said) -> dict[str, Any]:
        return {
            "manifestation_id": f"{i:032x}",
            "text_hash": _hash("otro" if said.stale else said.text),
            "model_version": said.model,
            "taxonomy_version": "2026.1",
            "category": said.category,
            "sentiment": said.sentiment,
            "intent": said.intent,
            "confidence": said.confidence,
            "abstained": said.abstained,
            "categories": {},
            "sentiments": {},
            "intents": {},
        }

    def _place(self, i: int, said: Said) -> dict[str, Any]:
        return {
            "manifestation_id": f"{i:032x}",
            "text_hash": _hash(said.text),
            "gazetteer": GAZETTEER,
            "zone": said.zone,
            "confidence": 0.9 if said.zone else 0.0,
            "inherited": said.inherited,
        }

    def _insights(self) -> Iterable[tuple[type[Base], list[dict[str, Any]]]]:
        counted = [
            s for s in self.said if s.model == MODEL and not s.stale and 0 <= s.day < self.days
        ]
        common = {
            "run_id": self.run,
            "municipality": self.town.code,
            "window_from": START,
            "window_to": START + timedelta(days=self.days),
            "model_version": MODEL,
            "taxonomy_version": "2026.1",
            "sources_read": len(self.town.sources) - len(self.failed),
            "sources_configured": len(self.town.sources),
            "days_complete": self.days - len(self.incomplete_days),
            "days": self.days,
        }
        measures = {
            "total": (lambda s: "total", ("total",)),
            "sentiment": (lambda s: s.sentiment, SENTIMENTS),
            "intent": (lambda s: s.intent, INTENTS),
            "kind": (lambda s: str(s.kind), tuple(Kind)),
            "certainty": (lambda s: "unsure" if s.abstained else "sure", ("sure", "unsure")),
        }
        overview = []
        for measure, (pick, labels) in measures.items():
            for label in labels:
                cell = [s for s in counted if pick(s) == label]
                fix = self.corrected and measure in {"sentiment", "intent"}
                overview.append(
                    common
                    | {"measure": measure, "label": str(label)}
                    | _share(cell, len(counted))
                    | _corrected(cell, len(counted), known=fix)
                )
        yield InsightOverview, overview
        yield (
            InsightCategory,
            [
                common
                | {"category": code, "unsure": sum(s.abstained for s in cell)}
                | _share(cell, len(counted))
                | _corrected(cell, len(counted), known=self.corrected)
                | _sentiments(cell)
                for code in CATEGORIES
                for cell in [[s for s in counted if s.category == code]]
            ],
        )
        yield (
            InsightDay,
            [
                common
                | {"day": START + timedelta(days=i), "complete": i not in self.incomplete_days}
                | _share(cell, len(counted))
                | _sentiments(cell)
                for i in range(self.days)
                for cell in [[s for s in counted if s.day == i]]
            ],
        )
        yield (
            InsightSource,
            [
                common
                | {
                    "source": source.name,
                    "state": "failed" if source.name in self.failed else "done",
                    "reason": self.failed.get(source.name),
                    "rejected": self._unstored(source.name, ignored=False),
                    "ignored": self._unstored(source.name, ignored=True),
                }
                | _share(cell, len(counted))
                | _voices(cell, len(counted))
                | _sentiments(cell)
                for source in self.town.sources
                for cell in [[s for s in counted if s.source == source.name]]
            ],
        )

        yield (
            InsightPlace,
            [
                common
                | {
                    "zone": zone or NOWHERE,
                    "gazetteer": GAZETTEER,
                    "inherited": sum(s.inherited for s in cell),
                }
                | _share(cell, len(counted))
                | _sentiments(cell)
                for zone in (*(zone.code for zone in self.town.zones), None)
                for cell in [[s for s in counted if s.zone == zone]]
            ],
        )

    def _unstored(self, source: str, *, ignored: bool) -> int:
        return sum(r[0] == source and r[2] is ignored for r in self.rejections)


def busy_town(count: int = 900, **changes: Any) -> Town:
    """A town with all categories, eight of nine sources and thirty days."""
    chance = random.Random(7)
    weights = (165, 60, 142, 38, 118, 52, 64, 40, 35, 31, 28, 24, 55, 12, 9, 27)
    said = []
    for i in range(count):
        category = chance.choices(CATEGORIES, weights)[0]
        base = chance.choice(
            SENTENCES.get(category, (f"Sobre {category}: los vecinos de la zona piden respuesta.",))
        )
        said.append(
            Said(
                source=f"fuente-{chance.choices(range(8), (30, 22, 14, 12, 9, 6, 4, 3))[0]}",
                text=base if chance.random() < 0.05 else f"{base} Lo digo por la cuadra {i}.",
                category=category,
                sentiment=chance.choices(SENTIMENTS, (42, 31, 27))[0],
                intent=chance.choices(INTENTS, (36, 18, 7, 9, 8, 12, 8, 2))[0],
                day=min(29, int(chance.triangular(0, 30, 19))),
                confidence=round(chance.uniform(0.4, 0.99), 4),
                abstained=chance.random() < 0.07,
                kind=chance.choices(tuple(Kind), (3, 6, 2))[0],
                title="Vecinos reclaman por el estado de las pistas" if i % 9 == 0 else None,
                zone=("santa-clara", "huaycan", None, None, "huaycan")[i % 5],
                inherited=i % 5 == 4,
            )
        )
    values: dict[str, Any] = {
        "state": "partial",
        "failed": {"fuente-8": "https://foro.example.pe/feed.xml did not answer within 30 seconds"},
        "incomplete_days": frozenset({28, 29}),
        "rejections": [("fuente-0", "duplicate", True)] * 41
        + [("fuente-2", "no_date", False)] * 6
        + [("fuente-3", "no_text", False)] * 2
        + [("fuente-8", "fetch_failed", False)] * 3,
    }
    return Town(said=said, **(values | changes))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def wilson(count: int, n: int) -> tuple[float | None, float | None, float | None]:
    """The Wilson interval, from the formula."""
    if not n:
        return None, None, None
    p, z = count / n, 1.959964
    middle, spread = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return p, max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def _share(cell: list[Said], n: int) -> dict[str, Any]:
    share, low, high = wilson(len(cell), n)
    distinct = len({s.text for s in cell})
    return {
        "count": len(cell),
        "distinct_count": distinct,
        "n": n,
        "share": share,
        "share_low": low,
        "share_high": high,
    }


def _voices(cell: list[Said], n: int) -> dict[str, Any]:
    voices = len({(s.text, s.day) for s in cell})
    share, low, high = wilson(voices, n)
    return {
        "voices": voices,
        "voice_n": n,
        "voice_share": share,
        "voice_low": low,
        "voice_high": high,
    }


def _corrected(cell: list[Said], n: int, *, known: bool) -> dict[str, Any]:
    share, low, high = wilson(round(len(cell) * 0.93), n) if known else (None, None, None)
    return {"corrected_share": share, "corrected_low": low, "corrected_high": high}


def _sentiments(cell: list[Said]) -> dict[str, Any]:
    counts = Counter(s.sentiment for s in cell)
    share, low, high = wilson(counts["negative"], len(cell))
    return {s: counts[s] for s in SENTIMENTS} | {
        "negative_share": share,
        "negative_low": low,
        "negative_high": high,
    }
