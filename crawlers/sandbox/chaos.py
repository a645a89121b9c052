"""Sources that misbehave on request, each in one known way, and never without an end."""

import base64
import io
import select
import zlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler
from itertools import count
from threading import Event
from typing import Final

from crawlers.sandbox.answers import HTML, XML, Call, Page
from crawlers.sandbox.chaos_feeds import BROKEN
from crawlers.sandbox.sites import NOTICE, SITES
from models.errors import ConfigError

LONGEST: Final = 60.0
"""Seconds after which a source that hangs or drips gives up by itself."""

DRIP: Final = 1.0
"""Seconds between two bytes of a source that drips."""

ENDLESS: Final = 256 * 1024 * 1024
"""Bytes after which an endless body ends all the same."""

BOMB: Final = 256 * 1024 * 1024
"""Bytes that a bomb unpacks to."""

DEEP: Final = 100_000
"""Levels of nesting."""

PRIVATE_ADDRESSES: Final = (
    "http://127.0.0.1:9/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://localhost:9/",
    "file:///etc/passwd",
)
"""Where a redirect into the network leads, one after the other."""

_CHUNK: Final = b"<p>Noticias sin fin del pueblo simulado.</p>\n" * 1_000
_turns = count()


def checked(chaos: dict[str, str] | None) -> dict[str, str]:
    """Return which source misbehaves in which way.

    Raises:
        ConfigError: there is no such source, or no such way.
    """
    names = {each.name for each in SITES}
    for name, mode in (chaos or {}).items():
        if name not in names:
            raise ConfigError(f"the town has no source «{name}»; it has {', '.join(sorted(names))}")
        if mode not in MODES:
            raise ConfigError(f"«{mode}» is no way to misbehave; use one of {', '.join(MODES)}")
    return dict(chaos or {})


def altered(mode: str, call: Call, page: Page) -> Page:
    """Return what is sent instead of a page, for the ways that are a page of their own."""
    return _ALTERED[mode](call, page)


def misbehave(mode: str, visit: BaseHTTPRequestHandler, page: Page, stopped: Event) -> None:
    """Send what no page can be: nothing, a byte now and then, or no end."""
    _STREAMED[mode](visit, page, stopped)
    visit.close_connection = True


def is_stream(mode: str) -> bool:
    """Say whether a mode needs the connection itself."""
    return mode in _STREAMED


def _hang(visit: BaseHTTPRequestHandler, page: Page, stopped: Event) -> None:
    del page
    for _ in _while_there(visit, stopped, 0.1):
        pass


def _drip(visit: BaseHTTPRequestHandler, page: Page, stopped: Event) -> None:
    _head(visit, page, length=str(max(len(page.body), 1_000)))
    body = page.body + b" " * 1_000
    for place in _while_there(visit, stopped, DRIP):
        visit.wfile.write(body[place : place + 1])
        visit.wfile.flush()


def _endless(visit: BaseHTTPRequestHandler, page: Page, stopped: Event) -> None:
    _head(visit, page, length=None)
    sent = 0
    while sent < ENDLESS and not stopped.is_set():
        visit.wfile.write(f"{len(_CHUNK):x}\r\n".encode() + _CHUNK + b"\r\n")
        sent += len(_CHUNK)
    visit.wfile.flush()


def _head(visit: BaseHTTPRequestHandler, page: Page, length: str | None) -> None:
    visit.send_response(200)
    visit.send_header("Content-Type", page.content_type)
    if length is None:
        visit.send_header("Transfer-Encoding", "chunked")
    else:
        visit.send_header("Content-Length", length)
    visit.end_headers()
    visit.wfile.flush()


def _while_there(visit: BaseHTTPRequestHandler, stopped: Event, step: float) -> Iterator[int]:
    """Count the steps while the visitor stays, the town is open and it is not too long."""
    for place in range(int(LONGEST / step)):
        if stopped.is_set():
            return
        yield place
        readable, _, _ = select.select([visit.connection], [], [], step)
        if readable:
            return


def _error(call: Call, page: Page) -> Page:
    del call, page
    body = f"<!DOCTYPE html><title>500</title><h1>Error interno</h1><p>{NOTICE}</p>"
    return Page(body.encode(), HTML, status=500)


def _loop(call: Call, page: Page) -> Page:
    del page
    turn = call.number("vuelta", 0, 0, 10**9) + 1
    return Page(b"", HTML, status=302, location=call.address(call.path, vuelta=turn))


def _inside(call: Call, page: Page) -> Page:
    del call, page
    target = PRIVATE_ADDRESSES[next(_turns) % len(PRIVATE_ADDRESSES)]
    return Page(b"", HTML, status=302, location=target)


def _bomb(encoding: str) -> Callable[[Call, Page], Page]:
    """Return a way to answer with blanks in one of the encodings of HTTP."""

    def bomb(call: Call, page: Page) -> Page:
        del call
        headers = (("Content-Encoding", encoding),)
        return Page(_PACKED[encoding](BOMB), page.content_type, headers=headers)

    return bomb


@cache
def _gzipped(size: int) -> bytes:
    return _deflated(size, wbits=31)


@cache
def _deflated(size: int, wbits: int = 15) -> bytes:
    packer, packed, block = zlib.compressobj(9, wbits=wbits), io.BytesIO(), b" " * (1024 * 1024)
    for _ in range(size // len(block)):
        packed.write(packer.compress(block))
    packed.write(packer.flush())
    return packed.getvalue()


def _zstandard(size: int) -> bytes:
    """Return a frame (RFC 8878) of blocks that each say «this byte, so many times»."""
    block, run = 128 * 1024, 0b010
    frame = bytearray(b"\x28\xb5\x2f\xfd\x00\x38")
    for left in range(size // block, 0, -1):
        frame += ((block << 3) | run | (left == 1)).to_bytes(3, "little") + b" "
    return bytes(frame)


def _brotli(size: int) -> bytes:
    """Return 256 MiB of blanks as they are packed by Brotli, which the library does not know."""
    del size
    return base64.b64decode(
        "z///f/glQOKxQCD3/p/////wSwDEYQGA7v0/////4ZcAiMMiAN37f/7//8MvARCHBQC69//8//+HXwIgDgsAdO//"
        "+f//D78EQBwWAOje//P//x9+CYA4LADQvf/n//8//BIAcVgAoHv/z///f/glAOKwAED3/p/////wSwDEYQGA7v0/"
        "////4ZcAiMMCAN37f/7//8MvARCHBQC69//8//+HXwIgDgsAdO//+f//D78EQBwWAOje//P//x9+CYA4LADQvf/n"
        "//8//BIAcVgAoHv/Pw=="
    )


_PACKED: Final[dict[str, Callable[[int], bytes]]] = {
    "gzip": _gzipped,
    "deflate": _deflated,
    "br": _brotli,
    "zstd": _zstandard,
}


def _nested(call: Call, page: Page) -> Page:
    del call
    if "json" in page.content_type:
        body = b"[" * DEEP + b"]" * DEEP
    elif "html" in page.content_type:
        body = b"<!DOCTYPE html><title>x</title>" + b"<div>" * DEEP + b"x" + b"</div>" * DEEP
    else:
        body = b'<?xml version="1.0"?>' + b"<a>" * DEEP + b"x" + b"</a>" * DEEP
    return Page(body, page.content_type)


def _exchanged(call: Call, page: Page) -> Page:
    """Return a web page where a feed or an interface was asked for, and a feed for a page."""
    if "html" in page.content_type:
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{NOTICE}</title><link>'
        return Page(f"{feed}{call.base_url}/</link></channel></rss>".encode(), page.content_type)
    return Page(_simple("Bienvenidos", "Aquí ya no hay nada."), page.content_type)


def _garbled(call: Call, page: Page) -> Page:
    """Return the page in Windows-1252 and with NULs, while it still calls itself UTF-8."""
    del call
    text = page.body.decode("utf-8", errors="replace")
    parts = [text[start : start + 1_000] for start in range(0, len(text), 1_000)]
    return Page("\0".join(parts).encode("cp1252", errors="replace"), page.content_type)


def _captcha(call: Call, page: Page) -> Page:
    del call, page
    form = (
        '<form id="challenge-form" action="" method="post"><div class="g-recaptcha"'
        ' data-sitekey="pueblo"></div><div class="cf-turnstile"></div>'
        "<p>Comprueba que eres humano para continuar. No soy un robot.</p></form>"
    )
    return Page(_simple("Un momento… verificación de seguridad", form), HTML)


def _login(call: Call, page: Page) -> Page:
    del call, page
    form = (
        '<form action="/login" method="post">'
        '<label>Correo <input type="email" name="email"></label>'
        '<label>Contraseña <input type="password" name="pass"></label>'
        '<button type="submit">Iniciar sesión</button></form><p>Debes iniciar sesión para ver este'
        " contenido.</p>"
    )
    return Page(_simple("Iniciar sesión", form), HTML)


def _calendar(call: Call, page: Page) -> Page:
    """Return a day of a calendar without end: every page links to forty days and to a later one."""
    del page
    try:
        day = date.fromisoformat(call.first("dia", "2021-09-01"))
    except ValueError:
        day = date(2021, 9, 1)
    path = call.path
    days = [day + timedelta(days=step) for step in range(1, 42) if day.year < 9000]
    links = "".join(
        f'<article><h2 class="listado-titulo"><a class="topictitle" href="{path}?dia={each}">'
        f"Agenda del {each}</a></h2></article>"
        for each in days[:-1]
    )
    onward = f'<a rel="next" href="{path}?dia={days[-1]}">Siguiente</a>' if days else ""
    return Page(_simple(f"Agenda del {day}", links + onward), HTML)


def _broken(feed: Callable[[], bytes]) -> Callable[[Call, Page], Page]:
    """Return a way to answer with a feed, whatever was asked for."""
    return lambda call, page: Page(feed(), XML)


def _simple(title: str, body: str) -> bytes:
    return (
        f'<!DOCTYPE html>\n<html lang="es-PE"><head><meta charset="utf-8"><title>{title}</title>'
        f"</head><body><h1>{title}</h1>{body}<p>{NOTICE}</p></body></html>\n"
    ).encode()


_ALTERED: Final[dict[str, Callable[[Call, Page], Page]]] = {
    "error500": _error,
    "redirect_loop": _loop,
    "redirect_private": _inside,
    "gzip_bomb": _bomb("gzip"),
    "deflate_bomb": _bomb("deflate"),
    "br_bomb": _bomb("br"),
    "zstd_bomb": _bomb("zstd"),
    "deep_nesting": _nested,
    "html_feed": _exchanged,
    "bad_encoding": _garbled,
    "captcha": _captcha,
    "login_wall": _login,
    "calendar_trap": _calendar,
    **{mode: _broken(feed) for mode, feed in BROKEN.items()},
}
_STREAMED: Final[dict[str, Callable[[BaseHTTPRequestHandler, Page, Event], None]]] = {
    "hang": _hang,
    "drip": _drip,
    "endless": _endless,
}
MODES: Final = (*_STREAMED, *_ALTERED)
"""Every way to misbehave."""
