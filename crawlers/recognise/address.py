"""Platforms that their own address gives away: their pages are not what is read there."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from crawlers.recognise.proposal import Proposal
from models.records import Kind, Protocol

YOUTUBE = "https://www.googleapis.com/youtube/v3"
FACEBOOK = "https://graph.facebook.com"
X_API = "https://api.x.com/2"
DISQUS_API = "https://disqus.com/api/3.0"

_NOT_A_PAGE = frozenset(
    {"groups", "watch", "events", "marketplace", "login", "share", "sharer", "hashtag", "reel"}
)
_CHANNEL = re.compile(r"/channel/(UC[A-Za-z0-9_-]{22})")
_HANDLE = re.compile(r"/(?:@|c/|user/)([^/?#]+)")
_SUBREDDIT = re.compile(r"/r/([A-Za-z0-9_]{2,30})(?:/|$)")
_TELEGRAM = re.compile(r"/(?:s/)?([A-Za-z]\w{3,31})(?:/\d+)?/?$")
_GRAPH = re.compile(r"(?P<root>.*/v\d+\.\d+)/(?P<page>[\w.-]+)")
_SEARCH = re.compile(r"(?P<root>.*/2)/tweets/")
_DATA_API = re.compile(r"(?P<root>.*/youtube/v3)(?:/|$)")
_GEOREPORT = re.compile(r"(?P<root>.*/(?:open311|georeport)(?:/v\d[\d.]*)?)(?:/|$)", re.IGNORECASE)
_DISQUS_LIST = re.compile(r"(?P<root>.*/api/3\.0)(?:/|$)")
_HEADLINES = "news.google.com"


def by_address(url: str) -> Proposal | None:
    """Say which platform an address belongs to; nothing if only its answer can tell."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    if found := _HOSTS.get(host):
        return found(url)
    if host.endswith(".disqus.com"):
        return disqus(host.removesuffix(".disqus.com"))
    return _by_path(url)


def disqus(forum: str) -> Proposal:
    """Return how the comments that Disqus keeps for a site are read."""
    return Proposal(
        Protocol.DISQUS,
        DISQUS_API,
        f"its comments are kept by Disqus, in the forum «{forum}»",
        f"Comentarios de {forum}",
        keys={"query": forum, "token": "DISQUS_API_KEY"},
    )


def _by_path(url: str) -> Proposal | None:
    """Recognise the interfaces of platforms by their paths, on any host."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    for pattern, make in _PATHS:
        if found := pattern.match(parts.path):
            root = parts._replace(path=found["root"], query="", fragment="").geturl()
            return make(root, found.groupdict() | query)
    return None


def _youtube(url: str) -> Proposal:
    parts = urlsplit(url)
    channel, handle = _CHANNEL.search(parts.path), _HANDLE.search(parts.path)
    words = parse_qs(parts.query).get("search_query", [""])[0]
    query = channel[1] if channel else unquote(handle[1]) if handle else words
    note = (
        ""
        if channel
        else "the words of «query» are searched for; a channel is read by its id, which begins with"
        " UC and stands in the source text of its page"
    )
    return _data_api(YOUTUBE, {"q": query or "palabras de búsqueda"}, note)


def _data_api(root: str, found: dict[str, str], note: str = "") -> Proposal:
    query = found.get("channelId") or found.get("q") or "palabras de búsqueda"
    return Proposal(
        Protocol.YOUTUBE,
        root,
        "it is YouTube, which is read through its Data API v3",
        f"YouTube: {query}",
        Kind.POST,
        {"query": query, "token": "YOUTUBE_API_KEY", "comments": True},
        note,
    )


def _facebook(url: str) -> Proposal:
    first = next((part for part in urlsplit(url).path.split("/") if part), "")
    is_page = bool(first) and first not in _NOT_A_PAGE and not first.endswith(".php")
    note = "" if is_page else "only pages can be read; write the page's name or number in «query»"
    return _graph(FACEBOOK, {"page": unquote(first) if is_page else "nombre-de-la-página"}, note)


def _graph(root: str, found: dict[str, str], note: str = "") -> Proposal:
    return Proposal(
        Protocol.FACEBOOK,
        root,
        "it is Facebook, which is read through the Graph API",
        f"Facebook: {found['page']}",
        Kind.POST,
        {"query": found["page"], "token": "FACEBOOK_TOKEN", "comments": True},
        note,
    )


def _x(url: str) -> Proposal:
    parts = urlsplit(url)
    words = parse_qs(parts.query).get("q", [""])[0]
    first = next((part for part in parts.path.split("/") if part), "")
    named = words or (f"#{unquote(parts.path.split('/')[2])}" if first == "hashtag" else "")
    account = f"(from:{first} OR @{first}) -is:retweet" if re.fullmatch(r"\w{1,15}", first) else ""
    return _recent_search(X_API, {"query": named or account or "palabras lang:es -is:retweet"})


def _recent_search(root: str, found: dict[str, str]) -> Proposal:
    return Proposal(
        Protocol.X,
        root,
        "it is X, which is read through the recent search of API v2",
        "X",
        Kind.POST,
        {"query": found.get("query") or "palabras lang:es -is:retweet", "token": "X_BEARER_TOKEN"},
        "the search reaches seven days back",
    )


def _reddit(url: str) -> Proposal:
    found = _SUBREDDIT.search(urlsplit(url).path)
    return Proposal(
        Protocol.REDDIT,
        "https://www.reddit.com",
        "it is Reddit, whose lists are read as JSON",
        f"r/{found[1]}" if found else "Reddit",
        Kind.POST,
        {"query": found[1] if found else "nombre-del-subreddit", "comments": True},
    )


def _telegram(url: str) -> Proposal | None:
    found = _TELEGRAM.search(urlsplit(url).path)
    if found is None or found[1] in ("joinchat", "share"):
        return None
    return Proposal(
        Protocol.TELEGRAM,
        f"https://t.me/s/{found[1]}",
        "it is a channel of Telegram, which is read on its preview pages",
        f"Telegram: {found[1]}",
        Kind.POST,
    )


def _google_news(url: str) -> Proposal:
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    words = query.get("q", "")
    wanted = {"hl": "es-419", "gl": "PE", "ceid": "PE:es-419"} | query
    path = "/rss/search" if words else "/rss"
    return Proposal(
        Protocol.FEED,
        f"https://{_HEADLINES}{path}?{urlencode(wanted)}",
        "it is Google News, which has a feed of headlines for every search",
        f"Google Noticias: {words}" if words else "Google Noticias",
        Kind.ARTICLE,
    )


def _open311(root: str, found: dict[str, str]) -> Proposal:
    keys = {"query": found["jurisdiction_id"]} if found.get("jurisdiction_id") else {}
    return Proposal(
        Protocol.OPEN311,
        root,
        "its address is that of an Open311 GeoReport interface",
        f"Solicitudes de {urlsplit(root).netloc}",
        Kind.POST,
        keys,
    )


def _forum_of_disqus(root: str, found: dict[str, str]) -> Proposal:
    return Proposal(
        Protocol.DISQUS,
        root,
        "its address is that of the Disqus API 3.0",
        f"Comentarios de {found.get('forum', '')}".removesuffix(" de "),
        keys={"query": found.get("forum") or "nombre-del-foro", "token": "DISQUS_API_KEY"},
    )


_HOSTS: dict[str, Callable[[str], Proposal | None]] = {
    "youtube.com": _youtube,
    "youtu.be": _youtube,
    "facebook.com": _facebook,
    "fb.com": _facebook,
    "x.com": _x,
    "twitter.com": _x,
    "reddit.com": _reddit,
    "old.reddit.com": _reddit,
    "t.me": _telegram,
    "telegram.me": _telegram,
    _HEADLINES: _google_news,
}
_PATHS: tuple[tuple[re.Pattern[str], Callable[[str, dict[str, str]], Proposal]], ...] = (
    (_DATA_API, _data_api),
    (_GRAPH, _graph),
    (_SEARCH, _recent_search),
    (_GEOREPORT, _open311),
    (_DISQUS_LIST, _forum_of_disqus),
)
