"""The address behind the redirects of aggregators, as far as they carry it themselves."""

import re
from base64 import urlsafe_b64decode
from binascii import Error as NoBase64
from urllib.parse import parse_qs, urlsplit

_LONGEST = 2_000
_CARRIERS = {
    "google.com": ("/url", ("url", "q")),
    "bing.com": ("/news/apiclick.aspx", ("url",)),
    "l.facebook.com": ("/l.php", ("u",)),
    "lm.facebook.com": ("/l.php", ("u",)),
    "l.instagram.com": ("/", ("u",)),
    "youtube.com": ("/redirect", ("q",)),
}
_HEADLINES = "news.google.com"
_ENCODED = re.compile(r"/(?:rss/|__i/rss/rd/)?(?:articles|read)/([A-Za-z0-9_-]{20,2000})=*")
_ADDRESS = re.compile(rb"https?://[!-~]+")


def unwrap(url: str) -> str:
    """Return the address that a redirect carries inside; any other as it is.

    Google News wrote addresses into its links until 2024. Newer ones hold a number that only its
    servers can resolve: they stay as they are.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return url
    if host == _HEADLINES:
        return _decoded(parts.path) or url
    path, names = _CARRIERS.get(host, ("", ()))
    if not path or parts.path.rstrip("/") != path.rstrip("/"):
        return url
    values = parse_qs(parts.query, max_num_fields=100) if parts.query.count("&") < 100 else {}
    inner = (values[name][0] for name in names if name in values)
    return next((each for each in inner if _is_address(each)), url)


def _decoded(path: str) -> str | None:
    """Return the address in a link of Google News, which is a message in base64."""
    found = _ENCODED.fullmatch(path)
    if found is None:
        return None
    try:
        message = urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    except (NoBase64, ValueError):
        return None
    start = message.find(b"http")
    if start < 1:
        return None
    length, offset = message[start - 1], start
    if start >= 2 and message[start - 2] & 0x80 and message[start - 1] < 0x80:  # a varint of two
        length = (message[start - 2] & 0x7F) | message[start - 1] << 7
    address = _ADDRESS.match(message[offset : offset + length])
    text = address[0].decode("ascii") if address else ""
    return text if len(text) == length and _is_address(text) else None


def _is_address(url: str) -> bool:
    return url.startswith(("http://", "https://")) and 10 < len(url) <= _LONGEST
