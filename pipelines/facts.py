"""Make partitions ready for counting: every manifestation as one small record.

Only partitions that have changed are read from the database again; the records of the others are
kept. They hold no text and no pseudonym: copies and authors are told apart by 64-bit hashes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, Engine

from configs.schema import Lens, Municipality
from models.labels import CATEGORIES, CERTAINTIES, INTENTS, NOWHERE, SENTIMENTS
from models.records import Kind, Window
from nlp.language import HOME
from nlp.lenses import identifier as lens_identifier
from nlp.places import named_by
from pipelines.store.engine import sweeping
from pipelines.store.partitions import (
    Facts,
    Key,
    save_facts,
    saved_facts,
    saved_versions,
    versions,
)
from pipelines.store.read import Countable, corrections_of, countable
from pipelines.store.write import Store

_FORMAT = "1"  # raise it with every change of the record: facts are then made again
_RECORD = np.dtype(
    [
        ("cluster", "<u8"),
        ("author", "<u8"),
        ("category", "u1"),
        ("sentiment", "u1"),
        ("intent", "u1"),
        ("kind", "u1"),
        ("zone", "<i2"),
        ("language", "S3"),
        ("abstained", "?"),
        ("inherited", "?"),
        ("lenses", "<u4"),
    ]
)
_LABELS: Mapping[str, Sequence[str]] = {
    "category": CATEGORIES,
    "sentiment": SENTIMENTS,
    "intent": INTENTS,
    "kind": tuple(Kind),
}
_UNKNOWN = bytes(8)
_DAY = timedelta(days=1)
_THREADS = 2  # SQLite joins outside Python's lock
_ROUNDS = 2  # a crawl that never ends shall not keep anybody from counting

Corrections = Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """By what a text is labelled: facts made by another recipe are of no use."""

    municipality: Municipality
    model_version: str
    taxonomy_version: str
    lenses: tuple[Lens, ...] = ()

    @property
    def gazetteer(self) -> str:
        """The zones and rules that place the texts."""
        return named_by(self.municipality)

    @property
    def spectacles(self) -> str:
        """The lenses through which texts are seen."""
        return lens_identifier(self.lenses)

    @property
    def digest(self) -> str:
        """What names this recipe."""
        parts = (
            _FORMAT,
            self.model_version,
            self.taxonomy_version,
            self.gazetteer,
            self.spectacles,
        )
        return blake2b("\x1f".join(parts).encode(), digest_size=32).hexdigest()


def up_to_date(store: Store, recipe: Recipe, window: Window) -> list[Facts]:
    """Return the facts of every partition of the window, by day and source.

    Those that changed since they were made are made again. So are those that changed meanwhile: a
    thread reads its days as they were at its first, and what was purged since must not be kept.
    """
    engine, code = store.engine, recipe.municipality.code
    for _ in range(_ROUNDS):
        wanted = versions(engine, code, window)
        kept = saved_versions(engine, code, window, recipe.digest)
        stale = {key: version for key, version in wanted.items() if kept.get(key) != version}
        if not stale:
            break
        _make_again(engine, recipe, stale)
    return [facts for facts in saved_facts(engine, code, window, recipe.digest) if facts.rows]


def _make_again(engine: Engine, recipe: Recipe, stale: Mapping[Key, int]) -> None:
    """Make and keep the facts of stale partitions: each of two threads, every second local day."""
    days: dict[date, dict[str, int]] = defaultdict(dict)
    for (source, day), version in stale.items():
        days[day][source] = version
    every = sorted(days.items())
    with ThreadPoolExecutor(_THREADS) as pool:
        shares = [every[place::_THREADS] for place in range(_THREADS)]
        list(pool.map(partial(_make_days, engine, recipe), shares))


def _make_days(
    engine: Engine, recipe: Recipe, days: Iterable[tuple[date, Mapping[str, int]]]
) -> None:
    code = recipe.municipality.code
    with sweeping(engine) as connection:
        for day, wanted in days:
            save_facts(engine, code, _make(connection, recipe, day, wanted))


def _make(
    connection: Connection, recipe: Recipe, day: date, wanted: Mapping[str, int]
) -> list[Facts]:
    code, sources = recipe.municipality.code, list(wanted)
    versions = recipe.model_version, recipe.taxonomy_version, recipe.gazetteer, recipe.spectacles
    rows = countable(connection, code, day, sources, versions)
    corrections = corrections_of(connection, code, day, sources)
    return [
        _facts((source, day), version, recipe, rows.get(source, []), corrections)
        for source, version in wanted.items()
    ]


def _facts(
    key: Key,
    version: int,
    recipe: Recipe,
    rows: Sequence[Countable],
    corrections: Corrections,
) -> Facts:
    given = {
        text: corrections[text] for row in rows if (text := (row.id, row.text_hash)) in corrections
    }
    if given:
        rows = [_corrected(row, given.get((row.id, row.text_hash))) for row in rows]
    records = _records(rows, recipe).tobytes()
    return Facts(
        source=key[0],
        day=key[1],
        recipe=recipe.digest,
        version=version,
        rows=len(rows),
        texts=_digest(f"{row.id} {row.text_hash}" for row in rows),
        corrections=_digest(f"{text} {sorted(one.items())}" for text, one in given.items()),
        labels=blake2b(records, digest_size=8).hexdigest(),
        facts=records,
    )


def _corrected(row: Countable, labels: Mapping[str, str] | None) -> Countable:
    """Put a person's labels in place of the model's; whom a person has read is not unsure."""
    if not labels:
        return row
    return row._replace(
        category=labels.get("category", row.category),
        sentiment=labels.get("sentiment", row.sentiment),
        intent=labels.get("intent", row.intent),
        abstained="" if "category" in labels else row.abstained,
    )


def _records(rows: Sequence[Countable], recipe: Recipe) -> npt.NDArray[np.void]:
    records = np.zeros(len(rows), _RECORD)
    if not rows:
        return records
    columns = dict(zip(Countable._fields, zip(*rows, strict=True), strict=True))
    for name, labels in _LABELS.items():
        codes = {str(label): code for code, label in enumerate(labels)}
        records[name] = [codes[label] for label in columns[name]]
    zones = {zone.code: place for place, zone in enumerate(recipe.municipality.zones)}
    records["zone"] = [zones.get(zone, -1) for zone in columns["zone"]]
    bits = {lens.code: 1 << place for place, lens in enumerate(recipe.lenses)}
    records["lenses"] = [sum(bits[code] for code in codes.split()) for codes in columns["lenses"]]
    records["language"] = [language.encode() for language in columns["language"]]
    for name in ("abstained", "inherited"):
        records[name] = np.array(columns[name]) != ""
    records["cluster"] = _hashes(columns["cluster"])
    records["author"] = _hashes(columns["author"])
    return records


def _hashes(values: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return 64-bit hashes, 0 for nothing."""
    hashed = (blake2b(v.encode(), digest_size=8).digest() if v else _UNKNOWN for v in values)
    return np.frombuffer(b"".join(hashed), "<u8")


def _digest(items: Iterable[str]) -> str:
    return blake2b("\n".join(items).encode(), digest_size=8).hexdigest()


def frame(
    parts: Sequence[Facts], recipe: Recipe, window: Window, *, foreign: bool = False
) -> pd.DataFrame:
    """Return one row per manifestation in the house's language, or per foreign one.

    Columns: day (number of days since the window's first), source, category, sentiment, intent,
    kind, zone, language, certainty (categorical), abstained, inherited, lenses, cluster, author.
    Bit i of ``lenses`` says that the recipe's lens i has words of the text. ``cluster`` and
    ``author`` are hashes; that of an unknown author is 0.
    """
    everything = np.frombuffer(b"".join(part.facts for part in parts), _RECORD)
    spoken, languages = pd.factorize(everything["language"].astype("S4").view("<u4"))  # as numbers
    names = [one.decode() for one in languages.view("S4")]
    wanted = np.flatnonzero(np.array([(one not in HOME) == foreign for one in names], bool)[spoken])
    records, part = everything[wanted], np.repeat(np.arange(len(parts)), [p.rows for p in parts])
    municipality = recipe.municipality
    configured = [source.name for source in municipality.crawled]
    sources = list(dict.fromkeys([*configured, *sorted({part.source for part in parts})]))
    places = [*(zone.code for zone in municipality.zones), NOWHERE]
    part = part[wanted]
    day = np.array([(p.day - window.start) // _DAY for p in parts], np.int64)
    source = np.array([sources.index(p.source) for p in parts], np.int16)
    labelled = {
        name: categorical(records[name], [str(one) for one in labels])
        for name, labels in _LABELS.items()
    }
    return pd.DataFrame(
        {
            "day": day[part],
            "source": categorical(source[part], sources),
            **labelled,
            "zone": categorical(records["zone"] % len(places), places),
            "language": categorical(spoken[wanted], names),
            "certainty": categorical(records["abstained"].astype(np.int8), CERTAINTIES),
            "abstained": records["abstained"],
            "inherited": records["inherited"],
            "lenses": records["lenses"],
            "cluster": records["cluster"],
            "author": records["author"],
        }
    )


def through(facts: pd.DataFrame, recipe: Recipe, lens: Lens) -> pd.DataFrame:
    """Return the facts that a lens shows."""
    seen = (facts["lenses"].to_numpy() & (1 << recipe.lenses.index(lens))) > 0
    if lens.categories:
        seen &= facts["category"].isin(lens.categories).to_numpy()
    return facts.loc[seen]


def categorical(codes: npt.NDArray[Any], labels: Sequence[str]) -> "pd.Categorical[str]":
    """Return labels by their numbers."""
    return pd.Categorical.from_codes(codes, pd.Index(list(labels)))
