"""The town's web server: loopback only, one thread a visitor, nothing but the standard library."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Thread
from typing import Final
from urllib.parse import unquote

from crawlers.sandbox.answers import Call, Page, read_query
from crawlers.sandbox.chaos import altered, checked, is_stream, misbehave
from crawlers.sandbox.pages import Pages
from crawlers.sandbox.town import Town, build_town, window_of
from crawlers.sandbox.volume import PILOT_DAYS
from models.errors import ConfigError

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8765
DEFAULT_SEED: Final = 2021
LONGEST_BODY: Final = 1_000_000
TOKEN: Final = "MANIFIESTA_SANDBOX_TOKEN"  # noqa: S105 - the name of a variable
"""Where the town's own configuration looks for the token that some platforms ask for."""


_HOST_HEADER: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?")
_log = logging.getLogger(__name__)


class TownServer(ThreadingHTTPServer):
    """Serves one town on the loopback address."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, town: Town, port: int, chaos: dict[str, str] | None = None) -> None:
        self.pages = Pages(town)
        self.chaos = checked(chaos)
        self.stopped = Event()
        super().__init__((HOST, port), _Visit)

    @property
    def base_url(self) -> str:
        """The address of the town, without a final slash."""
        return f"http://{HOST}:{self.server_port}"

    def server_bind(self) -> None:
        """Bind without asking the name service who we are."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def server_close(self) -> None:
        """Close the door, also to those who are kept waiting."""
        self.stopped.set()
        super().server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Note a visitor that left in the middle, or a fault of ours, without ending the rest."""
        del request
        if isinstance(sys.exception(), ConnectionError | TimeoutError):
            _log.debug("%s left in the middle of an answer", client_address)
        else:
            _log.exception("no answer for %s", client_address)


class _Visit(BaseHTTPRequestHandler):
    """One connection of one visitor."""

    server: TownServer
    server_version = "PuebloSimulado/1"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        _log.debug("%s %s", self.address_string(), format % args)

    def do_POST(self) -> None:
        if not self.server.pages.takes_posts(unquote(self.path.partition("?")[0])):
            self.send_error(HTTPStatus.NOT_IMPLEMENTED)
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            self.close_connection = True
            self.send_error(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length else HTTPStatus.LENGTH_REQUIRED
            )
            return
        self._reply(self._call(self.rfile.read(int(length))))

    def _answer(self, *, with_body: bool) -> None:
        self._reply(self._call(), with_body=with_body)

    def _reply(self, call: Call, *, with_body: bool = True) -> None:
        page = self.server.pages.answer(call)
        mode = self.server.chaos.get(call.path.removeprefix("/").partition("/")[0])
        if mode is not None and is_stream(mode):
            misbehave(mode, self, page, self.server.stopped)
            return
        self._send(altered(mode, call, page) if mode else page, with_body=with_body)

    def _call(self, body: bytes = b"") -> Call:
        path, _, query = self.path.partition("?")
        return Call(
            path=unquote(path),
            base_url=self._base_url(),
            query=read_query(query),
            headers={name.lower(): value for name, value in self.headers.items()},
            method="POST" if self.command == "POST" else "GET",
            body=body,
        )

    def _send(self, page: Page, *, with_body: bool = True) -> None:
        etag = f'"{sha256(page.body).hexdigest()[:32]}"'
        changed = page.changed_at and page.changed_at.astimezone(UTC).replace(microsecond=0)
        if page.status == HTTPStatus.OK and self._knows(etag, changed):
            self._send_head(HTTPStatus.NOT_MODIFIED, etag, changed)
            self.end_headers()
            return
        self._send_head(page.status, etag if page.status == HTTPStatus.OK else None, changed)
        self._send_entity(page, with_body=with_body)

    def _send_head(self, status: int, etag: str | None, changed: datetime | None) -> None:
        self.send_response(status)
        if etag is not None:
            self.send_header("ETag", etag)
            self.send_header("Cache-Control", "no-cache")
        if etag is not None and changed is not None:
            self.send_header("Last-Modified", format_datetime(changed, usegmt=True))

    def _send_entity(self, page: Page, *, with_body: bool) -> None:
        if page.location is not None:
            self.send_header("Location", page.location)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in page.headers:
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(page.body)

    def _knows(self, etag: str, changed: datetime | None) -> bool:
        if self.command == "POST":
            return False
        known = self.headers.get("If-None-Match")
        if known is not None:
            tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
            return etag in tags or "*" in tags
        since = _http_date(self.headers.get("If-Modified-Since"))
        return since is not None and changed is not None and changed <= since

    def _base_url(self) -> str:
        host = self.headers.get("Host", "")
        return f"http://{host}" if _HOST_HEADER.fullmatch(host) else self.server.base_url


def town_server(
    port: int = DEFAULT_PORT,
    seed: int = DEFAULT_SEED,
    town: Town | None = None,
    *,
    days: int = PILOT_DAYS,
    scale: float = 1,
    chaos: dict[str, str] | None = None,
) -> TownServer:
    """Open the town's door without letting anyone in yet; ``serve_forever`` does that.

    Args:
        port: Where to listen; 0 takes a free port.
        seed: What decides the town, unless a town is given.
        town: A town built elsewhere.
        days: For how long the town speaks, unless a town is given.
        scale: How busy the town is, unless a town is given.
        chaos: Which sources misbehave, by name, and in which way of `crawlers.sandbox.chaos`.

    Raises:
        ConfigError: The port cannot be had, or there is no such source or way.
    """
    built = town or build_town(seed, window=window_of(days), scale=scale)
    try:
        return TownServer(built, port, chaos)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"the sandbox town cannot listen on port {port} of {HOST} ({reason}); stop the "
            "program that uses the port, choose another one, or use 0 for a free one"
        ) from error


@contextmanager
def serve_town(
    port: int = DEFAULT_PORT,
    seed: int = DEFAULT_SEED,
    town: Town | None = None,
    *,
    days: int = PILOT_DAYS,
    scale: float = 1,
    chaos: dict[str, str] | None = None,
) -> Iterator[str]:
    """Serve the town in a thread while the block runs.

    The token that some of its platforms ask for may be any word. If the environment has none,
    it has one while the block runs.

    Yields:
        The address of the town, without a final slash.

    Raises:
        ConfigError: The port cannot be had, or there is no such source or way.
    """
    server = town_server(port, seed, town, days=days, scale=scale, chaos=chaos)
    thread = Thread(target=server.serve_forever, args=(0.05,), name="sandbox-town", daemon=True)
    thread.start()
    is_ours = TOKEN not in os.environ
    os.environ.setdefault(TOKEN, "pueblo-simulado")
    try:
        yield server.base_url
    finally:
        if is_ours:
            os.environ.pop(TOKEN, None)
        server.shutdown()
        server.server_close()
        thread.join()


def _http_date(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
