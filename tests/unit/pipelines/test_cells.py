"""Counting by cell and period gives what telling rows apart one by one gives."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import CATEGORIES, SENTIMENTS
from pipelines import cells
from pipelines.cells import Periods, Rows
from pipelines.facts import categorical

DAYS = 9
GRAINS = {
    "day": np.arange(DAYS),
    "week": np.array([0, 0, 0, 1, 1, 1, 1, 1, 1]),
    "month": np.array([0, 0, 0, 0, 0, 1, 1, 1, 1]),
    "window": np.zeros(DAYS, np.int64),
}
SIZE = 3
ROWS = st.lists(
    st.tuples(
        *(st.integers(0, DAYS - 1), st.integers(0, SIZE - 1), st.integers(0, 4)),
        *(st.integers(0, 4), st.integers(0, 2), st.integers(0, 2)),
    ),
    max_size=40,
)


@pytest.mark.parametrize("narrow", [32, 0])
@given(rows=ROWS)
def test_counts_are_those_of_rows_told_apart_one_by_one(
    narrow: int, rows: list[tuple[int, int, int, int, int, int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "_NARROW", narrow)
        counter = Rows(_facts(rows), {name: Periods(of_day) for name, of_day in GRAINS.items()})
        found = counter.count(np.array([row[1] for row in rows], np.int64), SIZE, list(GRAINS))
    for grain, of_day in GRAINS.items():
        for period in range(of_day[-1] + 1):
            for cell in range(SIZE):
                mine = [row for row in rows if of_day[row[0]] == period and row[1] == cell]
                counted = {
                    name: int(getattr(found[grain], name)[period, cell])
                    for name in ("count", "distinct_count", "voices", "anonymous", "authors")
                }
                assert counted == _plainly(mine)


def _facts(rows: list[tuple[int, int, int, int, int, int]]) -> pd.DataFrame:
    day, _, cluster, author, category, sentiment = np.array(rows, np.int64).reshape(-1, 6).T
    return pd.DataFrame(
        {
            "day": day,
            "cluster": cluster.astype(np.uint64),
            "author": author.astype(np.uint64),
            "category": categorical(category, CATEGORIES),
            "sentiment": categorical(sentiment, SENTIMENTS),
        }
    )


def _plainly(rows: list[tuple[int, int, int, int, int, int]]) -> dict[str, Any]:
    unknown = sum(author == 0 for *_, author, _, _ in rows)
    known = [row for row in rows if row[3]]
    return {
        "count": len(rows),
        "distinct_count": len({row[2] for row in rows}),
        "voices": unknown + len({(row[3], row[4], row[0]) for row in known}),
        "anonymous": unknown,
        "authors": unknown + len({row[3] for row in known}),
    }
