"""A forum like phpBB 3.3: a page of topics, topics of several pages, anchored posts."""

from datetime import UTC
from math import ceil
from typing import Any

from crawlers.sandbox.answers import HTML, Call, Page
from crawlers.sandbox.identity import topic_number
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import NOTICE, Site
from crawlers.sandbox.templating import ENVIRONMENT
from crawlers.sandbox.town import Town

_TOPICS = 25
_POSTS = 10


class Forum(Base):
    """One forum in one board."""

    def __init__(self, town: Town, site: Site) -> None:
        super().__init__(town, site)
        self._topics = {str(topic_number(item)): item for item in self.items}
        self._listed = sorted(
            self.items, key=lambda item: (item.changed_at, item.number), reverse=True
        )

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer a page of the board's index, of topics, or of one topic."""
        if rest == "index.php":
            return self._page(call, "forum-index.html", path="viewforum.php?f=2", start=0)
        if rest == "viewforum.php" and call.first("f") in {"", "2"}:
            return self._list(call)
        item = self._topics.get(call.first("t"))
        if rest == "viewtopic.php" and item is not None:
            return self._topic(call, item)
        return None

    def _list(self, call: Call) -> Page:
        start = call.number("start", 0, 0, 10**7) // _TOPICS * _TOPICS
        shown = self._listed[start : start + _TOPICS]
        return self._page(
            call,
            "forum-topics.html",
            topics=[(topic_number(item), item) for item in shown],
            path="viewforum.php?f=2",
            start=start,
            starts=_starts(len(self._listed), _TOPICS),
            size=_TOPICS,
        )

    def _topic(self, call: Call, item: Item) -> Page:
        said: list[Item | Remark] = [item, *item.remarks]
        start = call.number("start", 0, 0, 10**7) // _POSTS * _POSTS
        return self._page(
            call,
            "forum-topic.html",
            item=item,
            posts=[(place == 0 and start == 0, each)
                   for place, each in enumerate(said[start : start + _POSTS])],
            path=f"viewtopic.php?f=2&t={topic_number(item)}",
            start=start,
            starts=_starts(len(said), _POSTS),
            size=_POSTS,
        )  # fmt: skip

    def _page(self, call: Call, template: str, **values: Any) -> Page:
        del call
        text = ENVIRONMENT.get_template(template).render(
            site=self.site, notice=NOTICE, utc=UTC, **values
        )
        return Page(text.encode(), HTML)


def _starts(count: int, size: int) -> list[int]:
    return [page * size for page in range(max(1, ceil(count / size)))]
