"""Mastodon: public and tag timelines with Link paging, a status and the thread around it."""

import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

from crawlers.sandbox.answers import Call, Page, as_json, zulu
from crawlers.sandbox.identity import status_uri
from crawlers.sandbox.items import Item, Remark, lines
from crawlers.sandbox.names import handle
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import NOTICE, Site
from crawlers.sandbox.town import Town
from crawlers.sandbox.wording import TAG

_TAG = re.compile(r"(?<!&)#\w+")
_TAG_LINK = Markup('<a href="{}/tags/{}" class="mention hashtag" rel="tag">#<span>{}</span></a>')
_MOST = 40


class Mastodon(Base):
    """A small server with one busy tag."""

    def __init__(self, town: Town, site: Site) -> None:
        super().__init__(town, site)
        found: list[tuple[int, Item | Remark, Item]] = []
        for item in self.items:
            found.append((int(item.key), item, item))
            found += [(int(remark.key), remark, item) for remark in item.remarks]
        found.sort(key=lambda entry: entry[0], reverse=True)
        self._entries = found

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer the calls of the client interface that need no account."""
        if rest == "api/v1/timelines/public":
            return self._timeline(call, self._entries)
        if rest.startswith("api/v1/timelines/tag/"):
            tag = rest.rpartition("/")[2].lower()
            return self._timeline(call, self._entries if tag == TAG[1:].lower() else [])
        if rest in {"api/v2/instance", "api/v1/instance"}:
            return as_json(self._instance(call))
        if found := re.fullmatch(r"api/v1/statuses/(\d+)(/context)?", rest):
            return self._status(call, int(found[1]), context=bool(found[2]))
        return None

    def _instance(self, call: Call) -> dict[str, Any]:
        return {
            "domain": call.base_url.partition("//")[2],
            "uri": self.site.authority,
            "title": self.site.title,
            "version": "4.3.0",
            "description": f"{self.site.tagline}. {NOTICE}",
            "languages": ["es"],
        }

    def _timeline(self, call: Call, entries: list[tuple[int, Item | Remark, Item]]) -> Page:
        limit = call.number("limit", 20, 1, _MOST)
        top = call.number("max_id", 2**63, 0, 2**63)
        since = call.number("since_id", 0, 0, 2**63)
        least = call.number("min_id", 0, 0, 2**63)
        kept = [entry for entry in entries if max(since, least) < entry[0] < top]
        page = kept[-limit:] if least else kept[:limit]
        return as_json(
            [self._shown(call, *entry[1:]) for entry in page], headers=_links(call, page)
        )

    def _status(self, call: Call, key: int, *, context: bool) -> Page:
        entry = next((entry for entry in self._entries if entry[0] == key), None)
        if entry is None:
            return as_json({"error": "Record not found"}, 404)
        _, said, item = entry
        if not context:
            return as_json(self._shown(call, said, item))
        above = [item] if isinstance(said, Remark) else []
        below: Iterable[Remark] = item.remarks if isinstance(said, Item) else ()
        return as_json(
            {
                "ancestors": [self._shown(call, each, item) for each in above],
                "descendants": [self._shown(call, each, item) for each in below],
            }
        )

    def _shown(self, call: Call, said: Item | Remark, item: Item) -> dict[str, Any]:
        is_reply = isinstance(said, Remark)
        name = handle(said.text.author)
        home = f"{call.base_url}/{self.site.name}"
        return {
            "id": said.key,
            "created_at": zulu(said.said_at, fraction=True),
            "in_reply_to_id": item.key if is_reply else None,
            "in_reply_to_account_id": _number(item.text.author) if is_reply else None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": "public",
            "language": "es",
            "uri": status_uri(self.site, said.text.author, said.key),
            "url": f"{home}/@{name}/{said.key}",
            "replies_count": 0 if is_reply else len(item.remarks),
            "reblogs_count": 0,
            "favourites_count": said.number % 7,
            "edited_at": None,
            "content": _content(_words(said), home),
            "reblog": None,
            "account": self._account(said.text.author, home),
            "media_attachments": [],
            "mentions": [],
            "tags": [{"name": TAG[1:].lower(), "url": f"{home}/tags/{TAG[1:].lower()}"}],
            "emojis": [],
            "card": None,
            "poll": None,
        }

    def _account(self, author: str, home: str) -> dict[str, Any]:
        name = handle(author)
        return {
            "id": _number(author),
            "username": name,
            "acct": name,
            "display_name": author,
            "locked": False,
            "bot": False,
            "note": f"<p>{NOTICE}</p>",
            "url": f"{home}/@{name}",
        }


def _links(call: Call, page: list[tuple[int, Item | Remark, Item]]) -> tuple[tuple[str, str], ...]:
    if not page:
        return ()
    older = call.address(call.path, max_id=page[-1][0], min_id=None, since_id=None)
    newer = call.address(call.path, min_id=page[0][0], max_id=None, since_id=None)
    return (("Link", f'<{older}>; rel="next", <{newer}>; rel="prev"'),)


def _words(said: Item | Remark) -> str:
    return said.words if isinstance(said, Item) else said.text.text


def _content(text: str, home: str) -> str:
    """Return a text as Mastodon writes it: paragraphs, and tags as links."""
    return "".join(f"<p>{_TAG.sub(lambda tag: _tag(tag, home), str(escape(line)))}</p>"
                   for line in lines(text))  # fmt: skip


def _tag(found: re.Match[str], home: str) -> str:
    name = found.group()[1:]
    return str(_TAG_LINK.format(home, name.lower(), name))


def _number(author: str) -> str:
    return str(109_000_000_000 + sum(ord(letter) * 31**place % 99_991
                                     for place, letter in enumerate(author)))  # fmt: skip
