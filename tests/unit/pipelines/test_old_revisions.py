"""Old revisions of a window can be forgotten; what is cited can't."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert, update

from models.errors import ConfigError
from models.insight_tables import InsightOverview, InsightSeries, TopicCentroidRow
from models.match_records import Batch, Entity, TechnologicalCall
from models.operations_tables import NotificationRow
from models.records import Stage, State, Window
from models.tables import AuditRow, ManifestationRow, PartitionRow, RunInputRow, RunRow
from pipelines.aggregate import aggregate
from pipelines.compare import compare_windows
from pipelines.counted import Counted
from pipelines.match.exchange import store_records
from pipelines.revisions import forget_old_revisions
from pipelines.store.write import Partition
from tests.unit.store.builders import (
    LIMA,
    MARCH,
    MODEL,
    TAXONOMY,
    at,
    begun,
    classified,
    municipality,
    rows,
    said,
    save,
)

VILLA = municipality()
FEBRUARY = Window(date(2026, 2, 1), date(2026, 3, 1), LIMA)


class Counts:
    """A store whose windows are counted again and again."""

    def __init__(self, store):
        self.store = store
        item = said(1, when=at(2))
        save(store, begun(store), item)
        store.save_classifications(TAXONOMY, [classified(item)])

    def again(self, window=MARCH, days=0):
        """Count a window once more, as a run that began on a day of April."""
        run = begun(self.store, VILLA, window)
        aggregate(self.store, Counted(run, VILLA, window, MODEL, TAXONOMY), {})
        self.set(run, started_at=datetime(2026, 4, 1 + days, 12, tzinfo=UTC), state=State.DONE)
        return run

    def set(self, run, **values):
        with self.store.engine.begin() as connection:
            connection.execute(update(RunRow).where(RunRow.id == run).values(values))

    def add(self, table, **values):
        with self.store.engine.begin() as connection:
            connection.execute(insert(table).values(values))

    def forget(self, keep=1, before=None, **options):
        return forget_old_revisions(self.store.engine, VILLA, keep, before, **options)

    def left(self, table=InsightOverview):
        return {row["run_id"] for row in rows(self.store.engine, table)}


@pytest.fixture
def counts(store):
    return Counts(store)


def test_the_newest_of_each_window_stay(counts):
    old, middle, new = (counts.again(days=day) for day in range(3))
    other = counts.again(FEBRUARY)
    assert counts.forget(keep=2).runs == (old,)
    assert counts.left() == counts.left(InsightSeries) == {middle, new, other}
    assert counts.left(RunInputRow) == {middle, new}
    assert counts.forget(keep=1).runs == (middle,)
    assert counts.forget(keep=1).runs == ()
    assert counts.left() == {new, other}


def test_runs_texts_and_what_was_read_stay(counts):
    old, _ = counts.again(), counts.again(days=1)
    for stage in (Stage.COLLECT, Stage.COUNT):
        counts.store.save_partitions(
            old, [Partition("diario", date(2026, 3, 2), stage, State.DONE, 1)]
        )
    counts.forget()
    engine = counts.store.engine
    assert old in {row["id"] for row in rows(engine, RunRow)}
    assert len(rows(engine, ManifestationRow)) == 1
    stages = {row["stage"] for row in rows(engine, PartitionRow) if row["run_id"] == old}
    assert stages == {Stage.COLLECT}  # a run that is resumed counts again


def test_only_what_was_counted_before_a_day_goes(counts):
    first, second, _ = (counts.again(days=day) for day in range(3))
    assert counts.forget(before=date(2026, 4, 1)).runs == ()
    assert counts.forget(before=date(2026, 4, 2)).runs == (first,)
    assert second in counts.left()


def test_what_is_cited_stays(counts):
    called, told, compared, topical, running, plain, lens, newest = (
        counts.again(days=day) for day in range(8)
    )
    call = TechnologicalCall(code="c-1", entity="villa", title="T", problem="P", run_id=called)
    batch = Batch(entity=(Entity(code="villa", name="Villa"),), technological_call=(call,))
    store_records(counts.store.engine, batch, "tester")
    counts.add(
        NotificationRow,
        municipality="villa",
        channel="guardia",
        topic="x",
        kind="alert",
        run_id=told,
        sent_at=datetime(2026, 4, 2, tzinfo=UTC),
    )
    subject = Counted(newest, VILLA, MARCH, MODEL, TAXONOMY)
    compare_windows(counts.store, subject, FEBRUARY, compared)
    counts.add(
        TopicCentroidRow,
        run_id=topical,
        lens="",
        topic="t-1",
        municipality="villa",
        window_from=MARCH.start,
        model_version="an older one",
        first_seen=MARCH.start,
        vector=b"",
    )
    counts.set(running, state=State.RUNNING)
    [total] = [
        row
        for row in rows(counts.store.engine, InsightOverview)
        if row["run_id"] == lens and row["measure"] == "total"
    ]
    counts.add(InsightOverview, **{**total, "lens": "comedores"})
    planned = counts.forget(dry_run=True)
    assert planned.runs == (plain,)
    assert set(planned.cited) == {called, told, compared, topical, lens}
    counts.forget()
    assert counts.left() == {called, told, compared, topical, running, lens, newest}


def test_a_comparison_that_goes_too_keeps_nothing(counts):
    first, second, _ = (counts.again(days=day) for day in range(3))
    compare_windows(counts.store, Counted(second, VILLA, MARCH, MODEL, TAXONOMY), FEBRUARY, first)
    assert set(counts.forget().runs) == {first, second}


def test_a_dry_run_counts_and_changes_nothing(counts):
    old, new = counts.again(), counts.again(days=1)
    planned = counts.forget(dry_run=True)
    assert planned.runs == (old,)
    assert counts.left() == {old, new}
    assert rows(counts.store.engine, AuditRow) == []
    assert replace(counts.forget(), scrubbed=True) == planned
    [event] = rows(counts.store.engine, AuditRow)
    assert event["action"] == "purge"
    assert event["detail"] == {
        "by": ["old-revisions"],
        "keep": 1,
        "before": None,
        "runs": [old],
        "rows": sum(planned.rows.values()),
    }


def test_the_newest_cannot_be_asked_away(counts):
    with pytest.raises(ConfigError, match="--keep must be 1 or more"):
        counts.forget(keep=0)
