"""Did a pilot change anything? Difference in differences of the negative share, with a control.

The cell of the pilot, before and after, is set against cells that the pilot did not touch: other
zones of the same categories where the pilot worked in some zones only, other categories otherwise.
Days, not manifestations, are taken as independent: the standard error is the linearised one of
ratios clustered by day (Cochran 1977, «Sampling Techniques», chapter 9). The placebo takes the two
halves of the time before as if the pilot had begun between them: where it moves, the control is no
control.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import t as student  # type: ignore[import-untyped]

from configs.schema import Municipality, Taxonomy, lenses_of
from models.errors import InputError
from models.records import State, Window
from pipelines.coverage import Coverage, coverage
from pipelines.facts import Recipe, frame, up_to_date
from pipelines.proportions import wilson
from pipelines.store.read import latest_model
from pipelines.store.write import Store

Row = Mapping[str, Any]

LEAST: Final = 30
"""With fewer manifestations in one of the four cells nothing is concluded."""

LEAST_DAYS: Final = 5
"""Of each window: fewer days say nothing about how days differ."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Negative manifestations of one group in one window; 95 % interval (Wilson)."""

    group: str
    window: str
    negative: int
    n: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference in differences, in shares, with its 95 % interval."""

    value: float
    low: float
    high: float
    days: int

    @property
    def moves(self) -> bool:
        """Whether its interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Effect:
    """What may be said of a pilot's effect. ``verdict`` is better, worse or open."""

    pilot: str
    control: str
    before: tuple[date, date]
    after: tuple[date, date]
    sources: int
    sources_left_out: int
    cells: tuple[Cell, ...]
    difference: Difference | None
    placebo: Difference | None
    verdict: str
    reasons: tuple[str, ...]


def evaluate(
    store: Store,
    pilot: Row,
    municipality: Municipality,
    taxonomy: Taxonomy,
    days: int | None = None,
) -> Effect:
    """Compare the time before a pilot with the time after it.

    Args:
        store: the database; facts of the windows are made ready in it.
        pilot: the record, with its days and its categories.
        municipality: where it took place.
        taxonomy: names the lenses by which facts are kept.
        days: length of both windows; as long as the pilot if not given.

    Raises:
        InputError: the pilot lacks days or categories.
    """
    start, end = pilot["starts_on"], pilot["ends_on"]
    if start is None or end is None or not pilot["categories"]:
        raise InputError(
            f"{pilot['code']} has no starts_on, ends_on or categories: without them there is no "
            "before and no after to compare."
        )
    length = timedelta(days=days or (end - start).days)
    if length < timedelta(days=1):
        raise InputError("The windows must have a day at least; give --days.")
    zone = municipality.zone
    windows = (Window(start - length, start, zone), Window(end, end + length, zone))
    model, version = latest_model(store.engine, municipality.code)
    recipe = Recipe(municipality, model, version, lenses_of(municipality, taxonomy))
    read = [coverage(store.engine, municipality, window, "") for window in windows]
    common = _read_in_both(*read)
    sides = [_facts(store, recipe, window, common) for window in windows]
    return judge(pilot, sides, windows, len(common), len(municipality.sources) - len(common))


def judge(
    pilot: Row,
    sides: Sequence[pd.DataFrame],
    windows: Sequence[Window],
    sources: int,
    left_out: int,
) -> Effect:
    """Say what two windows of facts let one say.

    Args:
        pilot: the record.
        sides: facts of the time before and after: day, category, zone, sentiment.
        windows: of the two.
        sources: how many were read to the end in both; only these are in the facts.
        left_out: how many were not.
    """
    control = "otras zonas" if pilot["zones"] else "otras categorías"
    before, after = (
        _daily(side, pilot, len(w.days)) for side, w in zip(sides, windows, strict=True)
    )
    cells = tuple(
        _cell(group, window, table)
        for window, table in (("antes", before), ("después", after))
        for group in ("piloto", "control")
    )
    difference = _difference(before, after)
    half = len(before) // 2
    placebo = _difference(before.iloc[:half], before.iloc[half:])
    reasons = _reasons(cells, difference, placebo, sources, (before, after))
    verdict = "open"
    if not reasons and difference is not None:
        verdict = "better" if difference.high < 0 else "worse"
    return Effect(
        pilot=str(pilot["code"]),
        control=control,
        before=(windows[0].start, windows[0].end),
        after=(windows[1].start, windows[1].end),
        sources=sources,
        sources_left_out=left_out,
        cells=cells,
        difference=difference,
        placebo=placebo,
        verdict=verdict,
        reasons=reasons,
    )


def _read_in_both(before: Coverage, after: Coverage) -> set[str]:
    done = [{n for n, s in one.sources.items() if s.state is State.DONE} for one in (before, after)]
    return done[0] & done[1]


def _facts(store: Store, recipe: Recipe, window: Window, sources: set[str]) -> pd.DataFrame:
    facts = frame(up_to_date(store, recipe, window), recipe, window)
    return facts[facts["source"].isin(sources)]


def _daily(facts: pd.DataFrame, pilot: Row, days: int) -> pd.DataFrame:
    """Return, of each day, negative and all manifestations of the pilot's cell and the control."""
    of_category = facts["category"].isin(pilot["categories"]).to_numpy()
    if pilot["zones"]:
        of_zone = facts["zone"].isin(pilot["zones"]).to_numpy()
        treated, control = of_category & of_zone, of_category & ~of_zone
    else:
        treated, control = of_category, ~of_category
    negative = (facts["sentiment"] == "negative").to_numpy()
    day = facts["day"].to_numpy()
    return pd.DataFrame(
        {
            name: np.bincount(day[chosen], minlength=days)
            for name, chosen in (
                ("piloto_negative", treated & negative),
                ("piloto_n", treated),
                ("control_negative", control & negative),
                ("control_n", control),
            )
        }
    )


def _cell(group: str, window: str, table: pd.DataFrame) -> Cell:
    negative, n = int(table[f"{group}_negative"].sum()), int(table[f"{group}_n"].sum())
    return Cell(group, window, negative, n, *wilson(negative, n))


def _difference(before: pd.DataFrame, after: pd.DataFrame) -> Difference | None:
    """Return (pilot after - before) - (control after - before), clustered by day."""
    if min(len(before), len(after)) < 2 or _empty(before) or _empty(after):
        return None
    (first, first_variance), (second, second_variance) = _gap(before), _gap(after)
    value, days = second - first, len(before) + len(after)
    spread = float(student.ppf(0.975, days - 2)) * sqrt(first_variance + second_variance)
    return Difference(value, value - spread, value + spread, days)


def _empty(table: pd.DataFrame) -> bool:
    return not (table["piloto_n"].sum() and table["control_n"].sum())


def _gap(table: pd.DataFrame) -> tuple[float, float]:
    """Return pilot share - control share in a window, and the variance of that."""
    gap, influence = 0.0, np.zeros(len(table))
    for group, sign in (("piloto", 1), ("control", -1)):
        negative = table[f"{group}_negative"].to_numpy(float)
        n = table[f"{group}_n"].to_numpy(float)
        share = negative.sum() / n.sum()
        gap += sign * share
        influence += sign * (negative - share * n) / n.sum()
    days = len(table)
    return gap, float((influence**2).sum() * days / (days - 1))


def _reasons(
    cells: Sequence[Cell],
    difference: Difference | None,
    placebo: Difference | None,
    sources: int,
    sides: Sequence[pd.DataFrame],
) -> tuple[str, ...]:
    """Return in Spanish why nothing can be concluded; empty where something can."""
    reasons = []
    if not sources:
        reasons.append("Ninguna fuente se leyó completa en las dos ventanas.")
    few = [cell for cell in cells if cell.n < LEAST]
    reasons += [
        f"Hay solo {cell.n} manifestaciones en la celda «{cell.group}, {cell.window}»; "
        f"hacen falta {LEAST} al menos."
        for cell in few
    ]
    if any(len(side) < LEAST_DAYS for side in sides):
        reasons.append(f"Una de las ventanas tiene menos de {LEAST_DAYS} días.")
    if few or difference is None:
        return tuple(reasons)
    if placebo is None:
        reasons.append("No hay con qué hacer la prueba de placebo en el tiempo anterior.")
    elif placebo.moves:
        reasons.append(
            "La prueba de placebo falla: antes del piloto la diferencia con el control ya se "
            "movía, así que ese control no sirve de comparación."
        )
    if not difference.moves:
        reasons.append(
            "El intervalo de la diferencia incluye el cero: el cambio podría ser casualidad."
        )
    return tuple(reasons)
