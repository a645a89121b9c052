"""The town's feeds: RSS 2.0, Atom and JSON Feed 1.1."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from crawlers.sandbox.items import Item
from crawlers.sandbox.sites import NOTICE, Shape, Site

FEED_TYPES: Final = {
    Shape.RSS_SUMMARY: "application/rss+xml",
    Shape.RSS_TEXT: "application/rss+xml",
    Shape.RSS_CONTENT: "application/rss+xml",
    Shape.ATOM: "application/atom+xml",
    Shape.JSON_HTML: "application/feed+json",
    Shape.JSON_TEXT: "application/feed+json",
}
"""The media type of each shape of feed."""

_SUMMARY_WORDS: Final = 40
_PARAGRAPH: Final = Markup("<p>{}</p>")


def rss(
    environment: Environment, each: Site, items: Iterable[Item], base_url: str, changed: datetime
) -> str:
    """Write a source's RSS 2.0 feed."""
    return _xml(environment, "feed.rss", each, items, base_url, changed)


def atom(
    environment: Environment, each: Site, items: Iterable[Item], base_url: str, changed: datetime
) -> str:
    """Write a source's Atom feed."""
    return _xml(environment, "feed.atom", each, items, base_url, changed)


def json_feed(each: Site, items: Iterable[Item], base_url: str) -> str:
    """Write a source's JSON Feed 1.1."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": each.title,
        "home_page_url": base_url + each.home,
        "feed_url": f"{base_url}{each.feed_path}",
        "description": f"{each.tagline}. {NOTICE}",
        "language": "es-PE",
        "items": [_json_item(item, base_url) for item in items],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1)


def content(item: Item) -> Markup:
    """Return what was said as HTML paragraphs, escaped."""
    return Markup("\n").join(_PARAGRAPH.format(line) for line in item.paragraphs)


def summary(item: Item) -> Markup:
    """Return the opening words as a feed's summary gives them, escaped."""
    words = " ".join(item.paragraphs).split()
    short = " ".join(words[:_SUMMARY_WORDS])
    return _PARAGRAPH.format(f"{short} […]" if len(words) > _SUMMARY_WORDS else short)


def _xml(
    environment: Environment,
    template: str,
    each: Site,
    items: Iterable[Item],
    base_url: str,
    changed: datetime,
) -> str:
    return environment.get_template(template).render(
        site=each,
        items=items,
        base_url=base_url,
        changed=changed,
        notice=NOTICE,
        content=content,
        summary=summary,
    )


def _json_item(item: Item, base_url: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": item.external_id(base_url),
        "url": base_url + item.path,
        "date_published": item.said_at.isoformat(),
        "authors": [{"name": item.text.author}],
    }
    if item.title:
        entry["title"] = item.title
    if item.site.shape is Shape.JSON_HTML:
        entry["content_html"] = str(content(item))
    else:
        entry["content_text"] = "\n".join(item.paragraphs)
    return entry
