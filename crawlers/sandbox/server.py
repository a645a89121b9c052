"""The town's web server: loopback only, one thread a visitor, nothing but the standard library."""

import logging
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
from threading import Thread
from typing import Final
from urllib.parse import unquote

from crawlers.sandbox.pages import Page, Pages
from crawlers.sandbox.town import Town, build_town
from models.errors import ConfigError

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8765
DEFAULT_SEED: Final = 2021

_HOST_HEADER: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?")
_log = logging.getLogger(__name__)


class TownServer(ThreadingHTTPServer):
    """Serves one town on the loopback address."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, town: Town, port: int) -> None:
        self.pages = Pages(town)
        super().__init__((HOST, port), _Visit)

    @property
    def base_url(self) -> str:
        """The address of the town, without a final slash."""
        return f"http://{HOST}:{self.server_port}"

    def server_bind(self) -> None:
        """Bind without asking the name service who we are."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

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

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(self.path.partition("?")[0])
        page = self.server.pages.render(path, self._base_url())
        etag = f'"{sha256(page.body).hexdigest()[:32]}"'
        changed = page.changed_at.astimezone(UTC).replace(microsecond=0)
        if page.status == HTTPStatus.OK and self._knows(etag, changed):
            self._send_head(HTTPStatus.NOT_MODIFIED, etag, changed)
            self.end_headers()
            return
        self._send_head(page.status, etag if page.status == HTTPStatus.OK else None, changed)
        self._send_entity(page, with_body=with_body)

    def _send_head(self, status: int, etag: str | None, changed: datetime) -> None:
        self.send_response(status)
        if etag is not None:
            self.send_header("ETag", etag)
            self.send_header("Last-Modified", format_datetime(changed, usegmt=True))
            self.send_header("Cache-Control", "no-cache")

    def _send_entity(self, page: Page, *, with_body: bool) -> None:
        if page.location is not None:
            self.send_header("Location", page.location)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if with_body:
            self.wfile.write(page.body)

    def _knows(self, etag: str, changed: datetime) -> bool:
        known = self.headers.get("If-None-Match")
        if known is not None:
            tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
            return etag in tags or "*" in tags
        since = _http_date(self.headers.get("If-Modified-Since"))
        return since is not None and changed <= since

    def _base_url(self) -> str:
        host = self.headers.get("Host", "")
        return f"http://{host}" if _HOST_HEADER.fullmatch(host) else self.server.base_url


def town_server(
    port: int = DEFAULT_PORT, seed: int = DEFAULT_SEED, town: Town | None = None
) -> TownServer:
    """Open the town's door without letting anyone in yet; ``serve_forever`` does that.

    Args:
        port: Where to listen; 0 takes a free port.
        seed: What decides the town, unless a town is given.
        town: A town built elsewhere.

    Raises:
        ConfigError: The port cannot be had.
    """
    built = town or build_town(seed)
    try:
        return TownServer(built, port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"the sandbox town cannot listen on port {port} of {HOST} ({reason}); stop the "
            "program that uses the port, choose another one, or use 0 for a free one"
        ) from error


@contextmanager
def serve_town(
    port: int = DEFAULT_PORT, seed: int = DEFAULT_SEED, town: Town | None = None
) -> Iterator[str]:
    """Serve the town in a thread while the block runs.

    Yields:
        The address of the town, without a final slash.

    Raises:
        ConfigError: The port cannot be had.
    """
    server = town_server(port, seed, town)
    thread = Thread(target=server.serve_forever, args=(0.05,), name="sandbox-town", daemon=True)
    thread.start()
    try:
        yield server.base_url
    finally:
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
