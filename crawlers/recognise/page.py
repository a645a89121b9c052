"""Pages: what software made them, which feeds they name, and the links that they list."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

from crawlers.extract.links import FEWEST_LINKS, guessed_selector, read_links
from crawlers.extract.page import read_page
from crawlers.extract.text import decode, line, parse_html
from crawlers.recognise.address import disqus
from crawlers.recognise.data import discourse, mastodon, wordpress
from crawlers.recognise.proposal import Proposal
from models.records import Kind, Protocol

_FEED_TYPES = {
    "application/rss+xml": "RSS",
    "application/atom+xml": "Atom",
    "application/feed+json": "JSON Feed",
}
_API = re.compile(r'<([^>]+)>;\s*rel="?https://api\.w\.org/"?')
_EMBED = re.compile(r"//([a-z0-9-]{2,60})\.disqus\.com/(?:embed|count)\.js")
_DISCOURSE_ROUTE = re.compile(r"/(?:t|c|tag|latest|categories|top|u)(?:/.*)?$")
_MASTODON_ROUTE = re.compile(r"/(?:@[^/]+|tags/(?P<tag>[^/]+)|public|explore|about).*$")
_DECIDIM_ROUTE = re.compile(r"/(?:processes|assemblies|initiatives|pages|proposals)(?:/.*)?$")
_SOFTWARE = re.compile(r"decidim-packs|decidim_core|github\.com/decidim/decidim")


class Page:
    """A parsed page, and what it says of itself."""

    def __init__(self, url: str, content_type: str, api: str, body: bytes) -> None:
        self.url = url
        self.content_type = content_type
        self.api = api
        self.body = body
        self.text = decode(body, content_type)
        self.tree = parse_html(self.text)

    def meta(self, name: str) -> str:
        """Return what a ``meta`` of that name or property says."""
        found = self.first(f'//meta[@name="{name}" or @property="{name}"]/@content')
        return line(found) or ""

    def first(self, path: str) -> str:
        """Return the first text at an XPath."""
        found = self.tree.xpath(path) if self.tree is not None else []
        return str(found[0]) if found else ""

    @property
    def title(self) -> str:
        """The name of the site, or else the page's title."""
        return self.meta("og:site_name") or line(self.first("//title/text()")) or ""

    def root(self, route: re.Pattern[str] | None = None) -> str:
        """Return the address without a known route of its software, and without its query."""
        parts = urlsplit(self.url)
        path = route.sub("", parts.path) if route else parts.path
        return parts._replace(path=f"{path.rstrip('/')}/", query="", fragment="").geturl()


def by_page(url: str, content_type: str, link_header: str, body: bytes) -> list[Proposal]:
    """Return the ways to read a page, the best first; none if it is no page, or tells nothing."""
    api = _API.search(link_header)
    page = Page(url, content_type, api[1] if api else "", body)
    if page.tree is None:
        return []
    software = next((made for tell in _TELLS if (made := tell(page))), None)
    found = [software] if software else []
    found += _feeds(page)
    if software is None and (listing := _listing(page)):
        found.append(listing)
    if comments := _EMBED.search(page.text):
        found.append(disqus(comments[1]))
    return found


def is_article(url: str, content_type: str, body: bytes) -> bool:
    """Say whether a page is a single article."""
    page = Page(url, content_type, "", body)
    if page.tree is None:
        return False
    article = read_page(body, url, content_type, comments=False).article
    declared = page.meta("og:type") == "article" or '"NewsArticle"' in page.text
    return declared or (bool(article.date) and len(article.text) > 500)


def _wordpress(page: Page) -> Proposal | None:
    link = page.api or page.first('//link[@rel="https://api.w.org/"]/@href')
    if not link:
        return None
    return wordpress(urljoin(page.url, link).partition("/wp-json")[0] + "/", page.title)


def _discourse(page: Page) -> Proposal | None:
    if not page.meta("generator").startswith("Discourse"):
        return None
    base = page.meta("discourse-base-uri")
    root = urljoin(page.url, f"{base.rstrip('/')}/") if base else page.root(_DISCOURSE_ROUTE)
    return discourse(root, "it is a forum made with Discourse", page.title)


def _mastodon(page: Page) -> Proposal | None:
    if not page.first('//*[@id="mastodon"]/@id'):
        return None
    found = _MASTODON_ROUTE.search(urlsplit(page.url).path)
    tag = (found and found["tag"]) or ""
    return mastodon(page.root(_MASTODON_ROUTE), tag, "it is a server of Mastodon", page.title)


def _decidim(page: Page) -> Proposal | None:
    if not _SOFTWARE.search(page.text):
        return None
    why = "it is made with Decidim, whose proposals are read through its GraphQL interface"
    root = page.root(_DECIDIM_ROUTE)
    return Proposal(Protocol.DECIDIM, root, why, page.title, Kind.POST, {"comments": True})


def _telegram(page: Page) -> Proposal | None:
    if "tgme_channel_info" not in page.text and "tgme_widget_message" not in page.text:
        return None
    why = "it is the preview of a channel of Telegram"
    title = page.meta("og:title") or page.title
    return Proposal(Protocol.TELEGRAM, page.url.partition("?")[0], why, title, Kind.POST)


def _forum(page: Page) -> Proposal | None:
    marks = "//a[contains(@class,'topictitle') or contains(@class,'forumtitle')]/@href"
    if not page.first(marks) and not page.first('//body[@id="phpbb"]/@id'):
        return None
    why = "it lists topics as forums made with phpBB do"
    return Proposal(Protocol.FORUM, page.url, why, page.title, Kind.POST, {"comments": True})


def _feeds(page: Page) -> Iterator[Proposal]:
    """Give the feeds that a page names by ``<link rel=alternate>``."""
    links = page.tree.xpath("//link[@rel and @href and @type]") if page.tree is not None else []
    seen: set[str] = set()
    for link in links:
        form = _FEED_TYPES.get((link.get("type") or "").lower().strip())
        if form is None or "alternate" not in link.get("rel").lower().split():
            continue
        try:
            url = urljoin(page.url, link.get("href").strip())
        except ValueError:
            continue
        if url not in seen and url.startswith(("http://", "https://")):
            seen.add(url)
            named = line(link.get("title")) or page.title
            yield Proposal(
                Protocol.FEED, url, f"the page names this feed ({form})", named, Kind.ARTICLE
            )


def _listing(page: Page) -> Proposal | None:
    """Take a page for a list of articles if many of its headlines are links."""
    selector = guessed_selector(page.tree) if page.tree is not None else None
    if selector is None:
        return None
    found = read_links(page.body, page.url, selector, page.content_type)
    if len(found.pages) < FEWEST_LINKS:
        return None
    return Proposal(
        Protocol.PAGES,
        page.url,
        f"it lists {len(found.pages)} articles in «{selector}»",
        page.title,
        Kind.ARTICLE,
        {"links": selector},
        "look whether «links» chooses the articles and nothing else",
    )


_TELLS: tuple[Callable[[Page], Proposal | None], ...] = (
    _wordpress,
    _discourse,
    _mastodon,
    _decidim,
    _telegram,
    _forum,
)
