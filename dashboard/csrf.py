"""A form is only taken from a page of this server: each carries a token that no other site knows.

The token is signed with a key of this process and names the visitor, so that nobody's token is of
use in another's form (OWASP, «Cross-Site Request Forgery Prevention»: signed token).
"""

import hmac
import secrets

from fastapi import Request
from starlette.exceptions import HTTPException

FIELD = "token"
"""The form field that carries the token."""

_KEY = secrets.token_bytes(32)
_SAFE = ("GET", "HEAD", "OPTIONS")


def token_of(name: str) -> str:
    """Return the token of a visitor's forms."""
    return hmac.digest(_KEY, f"form\x1f{name}".encode(), "sha256").hex()


async def check_token(request: Request) -> None:
    """Refuse a form without its visitor's token, before the page's function is called.

    Raises:
        HTTPException: 403.
    """
    if request.method in _SAFE:
        return
    given = (await request.form()).get(FIELD)
    wanted = token_of(request.state.person.name)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise HTTPException(403)
