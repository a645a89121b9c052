"""Sitemaps: an index, the pages of the site, its own information, and a news sitemap."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from crawlers.sandbox.answers import XML, Call, Page
from crawlers.sandbox.items import Item
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import NOTICE
from crawlers.sandbox.templating import ENVIRONMENT

_AT_ONCE = 40
_NEWS = timedelta(days=2)


class Sitemap(Base):
    """The addresses of one newspaper."""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer the index and each sitemap that it names."""
        pages = max(1, ceil(len(self.items) / _AT_ONCE))
        if rest == "sitemap.xml":
            names = ["sitemap-news.xml", *(f"sitemap-notas-{n + 1}.xml" for n in range(pages)),
                     "sitemap-paginas.xml"]  # fmt: skip
            return self._index(call, names)
        if rest == "sitemap-news.xml":
            return self._list(call, self._fresh(), news=True)
        if rest == "sitemap-paginas.xml":
            return self._list(call, (), extra=(f"/{self.site.name}/quienes-somos/", self.site.home))
        number = rest.removeprefix("sitemap-notas-").removesuffix(".xml")
        if rest.startswith("sitemap-notas-") and number.isdecimal() and 1 <= int(number) <= pages:
            start = (int(number) - 1) * _AT_ONCE
            return self._list(call, self.items[start : start + _AT_ONCE])
        return None

    def _fresh(self) -> list[Item]:
        newest = max((item.said_at for item in self.items), default=None)
        return [item for item in self.items if newest and item.said_at > newest - _NEWS]

    def _index(self, call: Call, names: list[str]) -> Page:
        changed = max((item.said_at for item in self.items), default=None)
        addresses = [f"{call.base_url}/{self.site.name}/{name}" for name in names]
        return _xml("sitemap-index.xml", addresses=addresses, changed=changed)

    def _list(
        self, call: Call, items: Iterable[Item], extra: tuple[str, ...] = (), *, news: bool = False
    ) -> Page:
        return _xml(
            "sitemap.xml",
            site=self.site,
            base_url=call.base_url,
            items=items,
            extra=extra,
            news=news,
            changed=None,
        )


def _xml(template: str, changed: datetime | None, **values: object) -> Page:
    text = ENVIRONMENT.get_template(template).render(notice=NOTICE, changed=changed, **values)
    return Page(text.encode(), XML)
