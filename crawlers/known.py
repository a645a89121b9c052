"""What earlier runs know of a source, handed to a crawl in one compact file."""

import gzip
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from models.records import Opener, Validator

MOST_OPENERS = 10_000
"""The newest openers of a source that a crawl is told of, to look whether they are still there."""

_HALF = 16


def fingerprint(identity: str | None, *parts: str | None) -> str:
    """Return 32 hexadecimal digits that stand for what a source listed, and hold none of it.

    The first half stands for its identity alone, the second for all the rest.
    """
    return f"{_half(identity)}{_half(*parts)}"


def last_look(mark: str) -> str:
    """Return the fingerprint of what will not be opened again unless it is listed differently.

    What was read while it was young may have been answered or edited since; it is opened once
    more when it is old, and then has this mark.
    """
    return f"{mark[:_HALF]}{_half(mark, 'last look')}"


def is_old(said_at: datetime, newest: datetime | None, revisit_days: float) -> bool:
    """Say whether something is so old, beside the newest, that no more is awaited behind it."""
    return newest is not None and said_at < newest - timedelta(days=revisit_days)


def _half(*parts: str | None) -> str:
    return sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()[:_HALF]


class Known(BaseModel):
    """What is stored of a source.

    ``validators`` are those of its last good answers by address, ``seen`` is when each
    fingerprint was said. ``complete`` says that the latest crawl read all there was, so that
    older pages than those seen hold nothing new. ``openers`` are the newest of those that have a
    page of their own and are not known to be gone; of those that are, ``gone`` are the
    fingerprints.
    """

    model_config = ConfigDict(frozen=True)

    validators: Mapping[str, Validator] = {}
    seen: Mapping[str, datetime] = {}
    complete: bool = False
    openers: tuple[Opener, ...] = ()
    gone: tuple[str, ...] = ()

    @cached_property
    def by_page(self) -> Mapping[str, str]:
        """The external ids of the openers by their pages."""
        return {opener.url: opener.external_id for opener in self.openers}

    @cached_property
    def newest(self) -> datetime | None:
        """When the newest of what was seen was said."""
        return max(self.seen.values(), default=None)

    @cached_property
    def _identities(self) -> frozenset[str]:
        return frozenset(mark[:_HALF] for mark in self.seen)

    @cached_property
    def _gone(self) -> frozenset[str]:
        return frozenset(mark[:_HALF] for mark in self.gone)

    def was_gone(self, mark: str | None) -> bool:
        """Say whether something is known to have been taken back."""
        return (mark or "")[:_HALF] in self._gone

    def has(self, mark: str | None) -> bool:
        """Say whether something was seen as it is listed now."""
        return self.said_at(mark) is not None

    def said_at(self, mark: str | None) -> datetime | None:
        """Return when something was said that was seen as it is listed now."""
        return self.seen.get(mark or "") or self.seen.get(last_look(mark or ""))

    def has_some(self, mark: str | None) -> bool:
        """Say whether something was seen, be it listed differently."""
        return (mark or "")[:_HALF] in self._identities

    def is_settled(self, mark: str | None) -> bool:
        """Say whether something has had its last look, and is listed as it was then."""
        return last_look(mark or "") in self.seen

    def is_young(self, mark: str | None, newest: datetime | None, revisit_days: float) -> bool:
        """Say whether what was seen is young, beside the newest, so that more may still come."""
        said_at = self.said_at(mark)
        return said_at is not None and not is_old(said_at, newest, revisit_days)

    def save(self, path: Path) -> None:
        """Write everything into a file for the owner alone."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(gzip.compress(self.model_dump_json().encode(), compresslevel=1))

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Read such a file; without one nothing is known."""
        return (
            cls() if path is None else cls.model_validate_json(gzip.decompress(path.read_bytes()))
        )
