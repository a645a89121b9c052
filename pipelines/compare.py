"""Count a run's window and an earlier one side by side."""

from datetime import timedelta

import pandas as pd

from models.labels import EVERYTHING
from models.records import Window
from pipelines.change import Side, changes
from pipelines.counted import Counted, Row, common_columns
from pipelines.coverage import Coverage, coverage
from pipelines.facts import frame, through, up_to_date
from pipelines.store.read import manifestations_per_day
from pipelines.store.write import Store


def earlier_window(window: Window) -> Window:
    """Return the window of the same length that ends where this one starts."""
    return Window(window.start - timedelta(days=len(window.days)), window.start, window.zone)


def compare_windows(store: Store, subject: Counted, before: Window, baseline: str) -> list[Row]:
    """Set a run's window beside an earlier one, keep the rows of `insight_change`, return them."""
    facts = frame(up_to_date(store, subject.recipe, subject.window), subject.recipe, subject.window)
    read = coverage(store.engine, subject.municipality, subject.window, subject.run_id)
    rows = compared(store, subject, facts, read, before, baseline)
    store.save_changes(subject.run_id, baseline, rows)
    return rows


def compared(
    store: Store,
    subject: Counted,
    facts: pd.DataFrame,
    read: Coverage,
    before: Window,
    baseline: str,
) -> list[Row]:
    """Return the rows of `insight_change`, for everything and for each lens.

    Args:
        store: where the earlier window is; its partitions are made ready for counting.
        subject: the run.
        facts: of its window.
        read: its coverage.
        before: the earlier window, labelled by the same recipe.
        baseline: what the earlier window is called.
    """
    place, recipe = subject.municipality, subject.recipe
    parts = up_to_date(store, recipe, before)
    earlier = frame(parts, recipe, before)
    earlier_read = coverage(store.engine, place, before, subject.run_id)
    stored = sum(manifestations_per_day(store.engine, place.code, before).values())
    unlabelled = stored - sum(part.rows for part in parts)
    shown = {EVERYTHING: (facts, earlier)} | {
        lens.code: (through(facts, recipe, lens), through(earlier, recipe, lens))
        for lens in subject.lenses
    }
    about = common_columns(subject, read)
    return [
        {**about, "lens": lens, **row}
        for lens, (mine, theirs) in shown.items()
        for row in changes(Side(mine, read, 0), Side(theirs, earlier_read, unlabelled), baseline)
    ]
