"""The figures of a counted run, ready to be shown: small cells hidden, charts drawn, kept a while.

A run's insight rows hardly change once they are counted, so what is made of them is kept; a purge
or a comparison made meanwhile shows after `FRESH` seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Engine

from configs.schema import Municipality, Taxonomy
from dashboard.keep import Kept
from pipelines.report.charts import Chart
from pipelines.report.data import ReportData
from pipelines.report.drawn import draw
from pipelines.report.formats import formats
from pipelines.report.gather import gather_figures
from pipelines.report.texts import texts
from pipelines.report.view import Figures, figures

FRESH = 30.0
_KEPT = 32


@dataclass(frozen=True, slots=True)
class Shown:
    """What pages show of a run: its rows, its figures and its charts."""

    data: ReportData
    figures: Figures
    charts: Mapping[str, Chart]


class Counted:
    """Reads runs, and keeps the latest ones that were looked at."""

    def __init__(
        self, engine: Engine, taxonomy: Taxonomy, state: Callable[[], object] = object
    ) -> None:
        self.engine, self.taxonomy = engine, taxonomy
        self._kept: Kept[Shown] = Kept(_KEPT, FRESH, state)

    def shown(self, run_id: str, town: Municipality, lens: str, language: str) -> Shown:
        """Return the figures of a run under a lens, with the names of one language."""
        key = (run_id, town.code, lens, language, town.suppress_below)
        return self._kept.get(key, partial(self._make, run_id, town, lens, language))

    def _make(self, run_id: str, town: Municipality, lens: str, language: str) -> Shown:
        data = gather_figures(self.engine, run_id, town, self.taxonomy, lens)
        t, f = texts(language), formats(language, town.zone)
        view = figures(data, language, t)
        window = (data.run.window_from, data.run.window_to)
        return Shown(data, view, draw(view, window, t, f))
