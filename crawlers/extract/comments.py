"""The comment thread of a page: WordPress, schema.org microdata, and nested lists like them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

from crawlers.extract.text import line, text_of

_ID = re.compile(r"^(?:li-|div-)?comment-([\w.-]{1,80})$")
_TYPE = re.compile(r"^https?://schema\.org/(Comment|UserComments)$")
_NOT_SAID_BY_ANYONE = frozenset({"pingback", "trackback"})
_COMMENT = frozenset({"comment", "comentario", "comment-item", "depth-1"})
_HOLDERS = frozenset({"li", "div", "article", "section"})
_AUTHOR = frozenset({"fn", "comment-author", "comment-author-name", "autor", "author"})
_CONTENT = frozenset(
    {"comment-content", "comment-text", "comment_text", "comment-body-text", "texto", "contenido"}
)
_DATE = frozenset({"comment-metadata", "comment-date", "comment-time", "fecha"})
_SECOND_PAGE = re.compile(r"(/comment-page-\d+|[?&]cpage=\d+)")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of a thread. ``date`` is as the page wrote it; ``parent`` is its parent's id."""

    id: str
    text: str
    parent: str | None = None
    author: str | None = None
    date: str | None = None


@dataclass(slots=True)
class _Frame:
    """A comment whose end has not been reached yet, and where its parts were seen."""

    node: etree._Element
    parent: "_Frame | None"
    id: str = ""
    replies_to: str | None = None
    author: etree._Element | None = None
    named: bool = False
    content: list[etree._Element] = field(default_factory=list)
    date: str | None = None
    date_rank: int = 0


@dataclass(frozen=True, slots=True)
class Thread:
    """The comments of a page, and the addresses of the thread's other pages."""

    comments: tuple[Comment, ...] = ()
    pages: tuple[str, ...] = ()


def take_thread(tree: html.HtmlElement, url: str, *, wanted: bool = True) -> Thread:
    """Take the comments out of a page, in the page's order; replies name their parent.

    What neighbours answer has names and dates of its own, which are not the article's. A comment
    without an id of its own gets one from its author, its date and its text.

    Args:
        tree: the page; its comments are removed from it.
        url: its address, for those of the thread's other pages.
        wanted: whether the comments are read, or only taken out.
    """
    frames = list(_frames(tree))
    thread = Thread(_comments(frames), _pages(tree, url)) if wanted else Thread()
    for frame in frames:
        if frame.parent is None:
            frame.node.drop_tree()
    return thread


def _comments(frames: Sequence[_Frame]) -> tuple[Comment, ...]:
    nodes = frozenset(frame.node for frame in frames)
    made: dict[int, str] = {}
    comments = []
    for frame in frames:
        comment = _comment(frame, nodes, made)
        made[id(frame)] = comment.id
        comments.append(comment)
    return tuple(comments)


def _pages(tree: html.HtmlElement, url: str) -> tuple[str, ...]:
    """Return the addresses of the thread's other pages, as WordPress numbers them."""
    found: dict[str, None] = {}
    for value in tree.xpath("//a/@href"):
        if not _SECOND_PAGE.search(str(value)):
            continue
        try:
            address = urlsplit(urljoin(url, str(value).strip()))
        except ValueError:
            continue
        if address.netloc == urlsplit(url).netloc:
            found[address._replace(fragment="").geturl()] = None
    return tuple(found)


def _frames(tree: html.HtmlElement) -> Iterator[_Frame]:
    """Yield the comments in the page's order, walking without recursion."""
    open_frames: list[_Frame] = []
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, node in walk:
        if not isinstance(node.tag, str):
            continue
        top = open_frames[-1] if open_frames else None
        if event == "end":
            if top is not None and top.node is node:
                open_frames.pop()
            continue
        tokens = frozenset((node.get("class") or "").lower().split())
        if tokens & _NOT_SAID_BY_ANYONE and node.tag == "li":
            walk.skip_subtree()
        elif _is_comment(node, tokens, top):
            frame = _Frame(node=node, parent=top, id=_own_id(node))
            frame.replies_to = _declared_parent(node)
            open_frames.append(frame)
            yield frame
        elif top is not None:
            _note(top, node, tokens)


def _is_comment(node: etree._Element, tokens: frozenset[str], top: _Frame | None) -> bool:
    if node.tag not in _HOLDERS:
        return False
    own = _own_id(node)
    if own and top is not None and own == top.id:
        return False  # WordPress wraps the comment's body in a second element of the same id
    if _TYPE.match(node.get("itemtype") or ""):
        return not (top is not None and not own and _wraps(top, node))
    if _ID.match(node.get("id") or ""):
        return True
    return bool(tokens & _COMMENT) and bool(own)


def _wraps(top: _Frame, node: etree._Element) -> bool:
    """Say whether a typed element is only the inside of the list item that was just opened."""
    return node.getparent() is top.node and not top.content and top.author is None


def _own_id(node: etree._Element) -> str:
    for name in ("id", "data-comment-id", "data-id", "itemid"):
        if value := line(node.get(name)):
            found = _ID.match(value)
            return found[1] if found else value[:80]
    return ""


def _declared_parent(node: etree._Element) -> str | None:
    for name in ("data-parent-id", "data-parent", "data-reply-to"):
        value = line(node.get(name))
        if value and value != "0":
            found = _ID.match(value)
            return found[1] if found else value[:80]
    return None


def _note(frame: _Frame, node: etree._Element, tokens: frozenset[str]) -> None:
    """Remember what an element inside a comment says about it."""
    prop = node.get("itemprop") or ""
    if prop in {"author", "creator"} or (frame.author is None and tokens & _AUTHOR):
        frame.author = frame.author if frame.named else node
    if "fn" in tokens or (prop == "name" and frame.author is not None):
        frame.author, frame.named = node, True
    if prop in {"text", "commentText"} or tokens & _CONTENT:
        frame.content.append(node)
    if prop == "parentItem" and (href := node.get("href") or node.get("content")):
        found = _ID.match(href.rpartition("#")[2])
        frame.replies_to = found[1] if found else frame.replies_to
    _note_date(frame, node, prop, tokens)


def _note_date(frame: _Frame, node: etree._Element, prop: str, tokens: frozenset[str]) -> None:
    candidates = (
        (3, node.get("datetime") if node.tag == "time" else None),
        (2, node.get("content") if prop in {"dateCreated", "datePublished"} else None),
        (1, text_of(node) if node.tag == "time" or tokens & _DATE else None),
    )
    for rank, value in candidates:
        if rank > frame.date_rank and (text := line(value)):
            frame.date, frame.date_rank = text[:200], rank


def _comment(frame: _Frame, nodes: frozenset[etree._Element], made: dict[int, str]) -> Comment:
    outer = frame.content[0] if frame.content else None
    text = text_of(outer, nodes) if outer is not None else ""
    author = line(text_of(frame.author, nodes)) if frame.author is not None else None
    parent = frame.replies_to or (made[id(frame.parent)] if frame.parent is not None else None)
    own = frame.id or _made_id(author, frame.date, text)
    return Comment(own, text, parent, author, frame.date)


def _made_id(author: str | None, date: str | None, text: str) -> str:
    said = "\x1f".join((author or "", date or "", text))
    return "h" + sha256(said.encode()).hexdigest()[:16]
