"""Comparisons of windows and of runs, as lines for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.diff import Difference
from pipelines.precision import Narrowing, typical

if TYPE_CHECKING:
    from flows.rerun import Comparison, RerunSummary

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
        yield f"  {reason.text}{_source_days(reason.partitions)}"
    rows = ", ".join(f"{table} {count:,}" for table, count in found.rows.items())
    yield f"Rows that differ: {rows or 'none'}."
    for row in shown.to_dict("records"):
        yield f"  {row['table']:18} {row['cell']:40} {_count(row, 'a')} → {_count(row, 'b')}"
    for title, findings in (
        ("Findings that are new", found.gained),
        ("Findings that are gone", found.lost),
    ):
        if findings:
            yield f"{title}:"
            yield from (f"  {one}" for one in findings)


def _source_days(count: int | None) -> str:
    if count is None:
        return ""
    return f" ({count:,} source-day{'' if count == 1 else 's'})"


def _count(row: Mapping[Any, Any], side: str) -> str:
    count, share = row[f"count_{side}"], row[f"share_{side}"]
    if pd.isna(count):
        return "no row"
    return f"{count:,.0f}" + ("" if pd.isna(share) else f" ({share:.1%})")


def rerun_lines(summary: "RerunSummary") -> Iterator[str]:
    """Say what a rerun did, what is in quarantine, and how it compares with an earlier run."""
    yield (
        f"Rerun {summary.run_id} of {summary.municipality}, {summary.window_from} to "
        f"{summary.window_to} (not included): {summary.state}."
    )
    for stage, states in summary.partitions.items():
        counts = ", ".join(f"{n:,} {state}" for state, n in sorted(states.items()))
        yield f"  {stage:9} {counts}"
    if not summary.partitions:
        yield "  Nothing was missing or stale."
    for line in summary.failed[:_SHOWN]:
        yield f"  {line.state}: {line.stage} {line.source} {line.day}: {line.error or ''}"
    if len(summary.failed) > _SHOWN:
        yield f"  and {len(summary.failed) - _SHOWN:,} more; --json names all."
    if summary.in_window is not None:
        yield (
            f"{summary.in_window:,} manifestations, {summary.classified:,} classified now by "
            f"{summary.model_version}."
        )
    if summary.comparison is not None:
        yield from _comparison_lines(summary.comparison)
    if summary.failed:
        yield f"Next: look at the reasons, then manifiesta resume -m {summary.municipality}"
    if summary.report is not None:
        yield f"Report: {summary.report}"


_SHOWN = 10


def _comparison_lines(compared: "Comparison") -> Iterator[str]:
    yield (
        f"Beside run {compared.baseline}, {compared.window_from} to {compared.window_to}: "
        f"{len(compared.changes)} of {compared.compared} cells differ beyond chance."
    )
    if compared.overlapping:
        yield (
            "  The windows overlap, so texts stand on both sides: such differences are smaller "
            "than between the pilot and the days after it."
        )
    for row in compared.changes[:_SHOWN]:
        yield (
            f"  {_cell(row):45}  {row['before_share']:.1%} of {row['before_n']:,} → "
            f"{row['share']:.1%} of {row['n']:,}"
        )
    yield from _precision_lines(compared.precision)


def _precision_lines(found: Sequence[Narrowing]) -> Iterator[str]:
    ratio = typical(one.ratio for one in found)
    if ratio is None:
        return
    yield (
        f"Intervals (95 %) of chance alone: typically {ratio:.0%} as wide as before "
        f"(median of {len(found)} shares)."
    )
    corrected = typical(one.corrected_ratio for one in found)
    if corrected is not None:
        yield (
            f"With the errors of the model in them, which are the ones to cite: {corrected:.0%}. "
            "More texts do not make the model surer."
        )
    for one in sorted(found, key=lambda each: -each.before_share)[:_SHOWN]:
        yield (
            f"  {one.dimension} {one.label:22} {one.before_share:.1%} ± "
            f"{_half(one.before_width)} points of {one.before_n:,} → {one.share:.1%} ± "
            f"{_half(one.width)} points of {one.n:,}"
            f"{_corrected(one)}"
        )


def _corrected(one: Narrowing) -> str:
    if one.corrected_before_width is None or one.corrected_width is None:
        return ""
    return f"; corrected ± {_half(one.corrected_before_width)} → ± {_half(one.corrected_width)}"


def _half(width: float) -> str:
    return f"{50 * width:.1f}"
