"""How much surer one run's shares are than another's: the widths of their 95 % intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import pandas as pd
from sqlalchemy import Engine

from models.tables import Base, InsightCategory, InsightOverview
from pipelines.store.read import insight_frame

_MEASURES: Mapping[str, tuple[type[Base], str | None, str]] = {
    "category": (InsightCategory, None, "category"),
    "sentiment": (InsightOverview, "sentiment", "label"),
}
_FIELDS = ("share", "share_low", "share_high", "n")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A share in two runs. Shares and widths are fractions of ``n`` and ``before_n``."""

    dimension: str
    label: str
    before_share: float
    before_width: float
    before_n: int
    share: float
    width: float
    n: int

    @property
    def ratio(self) -> float:
        """The width now as a fraction of the width before."""
        return self.width / self.before_width


def narrowing(engine: Engine, before: str, after: str) -> list[Narrowing]:
    """Set the intervals of two runs' shares side by side; shares that one lacks are left out."""
    return [one for dimension in _MEASURES for one in _compare(engine, dimension, before, after)]


def typical(found: Sequence[Narrowing]) -> float | None:
    """Return the median of the ratios of the widths; nothing without any."""
    return median(one.ratio for one in found) if found else None


def _compare(engine: Engine, dimension: str, before: str, after: str) -> Iterator[Narrowing]:
    then, now = (_shares(engine, dimension, run) for run in (before, after))
    for label in then.index.intersection(now.index):
        old, new = then.loc[label], now.loc[label]
        width = float(old["share_high"] - old["share_low"])
        if width > 0:
            yield Narrowing(
                dimension,
                str(label),
                float(old["share"]),
                width,
                int(old["n"]),
                float(new["share"]),
                float(new["share_high"] - new["share_low"]),
                int(new["n"]),
            )


def _shares(engine: Engine, dimension: str, run_id: str) -> pd.DataFrame:
    table, measure, label = _MEASURES[dimension]
    rows = insight_frame(engine, table, run_id)
    rows = rows[rows["lens"] == ""]
    if measure is not None:
        rows = rows[rows["measure"] == measure]
    return rows.set_index(label)[list(_FIELDS)].dropna()
