"""XML from outside: no document type, so no entities, and as deep as libxml2 allows by itself."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from lxml import etree

from crawlers.extract.text import PARSER_ERRORS, decode

_DOCUMENT_TYPE = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_HTML = re.compile(r"<!doctype\s+html|<html[\s>]|<body[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Xml:
    """The items of a document, each with the texts inside it by name.

    A name in the item's own namespace is written alone, any other as ``{namespace}name``.
    ``problem`` says in plain words why nothing can be read; ``damage`` what is broken in a
    document that could be read in part; ``cut`` that there are more items than were wanted.
    """

    root: str = ""
    items: tuple[tuple[str, dict[str, str]], ...] = ()
    problem: str = ""
    damage: str = ""
    cut: bool = False


def read_xml(body: bytes, content_type: str, names: Collection[str], most: int) -> Xml:
    """Read up to ``most`` elements that have one of the names, in the root's own namespace.

    The bytes are decoded first and the parser is told that they are UTF-8, so no encoding can
    hide a document type from the look at it.
    """
    text = decode(body, content_type).lstrip()
    if not text:
        return Xml(problem="is empty")
    if _HTML.search(text[:2000]):
        return Xml(problem="is an HTML page")
    if not text.startswith("<"):
        return Xml(problem="is no XML")
    if _DOCUMENT_TYPE.search(text):
        return Xml(problem="declares a document type or entities, which are never read")
    return _parse(text.encode("utf-8", errors="replace"), names, most)


def _parse(data: bytes, names: Collection[str], most: int) -> Xml:
    context = etree.iterparse(
        BytesIO(data),
        events=("start", "end"),
        encoding="utf-8",
        recover=True,
        huge_tree=False,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    root: etree.QName | None = None
    items: list[tuple[str, dict[str, str]]] = []
    cut = False
    try:
        for event, node in context:
            name = etree.QName(node)
            root = root or name
            if event == "start" or not _is_item(name, root, names):
                continue
            if len(items) == most:
                cut = True
                break
            items.append((name.localname, _texts(node)))
            _forget(node)
    except (*PARSER_ERRORS,):
        if not items:
            return Xml(problem="is no XML that can be read")
    damage = "" if cut else _damage(context)
    return Xml(root.localname if root else "", tuple(items), damage=damage, cut=cut)


def _is_item(name: etree.QName, root: etree.QName, names: Collection[str]) -> bool:
    return name.localname in names and name.namespace == root.namespace


def _texts(item: etree._Element) -> dict[str, str]:
    """Return the first text of every element inside an item."""
    own = etree.QName(item).namespace
    found: dict[str, str] = {}
    for node in item.iterdescendants():
        if not isinstance(node.tag, str):
            continue
        name = etree.QName(node)
        key = name.localname if name.namespace == own else node.tag
        if (text := (node.text or "").strip()) and key not in found:
            found[key] = text
    return found


def _forget(node: etree._Element) -> None:
    """Free an item that was read, and what lies before it."""
    node.clear()
    parent = node.getparent()
    while parent is not None and node.getprevious() is not None:
        del parent[0]


def _damage(context: Any) -> str:
    """Say where a document is broken, without a word of what it says."""
    errors = [error for error in context.error_log if error.level >= etree.ErrorLevels.ERROR]
    return f"its XML is broken at line {errors[0].line}" if errors else ""
