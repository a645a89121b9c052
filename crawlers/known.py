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

from models.records import Validator

_HALF = 16


def fingerprint(identity: str | None, *parts: str | None) -> str:
    """Return 32 hexadecimal digits that stand for what a source listed, and hold none of it.

    The first half stands for its identity alone, the second for all the rest.
    """
    return f"{_half(identity)}{_half(*parts)}"


def _half(*parts: str | None) -> str:
    return sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()[:_HALF]


class Known(BaseModel):
    """What is stored of a source.

    ``validators`` are those of its last good answers by address, ``seen`` is when each
    fingerprint was said. ``complete`` says that the latest crawl read all there was, so that
    older pages than those seen hold nothing new.
    """

    model_config = ConfigDict(frozen=True)

    validators: Mapping[str, Validator] = {}
    seen: Mapping[str, datetime] = {}
    complete: bool = False

    @cached_property
    def newest(self) -> datetime | None:
        """When the newest of what was seen was said."""
        return max(self.seen.values(), default=None)

    @cached_property
    def _identities(self) -> frozenset[str]:
        return frozenset(mark[:_HALF] for mark in self.seen)

    def has(self, mark: str | None) -> bool:
        """Say whether something was seen as it is listed now."""
        return mark in self.seen

    def has_some(self, mark: str | None) -> bool:
        """Say whether something was seen, be it listed differently."""
        return (mark or "")[:_HALF] in self._identities

    def is_settled(self, mark: str | None, newest: datetime | None, revisit_days: float) -> bool:
        """Say whether what was seen is old enough, beside the newest, not to be opened again."""
        said_at = self.seen.get(mark or "")
        if said_at is None:
            return False
        return newest is None or said_at < newest - timedelta(days=revisit_days)

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
