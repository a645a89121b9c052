"""What a person can do to a demand, when, and what the history tells of it."""

from datetime import date

import pytest

from configs.calendar import due_day
from configs.schema import Area
from models.demand_tables import DemandEventRow
from models.demands import Action, Status
from models.errors import ConflictError, InputError
from pipelines.demands.workflow import LONGEST_REPLY, MOVES, Decision, possible
from pipelines.store.demands import demands, evidence, find_demand, history
from pipelines.store.write import Store
from tests.unit.demands.asking import HOLE, answered, asked, bins, by, flow, put
from tests.unit.store.builders import rows, said


def test_from_a_proposal_to_its_end_with_who_when_and_why(store: Store) -> None:
    demand = bins(store)
    steps = flow(store)
    new = steps.confirm(by(demand, 1, "Lo vi. Mi número es 987654321"), summary="Recoger a diario")
    assert (new.status, new.area, new.version) == (Status.NEW, "Limpieza", 2)
    assert new.confirmed_at
    assert new.due_on
    assert steps.assign(by(demand, 2), assignee="P-12").assignee == "P-12"
    assert steps.start(by(demand, 3)).status is Status.IN_PROGRESS
    done = steps.answer(by(demand, 4), "Se recoge de noche.\nEscriba a ana@example.pe\u202e")
    assert done.reply == "Se recoge de noche.\nEscriba a [correo]"
    closed = steps.close(by(demand, 5))
    assert (closed.status, closed.version) == (Status.CLOSED, 6)
    assert closed.ended_at
    events = history(store.engine, demand.id)
    assert [(e.action, e.from_status, e.to_status) for e in events] == [
        (Action.PROPOSE, None, "proposed"),
        (Action.CONFIRM, "proposed", "new"),
        (Action.ASSIGN, "new", "assigned"),
        (Action.START, "assigned", "in-progress"),
        (Action.ANSWER, "in-progress", "answered"),
        (Action.CLOSE, "answered", "closed"),
    ]
    assert [e.actor for e in events] == ["manifiesta", *["E-07"] * 5]
    assert events[1].note == "Lo vi. Mi número es [teléfono]"
    assert events[1].detail["summary"] == [None, "Recoger a diario"]
    assert events[2].detail == {"assignee": [None, "P-12"]}
    assert [e.at for e in events] == sorted(e.at for e in events)


@pytest.mark.parametrize("action", [Action.ASSIGN, Action.START, Action.ANSWER, Action.CLOSE])
def test_an_illegal_move_is_refused_with_the_reason_and_leaves_no_trace(
    store: Store, action: Action
) -> None:
    demand = bins(store)
    calls = {
        Action.ASSIGN: lambda: flow(store).assign(by(demand)),
        Action.START: lambda: flow(store).start(by(demand)),
        Action.ANSWER: lambda: flow(store).answer(by(demand), "Listo"),
        Action.CLOSE: lambda: flow(store).close(by(demand)),
    }
    before = len(rows(store.engine, DemandEventRow))
    with pytest.raises(InputError, match=rf"is proposed, and «{action}» .*confirm, reject"):
        calls[action]()
    assert find_demand(store.engine, "villa", demand.id) == demand
    assert len(rows(store.engine, DemandEventRow)) == before


def test_what_has_ended_can_only_be_reopened(store: Store) -> None:
    demand = bins(store)
    ended = flow(store).reject(by(demand), "Es de la provincia")
    assert possible(ended) == (Action.REOPEN,)
    assert [one for one, (origins, _) in MOVES.items() if Status.REJECTED in origins] == [
        Action.REOPEN
    ]
    with pytest.raises(InputError, match="What can be done now: reopen"):
        flow(store).confirm(by(demand))


@pytest.mark.parametrize("reason", ["", "   ", "\u200b"])
def test_nothing_is_rejected_without_a_reason(store: Store, reason: str) -> None:
    demand = bins(store)
    with pytest.raises(InputError, match="Say why"):
        flow(store).reject(by(demand), reason)


def test_who_decides_about_an_older_version_is_told(store: Store) -> None:
    demand = bins(store)
    flow(store).confirm(by(demand, 1))
    with pytest.raises(ConflictError, match="has changed since you read it"):
        flow(store).reject(by(demand, 1), "tarde")
    assert find_demand(store.engine, "villa", demand.id).status is Status.NEW


def test_two_people_at_the_same_moment_only_one_decides(both: Store) -> None:
    from pipelines.store.demands import Change, change_demand

    demand = bins(both)
    event = history(both.engine, demand.id)[0]
    change_demand(both.engine, Change(demand.id, 1, event))
    with pytest.raises(ConflictError, match="Somebody else has decided"):
        change_demand(both.engine, Change(demand.id, 1, event))


def test_the_area_follows_from_a_corrected_category(store: Store) -> None:
    demand = bins(store)
    done = flow(store).confirm(by(demand), category="transport", zone="")
    assert (done.category, done.zone, done.area) == ("transport", None, "Tránsito")
    flow(store).assign(by(demand), area="Limpieza", due_on=date(2030, 1, 2))
    now = find_demand(store.engine, "villa", demand.id)
    assert (now.area, now.due_on) == ("Limpieza", date(2030, 1, 2))


@pytest.mark.parametrize(
    ("decide", "why"),
    [
        (lambda f, d: f.confirm(by(d), category="basura"), "no category «basura»"),
        (lambda f, d: f.confirm(by(d), zone="sur"), "no zone «sur»"),
        (lambda f, d: f.confirm(Decision(d.id, "Ana Quispe")), "no code of a person"),
        (lambda f, d: f.confirm(Decision("abcdef", "E-07")), "has no demand abcdef"),
        (lambda f, d: f.confirm(Decision("%", "E-07")), "has no demand %"),
        (lambda f, d: f.confirm(by(d, note="x" * 501)), "The note has 501"),
        (lambda f, d: f.merge(by(d), d.id), "merged with itself"),
        (lambda f, d: f.split(by(d), []), "Name some"),
        (lambda f, d: f.split(by(d), ["abc"]), "abc: no text of demand"),
    ],
)
def test_what_cannot_be_kept_is_refused(store: Store, decide, why: str) -> None:  # type: ignore[no-untyped-def]
    demand = bins(store)
    with pytest.raises(InputError, match=why):
        decide(flow(store), demand)
    assert find_demand(store.engine, "villa", demand.id) == demand


@pytest.mark.parametrize(("reply", "why"), [(" ", "is empty"), ("x" * 4001, "has 4,001")])
def test_a_reply_says_something_and_not_too_much(store: Store, reply: str, why: str) -> None:
    assert LONGEST_REPLY == 4000
    demand = bins(store)
    flow(store).confirm(by(demand))
    flow(store).assign(by(demand))
    flow(store).start(by(demand))
    with pytest.raises(InputError, match=why):
        flow(store).answer(by(demand), reply)


def test_an_unconfigured_area_is_named_with_those_that_are(store: Store) -> None:
    put(store, said(1, "No hay agua"), category="water")
    asked(store)
    (demand,) = demands(store.engine, "villa")
    confirmed = flow(store).confirm(by(demand))
    assert (confirmed.area, confirmed.due_on) == (None, None)
    with pytest.raises(InputError, match="There are: Limpieza; Tránsito"):
        flow(store).assign(by(demand))
    assert flow(store).assign(by(demand), area="Limpieza").due_on


def test_merging_moves_the_texts_and_both_histories_tell(both: Store) -> None:
    one = bins(both)
    put(both, said(3, HOLE), category="transport")
    asked(both)
    (other,) = [d for d in demands(both.engine, "villa") if d.id != one.id]
    kept = flow(both).merge(by(other, 1), one.id)
    assert (kept.id, kept.texts, kept.version) == (one.id, 3, 2)
    gone = find_demand(both.engine, "villa", other.id)
    assert (gone.status, gone.merged_into, gone.texts) == (Status.MERGED, one.id, 0)
    assert history(both.engine, one.id)[-1].detail == {"texts": 1, "from": other.id}
    assert asked(both).texts == 0


def test_nothing_is_merged_into_what_is_answered(store: Store) -> None:
    one = answered(store, bins(store))
    put(store, said(3, HOLE), category="transport")
    asked(store)
    (other,) = [d for d in demands(store.engine, "villa") if d.id != one.id]
    with pytest.raises(InputError, match="is answered: only one that waits"):
        flow(store).merge(by(other), one.id)


def test_splitting_moves_some_texts_into_a_demand_of_their_own(both: Store) -> None:
    demand = flow(both).confirm(by(bins(both)))
    flow(both).assign(by(demand))
    new = flow(both).split(by(demand), [said(2).id])
    assert (new.status, new.texts, new.area) == (Status.NEW, 1, "Limpieza")
    assert [text.id for text in evidence(both.engine, new.id)] == [said(2).id]
    assert find_demand(both.engine, "villa", demand.id).texts == 1
    assert history(both.engine, new.id)[0].detail == {"texts": 1, "from": demand.id}
    with pytest.raises(InputError, match="leave some"):
        flow(both).split(by(new), [said(2).id])


@pytest.mark.parametrize(
    ("days", "working", "start", "due"),
    [
        (7, False, date(2026, 7, 24), date(2026, 7, 31)),
        (3, True, date(2026, 7, 24), date(2026, 7, 31)),  # 28 and 29 are holidays in Peru
        (1, True, date(2026, 4, 1), date(2026, 4, 6)),  # Maundy Thursday, Good Friday, a weekend
        (None, False, date(2026, 4, 1), None),
    ],
)
def test_the_due_day(days: int | None, working: bool, start: date, due: date | None) -> None:
    area = Area(name="A", categories=("waste",), answer_days=days, working_days=working)
    assert due_day(area, start, "PE") == due


def test_an_ended_demand_waits_again_with_the_reason_and_its_first_answer_counts(
    store: Store,
) -> None:
    demand, steps = bins(store), flow(store)
    steps.confirm(by(demand))
    steps.assign(by(demand), area="Limpieza")
    steps.start(by(demand))
    first = steps.answer(by(demand), "Listo").answered_at
    closed = steps.close(by(demand))
    with pytest.raises(InputError, match="why"):
        steps.reopen(by(demand), "  ")
    with pytest.raises(ConflictError):
        steps.reopen(by(demand, closed.version - 1), "Volvió la basura")

    again = steps.reopen(by(demand, closed.version), "Volvió la basura. Mi número es 987654321")

    assert (again.status, again.ended_at, again.answered_at) == (Status.NEW, None, first)
    last = history(store.engine, demand.id)[-1]
    assert (last.action, last.from_status, last.to_status) == (Action.REOPEN, "closed", "new")
    assert last.note == "Volvió la basura. Mi número es [teléfono]"
    steps.assign(by(demand), area="Limpieza")
    steps.start(by(demand))
    assert steps.answer(by(demand), "Listo otra vez").answered_at == first


def test_a_rejected_proposal_is_a_proposal_again(store: Store) -> None:
    demand, steps = bins(store), flow(store)
    with pytest.raises(InputError, match="reopen"):
        steps.reopen(by(demand), "Sí es nuestra")
    assert steps.reject(by(demand), "Es de Lima").reason == "Es de Lima"
    again = steps.reopen(by(demand), "Sí es nuestra")
    assert (again.status, again.reason) == (Status.PROPOSED, None)
