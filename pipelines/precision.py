"""How much surer one run's shares are than another's: the widths of their 95 % intervals."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median

import pandas as pd
from sqlalchemy import Engine

from models.insight_tables import InsightCategory, InsightOverview
from models.tables import Base
from pipelines.store.read import insight_frame

_MEASURES: Mapping[str, tuple[type[Base], str | None, str]] = {
    "category": (InsightCategory, None, "category"),
    "sentiment": (InsightOverview, "sentiment", "label"),
}
_FIELDS = ["share", "share_low", "share_high", "n"]
_CORRECTED = ["corrected_low", "corrected_high"]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A share in two runs. Shares and widths are fractions of ``n`` and ``before_n``.

    ``width`` is that of chance alone (Wilson), ``corrected_width`` that of the corrected share,
    with the errors of the model in it; there is none where these are not known.
    """

    dimension: str
    label: str
    before_share: float
    before_width: float
    before_n: int
    share: float
    width: float
    n: int
    corrected_before_width: float | None = None
    corrected_width: float | None = None

    @property
    def ratio(self) -> float:
        """The width now as a fraction of the width before."""
        return self.width / self.before_width

    @property
    def corrected_ratio(self) -> float | None:
        """The same of the corrected share."""
        if self.corrected_width is None or not self.corrected_before_width:
            return None
        return self.corrected_width / self.corrected_before_width


def narrowing(engine: Engine, before: str, after: str) -> list[Narrowing]:
    """Set the intervals of two runs' shares side by side; shares that one lacks are left out."""
    return [one for dimension in _MEASURES for one in _compare(engine, dimension, before, after)]


def typical(ratios: Iterable[float | None]) -> float | None:
    """Return the median of the ratios that are known; nothing without any."""
    known = [ratio for ratio in ratios if ratio is not None]
    return median(known) if known else None


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
                _corrected_width(old),
                _corrected_width(new),
            )


def _corrected_width(row: "pd.Series[float]") -> float | None:
    width = row["corrected_high"] - row["corrected_low"]
    return None if pd.isna(width) else float(width)


def _shares(engine: Engine, dimension: str, run_id: str) -> pd.DataFrame:
    table, measure, label = _MEASURES[dimension]
    rows = insight_frame(engine, table, run_id)
    rows = rows[rows["lens"] == ""]
    if measure is not None:
        rows = rows[rows["measure"] == measure]
    return rows.set_index(label)[_FIELDS + _CORRECTED].dropna(subset=_FIELDS)
