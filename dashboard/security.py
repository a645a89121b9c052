"""What guards every answer: headers that let a browser run nothing, and no endless requests."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Style sheets, images and scripts of this server alone; nothing inline."""

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-robots-tag": "noindex, nofollow",
}


class SecurityHeaders:
    """Adds the headers to every answer; pages are kept by no cache unless they say otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with the headers added."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                static = scope["path"].startswith("/static/")
                headers.setdefault("cache-control", "max-age=600" if static else "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)


LARGEST = 1 << 20
"""Bytes of a request; the longest form that we have is some 100 kB, and nobody uploads files."""

_TOO_LARGE = 413


class SmallRequests:
    """Refuses requests that are larger, before a form's parser writes their files to the disk.

    Anybody may send one, also who has not signed in. One that does not say how large it is may
    send so much, and no more is read of it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on while it is small."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isdecimal() or int(told[:20]) > LARGEST:
            refused = PlainTextResponse("The request is too large.", _TOO_LARGE)
            await refused(scope, receive, send)
            return
        read = 0

        async def some() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST:
                raise HTTPException(_TOO_LARGE)
            return message

        await self.app(scope, some, send)
