"""Count a window's classified manifestations into the insight tables.

Every share carries its denominator and its Wilson 95 % interval (Wilson, E. B., 1927, «Probable
inference, the law of succession, and statistical inference», JASA 22), and where the classifier's
errors are known, a twin corrected for them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from configs.schema import Lens, Municipality
from models.labels import CATEGORIES, EVERYTHING, INTENTS, NOWHERE, SENTIMENTS
from models.records import Kind, State, Window
from models.tables import (
    Base,
    InsightCategory,
    InsightChange,
    InsightDay,
    InsightIntent,
    InsightOverview,
    InsightPlace,
    InsightSeries,
    InsightSource,
)
from nlp.language import HOME
from nlp.quantify import Confusion, correct_shares
from pipelines.cells import Cells, Tally
from pipelines.change import PREVIOUS
from pipelines.compare import compared, earlier_window
from pipelines.counted import Counted, Row, common_columns
from pipelines.coverage import Coverage, coverage
from pipelines.facts import Recipe, categorical, frame, through, up_to_date
from pipelines.proportions import wilson
from pipelines.series import series, whole_window
from pipelines.store.read import rejection_counts
from pipelines.store.write import Store


@dataclass(frozen=True)
class _View:
    """What is counted together: the texts of the house's language, and all of them."""

    lens: str

    facts: pd.DataFrame
    spoken: pd.DataFrame
    read: Coverage
    rejections: pd.DataFrame
    gazetteer: str
    confusions: Mapping[str, Confusion]
    municipality: Municipality

    @cached_property
    def corrected(self) -> Mapping[str, Mapping[str, Row]]:
        """The corrected shares by task and label, of the tasks whose errors are known."""
        return {
            task: _corrected(self.counts(self.facts[task]), labels, self.confusions.get(task))
            for task, labels in _TASKS.items()
        }

    def counts(self, labels: pd.Series) -> dict[str, Row]:
        """Count the window by label; labels that nothing has are not there."""
        return _counts(self.facts, labels, self.read.window)


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
    spoken = frame(parts, recipe, window)
    read = coverage(store.engine, subject.municipality, window, subject.run_id)
    rejections = rejection_counts(store.engine, subject.run_id)
    everything = _View(
        EVERYTHING,
        spoken[spoken["language"].isin(HOME)],
        spoken,
        read,
        rejections,
        recipe.gazetteer,
        confusions,
        subject.municipality,
    )
    views = [everything, *(_through(everything, recipe, lens) for lens in subject.lenses)]
    about = common_columns(subject, read)
    tables: dict[type[Base], list[Row]] = {
        table: [{**about, "lens": view.lens, **row} for view in views for row in count(view)]
        for table, count in TABLES.items()
    }
    tables[InsightChange] = compared(store, subject, spoken, read, earlier_window(window), PREVIOUS)
    store.save_insights(subject.run_id, tables, parts)
    return len(spoken)


def _through(view: _View, recipe: Recipe, lens: Lens) -> _View:
    """Return what a lens shows; labels that it chose by are not corrected for errors in them."""
    return replace(
        view,
        lens=lens.code,
        facts=through(view.facts, recipe, lens),
        spoken=through(view.spoken, recipe, lens),
        confusions={} if lens.categories else view.confusions,
    )


def _overview(view: _View) -> list[Row]:
    facts = view.facts
    total = pd.Series("total", index=facts.index, dtype="category")
    certainty = pd.Series(np.where(facts["abstained"], "unsure", "sure"), index=facts.index)
    return [
        *_measure(view, "total", total, ("total",)),
        *_measure(view, "sentiment", facts["sentiment"], SENTIMENTS),
        *_measure(view, "intent", facts["intent"], INTENTS),
        *_measure(view, "kind", facts["kind"], tuple(Kind)),
        *_measure(view, "certainty", certainty.astype("category"), ("sure", "unsure")),
        *_languages(view),
    ]


def _languages(view: _View) -> list[Row]:
    """Count the texts in any language: the only rows whose ``n`` holds the foreign ones."""
    spoken = view.spoken
    counts = _counts(spoken, spoken["language"], view.read.window)
    foreign = sorted(set(counts) - set(HOME))
    return [
        {"measure": "language", "label": label, **_share(counts.get(label), len(spoken)), **_NONE}
        for label in (*HOME, *foreign)
    ]


def _measure(view: _View, measure: str, labels: pd.Series, known: tuple[str, ...]) -> list[Row]:
    counts = view.counts(labels)
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
    counts = view.counts(view.facts[task])
    corrected = view.corrected[task]
    return [
        {
            task: label,
            "unsure": counts.get(label, {}).get("abstained", 0),
            **_share(counts.get(label), len(view.facts)),
            **corrected[label],
            **_sentiments(counts.get(label)),
        }
        for label in known
    ]


def _days(view: _View) -> list[Row]:
    read = view.read
    codes = view.facts["day"]
    names = [str(day) for day in read.window.days]
    counts = view.counts(pd.Series(categorical(codes.to_numpy(), names), index=codes.index))
    return [
        {
            "day": day,
            "complete": day in read.complete_days,
            **_share(counts.get(str(day)), len(view.facts)),
            **_sentiments(counts.get(str(day))),
        }
        for day in read.window.days
    ]


def _sources(view: _View) -> list[Row]:
    read, rejections = view.read, view.rejections
    counts = view.counts(view.facts["source"])
    voices = sum(cell["voices"] for cell in counts.values())
    rows = []
    for source in [*read.sources, *sorted(set(counts) - set(read.sources))]:
        mine = rejections[rejections["source"] == source]
        known = read.sources.get(source)
        cell = counts.get(source)
        share, low, high = wilson(cell["voices"] if cell else 0, voices)
        rows.append(
            {
                "source": source,
                "state": known.state if known else State.UNREAD,
                "reason": known.reason if known else None,
                "ignored": int(mine.loc[mine["ignored"], "count"].sum()),
                "rejected": int(mine.loc[~mine["ignored"], "count"].sum()),
                **_share(cell, len(view.facts)),
                **_sentiments(cell),
                "voice_n": voices,
                "voice_share": share,
                "voice_low": low,
                "voice_high": high,
            }
        )
    return rows


def _places(view: _View) -> list[Row]:
    counts = view.counts(view.facts["zone"])
    return [
        {
            "zone": zone,
            "gazetteer": view.gazetteer,
            "inherited": counts.get(zone, {}).get("inherited", 0),
            **_share(counts.get(zone), len(view.facts)),
            **_sentiments(counts.get(zone)),
        }
        for zone in [*(zone.code for zone in view.municipality.zones), NOWHERE]
    ]


def _series(view: _View) -> list[Row]:
    return series(view.facts, view.read, sparse=view.lens != EVERYTHING)


TABLES: Mapping[type[Base], Callable[[_View], list[Row]]] = {
    InsightOverview: _overview,
    InsightCategory: _categories,
    InsightIntent: _intents,
    InsightDay: _days,
    InsightSource: _sources,
    InsightPlace: _places,
    InsightSeries: _series,
}
"""How each table is counted."""


def _counts(facts: pd.DataFrame, labels: pd.Series, window: Window) -> dict[str, Row]:
    """Count the whole window by label: the counts of each that something has."""
    known = list(labels.cat.categories)
    tally = Tally(facts, labels.cat.codes.to_numpy().astype(np.int64), len(known), len(window.days))
    cells = tally.by(whole_window(window))
    extra = {name: tally.where(name) for name in ("abstained", "inherited")}
    return {
        label: _cell(cells, place) | {name: int(of[place]) for name, of in extra.items()}
        for place, label in enumerate(known)
        if cells.count[0, place]
    }


def _cell(cells: Cells, place: int) -> Row:
    sentiments = cells.sentiments[0, place]
    return {
        "count": int(cells.count[0, place]),
        "distinct_count": int(cells.distinct[0, place]),
        "voices": int(cells.voices[0, place]),
        "anonymous": int(cells.anonymous[0, place]),
        "authors": int(cells.authors[0, place]),
        **{name: int(count) for name, count in zip(SENTIMENTS, sentiments, strict=True)},
    }


_TASKS = {"category": CATEGORIES, "sentiment": SENTIMENTS, "intent": INTENTS}
_COUNTS = ("count", "distinct_count", "voices", "anonymous", "authors")
_NONE: Row = dict.fromkeys(("corrected_share", "corrected_low", "corrected_high"))


def _share(cell: Row | None, n: int) -> Row:
    counts = {name: cell[name] if cell else 0 for name in _COUNTS}
    share, low, high = wilson(counts["count"], n)
    return {**counts, "n": n, "share": share, "share_low": low, "share_high": high}


def _sentiments(cell: Row | None) -> Row:
    counts = {name: cell[name] if cell else 0 for name in SENTIMENTS}
    share, low, high = wilson(counts["negative"], cell["count"] if cell else 0)
    return {**counts, "negative_share": share, "negative_low": low, "negative_high": high}


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
