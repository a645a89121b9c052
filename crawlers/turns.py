"""One crawl of a host at a time: several sources may lie on the same one."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit

Thing = TypeVar("Thing")


class Turns:
    """Lets one in for each host; who comes later waits. It holds within one process."""

    def __init__(self) -> None:
        self._hosts: dict[str, Lock] = {}

    @contextmanager
    def of(self, url: str) -> Iterator[None]:
        """Wait until nobody else is at the host of an address, and be there meanwhile."""
        with self._hosts.setdefault(host(url), Lock()):
            yield


TURNS = Turns()


def host(url: str) -> str:
    """Return the host of an address, in small letters."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def apart(things: Sequence[Thing], urls: Sequence[str]) -> list[Thing]:
    """Put what lies on one host apart, so that few wait for each other; else the order stays."""
    before: Counter[str] = Counter()
    ranked = []
    for thing, url in zip(things, urls, strict=True):
        ranked.append((before[host(url)], thing))
        before[host(url)] += 1
    return [thing for _, thing in sorted(ranked, key=lambda pair: pair[0])]
