"""How each platform numbers what it holds, and what a crawler stores as its identity."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.names import handle
from crawlers.sandbox.sites import Shape, Site

FACEBOOK_PAGE: Final = "104857600000021"
"""The id of the town's Facebook page."""

TELEGRAM_CHANNEL: Final = "ateinforma"
"""The name of the town's Telegram channel."""

_TWITTER_EPOCH: Final = 1_288_834_974_657
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_FIRST: Final = 1_001


def identify(site: Site, items: Iterable[Item]) -> tuple[Item, ...]:
    """Number the items of one source and all that is said below them, oldest first."""
    ordered = sorted(items, key=lambda item: (item.said_at, item.text.id))
    everything = sorted(
        [(item.said_at, item.text.id) for item in ordered]
        + [(remark.said_at, remark.text.id) for item in ordered for remark in item.remarks]
    )
    numbers = {name: _FIRST + place for place, (_, name) in enumerate(everything)}
    return tuple(
        _identified(replace(item, number=numbers[item.text.id], rank=rank), numbers)
        for rank, item in enumerate(ordered, start=1)
    )


def status_uri(site: Site, author: str, key: str) -> str:
    """Return the address that names a Mastodon status on every server."""
    return f"https://{site.authority}/users/{handle(author)}/statuses/{key}"


def guid(site: Site, number: int) -> str:
    """Return the address that names a WordPress post for ever."""
    return f"https://{site.authority}/?p={number}"


def topic_number(item: Item) -> int:
    """Return the id of a topic in a forum."""
    return 300 + item.rank


def _identified(item: Item, numbers: dict[str, int]) -> Item:
    key = _key(item.site, item.said_at, item.number, item.text.id)
    identity = _IDENTITIES.get(item.site.shape, _tag)(item, key)
    keyed = replace(item, key=key, identity=identity)
    known: dict[str | None, tuple[str, str]] = {None: ("", identity)}
    remarks = []
    for place, remark in enumerate(item.remarks, start=2):
        number = numbers[remark.text.id]
        above, answers = known[remark.text.parent]
        own = _remark_key(keyed, remark, number, above)
        name = _answer(keyed, remark, own, number, place)
        known[remark.text.id] = (own, name)
        remarks.append(replace(remark, number=number, key=own, identity=name, answers=answers))
    return replace(keyed, remarks=tuple(remarks))


def _key(site: Site, said_at: datetime, number: int, name: str) -> str:
    make = _KEYS.get(site.shape)
    return make(said_at, number, name) if make else str(number)


def _snowflake(said_at: datetime, number: int, name: str) -> str:
    del name
    milliseconds = int(said_at.timestamp() * 1000)
    return str((milliseconds - _TWITTER_EPOCH) << 22 | number & 0x3FFFFF)


def _status(said_at: datetime, number: int, name: str) -> str:
    del name
    return str(int(said_at.timestamp() * 1000) << 16 | number & 0xFFFF)


_KEYS: Final[dict[Shape, Callable[[datetime, int, str], str]]] = {
    Shape.X: _snowflake,
    Shape.MASTODON: _status,
    Shape.YOUTUBE: lambda said_at, number, name: _hashed(name, 11),
    Shape.FACEBOOK: lambda said_at, number, name: f"{FACEBOOK_PAGE}_{122_000_000_000_000 + number}",
    Shape.REDDIT: lambda said_at, number, name: _base36(40_000_000_000 + number * 37),
    Shape.TELEGRAM: lambda said_at, number, name: f"{TELEGRAM_CHANNEL}/{number}",
    Shape.OPEN311: lambda said_at, number, name: f"{said_at:%Y}-{number:06d}",
    Shape.CSV: lambda said_at, number, name: f"LL-{number:05d}",
    Shape.XLSX: lambda said_at, number, name: f"EV-{number:05d}",
}


def _remark_key(item: Item, remark: Remark, number: int, above: str) -> str:
    match item.site.shape:
        case Shape.YOUTUBE:
            own = "Ug" + _hashed(remark.text.id, 22)
            return f"{above}.{own[:22]}" if above else f"{own}AaABAg"[:26]
        case Shape.FACEBOOK:
            return f"{item.key.partition('_')[2]}_{number * 7919 + 1_000_000}"
        case Shape.X | Shape.MASTODON | Shape.REDDIT:
            return _key(item.site, remark.said_at, number, remark.text.id)
        case shape if item.site.has_pages and shape is not Shape.WORDPRESS:
            return remark.text.id
        case _:
            return str(number)


def _answer(item: Item, remark: Remark, key: str, number: int, place: int) -> str:
    names = {
        Shape.YOUTUBE: key,
        Shape.FACEBOOK: key,
        Shape.X: key,
        Shape.MASTODON: status_uri(item.site, remark.text.author, key),
        Shape.REDDIT: f"t1_{key}",
        Shape.DISCOURSE: f"discourse:topic:{topic_number(item)}:{place}",
        Shape.FORUM: f"topic:{topic_number(item)}:post:{number}",
        Shape.DECIDIM: f"comment:{number}",
    }
    return names.get(item.site.shape, f"{item.identity}#comment-{key}")


def _tag(item: Item, key: str) -> str:
    del key
    return f"tag:{item.site.authority},2021:{item.text.id}"


def _path(item: Item, key: str) -> str:
    del key
    return item.path


def _itself(item: Item, key: str) -> str:
    del item
    return key


_IDENTITIES: Final[dict[Shape, Callable[[Item, str], str]]] = {
    Shape.PAGES: _path,
    Shape.SITEMAP: _path,
    Shape.WORDPRESS: lambda item, key: guid(item.site, int(key)),
    Shape.NEWS: lambda item, key: "CBMi" + _hashed(f"{item.text.id}/{key[:0]}", 40),
    Shape.DISCOURSE: lambda item, key: f"discourse:topic:{topic_number(item)}:1",
    Shape.FORUM: lambda item, key: f"topic:{topic_number(item)}:post:{key}",
    Shape.MASTODON: lambda item, key: status_uri(item.site, item.text.author, key),
    Shape.YOUTUBE: lambda item, key: f"youtube:video:{key}",
    Shape.FACEBOOK: _itself,
    Shape.X: _itself,
    Shape.REDDIT: lambda item, key: f"t3_{key}",
    Shape.TELEGRAM: _itself,
    Shape.DECIDIM: lambda item, key: f"proposal:{key}",
    Shape.OPEN311: _itself,
    Shape.CSV: _itself,
    Shape.XLSX: _itself,
}


def _hashed(name: str, length: int) -> str:
    digest = sha256(name.encode()).digest() + sha256(f"{name}/2".encode()).digest()
    return urlsafe_b64encode(digest).decode()[:length]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
