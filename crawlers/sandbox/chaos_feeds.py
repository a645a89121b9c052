"""Feeds that are broken inside, each in one known way; one item of every feed is well."""

from collections.abc import Callable
from itertools import count
from typing import Final
from xml.sax.saxutils import escape

from crawlers.sandbox.sites import NOTICE

WELL: Final = "La pista de la avenida principal sigue rota."
"""What the item says that is well."""

LONG_TEXT: Final = 10 * 1024 * 1024
"""Characters of the longest text node."""

LONG_TITLE: Final = 1024 * 1024
"""Characters of the longest titles."""

LETTERS: Final = "Huayca\u0301n pide luz 👩🏽\u200d🚒\u200d"
"""A letter of two characters, and an emoji of five that is cut off before its sixth."""

DATES: Final = (
    "Fri, 01 Jan 1900 00:00:00 GMT",
    "Mon, 05 May 2092 10:00:00 -0500",
    "2021-09-15T10:00:00",
    "ayer",
    "31/02/2021",
    "9" * 500,
    "",
)
"""In 1900, in the future, without a zone, in a word, and none at all."""

_WHEN: Final = "Wed, 15 Sep 2021 10:00:00 -0500"
_turns = count()


def long_text() -> bytes:
    """Return an item whose text is one node of ten megabytes."""
    return _feed(_item("caos-1", text="a " * (LONG_TEXT // 2)))


def long_titles() -> bytes:
    """Return items whose titles are a megabyte long."""
    return _feed(*(_item(f"caos-{n}", title="a" * LONG_TITLE) for n in (1, 2)))


def entities() -> bytes:
    """Return items that are made of entities: one that grows without end, and a file."""
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    declared = f'<!ENTITY e0 "AAAAAAAAAA">{levels}<!ENTITY file SYSTEM "file:///etc/passwd">'
    grown, read = _raw_item("caos-1", "&e9;"), _raw_item("caos-2", "&file;")
    return _feed(grown, read, doctype=f"<!DOCTYPE rss [{declared}]>")


def strange_letters() -> bytes:
    """Return items with NULs, half of a pair of surrogates, and letters made of several."""
    broken = _raw_item("caos-1", "Falta\0 agua &#xD83D; en &#0; Vitarte")
    return _feed(broken, _item("caos-2", text=LETTERS))


def strange_dates() -> bytes:
    """Return items that were said when nobody can have said them, or nobody knows when."""
    return _feed(*(_item(f"caos-{n}", date=date) for n, date in enumerate(DATES)))


def repeated_ids() -> bytes:
    """Return three items that all have the same id."""
    return _feed(*(_item("caos-1", text=f"El vecino número {n} pide agua.") for n in range(3)))


def reused_guids() -> bytes:
    """Return items that say something else at every visit, under the same ids."""
    turn = next(_turns)
    return _feed(*(_item(f"caos-{n}", text=f"Aviso {turn} del vecino {n}.") for n in (1, 2)))


def many_items() -> bytes:
    """Return more items than any neighbourhood says, all of them empty."""
    return _feed("<item/>" * 20_000)


BROKEN: Final[dict[str, Callable[[], bytes]]] = {
    "long_text": long_text,
    "long_titles": long_titles,
    "entities": entities,
    "strange_letters": strange_letters,
    "strange_dates": strange_dates,
    "repeated_ids": repeated_ids,
    "reused_guids": reused_guids,
    "many_items": many_items,
}
"""Every way in which a feed is broken inside."""


def _feed(*items: str, doctype: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>{doctype}<rss version="2.0"><channel>'
        f"<title>{NOTICE}</title><link>http://pueblo.invalid/</link>"
        f"{_item('caos-bien', text=WELL)}{''.join(items)}</channel></rss>"
    ).encode()


def _item(guid: str, title: str = "Aviso", text: str = "Un aviso.", date: str = _WHEN) -> str:
    when = f"<pubDate>{date}</pubDate>" if date else ""
    return _raw_item(guid, escape(text), f"<title>{escape(title)}</title>{when}")


def _raw_item(guid: str, text: str, rest: str = f"<pubDate>{_WHEN}</pubDate>") -> str:
    mark = f'<guid isPermaLink="false">{guid}</guid>'
    return f"<item>{mark}{rest}<description>{text}</description></item>"
