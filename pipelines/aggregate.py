"""Count a window's classified manifestations into the insight tables.

Every share carries its denominator and its Wilson 95 % interval (Wilson, E. B., 1927, «Probable
inference, the law of succession, and statistical inference», JASA 22), and where the classifier's
errors are known, a twin corrected for them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from configs.schema import Lens, Municipality
from models.insight_tables import (
    InsightCategory,
    InsightChange,
    InsightDay,
    InsightIntent,
    InsightOverview,
    InsightPlace,
    InsightSeries,
    InsightSource,
)
from models.labels import CATEGORIES, CERTAINTIES, EVERYTHING, INTENTS, SENTIMENTS
from models.records import Kind, State
from models.tables import Base
from nlp.language import HOME
from nlp.quantify import Confusion, correct_shares
from pipelines.cells import Cells
from pipelines.change import PREVIOUS
from pipelines.compare import compared, earlier_window
from pipelines.counted import Counted, Row, common_columns
from pipelines.coverage import Coverage, coverage
from pipelines.facts import Recipe, frame, through, up_to_date
from pipelines.proportions import interval_columns
from pipelines.series import NEGATIVE_SHARE, SHARE, Counting, joined
from pipelines.store.bulk import Batch
from pipelines.store.read import rejection_counts
from pipelines.store.write import Store


@dataclass(frozen=True)
class _View:
    """What is counted together: the texts of the house's language, and the foreign ones."""

    lens: str

    facts: pd.DataFrame
    foreign: pd.DataFrame
    read: Coverage
    rejections: pd.DataFrame
    gazetteer: str
    confusions: Mapping[str, Confusion]
    municipality: Municipality

    @cached_property
    def counting(self) -> Counting:
        """What is counted of the facts."""
        return Counting(self.facts, self.read)

    @cached_property
    def corrected(self) -> Mapping[str, Mapping[str, Row]]:
        """The corrected shares by task and label, of the tasks whose errors are known."""
        return {
            task: _corrected(self.counts(task), labels, self.confusions.get(task))
            for task, labels in _TASKS.items()
        }

    def counts(self, column: str) -> dict[str, Row]:
        """Count the window by a column's labels; those that nothing has are not there."""
        return _counts(self.counting, column)


def aggregate(store: Store, subject: Counted, confusions: Mapping[str, Confusion]) -> int:
    """Count the window, write the insight rows of the run, and return how many it holds.

    Only what changed since it was last counted is read again; the rows are the same as if all
    of it were. Texts in another language are counted by language, and are in no other count or
    denominator.

    Args:
        store: where the classifications are and the insight rows go.
        subject: run, municipality, window and versions.
        confusions: by task (category, sentiment, intent), the classifier's errors on labelled
            texts; a task without one gets no corrected shares.
    """
    window, recipe = subject.window, subject.recipe
    parts = up_to_date(store, recipe, window)
    read = coverage(store.engine, subject.municipality, window, subject.run_id)
    rejections = rejection_counts(store.engine, subject.run_id)
    everything = _View(
        EVERYTHING,
        frame(parts, recipe, window),
        frame(parts, recipe, window, foreign=True),
        read,
        rejections,
        recipe.gazetteer,
        confusions,
        subject.municipality,
    )
    views = [everything, *(_through(everything, recipe, lens) for lens in subject.lenses)]
    about = common_columns(subject, read)
    series = _series(views)  # before the tables: what they need is counted with it, side by side
    rows = {
        table: _with_shares(
            [{**about, "lens": view.lens, **row} for view in views for row in count(view)]
        )
        for table, count in TABLES.items()
    }
    rows[InsightChange] = compared(
        store, subject, everything.facts, read, earlier_window(window), PREVIOUS
    )
    tables = {table: Batch.of(those) for table, those in rows.items()}
    tables[InsightSeries] = Batch(about, series)
    store.save_insights(subject.run_id, tables, parts)
    return sum(part.rows for part in parts)


def _through(view: _View, recipe: Recipe, lens: Lens) -> _View:
    """Return what a lens shows; labels that it chose by are not corrected for errors in them."""
    return replace(
        view,
        lens=lens.code,
        facts=through(view.facts, recipe, lens),
        foreign=through(view.foreign, recipe, lens),
        confusions={} if lens.categories else view.confusions,
    )


def _overview(view: _View) -> list[Row]:
    everything = {"total": _cell(view.counting.cells((), "window"), 0, 0)}
    return [
        *_measure(view, "total", everything, ("total",)),
        *(
            row
            for column, known in _MEASURES.items()
            for row in _measure(view, column, view.counts(column), known)
        ),
        *_languages(view),
    ]


def _languages(view: _View) -> list[Row]:
    """Count the texts in any language: the only rows whose ``n`` holds the foreign ones."""
    foreign = _counts(Counting(view.foreign, view.read), "language")
    counts = view.counts("language") | foreign
    n = len(view.facts) + len(view.foreign)
    return [
        {
            "measure": "language",
            "label": label,
            **_share(counts.get(label), n),
            **_NONE,
        }
        for label in (*HOME, *sorted(foreign))
    ]


def _measure(
    view: _View, measure: str, counts: Mapping[str, Row], known: tuple[str, ...]
) -> list[Row]:
    corrected = view.corrected.get(measure, {})
    return [
        {
            "measure": measure,
            "label": label,
            **_share(counts.get(label), len(view.facts)),
            **corrected.get(label, _NONE),
        }
        for label in known
    ]


def _categories(view: _View) -> list[Row]:
    return _labelled(view, "category", CATEGORIES)


def _intents(view: _View) -> list[Row]:
    return _labelled(view, "intent", INTENTS)


def _labelled(view: _View, task: str, known: tuple[str, ...]) -> list[Row]:
    counts = view.counts(task)
    unsure = dict(zip(known, view.counting.where(task, "abstained").tolist(), strict=True))
    corrected = view.corrected[task]
    return [
        {
            task: label,
            "unsure": unsure[label],
            **_share(counts.get(label), len(view.facts)),
            **corrected[label],
            **_sentiments(counts.get(label)),
        }
        for label in known
    ]


def _days(view: _View) -> list[Row]:
    cells = view.counting.cells((), "day")
    complete = view.read.complete_days
    return [
        {
            "day": day,
            "complete": day in complete,
            **_share(cell := _cell(cells, place, 0), len(view.facts)),
            **_sentiments(cell),
        }
        for place, day in enumerate(view.read.window.days)
    ]


def _sources(view: _View) -> list[Row]:
    read = view.read
    counts = view.counts("source")
    voices = sum(cell["voices"] for cell in counts.values())
    refused = view.rejections.groupby(["source", "ignored"])["count"].sum().to_dict()
    rows = []
    for source in [*read.sources, *sorted(set(counts) - set(read.sources))]:
        known = read.sources.get(source)
        cell = counts.get(source)
        rows.append(
            {
                "source": source,
                "state": known.state if known else State.UNREAD,
                "reason": known.reason if known else None,
                "ignored": int(refused.get((source, True), 0)),
                "rejected": int(refused.get((source, False), 0)),
                **_share(cell, len(view.facts)),
                **_sentiments(cell),
                "voice_n": voices,
            }
        )
    return rows


def _places(view: _View) -> list[Row]:
    counts = view.counts("zone")
    inherited = view.counting.where("zone", "inherited").tolist()
    return [
        {
            "zone": zone,
            "gazetteer": view.gazetteer,
            "inherited": inherited[place],
            **_share(counts.get(zone), len(view.facts)),
            **_sentiments(counts.get(zone)),
        }
        for place, zone in enumerate(view.counting.labels("zone"))
    ]


def _series(views: Sequence[_View]) -> dict[str, list[Any]]:
    """Return the columns of `insight_series`, less those that are the same in all rows."""
    blocks = []
    for view in views:
        block = view.counting.series(sparse=view.lens != EVERYTHING)
        blocks.append({"lens": [view.lens] * len(block["grain"]), **block})
    return joined(blocks)


TABLES: Mapping[type[Base], Callable[[_View], list[Row]]] = {
    InsightOverview: _overview,
    InsightCategory: _categories,
    InsightIntent: _intents,
    InsightDay: _days,
    InsightSource: _sources,
    InsightPlace: _places,
}
"""How each table is counted, but for the series: that has too many rows to be told one by one."""


def _counts(counting: Counting, column: str) -> dict[str, Row]:
    """Count the whole window by label: the counts of each that something has."""
    cells = counting.cells((column,), "window")
    return {
        label: _cell(cells, 0, place)
        for place, label in enumerate(counting.labels(column))
        if cells.count[0, place]
    }


def _cell(cells: Cells, period: int, place: int) -> Row:
    at = period, place
    sentiments = zip(SENTIMENTS, cells.sentiments[at].tolist(), strict=True)
    return {name: int(getattr(cells, name)[at]) for name in _COUNTS} | dict(sentiments)


_TASKS = {"category": CATEGORIES, "sentiment": SENTIMENTS, "intent": INTENTS}
_MEASURES: Mapping[str, tuple[str, ...]] = {
    "sentiment": SENTIMENTS,
    "intent": INTENTS,
    "kind": tuple(Kind),
    "certainty": CERTAINTIES,
}
_COUNTS = ("count", "distinct_count", "voices", "anonymous", "authors")
_SHARES = (
    (SHARE, "count", "n"),
    (NEGATIVE_SHARE, "negative", "count"),
    (("voice_share", "voice_low", "voice_high"), "voices", "voice_n"),
)
_NONE: Row = dict.fromkeys(("corrected_share", "corrected_low", "corrected_high"))


def _share(cell: Row | None, n: int) -> Row:
    counts = {name: cell[name] if cell else 0 for name in _COUNTS}
    return {**counts, "n": n}


def _sentiments(cell: Row | None) -> Row:
    return {name: cell[name] if cell else 0 for name in SENTIMENTS}


def _with_shares(rows: list[Row]) -> list[Row]:
    """Add the shares that can be told of a table's rows: one after the other takes too long."""
    columns: dict[str, list[float | None]] = {}
    for names, counted, of in _SHARES:
        if rows and {counted, of} <= rows[0].keys():
            counts, n = ([row[name] for row in rows] for name in (counted, of))
            columns |= interval_columns(names, counts, n)
    shares = zip(*columns.values(), strict=True)
    return [
        row | dict(zip(columns, one, strict=True)) for row, one in zip(rows, shares, strict=True)
    ]


def _corrected(
    counts: Mapping[str, Row], known: tuple[str, ...], confusion: Confusion | None
) -> dict[str, Row]:
    if confusion is None or not counts:
        return dict.fromkeys(known, _NONE)
    shares = correct_shares(
        {label: cell["count"] for label, cell in counts.items()}, confusion, known
    )
    return {
        label: {
            "corrected_share": share.share,
            "corrected_low": share.low,
            "corrected_high": share.high,
        }
        for label, share in shares.items()
    }
