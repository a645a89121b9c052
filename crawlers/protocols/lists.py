"""Lists of an answer whose items cannot all be read, and pages that are missing from them."""

from collections.abc import Iterable

from crawlers.protocols.base import Answer, Problem, Step, look, unreadable
from crawlers.rules import Draft
from models.records import Outcome

CLOSED = frozenset({401, 402, 403, 404, 410, 451})
"""One page that a site keeps to itself or has taken away; the others are still read."""

_OUTCOMES = {
    401: Outcome.WALLED,
    402: Outcome.WALLED,
    403: Outcome.WALLED,
    404: Outcome.GONE,
    410: Outcome.GONE,
}


def objects(
    answer: Answer, value: object, *path: str | int
) -> tuple[list[dict[str, object]], tuple[Problem, ...]]:
    """Return the objects of the list at a path, and the problem of what is none."""
    found = look(value, *path)
    items = found if isinstance(found, list) else []
    kept = [item for item in items if isinstance(item, dict)]
    others = len(items) - len(kept)
    if not others:
        return kept, ()
    return kept, (unreadable(answer, f"holds {others} items that are no objects"),)


def sorted_out(made: Iterable[Draft | Problem | None]) -> Step:
    """Return a step of what was made of each item; nothing is what nobody said."""
    items = tuple(made)
    return Step(
        drafts=tuple(item for item in items if isinstance(item, Draft)),
        problems=tuple(item for item in items if isinstance(item, Problem)),
    )


def no_identity(answer: Answer, what: str) -> Problem:
    """Return the problem of an item without its id."""
    return Problem(Outcome.NO_IDENTITY, answer.url, f"{answer.url} holds {what} without an id")


def mistyped(where: str, name: str) -> Problem:
    """Return the problem of an item without the text that it must have."""
    return Problem(Outcome.NO_TEXT, where, f"its {name} is missing or no text")


def missing(answer: Answer) -> Step:
    """Return the step of one page that was not given."""
    return Step(problems=(not_given(answer, f"{answer.url} answered {answer.status}"),))


def shut(answer: Answer, detail: str) -> Step:
    """Return the step of an answer that shuts the whole source."""
    return Step(problems=(not_given(answer, detail),), stop=detail)


def not_given(answer: Answer, detail: str) -> Problem:
    """Return the problem of an address that is gone, or behind a log-in, or refused."""
    outcome = _OUTCOMES.get(answer.status, Outcome.UNREADABLE)
    return Problem(outcome, answer.url, detail)
