"""Answers that no platform gives: an adapter never raises, and what it gives can be written."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.schema import Source
from crawlers.protocols.base import (
    Adapter,
    Answer,
    Ask,
    Broken,
    Holding,
    Step,
    number,
    parse_json,
    word,
)
from crawlers.protocols.refusals import refused, wait_until
from crawlers.protocols.registry import ADAPTERS
from crawlers.rules import LONGEST_TEXT, settle
from crawlers.wire import to_line
from models.records import Extracted, Outcome, Protocol

Reply = Callable[..., Answer]
PLATFORMS = (
    Protocol.MASTODON,
    Protocol.REDDIT,
    Protocol.YOUTUBE,
    Protocol.FACEBOOK,
    Protocol.X,
    Protocol.TELEGRAM,
    Protocol.DISQUS,
)
STATUSES = (200, 400, 401, 402, 403, 404, 429, 500, 503)
ABOUTS: tuple[dict[str, str], ...] = (
    {},
    {"thread": "1", "video": "v", "post": "p", "link": "t3_p"},
    {"video": "v", "post": "p", "link": "t3_p", "more": "1"},
)
VOCABULARY = """
id uri url content created_at in_reply_to_id in_reply_to_account_id account acct mentions reblog
spoiler_text replies_count ancestors descendants kind data children after replies body author name
parent_id link_id permalink created_utc num_comments selftext title json things count items snippet
videoId topLevelComment totalReplyCount comments textDisplay textOriginal publishedAt nextPageToken
authorDisplayName channelTitle parentId error errors reason code details type paging next cursors
message created_time from parent summary total_count permalink_url includes users username meta
result_count next_token author_id conversation_id referenced_tweets note_tweet text
response cursor next hasNext thread link raw_message createdAt isDeleted isSpam isApproved username
"""
KEYS = VOCABULARY.split()
WORDS = (
    "t1",
    "t3",
    "more",
    "Listing",
    "retweeted",
    "replied_to",
    "t3_p1",
    "t1_c1",
    "quotaExceeded",
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**40, max_value=10**60),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(
        [*WORDS, "https://x.example/a?access_token=1", "http://[", "\ud800", "a" * 3_000]
    ),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=8),
    ),
    max_leaves=40,
)


def adapter_of(protocol: Protocol) -> Adapter:
    url = "https://plataforma.example/base"
    source = Source(
        name="vecinos",
        title="Vecinos",
        protocol=protocol,
        url=url,
        query="ate",
        token="UN_TOKEN",
        comments=True,
    )
    return ADAPTERS[protocol](source, url, "secreta-123")


def check(adapter: Adapter, step: Step) -> None:
    """Whatever an adapter says can be settled, written, and asked for."""
    rest = adapter.rest() if isinstance(adapter, Holding) else ()
    for draft in (*step.drafts, *rest):
        record = settle(draft, "vecinos", ZoneInfo("America/Lima"))
        assert to_line(record)
        if isinstance(record, Extracted):
            assert len(record.external_id) <= 1_000
    for ask in step.asks:
        ask.url.encode("ascii")
        assert "secreta" not in ask.url
    for problem in step.problems:
        assert (problem.where + problem.detail).encode()
    assert "secreta" not in step.stop


def answer(body: bytes, status: int = 200, about: dict[str, str] | None = None) -> Answer:
    url = "https://plataforma.example/base/lista?limit=1"
    moment = datetime(2026, 5, 20, 12, tzinfo=UTC)
    return Answer(url, status, {}, body, about or {}, moment, "c1")


@pytest.mark.parametrize("protocol", PLATFORMS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=JSON, status=st.sampled_from(STATUSES), about=st.sampled_from(ABOUTS))
def test_any_json(protocol: Protocol, value: object, status: int, about: dict[str, str]) -> None:
    adapter = adapter_of(protocol)
    for shape in (value, [value], {"data": value}, {"items": value}, {"data": {"children": value}}):
        body = json.dumps(shape).encode()
        check(adapter, adapter.read(answer(body, status, about)))


@pytest.mark.parametrize("protocol", PLATFORMS)
@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=300), status=st.sampled_from(STATUSES))
def test_any_bytes(protocol: Protocol, body: bytes, status: int) -> None:
    adapter = adapter_of(protocol)
    check(adapter, adapter.read(answer(body, status)))


def hostile() -> Iterable[tuple[str, bytes]]:
    yield "deep lists", b"[" * 100_000 + b"]" * 100_000
    yield "deep objects", b'{"data":' * 100_000 + b"1" + b"}" * 100_000
    yield "deep and valid", b'{"items":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    yield "a page", b"<!doctype html><html><body><h1>Mantenimiento</h1></body></html>"
    yield "deep markup", b"<div>" * 100_000 + b"hola" + b"</div>" * 100_000
    yield "a huge number", b'{"items": [{"id": ' + b"9" * 100_000 + b"}]}"
    yield "a huge exponent", b'[{"id": 1e400, "created_utc": -1e300, "uri": NaN}]'
    yield "nothing", b""
    yield "zeros", b"\0" * 10_000
    yield "half a document", b'{"data": [{"id": "1", "text": "hol'


@pytest.mark.parametrize("protocol", PLATFORMS)
@pytest.mark.parametrize(
    ("what", "body"), list(hostile()), ids=lambda x: x if isinstance(x, str) else ""
)
def test_hostile_answers(protocol: Protocol, what: str, body: bytes) -> None:
    for status in (200, 403, 429):
        for about in ABOUTS:
            adapter = adapter_of(protocol)
            step = adapter.read(answer(body, status, about))
            check(adapter, step)
            assert not step.drafts or what in {"a huge number", "a huge exponent"}


def test_long_texts_are_counted_and_not_parsed(make_answer: Reply) -> None:
    adapter = adapter_of(Protocol.MASTODON)
    content = "<p>" + "<b>a</b>" * LONGEST_TEXT
    page: Any = [{"id": "1", "uri": "u", "content": content, "created_at": "2026-05-01T00:00:00Z"}]
    (draft,) = adapter.read(make_answer(adapter.start(), page)).drafts
    record = settle(draft, "vecinos", ZoneInfo("America/Lima"))
    assert not isinstance(record, Extracted)
    assert record.outcome is Outcome.TOO_LONG


def test_adapters_know_neither_scrapy_nor_a_network() -> None:
    code = (
        "import sys, crawlers.protocols.registry, crawlers.protocols.refusals;"
        "print([m for m in ('scrapy', 'twisted', 'urllib.request') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_json() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": [1]}') == {"a": [1]}
    assert parse_json('{"a": "ñ"}'.encode("latin-1")) == {"a": "ñ"}
    assert parse_json(b"[NaN, -Infinity]") == [None, None]
    for body in (b"", b"{", b"\xff\xfe", b"[" * 700 + b"]" * 700):
        assert isinstance(parse_json(body), Broken)


def test_words_and_numbers() -> None:
    row = {
        "a": 7,
        "b": True,
        "c": 10**40,
        "d": " x\n y ",
        "e": "z" * 2_000,
        "f": "1e999",
        "g": "12",
    }
    assert [word(row, key) for key in "abcdef"] == ["7", "", "", "x y", "", "1e999"]
    assert [number(row, key) for key in "abdfgz"] == [7, None, None, None, 12, None]
    assert word([{"x": "y"}], 0, "x") == "y"
    assert word([{"x": "y"}], 1, "x") == ""


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({"retry-after": "120"}, "12:02"),
        ({"retry-after": "Wed, 20 May 2026 12:30:00 GMT"}, "12:30"),
        ({"x-rate-limit-reset": "1779279300"}, "12:15"),
        ({"x-ratelimit-reset": "2026-05-20T12:05:00.000Z"}, "12:05"),
        ({"x-ratelimit-reset": "300.0"}, "12:05"),
        ({"retry-after": "pronto", "x-ratelimit-reset": "60"}, "12:01"),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "1e300"}, None),
        ({"x-rate-limit-reset": "99999999999999"}, None),
        ({}, None),
    ],
)
def test_when_a_limit_ends(headers: dict[str, str], until: str | None) -> None:
    read = datetime(2026, 5, 20, 12, tzinfo=UTC)
    limited = Answer("https://x.pe/a", 429, headers, b"", {}, read)
    found = wait_until(limited)
    assert (found and f"{found:%H:%M}") == until
    source = adapter_of(Protocol.X)._source  # type: ignore[attr-defined]
    step = refused(limited, source)
    assert step is not None
    assert step.stop.startswith("x.pe is temporarily limited (429)")


def test_a_token_is_in_no_address_and_in_no_text_of_a_request() -> None:
    """A token in a header would be in the text of an `Ask`, which nobody may log."""
    for protocol in PLATFORMS:
        ask: Ask = adapter_of(protocol).start()
        assert "secreta" not in ask.url
        assert "secreta" not in repr(ask)
