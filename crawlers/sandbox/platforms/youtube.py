"""YouTube Data API v3: search, videos, commentThreads and comments, with page tokens and a key."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, TypeVar

from crawlers.sandbox.answers import Call, Page, as_json, zulu
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.names import handle
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import NOTICE

CHANNEL = "UCateHoySimulado00000001"
_SAMPLE = 5

Thing = TypeVar("Thing")


class Youtube(Base):
    """One channel: its videos, the threads below them, and the replies."""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer the list methods of the interface."""
        what = rest.removeprefix("youtube/v3/")
        methods = {
            "search": self._search,
            "videos": self._videos,
            "channels": self._channels,
            "commentThreads": self._threads,
            "comments": self._replies,
        }
        if what not in methods:
            return None
        if not (call.headers.get("x-goog-api-key") or call.first("key")):
            return _error(403, "PERMISSION_DENIED", "forbidden", _NO_KEY)
        return methods[what](call)

    def _search(self, call: Call) -> Page:
        after, before = call.moment("publishedAfter"), call.moment("publishedBefore")
        found = [
            item
            for item in self.items
            if (not after or item.said_at >= after) and (not before or item.said_at < before)
        ]
        if call.first("channelId") not in {"", CHANNEL}:
            found = []
        page, paging = _page(call, found, call.number("maxResults", 5, 0, 50))
        items = [
            {
                "kind": "youtube#searchResult",
                "etag": f"s{item.key}",
                "id": {"kind": "youtube#video", "videoId": item.key},
                "snippet": self._snippet(item) | {"liveBroadcastContent": "none"},
            }
            for item in page
        ]
        return _listed("youtube#searchListResponse", items, paging, len(found))

    def _videos(self, call: Call) -> Page:
        wanted = [name for name in call.first("id").split(",") if name in self.by_key]
        items = [
            {
                "kind": "youtube#video",
                "etag": f"v{name}",
                "id": name,
                "snippet": self._snippet(self.by_key[name]),
                "statistics": {
                    "viewCount": str(200 + 17 * self.by_key[name].number % 9000),
                    "commentCount": str(len(self.by_key[name].remarks)),
                },
            }
            for name in wanted
        ]
        return _listed("youtube#videoListResponse", items, {}, len(items))

    def _channels(self, call: Call) -> Page:
        snippet = {"title": self.site.title, "description": f"{self.site.tagline}. {NOTICE}"}
        item = {"kind": "youtube#channel", "id": CHANNEL, "snippet": snippet}
        return _listed("youtube#channelListResponse", [item], {}, 1)

    def _threads(self, call: Call) -> Page:
        video = self.by_key.get(call.first("videoId"))
        if video is None:
            return _error(404, "NOT_FOUND", "videoNotFound", "The video could not be found.")
        tops = [remark for remark in video.remarks if remark.text.parent is None][::-1]
        page, paging = _page(call, tops, call.number("maxResults", 20, 1, 100))
        items = [self._thread(video, top) for top in page]
        return _listed("youtube#commentThreadListResponse", items, paging, len(page))

    def _thread(self, video: Item, top: Remark) -> dict[str, Any]:
        replies = _below(video, top)
        thread: dict[str, Any] = {
            "kind": "youtube#commentThread",
            "etag": f"t{top.key}",
            "id": top.key,
            "snippet": {
                "channelId": CHANNEL,
                "videoId": video.key,
                "topLevelComment": _comment(video, top, None),
                "canReply": True,
                "totalReplyCount": len(replies),
                "isPublic": True,
            },
        }
        if replies:
            sample = [_comment(video, reply, top.key) for reply in replies[-_SAMPLE:]]
            thread["replies"] = {"comments": sample[::-1]}
        return thread

    def _replies(self, call: Call) -> Page:
        parent = call.first("parentId")
        for video in self.items:
            for top in video.remarks:
                if top.key == parent:
                    size = call.number("maxResults", 20, 1, 100)
                    page, paging = _page(call, _below(video, top), size)
                    items = [_comment(video, reply, parent) for reply in page]
                    return _listed("youtube#commentListResponse", items, paging, len(page))
        return _error(404, "NOT_FOUND", "commentNotFound", "The comment could not be found.")

    def _snippet(self, item: Item) -> dict[str, Any]:
        return {
            "publishedAt": zulu(item.said_at),
            "channelId": CHANNEL,
            "title": item.title,
            "description": item.words,
            "thumbnails": {},
            "channelTitle": self.site.title,
            "publishTime": zulu(item.said_at),
        }


_NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use"
    " API Key or other form of API consumer identity to call this API."
)


def _below(video: Item, top: Remark) -> list[Remark]:
    return [remark for remark in video.remarks if remark.text.parent == top.text.id]


def _comment(video: Item, said: Remark, parent: str | None) -> dict[str, Any]:
    snippet = {
        "channelId": CHANNEL,
        "videoId": video.key,
        "textDisplay": said.text.text,
        "textOriginal": said.text.text,
        "authorDisplayName": f"@{handle(said.text.author)}",
        "canRate": True,
        "viewerRating": "none",
        "likeCount": said.number % 9,
        "publishedAt": zulu(said.said_at),
        "updatedAt": zulu(said.said_at),
    }
    if parent is not None:
        snippet["parentId"] = parent
    return {"kind": "youtube#comment", "etag": f"c{said.key}", "id": said.key, "snippet": snippet}


def _page(call: Call, things: Sequence[Thing], size: int) -> tuple[Sequence[Thing], dict[str, str]]:
    start = _start(call.first("pageToken"))
    paging = {}
    if start + size < len(things):
        paging["nextPageToken"] = urlsafe_b64encode(f"p{start + size}".encode()).decode()
    if start:
        paging["prevPageToken"] = urlsafe_b64encode(f"p{max(0, start - size)}".encode()).decode()
    return things[start : start + size], paging


def _start(token: str) -> int:
    try:
        text = urlsafe_b64decode(token.encode()).decode().removeprefix("p")
    except ValueError:
        return 0
    return int(text) if text.isdecimal() else 0


def _listed(kind: str, items: list[dict[str, Any]], paging: dict[str, str], total: int) -> Page:
    info = {"totalResults": total, "resultsPerPage": len(items)}
    return as_json({"kind": kind, "etag": "town", **paging, "pageInfo": info, "items": items})


def _error(code: int, status: str, reason: str, message: str) -> Page:
    errors = [{"message": message, "domain": "global", "reason": reason}]
    body = {"code": code, "message": message, "errors": errors, "status": status}
    return as_json({"error": body}, code)
