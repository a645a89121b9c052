"""Comparisons of windows and of runs, as lines for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from pipelines.diff import Difference

Row = Mapping[str, Any]


def change_lines(rows: Sequence[Row], found: Sequence[Row]) -> Iterator[str]:
    """Say what changed beyond chance: ``rows`` are all that were compared, ``found`` those."""
    if not rows:
        yield "Nothing was counted in either window."
        return
    first = rows[0]
    if not first["comparable"]:
        yield f"Not comparable: {first['reason']}."
        return
    tested = sum(row["q_value"] is not None for row in rows)
    yield (
        f"Counted over the {first['sources_compared']} sources that were read to the end in both. "
        f"{tested} shares compared, {len(found)} differ beyond chance (q at most 0.05)."
    )
    for row in found:
        yield (
            f"  {_cell(row):45}  {row['before_share']:.1%} of {row['before_n']:,} → "
            f"{row['share']:.1%} of {row['n']:,}: {_points(row['difference'])} points "
            f"({_points(row['difference_low'])} to {_points(row['difference_high'])}), "
            f"q {row['q_value']:.2g}"
        )


def _cell(row: Row) -> str:
    """Name a cell: «category transport», «zone vitarte, sentiment negative»."""
    second = f", {row['second_dimension']} {row['second_value']}" if row["second_value"] else ""
    return f"{row['dimension']} {row['value']}{second}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def diff_lines(found: Difference, shown: pd.DataFrame) -> Iterator[str]:
    """Say why two runs differ, in how many rows, and which changed most."""
    yield "Why they differ:" if found.reasons else "Both runs counted the same texts and labels."
    for reason in found.reasons:
        days = "" if reason.partitions is None else f" ({reason.partitions} source-days)"
        yield f"  {reason.text}{days}"
    rows = ", ".join(f"{table} {count:,}" for table, count in found.rows.items())
    yield f"Rows that differ: {rows or 'none'}."
    for row in shown.to_dict("records"):
        yield f"  {row['table']:18} {row['cell']:40} {_count(row, 'a')} → {_count(row, 'b')}"


def _count(row: Mapping[Any, Any], side: str) -> str:
    count, share = row[f"count_{side}"], row[f"share_{side}"]
    if pd.isna(count):
        return "no row"
    return f"{count:,.0f}" + ("" if pd.isna(share) else f" ({share:.1%})")
