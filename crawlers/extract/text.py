"""Bytes to characters, and markup to plain text, for input that may be broken on purpose."""

import codecs
import re

from lxml import etree, html

_BLOCK_TAGS = """
address article aside blockquote dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
h5 h6 header hr li main nav ol p pre section table tr ul
"""
BLOCKS = frozenset(_BLOCK_TAGS.split())
SILENT = frozenset({"script", "style", "noscript", "template", "head", "title"})

PARSER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    etree.LxmlError,
)
"""What parsers of other people's documents raise on documents that nobody foresaw."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})|<meta[^>]{0,400}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""",
    re.IGNORECASE,
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDER = {"ascii": "cp1252", "iso8859-1": "cp1252", "utf-16": "utf-16-le"}
_FALLBACK = "manifiesta.cp1252"


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are no UTF-8 as Windows-1252, one by one."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    broken = error.object[error.start : error.end]
    return broken.decode("cp1252", errors="replace"), error.end


codecs.register_error(_FALLBACK, _as_cp1252)


def clean(text: str) -> str:
    """Remove NUL, other control characters and surrogates, which no document may hold."""
    return _FORBIDDEN.sub("", text)


def line(text: str | None) -> str | None:
    """Clean a text and put it on one line; an empty one is none."""
    return " ".join(clean(text).split()) or None if text else None


def paragraphs(text: str) -> str:
    """Clean a text, squeeze its spaces and keep its line breaks."""
    lines = (part.strip() for part in _SPACES.sub(" ", clean(text)).splitlines())
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def decode(body: bytes, content_type: str = "") -> str:
    """Decode a document: byte order mark, then UTF-8 if it is that, then what it declares.

    A document that is valid UTF-8 is UTF-8, whatever it says. One that says UTF-8 and is not
    is read byte by byte: good sequences as UTF-8, the others as Windows-1252, which is what
    mislabelled pages in Spanish hold.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return clean(body[len(mark) :].decode(encoding, errors="replace"))
    declared = _declared(body, content_type)
    if declared.startswith("utf-16"):
        return clean(body.decode(declared, errors="replace"))
    try:
        return clean(body.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(_decode_other(body, declared))


def _decode_other(body: bytes, declared: str) -> str:
    if declared and not declared.startswith("utf"):
        try:
            return body.decode(declared)
        except (UnicodeDecodeError, LookupError):
            pass
    return body.decode("utf-8", errors=_FALLBACK)


def _declared(body: bytes, content_type: str) -> str:
    """Return Python's name of the declared encoding, or nothing if there is none it knows."""
    found = _CHARSET.search(content_type)
    name = found[1] if found else ""
    if not name and (in_body := _DECLARED.search(body[:4096])):
        name = (in_body[1] or in_body[2]).decode("ascii", errors="ignore")
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    # codecs such as "hex" or "rot13" are no character encodings
    if not info._is_text_encoding:
        return ""
    return _WIDER.get(info.name, info.name)


def parse_html(text: str) -> html.HtmlElement | None:
    """Parse a document; nothing if there is no element in it."""
    # huge_tree: 2,048 levels deep instead of 256; the size of a body is limited elsewhere
    parser = html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        tree = html.document_fromstring(text.encode("utf-8", errors="replace"), parser=parser)
    except (*PARSER_ERRORS,):
        return None
    return tree if isinstance(tree, html.HtmlElement) else None


def plain(fragment: str) -> str:
    """Turn a fragment of HTML, such as a feed's description, into plain text."""
    if "<" not in fragment and "&" not in fragment:
        return paragraphs(fragment)
    tree = parse_html(f"<div>{clean(fragment)}</div>")
    return text_of(tree) if tree is not None else ""


def text_of(element: etree._Element, without: frozenset[etree._Element] = frozenset()) -> str:
    """Return an element's text with a line break where a block ends.

    Args:
        element: where to start; its tail is left out.
        without: elements inside it whose text belongs to something else.
    """
    parts: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, node in walk:
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            if tag in SILENT or (node in without and node is not element):
                walk.skip_subtree()
            else:
                _open(parts, tag, node)
        else:
            _close(parts, tag, node, is_top=node is element)
    return paragraphs("".join(parts))


def _open(parts: list[str], tag: str, node: etree._Element) -> None:
    if tag in BLOCKS or tag == "br":
        parts.append("\n")
    if tag == "img" and (alt := node.get("alt")) and len(alt) <= 8:  # an emoji drawn as a picture
        parts.append(alt)
    parts.append(_flat(node.text))


def _close(parts: list[str], tag: str, node: etree._Element, *, is_top: bool) -> None:
    if tag in BLOCKS:
        parts.append("\n")
    if not is_top:
        parts.append(_flat(node.tail))


def _flat(text: str | None) -> str:
    """Line breaks of the source mean nothing; those of the layout come from the tags."""
    return text.replace("\n", " ").replace("\r", " ") if text else ""
