"""WordPress: the REST interface of a site, with its totals in headers and its errors."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any

from markupsafe import escape

from crawlers.sandbox.answers import Call, Page, as_json
from crawlers.sandbox.identity import guid
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.platforms.base import Base, paragraphs_of
from crawlers.sandbox.sites import NOTICE

_ONE = re.compile(r"wp-json/wp/v2/(posts|comments|users)/(\d+)/?")
_MOST = 100


class Wordpress(Base):
    """The posts of one site and what readers answered."""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer the routes that need no account."""
        path = rest.rstrip("/")
        if path == "wp-json":
            return as_json(self._index(call))
        if path == "wp-json/wp/v2/posts":
            return self._posts(call)
        if path == "wp-json/wp/v2/comments":
            return self._comments(call)
        if found := _ONE.fullmatch(rest):
            return self._one(call, found[1], found[2])
        if path.startswith("wp-json"):
            return _error(404, "rest_no_route", "No route was found matching the URL and request"
                          " method.")  # fmt: skip
        return None

    def _index(self, call: Call) -> dict[str, Any]:
        return {
            "name": self.site.title,
            "description": f"{self.site.tagline}. {NOTICE}",
            "url": f"{call.base_url}/{self.site.name}",
            "home": f"{call.base_url}/{self.site.name}",
            "timezone_string": "America/Lima",
            "namespaces": ["oembed/1.0", "wp/v2"],
        }

    def _posts(self, call: Call) -> Page:
        wanted = {own for own in call.first("include").split(",") if own}
        kept = [
            item
            for item in self.items
            if _inside(call, item.said_at) and (not wanted or item.key in wanted)
        ]
        if call.first("order") == "asc":
            kept.reverse()
        return _listed(call, kept, lambda item: self._post(call, item), "post")

    def _comments(self, call: Call) -> Page:
        posts = {own for own in call.first("post").split(",") if own}
        kept = [
            (item, each)
            for item in self.items
            for each in item.remarks
            if _inside(call, each.said_at) and (not posts or item.key in posts)
        ]
        ascending = call.first("order") == "asc"
        kept.sort(key=lambda pair: (pair[1].said_at, pair[1].number), reverse=not ascending)
        return _listed(call, kept, lambda pair: self._comment(call, *pair), "comment")

    def _one(self, call: Call, what: str, number: str) -> Page:
        if what == "posts" and number in self.by_key:
            return as_json(_fields(call, self._post(call, self.by_key[number])))
        for item in self.items:
            for each in item.remarks:
                if what == "comments" and each.key == number:
                    return as_json(_fields(call, self._comment(call, item, each)))
            if what == "users" and str(item.number % 9 + 1) == number:
                return as_json({"id": int(number), "name": item.text.author})
        return _error(404, f"rest_{what.removesuffix('s')}_invalid_id", "Invalid ID.")

    def _post(self, call: Call, item: Item) -> dict[str, Any]:
        author = item.number % 9 + 1
        home = f"{call.base_url}/{self.site.name}/wp-json/wp/v2"
        shown: dict[str, Any] = {
            "id": item.number,
            "date": _local(item.said_at),
            "date_gmt": _gmt(item.said_at),
            "guid": {"rendered": guid(self.site, item.number)},
            "modified": _local(item.said_at),
            "modified_gmt": _gmt(item.said_at),
            "slug": item.path.rstrip("/").rpartition("/")[2],
            "status": "publish",
            "type": "post",
            "link": call.base_url + item.path,
            "title": {"rendered": str(escape(item.title or ""))},
            "content": {"rendered": paragraphs_of(item.words), "protected": False},
            "excerpt": {"rendered": paragraphs_of(item.paragraphs[0]), "protected": False},
            "author": author,
            "comment_status": "open",
            "categories": [1],
            "_links": {
                "self": [{"href": f"{home}/posts/{item.number}"}],
                "author": [{"embeddable": True, "href": f"{home}/users/{author}"}],
                "replies": [{"embeddable": True, "href": f"{home}/comments?post={item.number}"}],
            },
        }
        if "_embed" in call.query:
            shown["_embedded"] = {"author": [{"id": author, "name": item.text.author}]}
        return shown

    def _comment(self, call: Call, item: Item, said: Remark) -> dict[str, Any]:
        above = next((each for each in item.remarks if each.text.id == said.text.parent), None)
        return {
            "id": said.number,
            "post": item.number,
            "parent": above.number if above else 0,
            "author": 0,
            "author_name": said.text.author,
            "author_url": "",
            "date": _local(said.said_at),
            "date_gmt": _gmt(said.said_at),
            "content": {"rendered": paragraphs_of(said.text.text)},
            "link": f"{call.base_url}{item.path}#comment-{said.number}",
            "status": "approved",
            "type": "comment",
        }


def _listed(call: Call, things: Sequence[Any], show: Callable[[Any], Any], what: str) -> Page:
    if call.first("per_page") and not 1 <= call.number("per_page", 0, -1, 10**9) <= _MOST:
        return _error(400, "rest_invalid_param", "Invalid parameter(s): per_page")
    size = call.number("per_page", 10, 1, _MOST)
    number = call.number("page", 1, 1, 10**9)
    pages = ceil(len(things) / size)
    if number > max(1, pages):
        return _error(
            400,
            f"rest_{what}_invalid_page_number",
            "The page number requested is larger than the number of pages available.",
        )
    links = []
    if number > 1:
        links.append(f'<{call.address(call.path, page=number - 1)}>; rel="prev"')
    if number < pages:
        links.append(f'<{call.address(call.path, page=number + 1)}>; rel="next"')
    headers = [("X-WP-Total", str(len(things))), ("X-WP-TotalPages", str(pages))]
    headers += [("Link", ", ".join(links))] if links else []
    page = things[(number - 1) * size : number * size]
    return as_json([_fields(call, show(each)) for each in page], headers=headers)


def _fields(call: Call, shown: dict[str, Any]) -> dict[str, Any]:
    names = {name.partition(".")[0] for name in call.first("_fields").split(",") if name}
    return {name: value for name, value in shown.items() if name in names} if names else shown


def _inside(call: Call, moment: datetime) -> bool:
    after, before = call.moment("after"), call.moment("before")
    return (after is None or moment > after) and (before is None or moment < before)


def _local(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def _gmt(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def _error(status: int, code: str, message: str) -> Page:
    return as_json({"code": code, "message": message, "data": {"status": status}}, status)
