"""Small pieces of writing that several sources share: slugs, openings, the town's tag."""

import re
import unicodedata
from typing import Final

TAG: Final = "#Ate"
"""The tag under which the town's Mastodon timeline is found."""


def slug(title: str, words: int = 9) -> str:
    """Return the opening words of a title as the part of an address.

    >>> slug("¿Qué pasa en la Av. Andrés Avelino?")
    'que-pasa-en-la-av-andres-avelino'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain)[:words]) or "nota"


def opening(text: str, width: int = 60) -> str:
    """Return the beginning of a text, cut between words, as forums title their messages."""
    line = " ".join(text.split())
    if len(line) <= width:
        return line
    return line[: width + 1].rsplit(" ", 1)[0][:width].rstrip(" ,;:.") + "…"
