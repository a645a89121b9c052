"""Disqus: the comments below a portal's pages, over API 3.0 as well as on the pages themselves.

They are the same comments, counted once: this is a second address of what the pages show.
"""

from datetime import UTC
from typing import Any, Final

from crawlers.sandbox.answers import Call, Page, as_json
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.names import handle
from crawlers.sandbox.platforms.base import Base, paragraphs_of
from crawlers.sandbox.sites import Site
from crawlers.sandbox.town import Town

API: Final = "api/3.0"
FORUM: Final = "portal-este-al-dia"
"""The short name under which the portal's comments are kept."""

_LISTS: Final = {f"{API}/forums/listPosts.json", f"{API}/threads/listPosts.json"}
_MOST: Final = 100
_NO_FORUM = {"code": 2, "response": "Invalid argument, 'forum': Unable to find forum"}
_NO_THREAD = {"code": 2, "response": "Invalid argument, 'thread': Unable to find thread"}
_NO_KEY = {"code": 5, "response": "Invalid API key"}


class Disqus(Base):
    """All comments of one portal, newest first."""

    def __init__(self, town: Town, site: Site) -> None:
        super().__init__(town, site)
        every = [(each, item) for item in self.items for each in item.remarks]
        self._posts = sorted(every, key=lambda post: (post[0].said_at, post[0].number))[::-1]

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer both lists of comments; any key is valid, but there must be one."""
        if rest not in _LISTS:
            return None
        if not call.first("api_key"):
            return as_json(_NO_KEY, 401)
        if call.first("forum") != FORUM:
            return as_json(_NO_FORUM, 400)
        posts = self._posts
        if rest.endswith("threads/listPosts.json"):
            thread = call.first("thread")
            posts = [post for post in posts if thread in _names(call, post[1])]
            if not posts:
                return as_json(_NO_THREAD, 400)
        if call.first("order") == "asc":
            posts = posts[::-1]
        return _page(call, posts)


def _page(call: Call, posts: list[tuple[Remark, Item]]) -> Page:
    size = call.number("limit", 25, 1, _MOST)
    start = _place(call.first("cursor"))
    shown, more = posts[start : start + size], start + size < len(posts)
    cursor = {
        "prev": None,
        "hasPrev": start > 0,
        "id": f"{start}:0:0",
        "next": f"{start + size}:0:0",
        "hasNext": more,
        "more": more,
        "total": None,
    }
    response = [_post(call, *post) for post in shown]
    return as_json({"cursor": cursor, "code": 0, "response": response})


def _post(call: Call, said: Remark, item: Item) -> dict[str, Any]:
    parent = next((each.number for each in item.remarks if each.text.id == said.text.parent), None)
    related = "thread" in call.query.get("related", ())
    return {
        "id": str(said.number),
        "parent": parent,
        "thread": _thread(call, item) if related else str(item.number),
        "forum": FORUM,
        "createdAt": f"{said.said_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        "message": paragraphs_of(said.text.text),
        "raw_message": said.text.text,
        "author": {
            "id": str(900_000 + said.number),
            "name": said.text.author,
            "username": handle(said.text.author),
            "isAnonymous": False,
        },
        "isApproved": True,
        "isDeleted": False,
        "isSpam": False,
        "isFlagged": False,
        "isEdited": False,
        "likes": said.number % 9,
        "dislikes": 0,
    }


def _thread(call: Call, item: Item) -> dict[str, Any]:
    return {
        "id": str(item.number),
        "forum": FORUM,
        "title": item.title,
        "link": call.base_url + item.path,
        "identifiers": [item.key],
        "posts": len(item.remarks),
    }


def _names(call: Call, item: Item) -> set[str]:
    """Return the ways to name a page: its number, its address, and what the portal calls it."""
    return {str(item.number), f"link:{call.base_url}{item.path}", f"ident:{item.key}"}


def _place(cursor: str) -> int:
    start = cursor.partition(":")[0]
    return int(start) if start.isdecimal() and len(start) < 10 else 0
