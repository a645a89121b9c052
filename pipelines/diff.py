"""What changed between two runs' insight rows, and why."""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Engine, inspect

from models.errors import InputError
from models.insight_tables import (
    INSIGHT_TABLES,
    InsightChange,
    InsightFinding,
    InsightIntent,
    InsightOverview,
    InsightPlace,
    InsightSeries,
)
from models.tables import Base, RunRow
from pipelines.store.partitions import Key, RunInput, run_inputs
from pipelines.store.read import find_run, insight_frame

_ABOUT = ("model_version", "taxonomy_version", "window_from", "window_to", "software_version")
_SHOWN = ("count", "share")
_COLUMNS = ("table", "cell", "count_a", "share_a", "count_b", "share_b")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two runs differ, and in how many partitions (sources and local days)."""

    code: str
    text: str
    partitions: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two runs side by side.

    ``changes`` has one row per insight row that differs: table, cell, count_a, count_b, share_a,
    share_b; a count that is missing means that the other run alone has the row. ``gained`` and
    ``lost`` are the sentences of findings that the second or the first run alone has.
    """

    reasons: tuple[Reason, ...]
    changes: pd.DataFrame
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def rows(self) -> dict[str, int]:
        """How many rows of each insight table differ."""
        return {str(table): len(rows) for table, rows in self.changes.groupby("table")}


def diff(engine: Engine, run_a: str, run_b: str) -> Difference:
    """Compare two runs of a municipality.

    Raises:
        InputError: one is not there, has no figures, or they are of two municipalities.
    """
    first, second = find_run(engine, run_a), find_run(engine, run_b)
    if first.municipality != second.municipality:
        raise InputError(
            f"Run {run_a} is of {first.municipality}, run {run_b} of {second.municipality}: "
            "only runs of one municipality can be compared."
        )
    for run in (run_a, run_b):
        if insight_frame(engine, InsightOverview, run).empty:
            raise InputError(
                f"Run {run} has no figures: it counted nothing, or they were purged. `manifiesta "
                "status` lists the runs; `manifiesta aggregate` makes one that counts."
            )
    frames = [_changed(engine, table, run_a, run_b) for table in INSIGHT_TABLES]
    changes = pd.DataFrame(columns=list(_COLUMNS))
    if differing := [frame for frame in frames if len(frame)]:
        changes = pd.concat(differing, ignore_index=True)
    told, now_told = (_findings(engine, run) for run in (run_a, run_b))
    return Difference(
        tuple(_reasons(engine, first, second)),
        changes,
        gained=tuple(now_told[key] for key in now_told if key not in told),
        lost=tuple(told[key] for key in told if key not in now_told),
    )


def _findings(engine: Engine, run: str) -> dict[tuple[str, ...], str]:
    """Return the sentences of a run's findings by what they are about: an alarm, by its day."""
    return {
        (row["lens"], row["rule"], row["subject"], row["statistic"].get("day", "")): str(
            row["sentence_es"]
        )
        for row in insight_frame(engine, InsightFinding, run).to_dict("records")
    }


def _changed(engine: Engine, table: type[Base], run_a: str, run_b: str) -> pd.DataFrame:
    names = [column.name for column in inspect(table).primary_key if column.name != "run_id"]
    sides = [insight_frame(engine, table, run) for run in (run_a, run_b)]
    if not set(_SHOWN) <= set(sides[0].columns):
        return pd.DataFrame(columns=list(_COLUMNS))
    keep = [*names, *_SHOWN]
    joined = sides[0][keep].merge(
        sides[1][keep], on=names, how="outer", suffixes=("_a", "_b"), validate="1:1"
    )
    counts = joined["count_a"].fillna(-1) != joined["count_b"].fillna(-1)
    shares = (joined["share_a"] - joined["share_b"]).abs().fillna(0) > 1e-12
    found = joined[counts | shares].copy()
    found.insert(0, "table", table.__tablename__)
    found.insert(1, "cell", [_cell(row) for row in found[names].to_dict("records")])
    return found[list(_COLUMNS)]


def _cell(key: Mapping[Hashable, object]) -> str:
    return " · ".join(str(value) for value in key.values() if value != "")


def _reasons(engine: Engine, first: RunRow, second: RunRow) -> list[Reason]:
    reasons = [
        Reason(name, f"{name}: {getattr(first, name)} → {getattr(second, name)}")
        for name in _ABOUT
        if getattr(first, name) != getattr(second, name)
    ]
    zones = [_gazetteers(engine, run.id) for run in (first, second)]
    if zones[0] != zones[1]:
        reasons.append(Reason("zones", "the zones, their names or the rules that place texts"))
    inputs = [run_inputs(engine, run.id) for run in (first, second)]
    unknown = [run.id for run, kept in zip((first, second), inputs, strict=True) if not kept]
    if len(unknown) == 1:
        text = (
            f"what {unknown[0]} counted was not kept: it held nothing, or an older version ran it"
        )
        return [*reasons, Reason("unknown", text)]
    return reasons + _partition_reasons(*inputs)


def _gazetteers(engine: Engine, run_id: str) -> list[str]:
    frame = insight_frame(engine, InsightPlace, run_id)
    return sorted(set(frame["gazetteer"]))


_PARTITIONS = {
    "new": "data of sources and days that the first run did not have",
    "gone": "data of sources and days that the second run no longer has",
    "texts": "new, edited or deleted texts",
    "corrections": "labels that people have corrected",
    "recipe": "the same texts under another model, taxonomy, zones or lenses",
    "labels": "the same texts with other copies, languages or places found",
}


def _partition_reasons(
    before: Mapping[Key, RunInput], after: Mapping[Key, RunInput]
) -> list[Reason]:
    found = Counter(
        why
        for key in before.keys() | after.keys()
        if (why := _why(before.get(key), after.get(key)))
    )
    return [Reason(code, text, found[code]) for code, text in _PARTITIONS.items() if found[code]]


def _why(before: RunInput | None, after: RunInput | None) -> str | None:
    """Say what tells a partition's two states apart, the most telling first."""
    if before is None:
        return "new"
    if after is None:
        return "gone"
    if before.texts != after.texts:
        return "texts"
    if before.corrections != after.corrections:
        return "corrections"
    if before.labels == after.labels:
        return None
    return "recipe" if before.recipe != after.recipe else "labels"


_REPEATING = tuple(one.__tablename__ for one in (InsightSeries, InsightChange, InsightIntent))


def biggest(changes: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Return the changes that matter most, without those that two tables tell."""
    table = changes[~changes["table"].isin(_REPEATING)]
    size = (table["count_b"].fillna(0) - table["count_a"].fillna(0)).abs()
    return table.loc[size.sort_values(ascending=False, kind="stable").index].head(limit)
