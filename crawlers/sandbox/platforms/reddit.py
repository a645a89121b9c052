"""Reddit: the listing of a subreddit and the tree of comments below a post, in JSON."""

import re
from typing import Any

from markupsafe import escape

from crawlers.sandbox.answers import Call, Page, as_json
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.names import handle
from crawlers.sandbox.platforms.base import Base, paragraphs_of
from crawlers.sandbox.sites import NOTICE
from crawlers.sandbox.wording import slug

_COMMENTS = re.compile(r"(?:r/\w+/)?comments/([a-z0-9]+)(?:/[^/]*)?(?:/([a-z0-9]+))?/?")
_SUB = "ateperu"
_AT_ONCE = 200


class Reddit(Base):
    """One subreddit."""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer what the site gives to whom asks for JSON."""
        path = rest.removesuffix(".json").rstrip("/")
        if path in {f"r/{_SUB}/new", f"r/{_SUB}"}:
            return self._posts(call)
        if path == f"r/{_SUB}/about":
            return as_json({"kind": "t5", "data": self._about()})
        if path == "api/morechildren":
            return self._more(call)
        if found := _COMMENTS.fullmatch(path):
            item = self.by_key.get(found[1])
            return None if item is None else self._thread(call, item, found[2])
        return as_json({"message": "Not Found", "error": 404}, 404)

    def _about(self) -> dict[str, Any]:
        return {"display_name": _SUB, "title": self.site.title, "public_description": NOTICE}

    def _posts(self, call: Call) -> Page:
        size = call.number("limit", 25, 1, 100)
        names = [f"t3_{item.key}" for item in self.items]
        after = call.first("after")
        start = names.index(after) + 1 if after in names else 0
        page = self.items[start : start + size]
        more = start + size < len(self.items)
        children = [{"kind": "t3", "data": _post(call, item)} for item in page]
        return as_json(_listing(children, f"t3_{page[-1].key}" if more else None))

    def _thread(self, call: Call, item: Item, only: str | None) -> Page:
        size = call.number("limit", _AT_ONCE, 1, 500)
        shown = {each.text.id for each in item.remarks[:size]}
        tree = _tree(call, item, None, shown)
        if only is not None:
            root = next((each for each in item.remarks if each.key == only), None)
            tree = [_comment(call, item, root, shown)] if root else []
        else:
            tree += _left_out(item, size)
        post = _listing([{"kind": "t3", "data": _post(call, item)}], None)
        return as_json([post, _listing(tree, None)])

    def _more(self, call: Call) -> Page:
        item = self.by_key.get(call.first("link_id").removeprefix("t3_"))
        wanted = set(call.first("children").split(","))
        remarks = item.remarks if item else ()
        things = [
            _comment(call, item, each, set()) for each in remarks if item and each.key in wanted
        ]
        return as_json({"json": {"errors": [], "data": {"things": things}}})


def _listing(children: list[dict[str, Any]], after: str | None) -> dict[str, Any]:
    data = {"after": after, "dist": len(children), "modhash": "", "geo_filter": "",
            "children": children, "before": None}  # fmt: skip
    return {"kind": "Listing", "data": data}


def _post(call: Call, item: Item) -> dict[str, Any]:
    path = f"/r/{_SUB}/comments/{item.key}/{slug(item.title or '', 6).replace('-', '_')}/"
    return {
        "subreddit": _SUB,
        "id": item.key,
        "name": f"t3_{item.key}",
        "title": _written(call, item.title or ""),
        "selftext": _written(call, item.words),
        "selftext_html": _written(call, paragraphs_of(item.words)),
        "is_self": True,
        "author": handle(item.text.author)[:20],
        "created_utc": float(int(item.said_at.timestamp())),
        "num_comments": len(item.remarks),
        "score": 1 + item.number % 40,
        "permalink": path,
        "url": f"https://www.reddit.com{path}",
        "removed_by_category": None,
        "over_18": False,
        "stickied": False,
    }


def _tree(call: Call, item: Item, parent: str | None, shown: set[str]) -> list[dict[str, Any]]:
    return [
        _comment(call, item, each, shown)
        for each in item.remarks
        if each.text.parent == parent and each.text.id in shown
    ]


def _comment(call: Call, item: Item, said: Remark, shown: set[str]) -> dict[str, Any]:
    below = _tree(call, item, said.text.id, shown)
    data = {
        "subreddit": _SUB,
        "id": said.key,
        "name": f"t1_{said.key}",
        "link_id": f"t3_{item.key}",
        "parent_id": said.answers,
        "author": handle(said.text.author)[:20],
        "body": _written(call, said.text.text),
        "body_html": _written(call, paragraphs_of(said.text.text)),
        "created_utc": float(int(said.said_at.timestamp())),
        "permalink": f"/r/{_SUB}/comments/{item.key}/_/{said.key}/",
        "score": 1 + said.number % 12,
        "replies": _listing(below, None) if below else "",
    }
    return {"kind": "t1", "data": data}


def _left_out(item: Item, size: int) -> list[dict[str, Any]]:
    """Return the stub that names the comments beyond the limit."""
    rest = item.remarks[size:]
    if not rest:
        return []
    data = {
        "count": len(rest),
        "name": f"t1_{rest[0].key}",
        "id": rest[0].key,
        "parent_id": f"t3_{item.key}",
        "depth": 0,
        "children": [each.key for each in rest],
    }
    return [{"kind": "more", "data": data}]


def _written(call: Call, text: str) -> str:
    """Return a text as Reddit's JSON has it: escaped, unless raw_json is asked for."""
    if call.first("raw_json") == "1":
        return text
    return str(escape(text)).replace("&#39;", "'").replace("&#34;", '"')
