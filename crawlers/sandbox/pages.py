"""How the town looks: every page, feed and file, rendered from the town's data alone.

Nothing here opens a socket. Texts reach a page only through templates that escape them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import partial
from math import ceil
from typing import Any, Final

from crawlers.sandbox.answers import HTML, Call, Page
from crawlers.sandbox.feeds import FEED_TYPES, atom, json_feed, rss
from crawlers.sandbox.items import Item, Remark, newest_first
from crawlers.sandbox.platforms.marks import foot_of, head_of
from crawlers.sandbox.platforms.registry import PLATFORMS
from crawlers.sandbox.sites import NOTICE, SITES, Shape, Site
from crawlers.sandbox.templating import ENVIRONMENT, TEMPLATES
from crawlers.sandbox.town import Town
from models.records import Kind

__all__ = ["PRIVATE", "Call", "Node", "Page", "Pages", "nest"]

PRIVATE: Final = "/privado/"
"""The path that the town's robots.txt asks robots to leave alone."""

_ROBOTS: Final = f"# {NOTICE}\nUser-agent: *\nDisallow: {PRIVATE}\nAllow: /\n\nSitemap: {{}}{{}}\n"
_LABELS: Final = {
    Shape.RSS_SUMMARY: "RSS",
    Shape.RSS_TEXT: "RSS",
    Shape.RSS_CONTENT: "RSS",
    Shape.ATOM: "Atom",
    Shape.JSON_HTML: "JSON Feed",
    Shape.JSON_TEXT: "JSON Feed",
    Shape.PAGES: "páginas",
    Shape.SITEMAP: "sitemap",
    Shape.WORDPRESS: "WordPress REST",
    Shape.NEWS: "RSS de titulares",
    Shape.DISCOURSE: "Discourse",
    Shape.FORUM: "foro phpBB",
    Shape.MASTODON: "Mastodon",
    Shape.YOUTUBE: "YouTube Data API",
    Shape.FACEBOOK: "Graph API",
    Shape.X: "X API v2",
    Shape.REDDIT: "Reddit",
    Shape.TELEGRAM: "Telegram",
    Shape.DECIDIM: "Decidim GraphQL",
    Shape.OPEN311: "Open311",
    Shape.CSV: "CSV",
    Shape.XLSX: "Excel",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A comment with the replies below it."""

    remark: Remark
    children: tuple["Node", ...]


class Pages:
    """Every path of one town, and what answers there."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._opened = datetime.combine(town.window.start, time(), town.window.zone)
        self._routes: dict[str, Callable[[str], Page]] = {
            "/": self._home,
            "/robots.txt": self._robots,
            PRIVATE: self._private,
            "/static/pueblo.css": partial(self._file, "pueblo.css", "text/css; charset=utf-8"),
            "/static/icono.svg": partial(self._file, "icono.svg", "image/svg+xml"),
        }
        self._platforms = {
            each.name: PLATFORMS[each.shape](town, each)
            for each in SITES
            if each.shape in PLATFORMS
        }
        self._lead: list[Item] | None = None
        for each in SITES:
            if each.has_pages:
                self._add_site(each)
            else:
                self._routes[f"/{each.name}"] = partial(self._moved, each.home)
                self._routes[each.home] = partial(self._platform, each)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that is a page, a feed or a file, in the order in which it was laid out."""
        return tuple(self._routes)

    def render(self, path: str, base_url: str) -> Page:
        """Return what answers at a path; the page «not found» where nothing does.

        Args:
            path: The path of the address, decoded, without query.
            base_url: The address of the town as its visitor knows it.
        """
        return self.answer(Call(path, base_url))

    def answer(self, call: Call) -> Page:
        """Return what a call is answered with: a page, or whatever its platform says."""
        base_url = call.base_url.rstrip("/")
        route = self._routes.get(call.path)
        if route is not None:
            return route(base_url)
        name, _, rest = call.path.removeprefix("/").partition("/")
        platform = self._platforms.get(name)
        page = platform.answer(replace(call, base_url=base_url), rest) if platform else None
        return self._missing() if page is None else page

    def takes_posts(self, path: str) -> bool:
        """Say whether a path is one that data may be sent to."""
        return any(
            path.rstrip("/") == f"/{each.name}/api" for each in SITES if each.shape is Shape.DECIDIM
        )

    def _add_site(self, each: Site) -> None:
        for path in (f"/{each.name}", f"/{each.name}/"):
            self._routes[path] = partial(self._moved, each.home)
        for number in range(1, _pages(self.town, each) + 1):
            self._routes[_listing_path(each, number)] = partial(self._listing, each, number)
        self._routes[_about(each)] = partial(self._about_page, each)
        if each.feed_path:
            self._routes[each.feed_path] = partial(self._feed, each)
        for item in self.town.of(each.name):
            self._routes[item.path] = partial(self._item, item)

    def _home(self, base_url: str) -> Page:
        return self._html(
            "home.html",
            self._opened,
            url=f"{base_url}/",
            seed=self.town.seed,
            labels=_LABELS,
            first=self.town.window.days[0],
            last=self.town.window.days[-1],
            counts={each.name: len(self.town.of(each.name)) for each in SITES},
            total=self.town.size,
        )

    def _robots(self, base_url: str) -> Page:
        address = next(each.address for each in SITES if each.shape is Shape.SITEMAP)
        text = _ROBOTS.format(base_url, address)
        return Page(text.encode(), "text/plain; charset=utf-8", self._opened)

    def _platform(self, each: Site, base_url: str) -> Page:
        return self._html(
            "platform.html",
            self._opened,
            site=each,
            url=base_url + each.home,
            label=_LABELS[each.shape],
            marks=head_of(each),
            footer=foot_of(each),
            counts=(
                len(self.town.of(each.name)),
                sum(len(item.remarks) for item in self.town.of(each.name)),
            ),
        )

    def _listing(self, each: Site, number: int, base_url: str) -> Page:
        newest = newest_first(self.town.of(each.name))
        start = (number - 1) * each.page_size
        pages = _pages(self.town, each)
        return self._site_html(
            "listing.html",
            each,
            base_url + _listing_path(each, number),
            self._changed(newest),
            items=newest[start : start + each.page_size],
            page=number,
            pages=pages,
            previous=_listing_path(each, number - 1) if number > 1 else None,
            next=_listing_path(each, number + 1) if number < pages else None,
        )

    def _item(self, item: Item, base_url: str) -> Page:
        article = item.kind is Kind.ARTICLE
        url = base_url + item.path
        return self._site_html(
            "article.html" if article else "post.html",
            item.site,
            url,
            item.changed_at,
            item=item,
            nodes=nest(item.remarks),
            related=self._related(item),
            metadata=_metadata(item, url) if article else None,
        )

    def _about_page(self, each: Site, base_url: str) -> Page:
        return self._site_html("about.html", each, base_url + _about(each), self._opened)

    def _feed(self, each: Site, base_url: str) -> Page:
        items = self.town.of(each.name)[::-1]
        changed = self._changed(items)
        if each.shape in {Shape.JSON_HTML, Shape.JSON_TEXT}:
            body = json_feed(each, items, base_url)
        else:
            write = atom if each.shape is Shape.ATOM else rss
            body = write(ENVIRONMENT, each, items, base_url, changed)
        return Page(body.encode(), f"{FEED_TYPES[each.shape]}; charset=utf-8", changed)

    def _private(self, base_url: str) -> Page:
        message = "Aquí no debería entrar ningún robot: robots.txt lo pide así."
        return self._html(
            "plain.html", self._opened, heading="Acceso interno", message=message, url=base_url
        )

    def _missing(self) -> Page:
        page = self._html(
            "plain.html",
            self._opened,
            heading="Página no encontrada",
            message="En esta dirección del pueblo no vive nadie.",
        )
        return Page(page.body, page.content_type, page.changed_at, status=404)

    def _moved(self, target: str, base_url: str) -> Page:
        return Page(b"", HTML, self._opened, status=301, location=base_url + target)

    def _file(self, name: str, content_type: str, base_url: str) -> Page:
        del base_url
        return Page((TEMPLATES / name).read_bytes(), content_type, self._opened)

    def _site_html(
        self, template: str, each: Site, url: str, changed_at: datetime, **values: Any
    ) -> Page:
        here = self._popular(each)
        page = self._html(
            template,
            changed_at,
            site=each,
            url=url,
            about=_about(each),
            feed_type=FEED_TYPES.get(each.shape),
            popular=here or self._headlines(),
            popular_here=bool(here),
            **values,
        )
        if each.shape is Shape.WORDPRESS:
            api = f'</{each.name}/wp-json/>; rel="https://api.w.org/"'
            return replace(page, headers=(("Link", api),))
        return page

    def _html(self, template: str, changed_at: datetime, **values: Any) -> Page:
        text = ENVIRONMENT.get_template(template).render(sites=SITES, notice=NOTICE, **values)
        return Page(text.encode(), HTML, changed_at)

    def _changed(self, items: Iterable[Item]) -> datetime:
        return max((item.changed_at for item in items), default=self._opened)

    def _popular(self, each: Site) -> list[Item]:
        articles = [item for item in self.town.of(each.name) if item.kind is Kind.ARTICLE]
        return sorted(articles, key=lambda item: (-len(item.remarks), item.text.id))[:5]

    def _headlines(self) -> list[Item]:
        if self._lead is None:
            articles = [
                item
                for item in self.town.items
                if item.kind is Kind.ARTICLE and item.site.has_pages
            ]
            self._lead = articles[:-6:-1]
        return self._lead

    def _related(self, item: Item) -> list[Item]:
        others = [each for each in self.town.of(item.site.name) if each != item]
        nearest = sorted(others, key=lambda each: abs(each.said_at - item.said_at))
        return nearest[:3] if item.kind is Kind.ARTICLE else []


def nest(remarks: Iterable[Remark], parent: str | None = None) -> tuple[Node, ...]:
    """Return comments as trees, each reply below what it answers, oldest first."""
    every = tuple(remarks)
    return tuple(
        Node(remark, nest(every, remark.text.id))
        for remark in every
        if remark.text.parent == parent
    )


def _listing_path(each: Site, number: int) -> str:
    return each.home if number == 1 else f"{each.home}pagina/{number}/"


def _about(each: Site) -> str:
    return f"/{each.name}/quienes-somos/"


def _pages(town: Town, each: Site) -> int:
    return max(1, ceil(len(town.of(each.name)) / each.page_size))


def _metadata(item: Item, url: str) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "BlogPosting" if item.site.layout == "blog" else "NewsArticle",
        "headline": item.title,
        "datePublished": item.said_at.isoformat(),
        "inLanguage": "es-PE",
        "mainEntityOfPage": url,
        "author": {"@type": "Person", "name": item.text.author},
        "publisher": {"@type": "Organization", "name": item.site.title},
        "commentCount": len(item.remarks),
    }
