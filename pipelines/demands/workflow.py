"""What a person can do to a demand, and when.

    proposed → new → assigned → in-progress → answered → closed
    proposed, new, assigned, in-progress → rejected, with a reason
    closed, rejected → new (or proposed, where nobody had confirmed it), with a reason

Every decision names the version of the demand that it was made of; who decides about an older one
is told so (optimistic locking). The history keeps who, when, from where to where, and why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from configs.calendar import due_day
from configs.schema import Municipality
from models.demands import WAITING, Action, Origin, Status
from models.errors import ConflictError, InputError
from models.labels import CATEGORIES
from pipelines.demands.group import demand_id
from pipelines.people import LONGEST_NOTE, check_person, kept_text
from pipelines.store.demands import (
    Change,
    Demand,
    Event,
    Founded,
    change_demand,
    evidence,
    find_demand,
    merge_demands,
    split_demand,
)
from pipelines.store.write import Store

LONGEST_SUMMARY = 300
LONGEST_REPLY = 4_000

MOVES: Final[Mapping[Action, tuple[tuple[Status, ...], Status]]] = {
    Action.CONFIRM: ((Status.PROPOSED,), Status.NEW),
    Action.ASSIGN: ((Status.NEW, Status.ASSIGNED), Status.ASSIGNED),
    Action.START: ((Status.ASSIGNED,), Status.IN_PROGRESS),
    Action.ANSWER: ((Status.IN_PROGRESS,), Status.ANSWERED),
    Action.CLOSE: ((Status.ANSWERED,), Status.CLOSED),
    Action.REJECT: (WAITING, Status.REJECTED),
    Action.REOPEN: ((Status.CLOSED, Status.REJECTED), Status.NEW),
    Action.MERGE: (WAITING, Status.MERGED),
}
"""From which states an action leads, and where to."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides about which version of a demand; without a version, about it as it is now."""

    demand: str
    by: str
    version: int | None = None
    note: str | None = None


def possible(demand: Demand) -> tuple[Action, ...]:
    """Return what can be done to a demand now."""
    allowed = [action for action, (origins, _) in MOVES.items() if demand.status in origins]
    if demand.status in WAITING and demand.texts > 1:
        allowed.append(Action.SPLIT)
    return tuple(allowed)


class Workflow:
    """The decisions about one municipality's demands. Each returns the demand as it is then."""

    def __init__(self, store: Store, municipality: Municipality) -> None:
        self._store = store
        self._place = municipality

    def confirm(
        self,
        decision: Decision,
        *,
        category: str | None = None,
        zone: str | None = None,
        summary: str | None = None,
    ) -> Demand:
        """Say that a proposed demand is one: what it is about and where, and who is to answer.

        Args:
            decision: who confirms what.
            category: the right urban category, where the proposed one is wrong; the responsible
                area follows from it.
            zone: the code of the right zone; empty for none.
            summary: what is asked, in a sentence that may be published.

        Raises:
            InputError: the demand can't be confirmed, or something given can't be kept.
            ConflictError: somebody decided in the meantime.
        """
        demand = self._demand(decision)
        category = self._category(category or demand.category)
        area = self._place.area_for(category)
        values: dict[str, Any] = {
            "category": category,
            "zone": demand.zone if zone is None else self._zone(zone),
            "area": area.name if area else None,
            "summary": kept_text(summary, LONGEST_SUMMARY, "The summary") or demand.summary,
            "due_on": due_day(area, self._today(), self._place.country) if area else None,
        }
        return self._decide(Action.CONFIRM, decision, demand, values, {"confirmed_at": _now()})

    def assign(
        self,
        decision: Decision,
        *,
        area: str | None = None,
        assignee: str | None = None,
        due_on: date | None = None,
    ) -> Demand:
        """Hand a confirmed demand to an area, and to a person of it; again to change either.

        Args:
            decision: who assigns what.
            area: name of the area; the one that answers for the category if not given.
            assignee: code of the person.
            due_on: local day by which to answer, where it differs from the area's term.

        Raises:
            InputError: the demand can't be assigned, or there is no such area.
            ConflictError: somebody decided in the meantime.
        """
        demand = self._demand(decision)
        name = area or demand.area
        chosen = next((one for one in self._place.areas if one.name == name), None)
        if chosen is None:
            known = "; ".join(one.name for one in self._place.areas) or "none is configured"
            raise InputError(
                f"Say which area is to answer: {self._place.code} has no area "
                f"«{name or ''}». There are: {known}."
            )
        came = demand.confirmed_at or _now()
        due = due_on or (demand.due_on if chosen.name == demand.area else None)
        values: dict[str, Any] = {
            "area": chosen.name,
            "assignee": check_person(assignee) if assignee else demand.assignee,
            "due_on": due or due_day(chosen, self._day(came), self._place.country),
        }
        return self._decide(Action.ASSIGN, decision, demand, values)

    def start(self, decision: Decision) -> Demand:
        """Say that work on an assigned demand has begun."""
        return self._decide(Action.START, decision, self._demand(decision), {})

    def answer(self, decision: Decision, reply: str) -> Demand:
        """Answer a demand in public: plain text, its personal data masked.

        Raises:
            InputError: the demand can't be answered, or the reply is empty or too long.
            ConflictError: somebody decided in the meantime.
        """
        demand = self._demand(decision)
        text = kept_text(reply, LONGEST_REPLY, "The reply")
        if text is None:
            raise InputError("The reply is empty: write what the neighbours are to read.")
        return self._decide(
            Action.ANSWER,
            decision,
            demand,
            {"reply": text},
            {"answered_at": demand.answered_at or _now()},  # the first time counts
        )

    def close(self, decision: Decision) -> Demand:
        """Close an answered demand."""
        return self._decide(
            Action.CLOSE, decision, self._demand(decision), {}, {"ended_at": _now()}
        )

    def reject(self, decision: Decision, reason: str) -> Demand:
        """Turn a demand down and say why.

        Raises:
            InputError: the demand can't be rejected, or no reason is given.
            ConflictError: somebody decided in the meantime.
        """
        demand = self._demand(decision)
        why = kept_text(reason, LONGEST_NOTE, "The reason")
        if why is None:
            raise InputError("Say why it is rejected: the history and the neighbours want to know.")
        return self._decide(Action.REJECT, decision, demand, {"reason": why}, {"ended_at": _now()})

    def reopen(self, decision: Decision, reason: str) -> Demand:
        """Let an ended demand wait for an answer again; how long the first one took stays.

        Raises:
            InputError: the demand has not ended, or no reason is given.
            ConflictError: somebody decided in the meantime.
        """
        demand = self._demand(decision)
        if kept_text(reason, LONGEST_NOTE, "The reason") is None:
            raise InputError("Say why it is reopened: the history wants to know.")
        confirmed = demand.confirmed_at is not None
        change = self._change(
            Action.REOPEN,
            replace(decision, note=reason),
            demand,
            {"reason": None, "ended_at": None},
            {},
            {},
            Status.NEW if confirmed else Status.PROPOSED,
        )
        change_demand(self._store.engine, change)
        return self._find(demand.id)

    def merge(self, decision: Decision, into: str) -> Demand:
        """Move the texts of a demand into another, which is returned.

        Raises:
            InputError: they are one and the same, or one of them does not wait for an answer.
            ConflictError: somebody decided about one of them in the meantime.
        """
        demand, other = self._demand(decision), self._find(into)
        if demand.id == other.id:
            raise InputError("A demand can't be merged with itself: name another one.")
        if other.status not in WAITING:
            raise InputError(
                f"Demand {other.id} is {other.status}: only one that waits for its answer can "
                "take the texts of another."
            )
        detail = {"texts": demand.texts, "into": other.id}
        gone = self._change(
            Action.MERGE, decision, demand, {"merged_into": other.id}, {"ended_at": _now()}, detail
        )
        event = self._event(Action.MERGE, decision, other.status, other.status)
        event.detail = {"texts": demand.texts, "from": demand.id}
        merge_demands(self._store.engine, gone, Change(other.id, other.version, event.frozen()))
        return self._find(other.id)

    def split(self, decision: Decision, texts: Sequence[str]) -> Demand:
        """Move some of a demand's texts into a new demand, which is returned.

        It is proposed, or new, as the first one is: who assigned that one did not mean these.

        Raises:
            InputError: the demand does not wait for an answer, or these are none or all of its
                texts.
            ConflictError: somebody decided in the meantime.
        """
        demand = self._demand(decision)
        if demand.status not in WAITING:
            raise InputError(f"Demand {demand.id} is {demand.status} and can't be split any more.")
        mine = {one.id for one in evidence(self._store.engine, demand.id)}
        moved = sorted(set(texts))
        if strangers := [id_ for id_ in moved if id_ not in mine]:
            raise InputError(f"{', '.join(strangers)}: no text of demand {demand.id}.")
        if not moved or len(moved) == len(mine):
            raise InputError("Name some of the demand's texts to move, and leave some.")
        new_id = demand_id(demand.municipality, demand.id, str(demand.version), *moved)
        status = Status.PROPOSED if demand.status is Status.PROPOSED else Status.NEW
        now = _now()
        values = {
            "id": new_id,
            "municipality": demand.municipality,
            "category": demand.category,
            "zone": demand.zone,
            "area": demand.area,
            "status": status,
            "origin": Origin.SPLIT,
            "due_on": demand.due_on,
            "version": 1,
            "proposed_at": now,
            "confirmed_at": demand.confirmed_at,
            "updated_at": now,
        }
        born = self._event(Action.SPLIT, decision, None, status)
        born.detail = {"texts": len(moved), "from": demand.id}
        left = self._event(Action.SPLIT, decision, demand.status, demand.status)
        left.detail = {"texts": len(moved), "into": new_id}
        split_demand(
            self._store.engine,
            Change(demand.id, demand.version, left.frozen()),
            Founded(values, dict.fromkeys(moved, "person"), born.frozen()),
        )
        return self._find(new_id)

    # --- how a decision is kept ---------------------------------------------------------------

    def _decide(
        self,
        action: Action,
        decision: Decision,
        demand: Demand,
        values: Mapping[str, Any],
        moments: Mapping[str, datetime] | None = None,
    ) -> Demand:
        change = self._change(action, decision, demand, values, moments or {}, {})
        change_demand(self._store.engine, change)
        return self._find(demand.id)

    def _change(
        self,
        action: Action,
        decision: Decision,
        demand: Demand,
        values: Mapping[str, Any],
        moments: Mapping[str, datetime],
        detail: Mapping[str, Any],
        to: Status | None = None,
    ) -> Change:
        origins, usual = MOVES[action]
        if demand.status not in origins:
            raise InputError(_illegal(action, demand))
        event = self._event(action, decision, demand.status, to or usual)
        event.detail = {**differences(demand, values), **detail}
        return Change(demand.id, demand.version, event.frozen(), {**values, **moments})

    def _event(
        self, action: Action, decision: Decision, before: Status | None, after: Status
    ) -> "_Draft":
        by = check_person(decision.by)
        return _Draft(action, by, before, after, kept_text(decision.note, LONGEST_NOTE, "The note"))

    def _demand(self, decision: Decision) -> Demand:
        demand = self._find(decision.demand)
        if decision.version is not None and decision.version != demand.version:
            raise ConflictError(
                f"Demand {demand.id} has changed since you read it (version {decision.version}, "
                f"now {demand.version}): look at it again, then decide."
            )
        return demand

    def _find(self, demand: str) -> Demand:
        return find_demand(self._store.engine, self._place.code, demand)

    def _category(self, code: str) -> str:
        if code not in CATEGORIES:
            raise InputError(f"There is no category «{code}». There are: {', '.join(CATEGORIES)}.")
        return code

    def _zone(self, code: str) -> str | None:
        known = [zone.code for zone in self._place.zones]
        if code and code not in known:
            raise InputError(f"There is no zone «{code}». There are: {', '.join(known) or 'none'}.")
        return code or None

    def _today(self) -> date:
        return self._day(_now())

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._place.zone).date()


@dataclass(slots=True)
class _Draft:
    """A line of the history in the making."""

    action: Action
    by: str
    before: Status | None
    after: Status
    note: str | None
    detail: Mapping[str, Any] | None = None

    def frozen(self) -> Event:
        return Event(
            _now(), self.by, self.action, self.before, self.after, self.note, self.detail or {}
        )


def _illegal(action: Action, demand: Demand) -> str:
    origins, _ = MOVES[action]
    allowed = ", ".join(possible(demand)) or "nothing more"
    return (
        f"Demand {demand.id} is {demand.status}, and «{action}» is for one that is "
        f"{' or '.join(origins)}. What can be done now: {allowed}."
    )


def differences(demand: Demand, values: Mapping[str, Any]) -> dict[str, list[str | None]]:
    """Return the fields that change with their former and new values, as texts."""
    before = {name: getattr(demand, name) for name in values}
    return {
        name: [_shown(before[name]), _shown(value)]
        for name, value in values.items()
        if before[name] != value
    }


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)


def _now() -> datetime:
    return datetime.now(UTC)
