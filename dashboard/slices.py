"""The window cut in two ways at once, and by week: lines of `insight_series` with names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from configs.schema import Municipality
from dashboard.figures import Shown
from dashboard.shell import Visit
from models.insight_tables import InsightSeries
from models.labels import NOWHERE
from pipelines.proportions import wilson
from pipelines.report.charts import Chart
from pipelines.report.drawn import draw_bars
from pipelines.report.view import Line, Row, Share, line_of, rows_of
from pipelines.store.counted import series_frame
from pipelines.suppress import suppress


def names_of(visit: Visit, town: Municipality, shown: Shown, dimension: str) -> Mapping[str, str]:
    """Return the names of a dimension's labels, by code."""
    if dimension == "source":
        return shown.data.source_titles
    if dimension == "zone":
        return {z.code: z.name for z in town.zones} | {NOWHERE: visit.t("places.none")}
    return visit.names(dimension)


def _series(
    visit: Visit, town: Municipality, shown: Shown, grain: str, dimensions: tuple[str, str]
) -> list[Row]:
    """Return lines of all labels, small cells hidden; kept, for each label's page wants some."""
    run, lens, k = shown.data.run.id, visit.filters.lens, town.suppress_below

    def read() -> list[Row]:
        frame = series_frame(visit.house.engine, run, lens, grain, dimensions)
        return rows_of(suppress(frame, InsightSeries, k))

    return visit.house.series.get((run, lens, k, grain, dimensions), read)


def parts_of(visit: Visit, dimension: str, value: str, second: str) -> tuple[Line, ...]:
    """Return how a label divides by a second dimension, the largest part first.

    The denominator of a part is the label's own count.
    """
    town, shown = visit.town, visit.shown
    if town is None or shown is None:
        return ()
    every = _series(visit, town, shown, "window", (dimension, second))
    names = names_of(visit, town, shown, second)
    lines = [
        line_of(row, str(row["second_value"]), names.get(str(row["second_value"]), ""))
        for row in every
        if row["value"] == value
    ]
    return tuple(sorted(lines, key=lambda one: (one.hidden, -one.count, one.code)))


def counted_in(visit: Visit, dimension: str, second: str, whole: Line) -> tuple[Line, ...]:
    """Return how a label of the second dimension divides by the first, the largest part first.

    The denominator of a part is the count of the whole, whose parts the store keeps by the first.
    """
    town, shown = visit.town, visit.shown
    if town is None or shown is None:
        return ()
    every = _series(visit, town, shown, "window", (dimension, second))
    names = names_of(visit, town, shown, dimension)
    lines = [
        _part(line_of(row, str(row["value"]), names.get(str(row["value"]), "")), whole)
        for row in every
        if row["second_value"] == whole.code
    ]
    return tuple(sorted(lines, key=lambda one: (one.hidden, -one.count, one.code)))


def _part(line: Line, whole: Line) -> Line:
    if line.hidden:
        return line
    return replace(line, share=Share(line.count, whole.count, *wilson(line.count, whole.count)))


@dataclass(frozen=True, slots=True)
class Weeks:
    """A label week by week, the earliest first; of each line its first day and the next week's."""

    lines: tuple[Line, ...] = ()
    spans: Mapping[str, tuple[date, date]] = field(default_factory=dict)


def weeks_of(visit: Visit, dimension: str, value: str) -> Weeks:
    """Return a label's share of each ISO week, as far as the week is in the window."""
    town, shown = visit.town, visit.shown
    if town is None or shown is None:
        return Weeks()
    every = _series(visit, town, shown, "week", (dimension, ""))
    lines, spans = [], {}
    for row in (row for row in every if row["value"] == value):
        week = str(row["period"])
        start, end = (date.fromisoformat(str(row[name])) for name in ("period_from", "period_to"))
        lines.append(line_of(row, week, visit.f.short_date(start)))
        spans[week] = start, end
    return Weeks(tuple(lines), spans)


def bars(visit: Visit, name: str, title: str, lines: tuple[Line, ...]) -> Chart | None:
    """Draw lines as bars; nothing where none has a share."""
    if not any(line.share.value is not None for line in lines):
        return None
    return draw_bars(name, title, lines, visit.t, visit.f)
