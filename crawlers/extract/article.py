"""The article on a page: trafilatura's reading, with what it leaves undone put right."""

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

from crawlers.extract.dated import published
from crawlers.extract.text import PARSER_ERRORS, line, paragraphs

_LINKS_ELSEWHERE = re.compile(
    r"^\W*((te |le )?(puede|podr[ií]a) interesar\b"
    r"|(lee|lea|leer|mira|mire|vea|ver) (tambi[eé]n|adem[aá]s|m[aá]s)\b|(lee|lea|mira|mire) ?:"
    r"|(notas?|contenidos?|noticias?|art[ií]culos?) relacionad[ao]s?\b).{0,200}$",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"^\s*(por|escrito por|texto de)\s*:?\s+", re.IGNORECASE)
_AFTER_NAME = re.compile(r"\s+(tiempo de lectura|minutos? de lectura)\b.*$", re.IGNORECASE)
_NOBODY = frozenset({"anónimo", "anonimo", "anonymous", "admin", "administrador"})
_TOO_DEEP = etree.XPath(f"boolean({'/*' * 256})")
_QUOTES = str.maketrans(dict.fromkeys("\"'‘’“”«»´`", ""))


@dataclass(frozen=True, slots=True)
class Article:
    """What a page says. ``date`` is as the page wrote it, or its day alone."""

    title: str | None = None
    author: str | None = None
    date: str | None = None
    text: str = ""
    canonical: str | None = None


def read_article(tree: html.HtmlElement, url: str) -> Article:
    """Read the article of a page without its comments; what it does not say is left empty."""
    document = _trafilatura(tree, url)
    title = _title(line(document.get("title")), tree)
    return Article(
        title=title,
        author=_author(document.get("author"), document.get("sitename"), tree),
        date=published(tree, document.get("date"), url),
        text=_body(document.get("text") or "", title),
        canonical=_canonical(tree, url),
    )


def _trafilatura(tree: html.HtmlElement, url: str) -> dict[str, str | None]:
    """Ask trafilatura, which works on a copy of the tree.

    Some of its steps take the square of a tree's depth: where that is no page's any more,
    trafilatura parses the page itself, to 256 levels.
    """
    from trafilatura import bare_extraction

    try:
        page = html.tostring(tree, encoding="unicode") if _TOO_DEEP(tree) else tree
        found = bare_extraction(page, url=url, with_metadata=True, include_comments=False)
    except (*PARSER_ERRORS,):
        return {}
    if found is None or isinstance(found, dict):
        return found or {}
    return {name: getattr(found, name) for name in ("title", "author", "date", "text", "sitename")}


def _key(text: str) -> str:
    return " ".join(text.translate(_QUOTES).casefold().split())


def _title(title: str | None, tree: html.HtmlElement) -> str | None:
    """Prefer the page's heading to a title cut short or decorated with the site's name."""
    if title is None:
        return None
    title = line(unescape(title)) or title
    key = _key(title)
    headings = [line(node.text_content()) or "" for node in tree.iter("h1", "h2")]
    fitting = [text for text in headings if len(text) >= 12 and _same_title(_key(text), key)]
    return max(fitting, key=len, default=title)


def _same_title(heading: str, title: str) -> bool:
    return heading in title or (heading.startswith(title) and len(title) * 2 > len(heading))


def _author(author: str | None, site: str | None, tree: html.HtmlElement) -> str | None:
    declared = tree.xpath("//meta[@name='author']/@content")
    if declared and "&" in (written := str(declared[0])) and unescape(written) != written:
        author = unescape(written)  # escaped twice, which trafilatura cuts at the semicolon
    names = [_name(part) for part in (author or "").split(";")]
    others = {_key(site or ""), *_NOBODY, ""}
    kept = [name for name in names if name and _key(name) not in others]
    return "; ".join(dict.fromkeys(kept)) or None


def _name(text: str) -> str:
    return _AFTER_NAME.sub("", _BYLINE.sub("", line(text) or ""))


def _body(text: str, title: str | None) -> str:
    """Drop the title where it is the first line, and lines that only point elsewhere."""
    lines = [part for part in text.splitlines() if not _LINKS_ELSEWHERE.match(part)]
    if lines and title is not None and _key(lines[0]) == _key(title):
        del lines[0]
    return paragraphs("\n".join(lines))


def _canonical(tree: html.HtmlElement, url: str) -> str | None:
    """Return the page's canonical address if it is a page of the same site.

    A canonical address that is the front page, on a page that is not, would make one record of
    a whole site; it is not believed.
    """
    for value in tree.xpath("//link[@rel='canonical']/@href"):
        try:
            found = urlsplit(urljoin(url, str(value).strip()))
            here = urlsplit(url)
        except ValueError:
            continue
        is_front_page = not found.path.strip("/") and not found.query
        if found.netloc == here.netloc and found.scheme in {"http", "https"}:
            return None if is_front_page and here.path.strip("/") else found.geturl()
    return None
