"""Answers that are no pages: feeds, sitemaps, and the JSON of platforms."""

import re
from collections.abc import Callable, Iterable
from statistics import median
from urllib.parse import parse_qs, urlsplit

from crawlers.extract.feed import Feed, read_feed
from crawlers.extract.text import decode
from crawlers.protocols.base import Broken, look, parse_json, rows, word
from crawlers.protocols.safe_xml import read_xml
from crawlers.recognise.proposal import Proposal
from models.records import Kind, Protocol

SHORT_TEXT = 400
"""Characters; an entry with more than that is worth reading without its page."""

PAGE_MORE = 200
"""Characters; names, dates and buttons around a post make its page's text longer by less."""

_CUT = re.compile(
    r"(…|\.\.\.|\b(leer|ver|lee|saber) más|(seguir|continuar|sigue) leyendo|read more)\W*$",
    re.IGNORECASE,
)
_WHOLE = frozenset({"content", "content_html", "content_text"})
_THREADS = re.compile(r"<(slash:comments|wfw:commentRss|thr:total|comments)[\s>]", re.IGNORECASE)
_FORMS = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed", "cdf": "CDF"}
_SUBREDDIT = re.compile(r"(?P<root>.*)/r/(?P<name>\w+)(?:/|/?\.json|/(?:new|hot|top)\.json)?$")
_DISCOURSE_LIST = re.compile(r"(.*?)/(?:latest|top|new|c/.*|tag/.*)\.json$")
_WORDPRESS = "/wp-json"
_TIMELINE = re.compile(r"(?P<root>.*)/api/v1/timelines/(?:tag/(?P<tag>[^/]+)|public)$")


def by_data(url: str, content_type: str, body: bytes) -> Proposal | None:
    """Recognise an answer that is no page; nothing if it is one, or unknown."""
    text = decode(body, content_type)
    start = text.lstrip()[:1]
    if start in ("{", "["):
        return _by_json(url, content_type, body, text)
    if start == "<":
        return _by_feed(url, content_type, body, text) or _by_sitemap(url, content_type, body)
    return None


def _by_feed(url: str, content_type: str, body: bytes, text: str) -> Proposal | None:
    feed = read_feed(body, url, content_type)
    if feed.problem:
        return None
    form = next((name for key, name in _FORMS.items() if feed.version.startswith(key)), "RSS")
    keys: dict[str, str | bool] = {}
    if _may_be_cut(feed):
        keys["follow"] = True
    if _THREADS.search(text):
        keys["comments"] = True
    count = f"with {len(feed.entries)} entries" if feed.entries else "without any entry now"
    what = "a feed of headlines of many media" if feed.is_headlines else f"a feed ({form})"
    return Proposal(
        Protocol.FEED,
        url,
        f"it is {what} {count}",
        feed.title,
        _kind(feed),
        keys,
        _note(feed, keys),
        opens_pages=not feed.is_headlines,
    )


def _may_be_cut(feed: Feed) -> bool:
    """Say whether the entries look like summaries of their pages.

    A short text is no sign alone: a post is short. What ends in «…» was cut. Else an entry is
    whole if it has no title (RSS 2.0, «Elements of <item>»: a story has a title and a synopsis,
    a complete item may lack it) or is given as content (Atom, JSON Feed, RSS with its module).
    """
    texts = [entry.text for entry in feed.entries]
    if feed.is_headlines or not any(entry.link for entry in feed.entries):
        return False
    length = median(map(len, texts))
    if length >= SHORT_TEXT:
        return False
    if not length or sum(bool(_CUT.search(text)) for text in texts) * 2 >= len(texts):
        return True
    return _kind(feed) is Kind.ARTICLE and not _WHOLE & feed.fields


def pages_tell_more(pairs: Iterable[tuple[str, str]]) -> bool:
    """Say whether pages hold more than their entries, beside names, dates and buttons.

    Args:
        pairs: of each page that was opened, its entry's text and its own. Without any, the
            entries keep looking like summaries.
    """
    grown = [
        len(page) - len(entry) >= (1 if _CUT.search(entry) else PAGE_MORE) for entry, page in pairs
    ]
    return sum(grown) * 2 >= len(grown)


def _kind(feed: Feed) -> Kind:
    """Take entries without titles for posts, and the others for articles."""
    titled = sum(bool(entry.title) for entry in feed.entries)
    return Kind.ARTICLE if titled * 2 >= len(feed.entries) else Kind.POST


def _note(feed: Feed, keys: dict[str, str | bool]) -> str:
    if feed.is_headlines:
        return "it has headlines alone, each with the name of its medium; nothing else is opened"
    if keys.get("follow"):
        return "its entries are short, so «follow» opens their pages for the whole text"
    return ""


def _by_sitemap(url: str, content_type: str, body: bytes) -> Proposal | None:
    found = read_xml(body, content_type, {"sitemap", "url"}, 200)
    if found.problem or found.root not in ("urlset", "sitemapindex"):
        return None
    is_index = found.root == "sitemapindex"
    what = "an index of sitemaps" if is_index else f"a sitemap of {len(found.items)} addresses"
    return Proposal(
        Protocol.SITEMAP,
        url,
        f"it is {what}",
        f"Mapa de {urlsplit(url).netloc}",
        Kind.ARTICLE,
        note="write the part of an address that only articles have in «match», such as /noticias/",
    )


def _by_json(url: str, content_type: str, body: bytes, text: str) -> Proposal | None:
    if proposal := _by_feed(url, content_type, body, text):
        return proposal
    value = parse_json(body, content_type)
    if isinstance(value, Broken):
        return None
    return next((made for tell in _TELLS if (made := tell(url, value))), None)


def _discourse(url: str, value: object) -> Proposal | None:
    if look(value, "topic_list") is None and look(value, "post_stream") is None:
        return None
    found = _DISCOURSE_LIST.match(urlsplit(url).path)
    root = urlsplit(url)._replace(path=f"{found[1] if found else ''}/", query="").geturl()
    return discourse(root, "it lists topics as Discourse does")


def discourse(root: str, why: str, title: str = "") -> Proposal:
    """Return how a forum of Discourse is read."""
    return Proposal(Protocol.DISCOURSE, root, why, title, Kind.POST, {"comments": True})


def _wordpress(url: str, value: object) -> Proposal | None:
    spaces = look(value, "namespaces")
    has_interface = isinstance(spaces, list) and "wp/v2" in spaces
    if not has_interface and not (_WORDPRESS in url and look(value, 0, "guid", "rendered")):
        return None
    return wordpress(url.partition(_WORDPRESS)[0] + "/", word(value, "name"))


def wordpress(root: str, title: str = "") -> Proposal:
    """Return how a site made with WordPress is read."""
    return Proposal(
        Protocol.WORDPRESS,
        root,
        "it is made with WordPress, whose REST interface gives posts and comments whole",
        title,
        Kind.ARTICLE,
        {"comments": True},
    )


def _mastodon(url: str, value: object) -> Proposal | None:
    statuses = rows(value)
    if not statuses or not all({"uri", "account", "content"} <= set(each) for each in statuses):
        return None
    found = _TIMELINE.match(urlsplit(url).path)
    path = f"{found['root']}/" if found else "/"
    root = urlsplit(url)._replace(path=path, query="").geturl()
    return mastodon(root, (found and found["tag"]) or "", "it lists statuses as Mastodon does")


def mastodon(root: str, tag: str, why: str, title: str = "") -> Proposal:
    """Return how a server of Mastodon, or one of its tags, is read."""
    note = "" if tag else "it reads all that the server's people say; narrow it by a tag in «query»"
    keys: dict[str, str | bool] = {"query": tag} if tag else {}
    named = title or (f"#{tag}" if tag else "")
    return Proposal(Protocol.MASTODON, root, why, named, Kind.POST, keys | {"comments": True}, note)


def _reddit(url: str, value: object) -> Proposal | None:
    found = _SUBREDDIT.match(urlsplit(url).path)
    if word(value, "kind") != "Listing" or not found:
        return None
    root = urlsplit(url)._replace(path=f"{found['root']}/", query="").geturl()
    keys: dict[str, str | bool] = {"query": found["name"], "comments": True}
    why = "it is a list of posts of Reddit"
    return Proposal(Protocol.REDDIT, root, why, f"r/{found['name']}", Kind.POST, keys)


def _open311(url: str, value: object) -> Proposal | None:
    requests = rows(value)
    named = [each for each in requests if {"service_request_id", "service_code"} & set(each)]
    if not named:
        return None
    parts = urlsplit(url)
    root = parts._replace(path=parts.path.rpartition("/")[0], query="").geturl()
    place = parse_qs(parts.query).get("jurisdiction_id", [""])[0]
    return Proposal(
        Protocol.OPEN311,
        root,
        "it lists service requests as Open311 GeoReport does",
        f"Solicitudes de {parts.netloc}",
        Kind.POST,
        {"query": place} if place else {},
    )


_TELLS: tuple[Callable[[str, object], Proposal | None], ...] = (
    _discourse,
    _wordpress,
    _mastodon,
    _reddit,
    _open311,
)
