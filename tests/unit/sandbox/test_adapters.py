"""The town and the crawler's adapters meet: reading each platform to its end gives the truth."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from configs.schema import SHIPPED, Municipality, Source, absolute_url
from crawlers.protocols.base import Answer, Ask, Step, with_query
from crawlers.protocols.registry import ADAPTERS
from crawlers.rules import Draft
from crawlers.sandbox.answers import Call, read_query
from crawlers.sandbox.pages import Pages
from crawlers.sandbox.sites import site
from crawlers.sandbox.town import Town
from crawlers.sandbox.truth import TruthRow, truth
from models.records import Extracted, Outcome, Protocol
from pipelines.upload import read_upload

BASE = "http://127.0.0.1:8765"
NOW = datetime(2021, 10, 1, 12, tzinfo=UTC)


def _sources() -> list[Source]:
    text = (SHIPPED / "municipalities" / "sandbox.yml").read_text("utf-8")
    municipality = Municipality.model_validate(yaml.safe_load(text))
    return [each for each in municipality.sources if each.protocol in ADAPTERS]


def _answer(pages: Pages, ask: Ask) -> Answer:
    parts = urlsplit(ask.url)
    assert f"{parts.scheme}://{parts.netloc}" == BASE, ask.url
    headers = {name.lower(): value for name, value in ask.headers.items()}
    query = read_query(parts.query)
    page = pages.answer(Call(unquote(parts.path), BASE, query, headers, ask.method, ask.body))
    sent = {name.lower(): value for name, value in page.headers}
    sent["content-type"] = page.content_type
    return Answer(ask.url, page.status, sent, page.body, ask.about, NOW)


def _read(pages: Pages, source: Source) -> tuple[list[Draft], list[Step]]:
    address = absolute_url(_municipality(), source)
    adapter: Any = ADAPTERS[source.protocol](source, address, "word" if source.token else None)
    waiting, drafts, steps = [adapter.start()], [], []
    asked: set[tuple[str, bytes]] = set()
    while waiting:
        ask = waiting.pop(0)
        if (ask.url, ask.body) in asked:
            continue
        asked.add((ask.url, ask.body))
        step = adapter.read(_answer(pages, ask))
        steps.append(step)
        drafts += step.drafts
        waiting += step.asks
        assert len(steps) < 2_000
    drafts += adapter.rest() if hasattr(adapter, "rest") else ()
    return drafts, steps


def _municipality() -> Municipality:
    text = (SHIPPED / "municipalities" / "sandbox.yml").read_text("utf-8")
    return Municipality.model_validate(yaml.safe_load(text))


def _plain(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def pages(town: Town) -> Pages:
    return Pages(town)


@pytest.fixture(scope="module")
def told(town: Town) -> dict[str, dict[str, TruthRow]]:
    rows: dict[str, dict[str, TruthRow]] = {}
    for row in truth(base_url=BASE, town=town):
        rows.setdefault(row.source, {})[row.external_id] = row
    return rows


@pytest.mark.parametrize("source", _sources(), ids=lambda source: source.name)
def test_every_manifestation_is_read_once_and_as_it_is(
    pages: Pages, told: dict[str, dict[str, TruthRow]], source: Source
):
    drafts, steps = _read(pages, source)
    assert [step.stop for step in steps if step.stop] == []
    problems = [each for step in steps for each in step.problems]
    assert [each for each in problems if each.outcome is not Outcome.DUPLICATE] == []
    rows = told[source.name]
    found = {draft.external_id: draft for draft in drafts}
    assert len(found) == len(drafts)
    assert found.keys() == rows.keys()
    for name, row in rows.items():
        draft = found[name]
        assert draft.kind.value == row.kind, name
        assert _plain(draft.text) == _plain(row.text), name
        assert (draft.parent, draft.thread) == (
            row.parent_external_id,
            row.thread_external_id,
        ), name
        moments = [datetime.fromisoformat(date) for date in draft.dates if date]
        assert moments[0].replace(tzinfo=moments[0].tzinfo or UTC) == datetime.fromisoformat(
            row.said_at
        ), name


@pytest.mark.parametrize(
    "source",
    [each for each in _municipality().sources if each.protocol is Protocol.UPLOAD],
    ids=lambda source: source.name,
)
def test_uploads_are_imported_as_they_are(
    pages: Pages, told: dict[str, dict[str, TruthRow]], source: Source, tmp_path: Path
):
    address = site(source.name).address
    file = tmp_path / address.rpartition("/")[2]
    file.write_bytes(pages.answer(Call(address, BASE)).body)
    records = list(read_upload(file, source, _municipality().zone, NOW))
    rows = told[source.name]
    assert len(records) == len(rows)
    for record in records:
        assert isinstance(record, Extracted)
        row = rows[record.external_id]
        assert (record.kind.value, _plain(record.text)) == (row.kind, _plain(row.text))
        assert record.said_at == datetime.fromisoformat(row.said_at)


def test_the_portals_comments_are_the_same_over_disqus(pages: Pages, town: Town):
    source = Source(
        name="comentarios",
        title="Comentarios del portal",
        protocol=Protocol.DISQUS,
        url=f"{BASE}/portal-este/api/3.0/",
        query="portal-este-al-dia",
    )
    drafts = _read_with_key(pages, source)
    said = {
        (_plain(each.text.text), each.said_at)
        for item in town.of("portal-este")
        for each in item.remarks
    }
    found = {draft.external_id: draft for draft in drafts}
    assert len(said) == len(drafts) == len(found) > 100
    assert {
        (_plain(draft.text), datetime.fromisoformat(draft.dates[0] or "")) for draft in drafts
    } == said
    parents = {draft.parent for draft in drafts if draft.parent != draft.thread}
    assert parents
    assert parents <= found.keys()


def test_one_page_of_the_portal_over_disqus(pages: Pages, town: Town):
    item = max(town.of("portal-este"), key=lambda item: len(item.remarks))
    url = (
        f"{BASE}/portal-este/api/3.0/threads/listPosts.json?forum=portal-este-al-dia"
        f"&thread=link:{BASE}{item.path}"
    )
    source = Source(name="hilo", title="Hilo", protocol=Protocol.DISQUS, url=url)
    drafts = _read_with_key(pages, source)
    assert {_plain(draft.text) for draft in drafts} == {
        _plain(each.text.text) for each in item.remarks
    }


def _read_with_key(pages: Pages, source: Source) -> list[Draft]:
    adapter: Any = ADAPTERS[source.protocol](source, source.url or "", "word")
    waiting, drafts = [adapter.start()], []
    while waiting:
        ask = waiting.pop(0)
        keyed = replace(ask, url=with_query(ask.url, **{ask.token_as: "word"}))
        step = adapter.read(_answer(pages, keyed))
        assert not step.stop, step.stop
        drafts += step.drafts
        waiting += step.asks
    return drafts
