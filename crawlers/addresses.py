"""Which network addresses a crawl may connect to."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

Door = tuple[str, int]
"""A host, as it is written in addresses, and a port of it."""

_NAT64 = ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


def door_of(url: str) -> Door | None:
    """Return the door that an address knocks at; nothing if it is no web address."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def private_doors(url: str) -> frozenset[Door]:
    """Return the doors that a source at a private address may be read through.

    They are those of its own host alone: its port, and the two of the web. A redirect to another
    machine of the same network, or to another service of the same machine, stays refused.
    """
    door = door_of(url)
    if door is None:
        return frozenset()
    host, port = door
    return frozenset((host, each) for each in (port, *_PORTS.values()))


def refusal(address: str) -> str | None:
    """Say why a crawl may not connect to a numeric address; nothing if it may.

    Only addresses of the public internet pass, also where an IPv6 address carries an IPv4 one.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address} is no address"
    inner = _carried(found)
    what = _what(inner if inner is not None else found)
    return f"{address} is {what}" if what else None


def literal(host: str) -> str | None:
    """Return the address that a host is if it is one, in whatever notation.

    The system's resolver also takes ``127.1``, ``2130706433``, ``0x7f.1`` and ``0177.0.0.1``
    for addresses, so this does too.
    """
    host = host.strip("[]").rstrip(".")
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host)) if host and " " not in host else None
    except OSError:
        return None


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64 or 1 < int(address) < 1 << 32:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _what(address: IPv4Address | IPv6Address) -> str:
    checks = (
        (address.is_unspecified, "the unspecified address"),
        (address.is_loopback, "a loopback address"),
        (address.is_link_local, "a link-local address"),
        (address.is_multicast, "a multicast address"),
        (isinstance(address, IPv6Address) and address.teredo is not None, "a tunnel address"),
        (isinstance(address, IPv6Address) and address.is_site_local, "a private address"),
        (address.is_private, "a private address"),
        (address.is_reserved or not address.is_global, "a reserved address"),
    )
    return next((name for applies, name in checks if applies), "")
