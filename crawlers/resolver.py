"""The name resolver of a crawl, through which every connection goes."""

from collections.abc import Sequence
from typing import Any

from scrapy.resolver import CachingHostnameResolver
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver

from crawlers.addresses import Door, refusal
from crawlers.settings import PRIVATE_DOORS

refused: dict[Door, str] = {}
"""Doors whose hosts resolved to nothing but forbidden addresses, and why each was refused."""


class GuardedResolver(CachingHostnameResolver):
    """Hands out no address that a crawl may not connect to.

    Twisted asks it for every connection, also for hosts that are numbers in some notation, and
    connects to the very addresses it returns: there is no second look-up to trick.
    """

    def __init__(
        self, reactor: Any, cache_size: int, private: frozenset[Door] = frozenset()
    ) -> None:
        super().__init__(reactor, cache_size)
        self._private = private

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> "GuardedResolver":
        """Make the resolver for the crawl's reactor."""
        return cls(
            reactor,
            crawler.settings.getint("DNSCACHE_SIZE"),
            crawler.settings[PRIVATE_DOORS],
        )

    def resolveHostName(  # noqa: N802 - Twisted's name
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        """Resolve a host and pass on only the addresses that are allowed."""
        receiver, door = resolutionReceiver, (_as_in_addresses(hostName), portNumber)
        if door not in self._private:
            receiver = _Filter(resolutionReceiver, door)  # type: ignore[assignment]
        return super().resolveHostName(
            receiver, hostName, portNumber, addressTypes, transportSemantics
        )


class _Filter:
    """A receiver of addresses that keeps the forbidden ones to itself."""

    def __init__(self, receiver: IResolutionReceiver, door: Door) -> None:
        self._receiver: Any = receiver
        self._door = door
        self._passed = 0
        self._why = ""

    def resolutionBegan(self, resolution: IHostResolution) -> None:  # noqa: N802
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        why = refusal(address.host)
        if why is None:
            self._passed += 1
            self._receiver.addressResolved(address)
        else:
            self._why = why

    def resolutionComplete(self) -> None:  # noqa: N802
        if self._why and not self._passed:
            refused[self._door] = self._why
        self._receiver.resolutionComplete()


def _as_in_addresses(host: str) -> str:
    """Return a host as it is written in an address, where ñ is ``xn--…``."""
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()
