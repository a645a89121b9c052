"""Texts and addresses of strangers, made fit for a page that must hold its shape."""

import re
import unicodedata
from urllib.parse import urlsplit

from configs.schema import is_web_address

MAX_URL = 1000
"""Longer addresses are not linked: nobody can check where they lead."""

_SPACE = re.compile(r"\s+")
_PLAIN = re.compile(r"[ -~¡-¬®-ɏ]*")  # Latin letters and signs: nothing invisible, no loose accent
_HOLDS_SPACE = re.compile(r"[\s\x00-\x20\x7f]")
_JOINERS = frozenset("\u200c\u200d")  # emojis and some scripts need them
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs"})
_MAX_MARKS = 3  # accents on one letter; towers of them would cover the lines above


def clean(text: str) -> str:
    r"""Drop control, direction and other invisible characters; join white space.

    Examples:
        >>> clean("hola\u202e  mundo\x00")
        'hola mundo'
    """
    joined = _SPACE.sub(" ", text)
    if _PLAIN.fullmatch(joined):
        return joined.strip()
    kept: list[str] = []
    marks = 0
    for character in joined:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind == "Mn" else 0
        if character in _JOINERS or (kind not in _HIDDEN and marks <= _MAX_MARKS):
            kept.append(character)
    return _SPACE.sub(" ", "".join(kept)).strip()


def shorten(text: str, limit: int) -> str:
    """Clean a text and cut it at a word boundary, «…» included, to at most ``limit`` characters.

    A single word that is longer than the limit is cut inside.
    """
    whole = clean(text[: limit * 8])  # a megabyte of one word costs no more than a sentence
    if len(whole) <= limit and len(text) <= limit * 8:
        return whole
    head = whole[: limit - 1]
    boundary = head.rfind(" ")
    if boundary > limit // 2 and whole[limit - 1 : limit] != " ":
        head = head[:boundary]
    return head.rstrip(" ,;:.…") + "…"


def web_link(url: str | None) -> str | None:
    """Return the address if it may be linked: http or https, whole, and short enough to read."""
    if url is None or len(url) > MAX_URL or _HOLDS_SPACE.search(url):
        return None
    if clean(url) != url or not is_web_address(url):
        return None
    return url if host_of(url) else None


def host_of(url: str) -> str | None:
    """Return the host that an address leads to, without user names that may disguise it."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
