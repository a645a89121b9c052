"""Discourse: the JSON behind a forum's own pages: lists of topics, topics, further posts."""

import re
from typing import Any

from crawlers.sandbox.answers import Call, Page, as_json, zulu
from crawlers.sandbox.identity import topic_number
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.names import handle
from crawlers.sandbox.platforms.base import Base, paragraphs_of
from crawlers.sandbox.sites import NOTICE, Site
from crawlers.sandbox.town import Town
from crawlers.sandbox.wording import slug

_TOPIC = re.compile(r"t/(?:[^/]*[^/\d][^/]*/)?(\d+)(/posts)?(?:\.json)?")
_AT_ONCE = 20
_PER_PAGE = 30


class Discourse(Base):
    """One forum with one category."""

    def __init__(self, town: Town, site: Site) -> None:
        super().__init__(town, site)
        self._topics = {topic_number(item): item for item in self.items}
        self._listed = sorted(
            self.items, key=lambda item: (item.changed_at, item.number), reverse=True
        )

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer what the forum's own pages ask for."""
        if rest in {"latest.json", "latest", "c/ate/5.json", "c/ate/5/l/latest.json"}:
            return as_json(self._latest(call, rest))
        if rest in {"site.json", "about.json"}:
            return as_json({"about": {"title": self.site.title, "description": NOTICE}})
        if found := _TOPIC.fullmatch(rest):
            item = self._topics.get(int(found[1]))
            if item is not None:
                return as_json(self._topic(call, item, only=bool(found[2])))
        return as_json({"errors": [_NOWHERE], "error_type": "not_found"}, 404)

    def _latest(self, call: Call, rest: str) -> dict[str, Any]:
        number = call.number("page", 0, 0, 10**6)
        start = number * _PER_PAGE
        page = self._listed[start : start + _PER_PAGE]
        topics: dict[str, Any] = {
            "can_create_topic": False,
            "per_page": _PER_PAGE,
            "top_tags": [],
            "topics": [_summary(item) for item in page],
        }
        if start + _PER_PAGE < len(self._listed):
            path = f"/{self.site.name}/{rest.removesuffix('.json')}"
            topics["more_topics_url"] = f"{path}?no_definitions=true&page={number + 1}"
        return {"users": [], "primary_groups": [], "topic_list": topics}

    def _topic(self, call: Call, item: Item, *, only: bool) -> dict[str, Any]:
        posts = _posts(item)
        wanted = {int(own) for own in call.query.get("post_ids[]", ()) if own.isdecimal()}
        shown = [each for each in posts if each["id"] in wanted] if only else posts[:_AT_ONCE]
        if only and not wanted:
            shown = posts[:_AT_ONCE]
        stream: dict[str, Any] = {"posts": shown}
        if only:
            return {"post_stream": stream, "id": topic_number(item)}
        stream["stream"] = [each["id"] for each in posts]
        return {
            "post_stream": stream,
            "timeline_lookup": [],
            "tags": [],
            "chunk_size": _AT_ONCE,
            **_summary(item),
        }


_NOWHERE = "The requested URL or resource could not be found."


def _summary(item: Item) -> dict[str, Any]:
    return {
        "id": topic_number(item),
        "title": item.title,
        "fancy_title": item.title,
        "slug": slug(item.title or "", 6),
        "posts_count": 1 + len(item.remarks),
        "reply_count": len(item.remarks),
        "highest_post_number": 1 + len(item.remarks),
        "created_at": zulu(item.said_at, fraction=True),
        "last_posted_at": zulu(item.changed_at, fraction=True),
        "bumped": True,
        "bumped_at": zulu(item.changed_at, fraction=True),
        "archetype": "regular",
        "pinned": False,
        "visible": True,
        "closed": False,
        "archived": False,
        "views": 20 + item.number,
        "category_id": 5,
    }


def _posts(item: Item) -> list[dict[str, Any]]:
    places = {each.text.id: _place(each) for each in item.remarks}
    first = _post(item, item, 1, None)
    return [
        first,
        *(
            _post(item, each, places[each.text.id], places.get(each.text.parent or ""))
            for each in item.remarks
        ),
    ]


def _place(said: Remark) -> int:
    """Return the number of a post, which it keeps when others are taken away."""
    return int(said.identity.rpartition(":")[2])


def _post(item: Item, said: Item | Remark, place: int, answers: int | None) -> dict[str, Any]:
    text = said.words if isinstance(said, Item) else said.text.text
    return {
        "id": 7_000 + said.number,
        "name": said.text.author,
        "username": handle(said.text.author),
        "created_at": zulu(said.said_at, fraction=True),
        "updated_at": zulu(said.said_at, fraction=True),
        "cooked": paragraphs_of(text),
        "post_number": place,
        "post_type": 1,
        "reply_count": 0,
        "reply_to_post_number": answers,
        "topic_id": topic_number(item),
        "topic_slug": slug(item.title or "", 6),
        "version": 1,
        "hidden": False,
        "user_deleted": False,
        "deleted_at": None,
    }
