"""Decidim's GraphQL: processes, pages of proposals, nested comments, and errors of every kind."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema import Source
from crawlers.protocols.base import Answer, Ask, Step
from crawlers.protocols.decidim import (
    PROPOSALS,
    PROPOSALS_AND_COMMENTS,
    REPLIES,
    SPACE,
    SPACES,
    Decidim,
)
from models.records import Kind, Outcome

HOME = "https://participa.example.pe"
NOW = datetime(2025, 5, 20, 15, tzinfo=UTC)
PAGE = {"is": "proposals", "component": "39", "slug": "presupuesto", "after": None}


def translated(**texts: str) -> dict[str, Any]:
    return {"translations": [{"locale": name, "text": text} for name, text in texts.items()]}


def comment(own: str, body: str = "De acuerdo", **more: Any) -> dict[str, Any]:
    found = {
        "id": own,
        "body": body,
        "createdAt": "2025-05-06T10:00:00-05:00",
        "hasComments": False,
        "author": {"name": "Beto Huamán"},
    }
    return found | more


def proposal(own: str, **more: Any) -> dict[str, Any]:
    found = {
        "id": own,
        "title": translated(en="Lights", es="Más luz en Huaycán"),
        "body": translated(es="<p>La zona E está oscura.</p><p>Hay robos.</p>"),
        "publishedAt": "2025-05-05T09:30:00-05:00",
        "author": {"name": "Rosa Quispe"},
    }
    return found | more


def page(*nodes: Any, after: str | None = None) -> dict[str, Any]:
    info = {"hasNextPage": after is not None, "endCursor": after}
    edges = [{"node": node} for node in nodes]
    return {"data": {"component": {"id": "39", "proposals": {"pageInfo": info, "edges": edges}}}}


def spaces(*components: Any, slug: str = "presupuesto") -> dict[str, Any]:
    space = {"id": "1", "slug": slug, "components": list(components)}
    return {"data": {"participatoryProcesses": [space]}}


def adapter(url: str = f"{HOME}/", **about: Any) -> Decidim:
    source = {"name": "participa", "title": "Participa", "protocol": "decidim", "url": url} | about
    return Decidim(Source(**source), url, None)


def answer(value: Any, about: dict[str, Any] | None = None, status: int = 200) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    headers = {"content-type": "application/json; charset=utf-8"}
    return Answer(f"{HOME}/api", status, headers, body, about or {"is": "spaces"}, NOW, "c1")


def sent(ask: Ask) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask.body)
    return found


def outcomes(step: Step) -> list[Outcome]:
    return [problem.outcome for problem in step.problems]


@pytest.mark.parametrize("url", [HOME, f"{HOME}/", f"{HOME}/api"])
def test_it_begins_with_the_processes(url: str) -> None:
    ask = adapter(url).start()

    assert (ask.method, ask.url) == ("POST", f"{HOME}/api")
    assert ask.headers["Content-Type"] == "application/json"
    assert sent(ask) == {"query": SPACES, "variables": {}}

    one = adapter(url, query="presupuesto").start()
    assert sent(one) == {"query": SPACE, "variables": {"slug": "presupuesto"}}


def test_the_queries_are_whole_and_inside_decidims_limits() -> None:
    for query in (SPACES, SPACE, PROPOSALS, PROPOSALS_AND_COMMENTS, REPLIES):
        assert query.count("{") == query.count("}")
        assert _deepest(query, "comments") <= 2
        assert _depth(query) <= 15


def _depth(query: str) -> int:
    depth = deepest = 0
    for sign in query:
        depth += (sign == "{") - (sign == "}")
        deepest = max(deepest, depth)
    return deepest


def _deepest(query: str, name: str) -> int:
    """Return how often a field with fields of its own lies inside itself."""
    open_fields: list[str] = []
    deepest = 0
    for field, sign in re.findall(r"(?:(\w+)\s*(?:\([^)]*\))?\s*)?([{}])", query):
        if sign == "}":
            open_fields.pop()
        else:
            open_fields.append(field)
            deepest = max(deepest, open_fields.count(name))
    return deepest


def test_components_of_proposals_are_asked_for() -> None:
    found = spaces(
        {"id": "38", "__typename": "Meetings"},
        {"id": "39", "__typename": "Proposals"},
        {"id": None, "__typename": "Proposals"},
        "roto",
    )
    step = adapter().read(answer(found))

    [ask] = step.asks
    given = {"component": "39", "after": None, "order": {"publishedAt": "DESC"}}
    assert sent(ask) == {"query": PROPOSALS, "variables": given}
    assert (ask.older, ask.needed) == (False, True)
    assert ask.needed
    assert outcomes(step) == [Outcome.NO_IDENTITY]
    talking = adapter(comments=True).read(answer(found))
    assert sent(talking.asks[0])["query"] == PROPOSALS_AND_COMMENTS

    one = {"data": {"participatoryProcess": found["data"]["participatoryProcesses"][0]}}
    assert len(adapter(query="presupuesto").read(answer(one)).asks) == 1


def test_a_proposal_opens_a_thread() -> None:
    step = adapter().read(answer(page(proposal("35")), PAGE))

    [found] = step.drafts
    assert found.external_id == "proposal:35"
    assert (found.kind, found.parent, found.thread) == (Kind.POST, None, None)
    assert found.title == "Más luz en Huaycán"
    assert found.text == "La zona E está oscura.\n\nHay robos."
    assert (found.author, found.dates) == ("Rosa Quispe", ("2025-05-05T09:30:00-05:00",))
    assert found.url == f"{HOME}/processes/presupuesto/f/39/proposals/35"
    assert (step.asks, step.problems) == ((), ())


def test_pages_are_followed_by_their_cursor_and_never_in_a_circle() -> None:
    step = adapter().read(answer(page(proposal("35"), after="NTA"), PAGE))
    given = {"component": "39", "after": "NTA", "order": {"publishedAt": "DESC"}}
    assert sent(step.asks[0])["variables"] == given
    assert step.asks[0].older

    again = adapter().read(answer(page(proposal("36"), after="NTA"), dict(step.asks[0].about)))
    assert again.asks == ()
    assert adapter().read(answer(page(after="NTB"), PAGE)).asks == ()


def test_nodes_are_read_as_well_as_edges() -> None:
    value = page()
    value["data"]["component"]["proposals"] = {"nodes": [proposal("35")], "pageInfo": {}}

    assert len(adapter().read(answer(value, PAGE)).drafts) == 1


def test_nested_comments_name_what_they_answer() -> None:
    inner = comment("52", "No creo", hasComments=True)
    outer = comment("51", "Apoyo", hasComments=True, comments=[inner])
    step = adapter(comments=True).read(answer(page(proposal("35", comments=[outer])), PAGE))

    _, first, reply = step.drafts
    assert (first.external_id, first.parent, first.thread) == (
        "comment:51", "proposal:35", "proposal:35",
    )  # fmt: skip
    assert (first.kind, first.author, first.text) == (Kind.COMMENT, "Beto Huamán", "Apoyo")
    assert first.dates == ("2025-05-06T10:00:00-05:00",)
    assert (reply.external_id, reply.parent, reply.thread) == (
        "comment:52", "comment:51", "proposal:35",
    )  # fmt: skip
    [ask] = step.asks
    assert sent(ask) == {
        "query": REPLIES,
        "variables": {"component": "39", "proposal": "35", "comment": "52"},
    }

    deeper = {"id": "52", "comments": [comment("53", "Yo sí")]}
    value = {"data": {"component": {"id": "39", "proposal": {"id": "35", "comments": [deeper]}}}}
    last = adapter(comments=True).read(answer(value, dict(ask.about)))
    assert [(d.external_id, d.parent, d.thread) for d in last.drafts] == [
        ("comment:53", "comment:52", "proposal:35")
    ]


def test_answers_to_answers_end_somewhere() -> None:
    about: dict[str, Any] = {"is": "replies", "component": "39", "proposal": "35", "comment": "1"}
    about |= {"depth": 1}
    for _ in range(50):
        inner = {"id": about["comment"], "comments": [comment("2", hasComments=True)]}
        value = {"data": {"component": {"proposal": {"comments": [inner]}}}}
        step = adapter(comments=True).read(answer(value, about))
        if not step.asks:
            return
        about = dict(step.asks[0].about) | {"comment": about["comment"]}
    pytest.fail("it asks for answers without end")


def test_errors_are_explained_by_their_codes_alone() -> None:
    error = {
        "message": "Field 'x' doesn't exist: Rosa dijo",
        "path": ["query"],
        "extensions": {"code": "undefinedField"},
    }
    start = adapter().read(answer({"errors": [error, error]}))
    assert start.stop == (
        f"{HOME}/api answered with 2 GraphQL errors (undefinedField);"
        " its Decidim is of another version"
    )
    partly = adapter().read(answer(page(proposal("35")) | {"errors": [{"message": "Rosa"}]}, PAGE))
    assert len(partly.drafts) == 1
    assert partly.stop == ""
    assert partly.problems[0].detail == f"{HOME}/api answered with 1 GraphQL errors"


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"<html></html>", 200, "is a page, not JSON"),
        ({}, 404, "answered 404; is it a Decidim whose interface is open?"),
        ({"data": None}, 200, "holds no data"),
        ([1], 200, "holds no data"),
        (spaces(), 200, "has no process with a component of proposals"),
    ],
)
def test_what_is_no_decidim_ends_the_crawl_with_a_reason(body: Any, status: int, why: str) -> None:
    step = adapter().read(answer(body, status=status))

    assert step.stop == f"{HOME}/api {why}"


def test_one_page_that_cannot_be_read_leaves_the_others() -> None:
    for body, status in ((b"roto", 200), ({}, 422), ({"data": {"component": None}}, 200)):
        step = adapter().read(answer(body, PAGE, status))
        assert (step.stop, step.drafts, len(step.problems)) == ("", (), 1)


def test_what_lacks_a_mandatory_field_is_counted() -> None:
    found = page(
        proposal("35", publishedAt=5.5, author=None, body=None),
        proposal("36", title=[], body={"translations": "Texto de Rosa"}),
        proposal("", comments=[]),
        None,
        proposal("38", comments=[comment("", "x"), comment("7", body=[1]), 3]),
    )
    step = adapter(comments=True).read(answer(found, PAGE))

    assert [draft.external_id for draft in step.drafts] == ["proposal:35", "proposal:38"]
    assert (step.drafts[0].dates, step.drafts[0].author) == ((None,), None)
    assert Counter(outcomes(step)) == {
        Outcome.UNREADABLE: 2,
        Outcome.NO_TEXT: 2,
        Outcome.NO_IDENTITY: 2,
    }
    assert not any("Rosa" in problem.detail for problem in step.problems)


def test_the_language_is_spanish_or_the_first_there_is() -> None:
    texts = {"qu": "Aswan k'anchay", "es-PE": "Más luz"}
    step = adapter().read(answer(page(proposal("35", body=translated(**texts))), PAGE))
    assert step.drafts[0].text == "Más luz"

    step = adapter().read(answer(page(proposal("35", body=translated(qu="Aswan"))), PAGE))
    assert step.drafts[0].text == "Aswan"


NAMES = [
    *proposal("1"),
    *comment("1"),
    "comments",
    "component",
    "proposals",
    "edges",
    "node",
    "data",
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
ABOUTS = [{"is": "spaces"}, PAGE, {"is": "replies", "comment": "1", "proposal": "2"}, {"x": 1}]


@settings(max_examples=80, deadline=None)
@given(ANYTHING, st.sampled_from(ABOUTS), st.sampled_from([200, 400]))
def test_no_answer_makes_it_raise(value: Any, about: dict[str, Any], status: int) -> None:
    shapes = (
        value,
        {"data": value, "errors": value},
        page(value, proposal("1", comments=[value], title=value)),
        {"data": {"participatoryProcesses": [value, {"components": [value]}]}},
        json.dumps(value).encode()[1:],
    )
    for shape in shapes:
        adapter(comments=True).read(answer(shape, about, status))


def test_comments_are_counted_so_that_an_unchanged_proposal_is_not_asked_for_again() -> None:
    deep = comment("2", hasComments=True)
    node = proposal("7", totalCommentsCount=2, comments=[comment("1", comments=[deep])])
    more = node | {"totalCommentsCount": 3}
    read = adapter(comments=True).read

    step, other = (read(answer(page(each), PAGE)) for each in (node, more))

    [ask] = step.asks
    assert (ask.of, ask.lists, step.whole) == ("proposal:7", ("proposal:7",), ("proposal:7",))
    assert step.drafts[0].counted
    assert step.drafts[0].fingerprint != other.drafts[0].fingerprint
