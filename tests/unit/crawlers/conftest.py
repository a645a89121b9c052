"""A site on loopback that answers what a test tells it to, and jobs that read it."""

import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from configs.schema import Limits, Source
from crawlers import crawl, forked
from crawlers.forked import Forks
from crawlers.index import archived_crawls, write_answers
from crawlers.job import CrawlJob

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up, because some tests make them."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass


@dataclass
class Site:
    """Pages by path; a page is bytes, or a function that writes the response itself."""

    host: str = "127.0.0.1"
    pages: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.path, dict(self.headers)))
                answer = site.pages.get(self.path)
                try:
                    if answer is None:
                        send(self, b"no existe", status=404)
                    else:
                        answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = Server((self.host, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self._server.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def page(self, path: str, body: bytes | str, status: int = 200, **headers: str) -> str:
        """Serve a body; header names are given with underscores."""
        data = body.encode() if isinstance(body, str) else body
        self.pages[path] = lambda handler: send(handler, data, status, **headers)
        return self.url + path

    def redirect(self, path: str, target: str) -> str:
        self.pages[path] = lambda handler: send(handler, b"", 302, location=target)
        return self.url + path

    def hang(self, path: str) -> str:
        """Accept the request and never answer, until the test is over."""
        self.pages[path] = lambda handler: self.over.wait() and None
        return self.url + path

    def speak_tls(self, folder: Path) -> None:
        """Answer with a certificate that the site made for itself."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self_signed(folder))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


def self_signed(folder: Path) -> Path:
    """Write a key and a certificate for 127.0.0.1 that no authority knows."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    host = x509.IPAddress(ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "site.pem"
    encoding = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(encoding)
    )
    return path


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    """Write one response."""
    handler.send_response(status)
    for name, value in ({"content_type": "text/html; charset=utf-8"} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def other_site() -> Iterator[Site]:
    """A second server, on another loopback address."""
    site = Site(host="127.0.0.2")
    yield site
    site.close()


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., CrawlJob]:
    """Return a function that makes a job; keywords go to the source, or to its limits."""

    def make(
        url: str, out: str = "out", limits: dict[str, Any] | None = None, **about: Any
    ) -> CrawlJob:
        fast = {"delay": 0, "timeout": 10, "max_seconds": 60}
        source = Source(
            **{
                "name": "vecinos",
                "title": "Vecinos",
                "protocol": "feed",
                "url": url,
                "allow_private": True,
                "limits": Limits(**(fast | (limits or {}))),
            }
            | about
        )
        return CrawlJob(
            municipality="ate",
            source=source,
            url=url,
            user_agent="Manifiesta/0.1 (+mailto:prueba@example.org)",
            time_zone="America/Lima",
            out=tmp_path / out,
            archive=tmp_path / "archive",
        )

    return make


def to_replay(job: CrawlJob, out: Path) -> CrawlJob:
    """Return a job that reads again what the archive holds of one, and nothing else."""
    answers = job.out / "answers.jsonl"
    crawls = archived_crawls(job.archive, job.municipality, job.source.name)
    write_answers(crawls, len(crawls) - 1, answers)
    return job.model_copy(update={"out": out, "replay": answers})


@pytest.fixture
def served_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Forks]]:
    """Return a function that has crawls forked from a server which runs some lines first."""
    started: list[Forks] = []

    def serve(lines: str) -> Forks:
        code = (
            f"{lines}\nimport sys\nfrom crawlers.fork_server import main\nsys.exit(main(sys.argv))"
        )
        monkeypatch.setattr(forked, "SERVER", (sys.executable, "-c", code))
        started.append(Forks())
        monkeypatch.setattr(crawl, "FORKS", started[-1])
        return started[-1]

    yield serve
    for forks in started:
        forks.close()


def rss(*items: str) -> str:
    """Return a feed of items written as XML."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Vecinos</title>'
        "<link>http://example.org/</link><description>d</description>"
        f"{''.join(items)}</channel></rss>"
    )


def item(
    guid: str = "",
    title: str = "",
    text: str = "",
    link: str = "",
    date: str = "Mon, 05 May 2025 10:00:00 -0500",
) -> str:
    """Return one item of a feed; what is empty is left out."""
    parts = (
        ("title", title),
        ("description", text),
        ("link", link),
        ("pubDate", date),
    )
    tags = "".join(f"<{tag}>{value}</{tag}>" for tag, value in parts if value)
    mark = f'<guid isPermaLink="false">{guid}</guid>' if guid else ""
    return f"<item>{mark}{tags}</item>"


@pytest.fixture
def feed() -> Callable[..., str]:
    return rss


@pytest.fixture
def entry() -> Callable[..., str]:
    return item
