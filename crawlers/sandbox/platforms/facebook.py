"""Facebook Graph API: the posts of a page and their comments, with cursors and a token."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, TypeVar

from crawlers.sandbox.answers import Call, Page, as_json, bearer
from crawlers.sandbox.identity import FACEBOOK_PAGE
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import NOTICE, Site
from crawlers.sandbox.town import Town

_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}/")
_DEFAULT = "id,message,created_time"
_COMMENT_DEFAULT = "id,message,created_time,from"

Thing = TypeVar("Thing")


class Facebook(Base):
    """One page with its visitors' posts."""

    def __init__(self, town: Town, site: Site) -> None:
        super().__init__(town, site)
        self._comments = {
            remark.key: (item, remark) for item in self.items for remark in item.remarks
        }

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer for a page, a post or a comment, and their edges."""
        node, _, edge = _VERSION.sub("", rest, count=1).partition("/")
        if not (bearer(call) or call.first("access_token")):
            return _error(400, 104, "An access token is required to request this resource.")
        if node in self.by_key:
            return self._of_post(call, self.by_key[node], edge)
        if node in self._comments and edge == "comments":
            return self._below(call, *self._comments[node])
        if node in {FACEBOOK_PAGE, self.page_name} and edge in {"posts", "feed", "published_posts"}:
            return self._posts(call)
        if node in {FACEBOOK_PAGE, self.page_name} and not edge:
            return as_json(self._about())
        return _error(
            400,
            100,
            "Unsupported get request. Object does not exist, cannot be loaded due to missing"
            " permissions, or does not support this operation.",
        )

    @property
    def page_name(self) -> str:
        """The name by which the page is asked for."""
        return "ateinforma"

    def _about(self) -> dict[str, Any]:
        return {"id": FACEBOOK_PAGE, "name": self.site.title, "about": NOTICE}

    def _posts(self, call: Call) -> Page:
        since, until = call.moment("since"), call.moment("until")
        found = [
            item
            for item in self.items
            if (not since or item.said_at >= since) and (not until or item.said_at < until)
        ]
        return _listed(call, found, call.first("fields", _DEFAULT), self._post)

    def _of_post(self, call: Call, item: Item, edge: str) -> Page | None:
        if not edge:
            return as_json(_fields(self._post(item), call.first("fields", _DEFAULT)))
        if edge != "comments":
            return None
        flat = call.first("filter") == "stream"
        found = [each for each in item.remarks if flat or each.text.parent is None]
        if call.first("order") == "reverse_chronological":
            found.reverse()
        fields = call.first("fields", _COMMENT_DEFAULT)
        return _listed(call, found, fields, lambda said: _comment(item, said))

    def _below(self, call: Call, item: Item, top: Remark) -> Page:
        found = [each for each in item.remarks if each.text.parent == top.text.id]
        fields = call.first("fields", _COMMENT_DEFAULT)
        return _listed(call, found, fields, lambda said: _comment(item, said))

    def _post(self, item: Item) -> dict[str, Any]:
        total = len(item.remarks)
        return {
            "id": item.key,
            "message": item.words,
            "created_time": _time(item),
            "updated_time": _time(item),
            "permalink_url": f"https://www.facebook.com/{item.key.replace('_', '/posts/')}",
            "from": {"id": str(900_000 + item.number), "name": item.text.author},
            "comments": {
                "data": [],
                "summary": {"order": "chronological", "total_count": total, "can_comment": True},
            },
        }


def _comment(item: Item, said: Remark) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": said.key,
        "message": said.text.text,
        "created_time": _time(said),
        "permalink_url": f"https://www.facebook.com/{FACEBOOK_PAGE}?comment_id={said.number}",
        "from": {"id": str(900_000 + said.number), "name": said.text.author},
        "comment_count": sum(1 for each in item.remarks if each.text.parent == said.text.id),
    }
    above = next((each for each in item.remarks if each.text.id == said.text.parent), None)
    if above is not None:
        shown["parent"] = {"id": above.key, "message": above.text.text}
    return shown


def _listed(call: Call, things: Sequence[Thing], fields: str, show: Any) -> Page:
    size = call.number("limit", 25, 1, 100)
    start = _start(call.first("after"))
    page = [_fields(show(thing), fields) for thing in things[start : start + size]]
    if not page:
        return as_json({"data": []})
    end = start + len(page)
    cursors = {"before": _cursor(start), "after": _cursor(end)}
    paging: dict[str, Any] = {"cursors": cursors}
    if end < len(things):
        paging["next"] = call.address(call.path, after=_cursor(end))
    if start:
        paging["previous"] = call.address(call.path, after=_cursor(max(0, start - size)))
    return as_json({"data": page, "paging": paging}, headers=(("facebook-api-version", "v23.0"),))


def _fields(shown: dict[str, Any], wanted: str) -> dict[str, Any]:
    """Keep the fields that were asked for, and the id, which always comes."""
    bare = wanted
    while (less := re.sub(r"\{[^{}]*\}|\([^()]*\)", "", bare)) != bare:
        bare = less
    names = {name.strip().partition(".")[0] for name in bare.split(",")} | {"id"}
    return {name: value for name, value in shown.items() if name in names}


def _time(said: Item | Remark) -> str:
    return said.said_at.strftime("%Y-%m-%dT%H:%M:%S%z")


def _cursor(place: int) -> str:
    return urlsafe_b64encode(f"QVFI:{place}".encode()).decode()


def _start(cursor: str) -> int:
    try:
        text = urlsafe_b64decode(cursor.encode()).decode().rpartition(":")[2]
    except ValueError:
        return 0
    return int(text) if text.isdecimal() else 0


def _error(status: int, code: int, message: str) -> Page:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Atown"}
    return as_json({"error": error}, status)
