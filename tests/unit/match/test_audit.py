"""The audit is a chain: whatever is done to it afterwards shows."""

import threading

import pytest
from sqlalchemy import Engine, delete, insert, text, update

from models.tables import AuditRow
from pipelines.store.audit import GENESIS, Event, events, record, verify
from tests.unit.store.builders import at


@pytest.fixture
def chain(engine: Engine) -> Engine:
    for number in range(5):
        record(engine, Event("test.step", "villa", {"n": number, "é": [1.5, None]}), "ana")
    return engine


def test_an_empty_chain_is_whole(engine: Engine) -> None:
    found = verify(engine)
    assert (found.whole, found.events, found.head) == (True, 0, GENESIS)


def test_an_untouched_chain_is_whole(chain: Engine) -> None:
    found = verify(chain)
    assert (found.whole, found.events, found.older) == (True, 5, 0)
    assert found.head == events(chain)[-1].digest


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (update(AuditRow).where(AuditRow.id == 3).values(actor="eva"), 3),
        (update(AuditRow).where(AuditRow.id == 2).values(detail={"n": 9}), 2),
        (update(AuditRow).where(AuditRow.id == 4).values(at=at(1)), 4),
        (update(AuditRow).where(AuditRow.id == 1).values(action="nothing"), 1),
        (delete(AuditRow).where(AuditRow.id == 3), 4),
        (delete(AuditRow).where(AuditRow.id == 1), 2),
        (update(AuditRow).where(AuditRow.id == 5).values(digest=None, previous=None), 5),
    ],
)
def test_the_first_broken_link_is_shown(chain: Engine, change: object, broken: int) -> None:
    with chain.begin() as connection:
        connection.execute(change)
    found = verify(chain)
    assert not found.whole
    assert found.broken == broken


def test_an_added_event_breaks_the_chain(chain: Engine) -> None:
    with chain.begin() as connection:
        values = {"at": at(1), "actor": "eva", "action": "x", "municipality": "", "detail": {}}
        connection.execute(insert(AuditRow).values(**values, previous="f" * 64, digest="e" * 64))
    assert verify(chain).broken == 6


def test_a_cut_end_shows_against_a_noted_head(chain: Engine) -> None:
    head = verify(chain).head
    assert verify(chain, head).whole
    with chain.begin() as connection:
        connection.execute(text("DELETE FROM audit_event WHERE id = 5"))
    assert verify(chain).whole
    assert not verify(chain, head).whole


def test_events_from_before_the_chain_are_counted_apart(engine: Engine) -> None:
    with engine.begin() as connection:
        values = {"at": at(1), "actor": "eva", "action": "purge", "municipality": "", "detail": {}}
        connection.execute(insert(AuditRow).values(values))
    record(engine, Event("test.step", "", {}), "ana")
    found = verify(engine)
    assert (found.whole, found.events, found.older) == (True, 1, 1)


def test_two_writers_make_one_chain(engine: Engine) -> None:
    def write() -> None:
        for _ in range(5):
            record(engine, Event("test.step", "", {}), "ana")

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (verify(engine).whole, verify(engine).events) == (True, 15)
