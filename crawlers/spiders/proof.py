"""What an answer proves: what is in its lists, and that what follows them is not needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from crawlers.known import Known
from crawlers.protocols.base import Ask, Problem, Step
from crawlers.rules import Draft
from models.records import OPENERS, Outcome


@dataclass(frozen=True, slots=True)
class Listed:
    """What an answer holds of some lists: ``ids`` as its source gives them, and ``dated`` drafts.

    ``thread`` is the list's name, where only the answer tells it. A list that ``is_expected_now``
    was not asked for: the answer to something else holds it.
    """

    names: Sequence[str]
    ids: Sequence[str]
    dated: Sequence[Draft] = ()
    thread: str = ""
    partial: bool = False
    is_expected_now: bool = False


def listed_by(step: Step, ask: Ask) -> Iterator[Listed]:
    """Yield the lists of a request, then the threads that its answer holds whole."""
    drafts = step.drafts
    ids = [draft.external_id for draft in drafts if draft.external_id]
    held = (*ids, *step.present, *step.gone, *(problem.where for problem in step.problems))
    is_page = step.partial and OPENERS not in ask.lists  # its own date is no comment's
    dated = [draft for draft in drafts if draft.thread or not is_page]
    dated = [draft for draft in dated if draft.thread not in step.whole]
    yield Listed(ask.lists, held, dated, step.thread, step.partial)
    for thread in (*step.empty, *step.whole):
        said = [draft.external_id or "" for draft in drafts if draft.thread == thread]
        yield Listed((thread,), said, is_expected_now=True)


def is_proof(step: Step) -> bool:
    """Say whether what is not in an answer is not there: nothing in it may hide anything."""
    return not step.stop and not any(_hides(problem) for problem in step.problems)


def _hides(problem: Problem) -> bool:
    """Say whether behind a problem there may be something that is not listed by its name."""
    return problem.outcome.failure is not None or problem.outcome is Outcome.NO_IDENTITY


def has_all(known: Known, step: Step) -> bool:
    """Say whether all that an answer lists is stored as it lists it, and all before it too."""
    marks = [draft.fingerprint or "" for draft in step.drafts]
    marks += [ask.mark for ask in step.asks if ask.mark]
    if not (marks and known.complete):
        return False
    return all(known.has(mark) for mark in marks)


def lies_before(since: datetime | None, step: Step, moments: Sequence[datetime]) -> bool:
    """Say whether nothing that an answer lists is as young as the window."""
    listed = [*moments, *(ask.at for ask in step.asks if ask.at)]
    return since is not None and bool(listed) and max(listed) < since
