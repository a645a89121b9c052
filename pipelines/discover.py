"""After the counts: the words, the topics, the alarms and the findings of a run, with evidence."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.schema import Lens, Taxonomy
from models.insight_tables import (
    InsightEvidence,
    InsightFinding,
    InsightTerm,
    InsightTopic,
    TopicCentroidRow,
)
from models.labels import EVERYTHING
from models.tables import Base
from nlp import terms as words
from nlp.topics import Topic, find_topics
from pipelines import findings as rules
from pipelines.alarm import Cell, Daily, alarms
from pipelines.classify import reading
from pipelines.counted import Counted, common_columns
from pipelines.coverage import coverage
from pipelines.evidence import choose, distinct
from pipelines.findings import Finding, Kind
from pipelines.lenses import seen_through
from pipelines.report.safe import shorten, web_link
from pipelines.sentences import sentence
from pipelines.shifts import shifts
from pipelines.store.read import places_frame
from pipelines.store.said import earlier_topics, said_frame
from pipelines.store.write import Store
from pipelines.watch import Voices, voices_of

Row = dict[str, Any]
Floats = NDArray[np.float64]


class Encoder(Protocol):
    """Gives texts vectors by which they can be compared: `nlp.classifier.Classifier`."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of raw texts, shape (texts, width), each of length 1."""

    def reads_whole(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Say of each raw text whether `embed` reads all of it, shape (texts,)."""


"""The encoder: vectors of length 1 for texts, shape (texts, width)."""

MOST_EMBEDDED = 20_000
"""Of a larger window the encoder reads so many distinct texts: those of the first ids, which are
hashes, so that the choice is as good as drawn. `insight_topic` says how many of how many. Of each
it reads the beginning, so that a window of long articles costs no more than one of posts."""
QUOTE_LENGTH = 280

_WRITTEN = (InsightTerm, InsightTopic, InsightFinding, InsightEvidence)
_TERMS = 20  # of a category
_RISING = 3.3  # z-score of a term that is new: one in two thousand by chance
_GROWN = 2.0
_LEAST_RECENT = 5  # voices of the last days


@dataclass(frozen=True)
class _Window:
    """What one run looks at: texts (with their vectors where embedded), voices, zones, days.

    ``rows`` are the places of the embedded texts among ``said``, ``read_whole`` says of each
    whether the encoder read all of it, and ``distinct`` counts the distinct texts, embedded or not.
    """

    subject: Counted
    taxonomy: Taxonomy
    lens: Lens | None
    said: pd.DataFrame
    heard: pd.DataFrame
    zones: pd.Series
    daily: Daily
    rows: list[int]
    distinct: int
    vectors: Floats
    read_whole: NDArray[np.bool_]

    @property
    def code(self) -> str:
        """The lens as the tables name it."""
        return self.lens.code if self.lens else EVERYTHING


def discover(store: Store, subject: Counted, taxonomy: Taxonomy, encoder: Encoder) -> int:
    """Write terms, topics, findings and evidence of a run; return how many findings it has.

    Each lens gets its own, among the texts that it shows; they are not in that number, for one
    asks for them by the lens. The same stored texts, ledger and earlier windows give the same rows.
    """
    voices = voices_of(store, subject)
    whole = _look(store, subject, taxonomy, encoder, voices)
    about = common_columns(
        subject, coverage(store.engine, subject.municipality, subject.window, subject.run_id)
    )
    tables: dict[type[Base], list[Row]] = {table: [] for table in (*_WRITTEN, TopicCentroidRow)}
    for window in (whole, *(_through(whole, voices, lens) for lens in subject.lenses)):
        for table, rows in _found(store, window).items():
            common = {} if table is TopicCentroidRow else about
            tables[table] += [{**common, "lens": window.code, **row} for row in rows]
    store.save_insights(subject.run_id, tables)
    return sum(row["lens"] == EVERYTHING for row in tables[InsightFinding])


def _found(store: Store, window: _Window) -> dict[type[Base], list[Row]]:
    """Return the rows of one lens, or of everything."""
    subject = window.subject
    earlier = earlier_topics(
        store.engine,
        subject.municipality.code,
        window.code,
        subject.window,
        subject.model_version,
    )
    topics = _topics(window, {name: vector for name, (vector, _) in earlier.items()})
    first_seen = {name: day for name, (_, day) in earlier.items()}
    topic_rows, centroid_rows, emerging = _topic_rows(window, topics, first_seen)
    told = rules.told(
        [
            *_relevant(window),
            *rules.changed(window.daily, subject.window, window.heard),
            *emerging,
            *_rising_terms(window),
            *_alerts(window),
        ]
    )
    found, evidence = _told_rows(window, told)
    return {
        InsightTerm: _term_rows(window),
        InsightTopic: topic_rows,
        InsightFinding: found,
        InsightEvidence: evidence,
        TopicCentroidRow: centroid_rows,
    }


def _relevant(window: _Window) -> list[Finding]:
    """Tell what leads and what angers; a lens that chose categories cannot find them."""
    heard, place = window.heard, window.subject.municipality
    if window.lens is None:
        return [
            *rules.leading(heard, place),
            *rules.angrier(heard, place),
            *rules.unexpected(heard, place, window.taxonomy),
        ]
    if window.lens.categories:
        return []
    return [*rules.leading(heard, place), *rules.angrier(heard, place)]


def _look(
    store: Store, subject: Counted, taxonomy: Taxonomy, encoder: Encoder, voices: Voices
) -> _Window:
    place = subject.municipality
    said = said_frame(
        store.engine,
        place.code,
        subject.window,
        subject.model_version,
        subject.taxonomy_version,
        subject.recipe.spectacles,
    )
    said["said_on"] = pd.to_datetime(said["said_on"]).dt.date
    said["reading"] = [
        reading(t, x) for t, x in zip(said["title"].fillna(""), said["text"], strict=True)
    ]
    found = places_frame(store.engine, place.code, subject.window, subject.recipe.gazetteer)
    zone_of = dict(zip(found["id"], found["zone"], strict=True))
    different = distinct(said["cluster"].tolist(), said["reading"].tolist())
    rows = different[:MOST_EMBEDDED]
    texts = said["reading"].iloc[rows].tolist()
    return _Window(
        subject,
        taxonomy,
        None,
        said,
        rules.voices(said),
        said["id"].map(zone_of),
        voices.daily(),
        rows,
        len(different),
        encoder.embed(texts),
        encoder.reads_whole(texts),
    )


def _through(whole: _Window, voices: Voices, lens: Lens) -> _Window:
    """Return what a lens shows; the vectors of its texts are those that were made of all."""
    said = seen_through(whole.said, lens)
    place_of = {at: place for place, at in enumerate(said.index)}
    kept = [number for number, at in enumerate(whole.rows) if at in place_of]
    return replace(
        whole,
        lens=lens,
        said=said,
        heard=rules.voices(said),
        zones=whole.zones[said.index],
        daily=voices.daily(lens),
        rows=[place_of[whole.rows[number]] for number in kept],
        distinct=len(distinct(said["cluster"].tolist(), said["reading"].tolist())),
        vectors=whole.vectors[kept],
        read_whole=whole.read_whole[kept],
    )


# --- terms -----------------------------------------------------------------------------------


def _term_rows(window: _Window) -> list[Row]:
    found = words.salient_terms(_countable(window.said, window.said["category"]), _TERMS)
    return [
        {
            "category": term.cell,
            "term": term.term,
            "count": term.count,
            "distinct_count": term.distinct,
            "voices": term.voices,
            "n": term.n,
            "log_odds": term.log_odds,
            "z": term.z,
            "example_id": term.example,
        }
        for terms in found.values()
        for term in terms
    ]


def _countable(said: pd.DataFrame, cells: pd.Series) -> list[words.Counted]:
    columns = (said["id"], said["reading"], cells, said["cluster"], said["author"], said["said_on"])
    return [
        words.Counted(id_, text, cell, cluster, author if isinstance(author, str) else None, day)
        for id_, text, cell, cluster, author, day in zip(*columns, strict=True)
    ]


def _rising_terms(window: _Window) -> list[Finding]:
    """Find the terms that the last days have and the days before hardly had."""
    last = rules.recent_days(window.subject.window)
    start = window.subject.window.end - timedelta(days=last)
    cells = window.said["said_on"].map(lambda day: "recent" if day >= start else "before")
    found = words.salient_terms(_countable(window.said, cells), _TERMS) if last else {}
    return [
        _rising(window, term, start)
        for term in found.get("recent", [])
        if term.z >= _RISING and term.voices >= _LEAST_RECENT
    ]


def _rising(window: _Window, term: words.Term, start: date) -> Finding:
    before = sum(
        term.term in text.lower()
        for text in window.heard.loc[window.heard["said_on"] < start, "reading"]
    )
    last = rules.recent_days(window.subject.window)
    statistic = {
        "term": term.term,
        "recent": term.voices,
        "before": before,
        "recent_days": last,
        "before_days": len(window.subject.window.days) - last,
        "z": term.z,
        "log_odds": term.log_odds,
    }
    return Finding(
        kind=Kind.EMERGING,
        rule="rising_term",
        subject=f"term:{term.term}"[:200],
        value=term.log_odds,
        low=None,
        high=None,
        n=term.n,
        q=None,
        statistic=statistic,
        ids=sorted(term.texts),
        weight=term.z,
    )


# --- topics ----------------------------------------------------------------------------------


def _topics(window: _Window, earlier: Mapping[str, Floats]) -> list[Topic]:
    texts = window.said.iloc[window.rows]
    return find_topics(texts["id"].tolist(), texts["reading"].tolist(), window.vectors, earlier)


def _topic_rows(
    window: _Window, topics: Sequence[Topic], first_seen: Mapping[str, date]
) -> tuple[list[Row], list[Row], list[Finding]]:
    members = [_members(window, topic) for topic in topics]
    read = int(window.said["cluster"].isin(set(window.said["cluster"].iloc[window.rows])).sum())
    heard = [rules.voices(frame.assign(category="")) for frame in members]
    grown = rules.growths(
        [frame["said_on"].tolist() for frame in heard],
        window.subject.window,
        window.heard["said_on"].tolist(),
    )
    rows, centroids, found = [], [], []
    for topic, frame, mine, growth in zip(topics, members, heard, grown, strict=True):
        start = min([*frame["said_on"], *([first_seen[topic.id]] if topic.known else [])])
        row = {
            "topic": topic.id,
            "terms": ", ".join(topic.terms),
            "category": _most(frame["category"]),
            "count": len(frame),
            "distinct_count": len(topic.members),
            "voices": len(mine),
            "negative": int(frame["sentiment"].eq("negative").sum()),
            "n": read,
            "texts_read": len(window.rows),
            "texts_distinct": window.distinct,
            "texts_cut": int((~window.read_whole).sum()),
            "first_seen": start,
            "known": topic.known if first_seen else None,
            "recent": growth.recent,
            "growth": growth.factor,
            "growth_q": growth.q,
            "examples": [window.said["id"].iloc[window.rows[at]] for at in topic.members[:3]],
        }
        rows.append(row)
        centroids.append(_centroid(window, topic, start))
        found += _emerging(window, row, growth, frame["id"].tolist())
    return rows, centroids, found


def _members(window: _Window, topic: Topic) -> pd.DataFrame:
    """Return a topic's texts with all of their copies."""
    clusters = window.said["cluster"].iloc[[window.rows[at] for at in topic.members]]
    return window.said[window.said["cluster"].isin(set(clusters))]


def _most(labels: pd.Series) -> str:
    counts: Counter[str] = Counter(labels.tolist())
    return min(counts, key=lambda label: (-counts[label], label))


def _centroid(window: _Window, topic: Topic, first_seen: date) -> Row:
    subject = window.subject
    return {
        "run_id": subject.run_id,
        "topic": topic.id,
        "municipality": subject.municipality.code,
        "window_from": subject.window.start,
        "model_version": subject.model_version,
        "first_seen": first_seen,
        "vector": topic.centroid.astype("<f4").tobytes(),
    }


def _emerging(window: _Window, row: Row, growth: rules.Growth, ids: Sequence[str]) -> list[Finding]:
    """Tell a topic that grows beyond chance, or that the window before did not have."""
    last = rules.recent_days(window.subject.window)
    grows = growth.q is not None and growth.q <= rules.SURE and growth.factor >= _GROWN
    if not (grows or row["known"] is False) or not row["terms"]:
        return []
    if grows and growth.recent < _LEAST_RECENT:
        return []
    everything = rules.growths(
        [window.heard["said_on"].tolist()], window.subject.window, window.heard["said_on"].tolist()
    )
    statistic = {
        "topic": row["topic"],
        "terms": row["terms"],
        "voices": row["voices"],
        "recent": growth.recent,
        "before": growth.before,
        "recent_days": last,
        "before_days": len(window.subject.window.days) - last,
        "growth": growth.factor,
        "usual_growth": everything[0].factor,
        "day": row["first_seen"].isoformat(),
    }
    return [
        Finding(
            kind=Kind.EMERGING,
            rule="growing_topic" if grows else "new_topic",
            subject=f"topic:{row['topic']}",
            value=growth.factor,
            low=None,
            high=None,
            n=row["voices"],
            q=growth.q,
            statistic=statistic,
            ids=ids,
            weight=growth.factor if grows else row["voices"] / len(window.heard),
        )
    ]


# --- alerts, sentences and evidence ----------------------------------------------------------


def _alerts(window: _Window) -> list[Finding]:
    days = window.subject.window.days
    raised = alarms(window.daily, days)
    return [
        *rules.alerted(raised, window.daily, window.said, window.zones),
        *rules.moved(shifts(_broad(window.daily), days), window.said, window.zones),
    ]


def _broad(daily: Daily) -> Daily:
    """Leave out the pairs of category and zone: too little is said of most to have a level."""
    keep = [at for at, cell in enumerate(daily.cells) if "+" not in cell.dimension]
    cells: tuple[Cell, ...] = tuple(daily.cells[at] for at in keep)
    return Daily(
        cells, daily.days, daily.sources, daily.voices[keep], daily.negative[keep], daily.read
    )


def _told_rows(window: _Window, told: Sequence[Finding]) -> tuple[list[Row], list[Row]]:
    place, taxonomy = window.subject.municipality, window.taxonomy
    found, evidence = [], []
    for number, finding in enumerate(told, 1):
        found.append(
            {
                "number": number,
                "kind": finding.kind,
                "rule": finding.rule,
                "subject": finding.subject,
                "sentence_es": sentence(finding, "es", place, taxonomy, window.lens),
                "sentence_en": sentence(finding, "en", place, taxonomy, window.lens),
                "value": finding.value,
                "low": finding.low,
                "high": finding.high,
                "n": finding.n,
                "q": finding.q,
                "statistic": dict(finding.statistic),
            }
        )
        evidence += _evidence(window, number, finding)
    return found, evidence


def _evidence(window: _Window, number: int, finding: Finding) -> list[Row]:
    """Choose what to quote: of copies one, and nothing that its source has taken back."""
    vector_of = dict(zip(window.said["cluster"].iloc[window.rows], window.vectors, strict=True))
    about = window.said[window.said["id"].isin(set(finding.ids)) & window.said["gone_at"].isna()]
    texts = about[about["cluster"].isin(set(vector_of))].drop_duplicates("cluster")
    vectors = np.array([vector_of[cluster] for cluster in texts["cluster"]])
    rows = []
    for position, chosen in enumerate(choose(vectors), 1):
        said = texts.iloc[chosen.row]
        rows.append(
            {
                "number": number,
                "position": position,
                "manifestation_id": said["id"],
                "role": chosen.role,
                "source": said["source"],
                "said_on": said["said_on"],
                "quote": shorten(said["reading"], QUOTE_LENGTH),
                "url": web_link(said["url"] if isinstance(said["url"], str) else None),
            }
        )
    return rows
