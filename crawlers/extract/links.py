"""The links of a page that lists articles, and the page after it."""

import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

from crawlers.extract.text import PARSER_ERRORS, decode, parse_html

DEFAULT_SELECTOR = "article a[href], h2 a[href], h3 a[href]"
"""Where news sites keep their links, for a source that does not say."""

FEWEST_LINKS = 3
"""Headlines that a page must link to, to be a list of articles."""

LONG_ENOUGH = 20
"""Characters of a link's words; headlines have more, menus fewer."""

_CLASS = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses on the same host, in the page's order; ``problem`` says why there are none."""

    pages: tuple[str, ...] = ()
    after: str | None = None
    problem: str = ""


def read_links(body: bytes, url: str, selector: str | None, content_type: str = "") -> Links:
    """Read the links that a CSS selector chooses, and the one with ``rel=next``.

    Without a selector those are taken that look like the list of headlines.
    """
    text = decode(body, content_type)
    start = text.lstrip()[:1000].lower()
    if "<html" not in start and any(f"<{tag}" in start for tag in ("rss", "feed", "rdf:rdf")):
        return Links(problem="is a feed, not a page; use protocol: feed")
    tree = parse_html(text)
    if tree is None:
        return Links(problem="is empty" if not text.strip() else "is not an HTML page")
    chosen = selector or guessed_selector(tree) or DEFAULT_SELECTOR
    try:
        found = tree.cssselect(chosen)
    except (SyntaxError, RuntimeError, *PARSER_ERRORS):
        return Links(problem=f"cannot be read with «{chosen}», which is no CSS selector")
    pages = dict.fromkeys(link for element in found for link in _targets(element, url))
    pages.pop(_whole(url), None)
    after = next((x for x in _next(tree, url) if x != _whole(url)), None)
    problem = "" if pages else f"has no link to a page of its own host that fits «{chosen}»"
    return Links(tuple(pages), after, problem)


def guessed_selector(tree: html.HtmlElement) -> str | None:
    """Return a CSS selector for the links that look most like a list of headlines.

    Headings that hold a link are grouped by their tag and first class; the group with most
    different links of more than a few words is the list.
    """
    groups: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for heading in tree.iter("h1", "h2", "h3", "h4"):
        target, selector = _link_of(heading)
        words = " ".join(heading.text_content().split())
        if target and len(words) >= LONG_ENOUGH and (selector, target) not in seen:
            seen.add((selector, target))
            groups[selector] += 1
    if not groups:
        return DEFAULT_SELECTOR if tree.cssselect("article a[href]") else None
    best, count = groups.most_common(1)[0]
    return best if count >= FEWEST_LINKS else None


def _link_of(heading: html.HtmlElement) -> tuple[str | None, str]:
    """Return where a heading leads, and the selector of such links: inside it, or around it."""
    first = next(iter((heading.get("class") or "").split()), "")
    own = f"{heading.tag}.{first}" if _CLASS.fullmatch(first) else heading.tag
    inside, above = heading.find(".//a[@href]"), heading.getparent()
    if inside is None and above is not None and above.tag == "a":
        return above.get("href"), f"a:has({own})"
    return (inside.get("href") if inside is not None else None), f"{own} a"


def _targets(element: html.HtmlElement, url: str) -> list[str]:
    """Return the link that an element is, or those inside it."""
    anchors = [element] if element.get("href") else element.xpath(".//a[@href]")
    return [link for anchor in anchors if (link := _on_host(anchor.get("href"), url))]


def _next(tree: html.HtmlElement, url: str) -> list[str]:
    anchors: list[etree._Element] = tree.xpath("//link[@rel and @href] | //a[@rel and @href]")
    chosen = [x for x in anchors if "next" in (x.get("rel") or "").lower().split()]
    return [link for anchor in chosen if (link := _on_host(anchor.get("href"), url))]


def _on_host(href: str | None, url: str) -> str | None:
    try:
        link = _whole(urljoin(url, (href or "").strip()))
        parts = urlsplit(link)
    except ValueError:
        return None
    here = urlsplit(url).netloc
    return link if parts.scheme in {"http", "https"} and parts.netloc == here else None


def _whole(url: str) -> str:
    """Return an address without its fragment."""
    return urlsplit(url)._replace(fragment="").geturl()
