"""Sources to make adapters of, and answers to give them."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from configs.schema import Source
from crawlers.protocols.base import Answer, Ask

READ_AT = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def make_source() -> Callable[..., Source]:
    """Return a function that makes a source; what it leaves out has no meaning for a test."""

    def make(protocol: str, url: str, **about: Any) -> Source:
        named = {"name": "vecinos", "title": "Vecinos", "protocol": protocol, "url": url}
        return Source(**named | about)

    return make


@pytest.fixture
def make_answer() -> Callable[..., Answer]:
    """Return a function that answers a request with JSON, or with bytes or text as they are."""

    def make(
        ask: Ask, body: object, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Answer:
        if isinstance(body, str):
            body = body.encode()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"content-type": "application/json; charset=utf-8"}
        return Answer(ask.url, status, kind | dict(headers or {}), data, ask.about, READ_AT, "c1")

    return make
