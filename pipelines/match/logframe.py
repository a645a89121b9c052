"""The logical framework: indicators whose values are computed from the records themselves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine

from models.errors import InputError
from pipelines.store.records import stored

Row = Mapping[str, Any]
WORK_CATEGORIES: Final = 9


@dataclass(frozen=True, slots=True)
class Value:
    """An indicator and its value: ``count`` of ``n``, or nothing where it is not ours to compute.

    ``low`` and ``high`` are missing on purpose: activities and categories are all counted, none
    is sampled.
    """

    code: str
    level: str
    statement: str
    kpi: str
    target: float | None
    verification: str
    assumptions: str | None
    count: int | None = None
    n: int | None = None

    @property
    def share(self) -> float | None:
        """The count over n; nothing where n is 0 or it is not computed."""
        return self.count / self.n if self.count is not None and self.n else None

    @property
    def said(self) -> str:
        """The value in words, with its denominator."""
        if self.count is None:
            return "not computed; see its source of verification"
        if self.share is None:
            return "no records to compute it from"
        goal = f", target {self.target:g}" if self.target is not None else ""
        return f"{self.share:.1%} ({self.count} of {self.n}{goal})"


def indicators(engine: Engine, pilot: str | None = None) -> list[Value]:
    """Return every indicator of the programme, or of one pilot, with its value.

    Raises:
        InputError: there is no such pilot.
    """
    pilots = stored(engine, "pilot")
    if pilot is not None and pilot not in [row["code"] for row in pilots]:
        raise InputError(f"There is no pilot «{pilot}». `manifiesta match list pilot` lists them.")
    rows = [row for row in stored(engine, "indicator") if pilot in (None, row["pilot"])]
    return [_value(engine, row) for row in rows]


def _value(engine: Engine, row: Row) -> Value:
    measure = _MEASURES.get(row["measure"])
    count, n = measure(engine, row["pilot"]) if measure else (None, None)
    names = ("code", "level", "statement", "kpi", "target", "verification", "assumptions")
    return Value(**{name: row[name] for name in names}, count=count, n=n)


def _activities(engine: Engine, pilot: str | None) -> tuple[int, int]:
    rows = [row for row in stored(engine, "activity") if pilot in (None, row["pilot"])]
    return sum(row["done_on"] is not None for row in rows), len(rows)


def _categories(engine: Engine, pilot: str | None) -> tuple[int, int]:
    tested = {
        number
        for row in stored(engine, "pilot")
        if pilot in (None, row["code"]) and row["state"] != "planned"
        for number in row["work_categories"]
    }
    return len(tested), WORK_CATEGORIES


def _startups(engine: Engine, pilot: str | None) -> tuple[int, int]:
    linked = {
        code
        for row in stored(engine, "pilot")
        if pilot in (None, row["code"])
        for code in row["startups"]
    }
    return len(linked), len(stored(engine, "startup"))


_MEASURES: Final[Mapping[str, Callable[[Engine, str | None], tuple[int, int]]]] = {
    "activities_completed": _activities,
    "categories_tested": _categories,
    "startups_linked": _startups,
}
