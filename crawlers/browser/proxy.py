"""The only way out of the browser: a proxy on loopback that checks every connection.

It resolves a name once and connects to the very address that it has checked, so neither a
redirect, a script, a web socket nor a second answer of the name service leads anywhere else. TLS
passes through untouched: the browser itself verifies certificates.
"""

import asyncio
import contextlib
import socket
from urllib.parse import urlsplit

from crawlers.addresses import Door, refusal

LONGEST_HEAD = 65_536
_CHUNK = 65_536
_REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_UNREACHED = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_READY = b"HTTP/1.1 200 Connection established\r\n\r\n"
_OF_PROXIES = ("proxy-", "connection:", "keep-alive:")


class Forbidden(Exception):  # noqa: N818 - it is no fault but a verdict
    """An address that may not be connected to."""


class GuardedProxy:
    """Lets a browser reach what a crawl may reach, and no more bytes than it may take.

    ``refused`` names the hosts that were not allowed, and why. Once ``left`` bytes have come, all
    connections are cut and ``is_used_up``.
    """

    def __init__(self, private: frozenset[Door], timeout: float) -> None:
        self._private = private
        self._timeout = timeout
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.refused: dict[str, str] = {}
        self.left = 0
        self.is_used_up = False

    async def start(self) -> int:
        """Listen on a free port of loopback, and return it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LONGEST_HEAD)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def begin(self, budget: int) -> None:
        """Allow so many bytes for the next page."""
        self.left, self.is_used_up = budget, False

    def close(self) -> None:
        """Stop listening, and cut what is open."""
        if self._server is not None:
            self._server.close()
        self._cut()

    def _cut(self) -> None:
        for writer in tuple(self._open):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._answer(reader, writer)
        except Forbidden:
            writer.write(_REFUSED)
        except (OSError, ValueError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            with contextlib.suppress(OSError):
                writer.write(_UNREACHED)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.partition("\r\n")[0].split(" ", 2)
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            there = await self._connect(host.strip("[]"), int(port))
            writer.write(_READY)
        else:
            parts = urlsplit(target)
            there = await self._connect(parts.hostname or "", parts.port or 80)
            there[1].write(_direct(head, method, target))
        try:
            await self._both_ways(reader, writer, *there)
        finally:
            self._open.discard(there[1])
            there[1].close()

    async def _connect(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        found = await asyncio.wait_for(
            loop.getaddrinfo(host, port, type=socket.SOCK_STREAM), self._timeout
        )
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        is_own = (host.lower(), port) in self._private
        why = next(filter(None, map(refusal, addresses)), None)
        allowed = [address for address in addresses if is_own or refusal(address) is None]
        if not allowed:
            self.refused[host.lower()] = why or f"{host} has no address"
            raise Forbidden(host)
        there = await asyncio.wait_for(asyncio.open_connection(allowed[0], port), self._timeout)
        self._open.add(there[1])
        return there

    async def _both_ways(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        their_reader: asyncio.StreamReader,
        their_writer: asyncio.StreamWriter,
    ) -> None:
        up = asyncio.create_task(_pump(reader, their_writer))
        try:
            while chunk := await their_reader.read(_CHUNK):
                self.left -= len(chunk)
                if self.left < 0:
                    self.is_used_up = True
                    self._cut()
                    return
                writer.write(chunk)
                await writer.drain()
        finally:
            up.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()


def _direct(head: str, method: str, target: str) -> bytes:
    """Return a request's head as its server wants it: with a path, for one answer only."""
    parts = urlsplit(target)
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    lines = [line for line in head.split("\r\n")[1:] if line]
    kept = [line for line in lines if not line.lower().startswith(_OF_PROXIES)]
    return "\r\n".join((f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", "")).encode(
        "latin-1"
    )
