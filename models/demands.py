"""The words of demands: their states, and what can be done to them."""

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where a demand stands."""

    PROPOSED = "proposed"
    """Made by the software; no person has looked at it."""
    NEW = "new"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in-progress"
    ANSWERED = "answered"
    CLOSED = "closed"
    REJECTED = "rejected"
    MERGED = "merged"
    """Its texts are part of another demand."""


class Action(StrEnum):
    """What happened to a demand, as its history names it."""

    PROPOSE = "propose"
    JOIN = "join"
    """Texts that came later joined it."""
    RECEIVE = "receive"
    """It came in through Open311."""
    CONFIRM = "confirm"
    ASSIGN = "assign"
    START = "start"
    ANSWER = "answer"
    CLOSE = "close"
    REJECT = "reject"
    REOPEN = "reopen"
    """It had ended, and waits for an answer again."""
    MERGE = "merge"
    SPLIT = "split"
    UPDATE = "update"
    """Another system told of it."""
    PURGE = "purge"
    """Texts of it were deleted for good."""


class Origin(StrEnum):
    """Where a demand came from."""

    PROPOSED = "proposed"
    SPLIT = "split"
    OPEN311 = "open311"


WAITING: Final = (Status.PROPOSED, Status.NEW, Status.ASSIGNED, Status.IN_PROGRESS)
"""Those that nobody has answered yet; new texts join them."""

PUBLIC: Final = (
    *(Status.NEW, Status.ASSIGNED, Status.IN_PROGRESS, Status.ANSWERED),
    *(Status.CLOSED, Status.REJECTED),
)
"""Those that a person has confirmed, or turned down: they may be shown outside."""

AGE_BANDS: Final = ((0, 7), (8, 15), (16, 30), (31, 90), (91, None))
"""Whole days that a demand has been waiting, both ends included."""


def band_of(days: int) -> str:
    """Return the name of the age band: «0-7», «91+»."""
    low, high = next(band for band in AGE_BANDS if band[1] is None or days <= band[1])
    return f"{low}+" if high is None else f"{low}-{high}"


BANDS: Final = tuple(band_of(low) for low, _ in AGE_BANDS)
