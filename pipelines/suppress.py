"""Hide small cells in what leaves the house.

A cell of fewer than k authors could point at somebody: its figures are emptied and the row is
marked. Who knows a whole and its other parts could subtract; so of every whole either no part is
hidden or at least two, that together hold k authors. Not searched for is what could be pieced
together from several tables, several runs, or a lens beside everything.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

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
from models.labels import SENTIMENTS
from models.tables import Base

SUPPRESSED = "suppressed"
"""The column that is added: why figures are missing; empty where none is."""

SMALL, COMPLEMENT, SENTIMENT = "small", "complement", "sentiments"

_SENTIMENTS = (*SENTIMENTS, "negative_share", "negative_low", "negative_high")
_FIGURES = (
    *("count", "distinct_count", "voices", "anonymous", "authors", "unsure", "inherited"),
    *("share", "share_low", "share_high", "voice_share", "voice_low", "voice_high"),
    *("corrected_share", "corrected_low", "corrected_high"),
    *("before_count", "before_share", "difference", "difference_low", "difference_high"),
    *("p_value", "q_value"),
    *_SENTIMENTS,
)
_CELL = ("dimension", "value", "second_dimension", "second_value")
_WHOLES: Mapping[type[Base], tuple[tuple[str, ...], ...]] = {
    InsightOverview: (("measure",),),
    InsightCategory: ((),),
    InsightIntent: ((),),
    InsightDay: ((),),
    InsightSource: ((),),
    InsightPlace: ((),),
    InsightSeries: (
        ("grain", "period", "dimension", "second_dimension", "value"),
        ("grain", "period", "dimension", "second_dimension", "second_value"),
        ("grain", *_CELL),
    ),
    InsightChange: (
        ("baseline", "dimension", "second_dimension", "value"),
        ("baseline", "dimension", "second_dimension", "second_value"),
    ),
}
"""Of each table, by which columns its rows are the parts of one whole."""


def suppress(frame: pd.DataFrame, table: type[Base], k: int) -> pd.DataFrame:
    """Return the rows of an insight table with small cells emptied, and a column that says so.

    A table without counts of people is returned with that column empty.

    Args:
        frame: rows of one run.
        table: the insight table that they are of.
        k: the fewest authors that a cell may be shown with; 1 hides nothing.
    """
    found = frame.copy()
    why = np.full(len(frame), "", dtype=object)
    if table in _WHOLES and len(frame):
        people = _people(frame)
        small = (people > 0) & (people < k)
        hidden = _with_complements(frame, table, people, small, k)
        why[_few_sentiments(frame, k)] = SENTIMENT
        why[hidden] = COMPLEMENT
        why[small] = SMALL
        _empty(found, hidden, _FIGURES)
        _empty(found, why == SENTIMENT, _SENTIMENTS)
    found[SUPPRESSED] = why
    return found


def _people(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return how many authors each row has; where that was not counted, at most its count.

    Of a comparison the smaller side that has anybody counts.
    """
    people = frame["count"]
    if "authors" in frame:
        people = frame["authors"].fillna(frame["count"])
    if "before_count" in frame:
        before = frame["before_count"]
        people = people.where((people > 0) & ((before == 0) | (people <= before)), before)
    return people.to_numpy(dtype=np.float64)


def _few_sentiments(frame: pd.DataFrame, k: int) -> npt.NDArray[np.bool_]:
    """Say which rows would show a sentiment of fewer than k manifestations."""
    if not set(SENTIMENTS) <= set(frame.columns):
        return np.zeros(len(frame), bool)
    counts = frame[list(SENTIMENTS)].to_numpy(dtype=np.float64)
    few: npt.NDArray[np.bool_] = np.any((counts > 0) & (counts < k), axis=1)
    return few


def _with_complements(
    frame: pd.DataFrame,
    table: type[Base],
    people: npt.NDArray[np.float64],
    small: npt.NDArray[np.bool_],
    k: int,
) -> npt.NDArray[np.bool_]:
    """Hide further parts until no whole gives a hidden one away; one whole may upset another."""
    hidden = small.copy()
    if not hidden.any():
        return hidden
    wholes = list(_wholes(frame, table))
    before = -1
    while before != (before := int(hidden.sum())):
        for rows in wholes:
            _complete(rows, people, hidden, k)
    return hidden


def _wholes(frame: pd.DataFrame, table: type[Base]) -> Iterator[npt.NDArray[np.int64]]:
    """Give the places of the rows that are the parts of each whole."""
    numbered = frame.reset_index(drop=True)
    for columns in _WHOLES[table]:
        parts = _paired(numbered, table, columns)
        for _, rows in parts.groupby(["run_id", "lens", *columns], sort=False):
            yield rows.index.to_numpy()


def _paired(frame: pd.DataFrame, table: type[Base], columns: tuple[str, ...]) -> pd.DataFrame:
    """Take the rows of singles as parts of all, whatever their own value is."""
    if table not in (InsightSeries, InsightChange) or set(_CELL) <= set(columns):
        return frame
    single = frame["second_dimension"] == ""
    return frame.assign(value=frame["value"].where(~single, ""))


def _complete(
    rows: npt.NDArray[np.int64],
    people: npt.NDArray[np.float64],
    hidden: npt.NDArray[np.bool_],
    k: int,
) -> None:
    covered = rows[hidden[rows]]
    if not len(covered):
        return
    shown = rows[~hidden[rows] & (people[rows] > 0)]
    for place in shown[np.argsort(people[shown], kind="stable")]:
        if len(covered) > 1 and people[covered].sum() >= k:
            return
        hidden[place] = True
        covered = np.append(covered, place)


def _empty(frame: pd.DataFrame, rows: npt.NDArray[np.bool_], columns: tuple[str, ...]) -> None:
    for name in columns:
        if name in frame:
            values = frame[name].astype("Int64" if frame[name].dtype.kind == "i" else "object")
            frame[name] = (
                values.mask(rows) if values.dtype != "object" else values.where(~rows, None)
            )
