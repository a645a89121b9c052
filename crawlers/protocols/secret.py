"""A source's token: how it reaches a crawl, and how it is kept out of everything written."""

import json
import os
import re
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

from configs.schema import Source
from models.reasons import Reason

TOKEN = "MANIFIESTA_SOURCE_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable in which a crawl's process is given its token."""

HIDDEN = b"[token]"

_USABLE = re.compile(r"[!-~]{1,4096}")


def token_of(source: Source) -> str:
    """Return a source's token from the environment; empty if it needs none.

    Raises:
        LookupError: the variable is not set, or holds what cannot be a token.
    """
    if source.token is None:
        return ""
    value = os.environ.get(source.token, "").strip()
    if not value:
        raise LookupError(Reason.KEY_MISSING.said(source=source.name, variable=source.token))
    if not _USABLE.fullmatch(value):
        raise LookupError(Reason.KEY_UNUSABLE.said(variable=source.token))
    return value


def take_token() -> str | None:
    """Return the token that this process was given, and remove it from the environment."""
    return os.environ.pop(TOKEN, "") or None


def hide(data: bytes, token: str) -> bytes:
    """Return bytes without a token, in whatever way a server repeats it."""
    escaped = json.dumps(token)[1:-1]
    forms = {token, escaped, quote(token, safe=""), quote_plus(token), quote(token)}
    forms |= {form.replace("/", "\\/") for form in forms}
    for form in sorted(forms, key=len, reverse=True):
        data = data.replace(form.encode(), HIDDEN)
    return data


def without(url: str, *names: str) -> str:
    """Return an address without some of its query's parameters; empty if it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in names]
    return parts._replace(query=urlencode(kept)).geturl()


def same_site(url: str, other: str) -> bool:
    """Say whether two addresses have the same scheme, host and port."""
    return site_of(url) == site_of(other)


def site_of(url: str) -> tuple[str, str, int | None] | None:
    """Return the scheme, host and port of an address; nothing if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        return parts.scheme, (parts.hostname or "").lower(), port
    except ValueError:
        return None
