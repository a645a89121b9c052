"""Decidim: proposals and their comments through GraphQL, as connections with cursors."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from crawlers.sandbox.answers import Call, Page, as_json, zulu
from crawlers.sandbox.graphql import QueryError, Thing, execute
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.names import handle
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import NOTICE

_SLUG = "presupuesto-participativo"
_COMPONENT = "7"
_MOST = 100
_DEFAULT = 50


class Decidim(Base):
    """One participatory process with one component of proposals."""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer a query."""
        if rest not in {"api", "api/"}:
            return None
        if call.method != "POST":
            return as_json({"errors": [{"message": "No query string was present"}]})
        try:
            asked = json.loads(call.body or b"{}")
            query, variables = asked.get("query"), asked.get("variables") or {}
        except (ValueError, AttributeError, RecursionError):
            return as_json({"errors": [{"message": "The request is not valid JSON"}]}, 400)
        if not isinstance(query, str) or not isinstance(variables, dict):
            return as_json({"errors": [{"message": "No query string was present"}]})
        try:
            data = execute(query, variables, self._root())
        except QueryError as error:
            said: dict[str, Any] = {"message": str(error)}
            if error.code:
                said["extensions"] = {"code": error.code}
            return as_json({"errors": [said]})
        return as_json({"data": data})

    def _root(self) -> Thing:
        process = self._process()
        return Thing(
            "Query",
            {
                "decidim": Thing(
                    "Decidim", {"version": "0.29.1", "applicationName": self.site.title}
                ),
                "participatoryProcesses": lambda given: [process],
                "participatoryProcess": lambda given: (
                    process if given.get("slug") == _SLUG or str(given.get("id")) == "1" else None
                ),
                "assemblies": lambda given: [],
                "component": lambda given: (
                    self._component() if str(given.get("id")) == _COMPONENT else None
                ),
            },
        )

    def _process(self) -> Thing:
        fields = {
            "id": "1",
            "slug": _SLUG,
            "title": _translated(self.site.title),
            "shortDescription": _translated(f"{self.site.tagline}. {NOTICE}"),
            "description": _translated(NOTICE),
            "components": lambda given: [self._component()],
        }
        return Thing("ParticipatoryProcess", fields)

    def _component(self) -> Thing:
        fields = {
            "id": _COMPONENT,
            "name": _translated("Propuestas"),
            "weight": 0,
            "proposals": self._proposals,
            "proposal": lambda given: (
                _proposal(self.by_key[str(given.get("id"))])
                if str(given.get("id")) in self.by_key
                else None
            ),
        }
        return Thing("Proposals", fields)

    def _proposals(self, given: Mapping[str, Any]) -> Thing:
        order = given.get("order") or {}
        is_falling = str(order.get("publishedAt", "")).upper() == "DESC"
        listed = self.items if is_falling else self.items[::-1]
        start = _place(given.get("after"))
        asked = given.get("first")
        size = min(_MOST, asked) if isinstance(asked, int) and asked > 0 else _DEFAULT
        page = listed[start : start + size]
        end = start + len(page)
        edges = [
            Thing("ProposalEdge", {"cursor": _cursor(place), "node": _proposal(item)})
            for place, item in enumerate(page, start=start + 1)
        ]
        info = {
            "hasNextPage": end < len(listed),
            "hasPreviousPage": start > 0,
            "startCursor": _cursor(start + 1) if page else None,
            "endCursor": _cursor(end) if page else None,
        }
        fields = {
            "edges": edges,
            "nodes": [_proposal(item) for item in page],
            "pageInfo": Thing("PageInfo", info),
        }
        return Thing("ProposalConnection", fields)


def _proposal(item: Item) -> Thing:
    def comments(given: Mapping[str, Any]) -> list[Thing]:
        single = given.get("singleCommentId")
        if single is not None:
            return [_comment(item, each) for each in item.remarks if each.key == str(single)]
        return [_comment(item, each) for each in item.remarks if each.text.parent is None]

    fields = {
        "id": item.key,
        "title": _translated(item.title or ""),
        "body": _translated(item.words),
        "reference": f"ATE-PROP-{item.said_at:%Y-%m}-{item.key}",
        "state": None,
        "address": None,
        "official": False,
        "createdAt": zulu(item.said_at),
        "publishedAt": zulu(item.said_at),
        "updatedAt": zulu(item.said_at),
        "author": _author(item),
        "authors": [_author(item)],
        "voteCount": item.number % 60,
        "totalCommentsCount": len(item.remarks),
        "hasComments": bool(item.remarks),
        "acceptsNewComments": True,
        "commentsHaveAlignment": True,
        "comments": comments,
    }
    return Thing("Proposal", fields)


def _comment(item: Item, said: Remark) -> Thing:
    below = [each for each in item.remarks if each.text.parent == said.text.id]
    fields = {
        "id": said.key,
        "body": said.text.text,
        "createdAt": zulu(said.said_at),
        "author": _author(said),
        "alignment": 0,
        "upVotes": said.number % 8,
        "downVotes": said.number % 3,
        "hasComments": bool(below),
        "comments": lambda given: [_comment(item, each) for each in below],
        "type": "Decidim::Comments::Comment",
    }
    return Thing("Comment", fields)


def _author(said: Item | Remark) -> Thing:
    name = said.text.author
    fields = {"id": str(said.number), "name": name, "nickname": f"@{handle(name)[:20]}"}
    return Thing("User", {**fields, "deleted": False})


def _translated(text: str) -> Thing:
    entry = Thing("LocalizedString", {"locale": "es", "text": text, "machineTranslated": False})
    fields = {"translation": lambda given: text, "translations": lambda given: [entry],
              "locales": ["es"]}  # fmt: skip
    return Thing("TranslatedField", fields)


def _cursor(place: int) -> str:
    return b64encode(str(place).encode()).decode()


def _place(cursor: object) -> int:
    try:
        text = b64decode(str(cursor or "")).decode()
    except ValueError:
        return 0
    return int(text) if text.isdecimal() else 0
