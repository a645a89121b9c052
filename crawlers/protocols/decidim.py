"""Decidim: the proposals of participatory processes and their comments, through GraphQL.

Proposals are listed from the newest, with the number of their comments, so that a page after one
that is stored as it is listed, and answers to comments of such a proposal, are not asked for.
The queries stay inside Decidim's own limits: 50 items a page, 5,000 points of complexity, and
no field more than twice inside itself, so answers to answers are asked for one by one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from configs.schema import Source
from crawlers.extract.text import line
from crawlers.protocols.base import (
    Answer,
    Ask,
    Broken,
    Problem,
    Step,
    draft,
    failed,
    kind_of,
    look,
    markup,
    parse_json,
    rows,
    unreadable,
    word,
)
from crawlers.protocols.lists import CLOSED, mistyped, no_identity, objects, sorted_out
from crawlers.protocols.refusals import code_of
from crawlers.rules import Draft
from models.records import OPENERS, Kind

PER_PAGE = 50

DEEPEST = 10
"""Steps from a proposal to an answer; Decidim itself allows four."""

_PROCESS = "id slug components { id __typename }"
SPACES = f"query Spaces {{ participatoryProcesses {{ {_PROCESS} }} }}"
SPACE = f"query Space($slug: String!) {{ participatoryProcess(slug: $slug) {{ {_PROCESS} }} }}"

_COMMENT = "id body createdAt hasComments author { name }"
_TEXTS = "title { translations { locale text } } body { translations { locale text } }"
_PAGE = "pageInfo { hasNextPage endCursor }"


_NEWEST_FIRST = {"publishedAt": "DESC"}


def _proposals_query(comments: str) -> str:
    node = f"id {_TEXTS} publishedAt author {{ name }} {comments}"
    given = f"first: {PER_PAGE}, after: $after, order: $order"
    found = f"proposals({given}) {{ {_PAGE} edges {{ node {{ {node} }} }} }}"
    inside = f"component(id: $component) {{ id ... on Proposals {{ {found} }} }}"
    # as a variable, because the direction is a text in some versions and an enum in others
    asked = "$component: ID!, $after: String, $order: ProposalSort"
    return f"query Proposals({asked}) {{ {inside} }}"


PROPOSALS = _proposals_query("")
PROPOSALS_AND_COMMENTS = _proposals_query(
    f"totalCommentsCount comments {{ {_COMMENT} comments {{ {_COMMENT} }} }}"
)
REPLIES = (
    "query Replies($component: ID!, $proposal: ID!, $comment: String!) {"
    " component(id: $component) { id ... on Proposals { proposal(id: $proposal) { id"
    f" comments(singleCommentId: $comment) {{ id comments {{ {_COMMENT} }} }} }} }} }} }}"
)

_LANGUAGES = ("es", "es-PE", "es-MX", "es-PY")


class Decidim:
    """Reads the proposals of every process, or of the one whose slug is the ``query``."""

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        del token
        self._source = source
        self._root = url.partition("#")[0].partition("?")[0].rstrip("/").removesuffix("/api")

    def start(self) -> Ask:
        """Ask for the processes and their components."""
        slug = self._source.query
        about: dict[str, object] = {"is": "spaces"}
        return self._ask(SPACE, {"slug": slug}, about) if slug else self._ask(SPACES, {}, about)

    def _ask(
        self,
        query: str,
        variables: Mapping[str, object],
        about: Mapping[str, object],
        **others: Any,
    ) -> Ask:
        body = {"query": query, "variables": variables}
        given: dict[str, Any] = {"needed": True, "lists": (OPENERS,)} | others
        return Ask(
            f"{self._root}/api",
            method="POST",
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=json.dumps(body, ensure_ascii=False).encode(),
            about=about,
            errors=CLOSED | {400, 422},
            **given,
        )

    def read(self, answer: Answer) -> Step:
        """Read the processes, a page of proposals, or the answers to one comment."""
        is_start = answer.about.get("is", "spaces") == "spaces"
        value = parse_json(answer.body, answer.content_type)
        errors = _errors(answer, value)
        data = look(value, "data")
        if answer.status >= 400 or isinstance(value, Broken) or not isinstance(data, dict):
            why = errors or _why_not(answer, value)
            return failed(answer, why) if is_start else Step(problems=(unreadable(answer, why),))
        step = self._data(answer, data)
        if not errors:
            return step
        problem = unreadable(answer, errors)
        stop = problem.detail if is_start and not step.asks and not step.drafts else ""
        return replace(step, problems=(problem, *step.problems), stop=stop, whole=())

    def _data(self, answer: Answer, data: dict[str, object]) -> Step:
        kind = answer.about.get("is", "spaces")
        if kind == "spaces":
            return self._spaces(answer, data)
        component = look(data, "component")
        if kind == "replies":
            return self._replies(answer, component)
        return self._proposals(answer, component)

    def _spaces(self, answer: Answer, data: dict[str, object]) -> Step:
        one = look(data, "participatoryProcess")
        spaces = [one] if isinstance(one, dict) else rows(data, "participatoryProcesses")
        components = [
            (word(space, "slug"), word(component, "id"))
            for space in spaces
            for component in rows(space, "components")
            if word(component, "__typename") == "Proposals"
        ]
        if not components:
            return failed(answer, "has no process with a component of proposals")
        unique = dict.fromkeys(pair for pair in components if pair[1])
        without = len(components) - sum(1 for pair in components if pair[1])
        problems = (no_identity(answer, f"{without} components"),) if without else ()
        asks = (self._page(component, slug, None) for slug, component in unique)
        return Step(asks=tuple(asks), problems=problems)

    def _page(self, component: str, slug: str, after: str | None) -> Ask:
        query = PROPOSALS_AND_COMMENTS if self._source.comments else PROPOSALS
        about = {"is": "proposals", "component": component, "slug": slug, "after": after}
        given = {"component": component, "after": after, "order": _NEWEST_FIRST}
        return self._ask(query, given, about, older=after is not None)

    def _proposals(self, answer: Answer, component: object) -> Step:
        found = look(component, "proposals")
        if not isinstance(found, dict):
            return Step(problems=(unreadable(answer, "holds no proposals"),))
        nodes, problems = _nodes(answer, found)
        own = answer.about.get("component", "")
        step = Step(problems=problems)
        for node in nodes:
            step = _joined(step, self._proposal(answer, node))
        cursor = word(found, "pageInfo", "endCursor")
        more = look(found, "pageInfo", "hasNextPage") is True and nodes
        if more and cursor and cursor != answer.about.get("after"):
            after = (self._page(own, answer.about.get("slug", ""), cursor),)
            step = _joined(step, Step(asks=after))
        return step

    def _proposal(self, answer: Answer, node: dict[str, object]) -> Step:
        own = word(node, "id")
        if not own:
            return Step(problems=(no_identity(answer, "a proposal"),))
        identity = f"proposal:{own}"
        text, heading = _translated(node.get("body")), _translated(node.get("title"))
        if text is None and heading is None:
            return Step(problems=(mistyped(identity, "title and its body"),))
        count = node.get("totalCommentsCount") if self._source.comments else None
        opener = draft(
            answer,
            identity,
            kind_of(self._source),
            count,
            text=text or "",
            title=line(heading),
            author=word(node, "author", "name") or None,
            dates=(word(node, "publishedAt") or None,),
            url=self._address(answer, own),
        )
        thread = self._thread(answer, own, identity, node.get("comments"), depth=0)
        whole = (identity,) if isinstance(node.get("comments"), list) else ()
        return _joined(Step((opener,), whole=whole), thread)

    def _address(self, answer: Answer, proposal: str) -> str:
        slug = quote(answer.about.get("slug", ""), safe="")
        component = quote(answer.about.get("component", ""), safe="")
        return f"{self._root}/processes/{slug}/f/{component}/proposals/{quote(proposal, safe='')}"

    def _thread(
        self, answer: Answer, proposal: str, parent: str, comments: object, depth: int
    ) -> Step:
        """Read comments and what is nested in them, without recursion."""
        made: list[Draft | Problem | None] = []
        asks: list[Ask] = []
        waiting = [(parent, comments, depth)]
        while waiting:
            parent, comments, depth = waiting.pop()
            found, problems = objects(answer, comments)
            made.extend(problems)
            for comment in found:
                made.append(self._comment(answer, comment, proposal, parent))
                own, inner = word(comment, "id"), comment.get("comments")
                if own and inner:
                    waiting.append((f"comment:{own}", inner, depth + 1))
                elif own and inner is None and comment.get("hasComments") is True:
                    asks.extend(self._deeper(answer, proposal, own, depth + 1))
        step = sorted_out(made)
        return Step(step.drafts, tuple(asks), step.problems)

    def _comment(
        self, answer: Answer, comment: dict[str, object], proposal: str, parent: str
    ) -> Draft | Problem:
        own = word(comment, "id")
        if not own:
            return no_identity(answer, "a comment")
        identity = f"comment:{own}"
        if not isinstance(comment.get("body"), str):
            return mistyped(identity, "body")
        return draft(
            answer,
            identity,
            Kind.COMMENT,
            text=markup(comment, "body"),
            author=word(comment, "author", "name") or None,
            dates=(word(comment, "createdAt") or None,),
            url=self._address(answer, proposal),
            parent=parent,
            thread=f"proposal:{proposal}",
        )

    def _deeper(self, answer: Answer, proposal: str, comment: str, depth: int) -> Iterator[Ask]:
        """Ask for the answers to a comment that the query did not reach."""
        if depth >= DEEPEST:
            return
        component = answer.about.get("component", "")
        names: dict[str, object] = {
            "component": component,
            "proposal": proposal,
            "comment": comment,
        }
        about = names | {"is": "replies", "slug": answer.about.get("slug", ""), "depth": depth}
        of = f"proposal:{proposal}"
        yield self._ask(REPLIES, names, about, needed=False, of=of, lists=(of,))

    def _replies(self, answer: Answer, component: object) -> Step:
        proposal, comment = answer.about.get("proposal", ""), answer.about.get("comment", "")
        found = rows(component, "proposal", "comments")
        asked = next((item for item in found if word(item, "id") == comment), None)
        if asked is None:
            return Step(problems=(unreadable(answer, "does not hold the comment asked for"),))
        depth = answer.about.get("depth", DEEPEST)
        parent = f"comment:{comment}"
        return self._thread(answer, proposal, parent, asked.get("comments"), depth)


def _nodes(
    answer: Answer, found: dict[str, object]
) -> tuple[list[dict[str, object]], tuple[Problem, ...]]:
    """Return the items of a page, whichever of GraphQL's two ways they are given in."""
    if isinstance(found.get("nodes"), list):
        return objects(answer, found, "nodes")
    edges = look(found, "edges")
    nodes = [look(edge, "node") for edge in edges] if isinstance(edges, list) else []
    return objects(answer, nodes)


def _joined(one: Step, two: Step) -> Step:
    return Step(
        one.drafts + two.drafts,
        one.asks + two.asks,
        one.problems + two.problems,
        whole=one.whole + two.whole,
    )


def _translated(field: object) -> str | None:
    """Return a field in Spanish, or in the first language it is written in."""
    if isinstance(field, str):
        return markup(field)
    texts: dict[str, str] = {}
    for translation in rows(field, "translations"):
        if isinstance(translation.get("text"), str):
            texts.setdefault(word(translation, "locale"), markup(translation, "text"))
    chosen = (texts.get(language) for language in (*_LANGUAGES, *texts))
    return next((text for text in chosen if text), "" if texts else None)


def _errors(answer: Answer, value: object) -> str:
    """Say how many errors GraphQL reports and of which kinds, never in the server's words."""
    found = look(value, "errors")
    if not isinstance(found, list) or not found:
        return ""
    codes = (code_of(look(error, "extensions", "code")) for error in found)
    kinds = sorted({code for code in codes if code})
    named = f" ({', '.join(kinds[:5])})" if kinds else ""
    said = f"answered with {len(found)} GraphQL errors{named}"
    return f"{said}; its Decidim is of another version" if "undefinedField" in kinds else said


def _why_not(answer: Answer, value: object) -> str:
    if answer.status >= 400:
        return f"answered {answer.status}; is it a Decidim whose interface is open?"
    return value.why if isinstance(value, Broken) else "holds no data"
