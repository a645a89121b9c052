"""Pages that stand where a text should be: log-in walls and captchas."""

import re
from urllib.parse import urlsplit

from lxml import html

from crawlers.extract.text import PARSER_ERRORS, decode, parse_html, plain

SHORT = 1_500
"""Characters of visible text; a page with more is no wall, whatever form it also shows."""

_HINT = re.compile(rb"password|captcha|challenge|turnstile|login|log-in|signin|acceder", re.I)
_LOGIN_PATH = re.compile(
    r"/(accounts?/)?(log-?in|sign-?in|wp-login|iniciar-sesion|acceder|ingresar|checkpoint)"
    r"(\.php|\.html?|\.aspx?)?/?$",
    re.IGNORECASE,
)
_LOGIN_TITLE = re.compile(
    r"\b(inici(a|e|ar|o)( de)? sesi[oó]n|acced(er|e|a) a tu|log ?-?in|sign ?-?in"
    r"|identif[ií](cate|quese|carse)|ingres(ar|a|e) (a|con) (tu|su)|reg[ií]strate)\b",
    re.IGNORECASE,
)
_CAPTCHA = re.compile(
    r"g-recaptcha|h-captcha|cf-turnstile|cf[-_]chl[-_]|challenge-platform|captcha-delivery"
    r"|px-captcha|awswafcaptcha|/captcha[./?]|id=[\"']captcha",
    re.IGNORECASE,
)
_CHALLENGE = re.compile(
    r"just a moment|un momento|attention required|are you (a )?(human|robot)|eres humano"
    r"|no soy un robot|not a robot|verif(y|ying|ica|icando|ique) (you|que|si)|security check"
    r"|comprobando (tu|su|el) navegador|checking your browser|acceso denegado|access denied"
    r"|captcha",
    re.IGNORECASE,
)


def wall(body: bytes, url: str, content_type: str = "") -> str | None:
    """Say that a page only asks for a log-in or a captcha; nothing if it is any other page.

    A page with a text of its own is none, though it may show a log-in form beside it or have a
    captcha in its comment form.

    Args:
        body: the page.
        url: its address, after redirects.
        content_type: the header of that name.
    """
    if not _HINT.search(body) and not _LOGIN_PATH.search(_path(url)):
        return None
    markup = decode(body, content_type)
    asks_captcha, asks_password = _CAPTCHA.search(markup), "password" in markup.lower()
    if not asks_captcha and not asks_password:
        return None
    text, tree = plain(markup), parse_html(markup)
    if len(text) > SHORT or tree is None:
        return None
    title = _title(tree)
    if asks_captcha and _CHALLENGE.search(f"{title}\n{text}"):
        return "asks to solve a captcha"
    if _has_password(tree) and (_LOGIN_PATH.search(_path(url)) or _LOGIN_TITLE.search(title)):
        return "asks to log in"
    return None


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _title(tree: html.HtmlElement) -> str:
    try:
        return " ".join(" ".join(x.itertext()) for x in tree.xpath("//title | //h1"))[:1_000]
    except PARSER_ERRORS:
        return ""


def _has_password(tree: html.HtmlElement) -> bool:
    return bool(tree.xpath("//input[translate(@type, 'PASWORD', 'pasword') = 'password']"))
