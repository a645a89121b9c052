"""Addresses, and the resolver through which every connection goes."""

from typing import Any

import pytest

from crawlers.addresses import Door, door_of, literal, private_doors, refusal

PUBLIC = ("8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "200.48.1.1")
FORBIDDEN = {
    "127.0.0.1": "loopback",
    "127.9.9.9": "loopback",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "169.254.169.254": "link-local",
    "100.64.0.1": "reserved",
    "0.0.0.0": "unspecified",
    "224.0.0.1": "multicast",
    "255.255.255.255": "private",
    "::1": "loopback",
    "::": "unspecified",
    "fe80::1%eth0": "link-local",
    "fc00::1": "private",
    "fec0::1": "private",
    "ff02::1": "multicast",
    "::ffff:127.0.0.1": "loopback",
    "::127.0.0.1": "loopback",
    "2002:7f00:1::": "loopback",
    "64:ff9b::10.0.0.1": "private",
    "2001:0:4136:e378::1": "tunnel",
    "example.org": "no address",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize(("address", "what"), FORBIDDEN.items())
def test_other_addresses_do_not(address: str, what: str) -> None:
    assert what in (refusal(address) or "")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[::ffff:7f00:1]", "::ffff:7f00:1"),
        ("example.org", None),
        ("localhost", None),
        ("8.8.8.8 x", None),
        ("", None),
    ],
)
def test_literal(host: str, expected: str | None) -> None:
    assert literal(host) == expected


class Receiver:
    """Takes down what a resolver hands out."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.done = False

    def resolutionBegan(self, _: Any) -> None:  # noqa: N802
        pass

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        self.addresses.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802
        self.done = True


class Names:
    """A name service that answers something else every time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)

    def resolveHostName(self, receiver: Any, host: str, *_: Any) -> Any:  # noqa: N802
        from twisted.internet.address import IPv4Address

        receiver.resolutionBegan(host)
        for address in self._answers.pop(0):
            receiver.addressResolved(IPv4Address("TCP", address, 80))
        receiver.resolutionComplete()


class Reactor:
    """As much of a reactor as the resolver looks at."""

    def __init__(self, names: Names) -> None:
        self.nameResolver = names


def resolve(resolver: Any, host: str, port: int = 80) -> Receiver:
    receiver = Receiver()
    resolver.resolveHostName(receiver, host, port)
    return receiver


def test_names_hand_out_public_addresses_only() -> None:
    from crawlers.resolver import GuardedResolver, refused

    refused.clear()
    names = Names(["10.0.0.1", "8.8.8.8"], ["169.254.169.254"], [])
    resolver = GuardedResolver(Reactor(names), 0)

    assert resolve(resolver, "mezcla.example").addresses == ["8.8.8.8"]
    inside = resolve(resolver, "metadatos.example")
    assert (inside.addresses, inside.done) == ([], True)
    assert resolve(resolver, "nadie.example").addresses == []
    assert refused == {("metadatos.example", 80): "169.254.169.254 is a link-local address"}


def test_a_name_that_is_public_first_and_private_then() -> None:
    from scrapy.resolver import dnscache

    from crawlers.resolver import GuardedResolver

    names = Names(["8.8.8.8"], ["127.0.0.1"])
    resolver = GuardedResolver(Reactor(names), 100)

    assert resolve(resolver, "cambia.example").addresses == ["8.8.8.8"]
    dnscache.clear()
    assert resolve(resolver, "cambia.example").addresses == []


def test_a_source_may_allow_its_own_private_address_alone() -> None:
    from crawlers.resolver import GuardedResolver

    names = Names(*[["127.0.0.1"]] * 4)
    resolver = GuardedResolver(Reactor(names), 0, private_doors("http://pueblo.example:8765/feed"))

    assert resolve(resolver, "pueblo.example", 8765).addresses == ["127.0.0.1"]
    assert resolve(resolver, "pueblo.example", 443).addresses == ["127.0.0.1"]
    assert resolve(resolver, "pueblo.example", 6379).addresses == []
    assert resolve(resolver, "intranet.example", 8765).addresses == []


@pytest.mark.parametrize(
    ("url", "door"),
    [
        ("http://Pueblo.example/a", ("pueblo.example", 80)),
        ("https://pueblo.example", ("pueblo.example", 443)),
        ("http://[::1]:8765/", ("::1", 8765)),
        ("file:///etc/passwd", None),
        ("http://pueblo.example:99999/", None),
        ("http://[::1", None),
    ],
)
def test_the_door_of_an_address(url: str, door: Door | None) -> None:
    assert door_of(url) == door
