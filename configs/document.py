"""A YAML file as plain values, with the line of every key and value.

The file may be anything: whatever makes it unreadable is an `UnreadableError` with its line, and
whatever is wrong in a readable one is a `Fault`, so that one reading finds them all.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml
from yaml.composer import ComposerError
from yaml.constructor import SafeConstructor
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Route = tuple[str | int, ...]
"""Where a value stands: ``("sources", 3, "url")``."""

MAX_BYTES: Final = 2_000_000
MAX_NODES: Final = 50_000
MAX_DEPTH: Final = 30

_YAML: Final = "tag:yaml.org,2002:"
_SCALARS: Final = {_YAML + tag for tag in ("str", "null", "bool", "int", "float", "timestamp")}
_CONTROL: Final = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ODD_BREAKS: Final = str.maketrans(dict.fromkeys("\x85\u2028\u2029", " "))
_SYNTAX: Final = (
    ("nested too deep", f"nested deeper than {MAX_DEPTH} levels", "write a flatter file"),
    ("too many values", f"more than {MAX_NODES:,} values", "split the file, or drop aliases"),
    ("another document", "a second document begins here", "keep one, and remove the line «---»"),
    (
        "undefined alias",
        "an «*alias» without its «&anchor»",
        "put the text in quotes if it starts with «*»",
    ),
    (
        "mapping values are not allowed",
        "a «:» in the wrong place",
        "put a text that holds «: » in quotes, and align the keys of one level",
    ),
    ("could not find expected ':'", "a key without «:»", "write «key: value»"),
    (
        "expected <block end>",
        "the indentation does not fit the lines above",
        "align it with its neighbours, and close quotes before the line ends",
    ),
    (
        "unexpected end of stream",
        "a quote is opened here and never closed",
        "close it at the end of the value",
    ),
    (
        "cannot start any token",
        "a text begins with a sign that YAML keeps for itself",
        "put the text in quotes",
    ),
)


class UnreadableError(Exception):
    """The file is no YAML document; nothing more can be said about what it holds."""

    def __init__(self, line: int, message: str, advice: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that YAML would let pass in silence, such as a key that is given twice."""

    route: Route
    line: int
    message: str
    advice: str


@dataclass
class Document:
    """The values of a file, the line of each key and value, and each scalar as it was typed."""

    value: Any = None
    keys: dict[Route, int] = field(default_factory=dict)
    lines: dict[Route, int] = field(default_factory=dict)
    typed: dict[Route, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line(self, route: Route) -> int:
        """Return the line of a key, or of the value, or of what would hold it."""
        while route:
            if found := self.keys.get(route) or self.lines.get(route):
                return found
            route = route[:-1]
        return 1

    def at(self, route: Route) -> Any:
        """Return the value at a route, or None where there is none."""
        value = self.value
        for part in route:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def read_document(path: Path) -> Document:
    """Read a YAML file safely.

    Raises:
        UnreadableError: the file is missing, too large, not UTF-8, or no YAML.
    """
    text = _text(path)
    try:
        root = _compose(text)
    except MarkedYAMLError as error:
        _explain(error, text)
    except (YAMLError, ValueError, OverflowError, IndexError):
        raise UnreadableError(
            1, "not valid YAML", "compare it with a file that ships with the project"
        ) from None
    if root is None:
        raise UnreadableError(
            1, "the file is empty", "start from a file that ships with the project"
        )
    builder = _Builder()
    builder.document.value = builder.build(root, ())
    return builder.document


def _text(path: Path) -> str:
    data = _bytes(path)
    try:
        text = data.decode("utf-8-sig").translate(_ODD_BREAKS)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableError(line, "this is not UTF-8 text", "save the file as UTF-8") from None
    if found := _CONTROL.search(text):
        raise UnreadableError(
            text.count("\n", 0, found.start()) + 1,
            f"an invisible control character (U+{ord(found[0]):04X})",
            "delete it, or type the line again",
        )
    return text


def _bytes(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise UnreadableError(1, "this is not a file", "name a .yml file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UnreadableError(
            1, f"cannot be read: {reason}", "check its name and permissions"
        ) from None
    if len(data) > MAX_BYTES:
        raise UnreadableError(1, f"larger than {MAX_BYTES // 1_000_000} MB", "write a smaller file")
    return data


class _Loader(yaml.SafeLoader):
    """Composes nodes only, and gives up before a hostile file costs memory or the stack."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self.depth += 1
        self.nodes += 1
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.depth > MAX_DEPTH:
            raise ComposerError(None, None, "nested too deep", mark)
        if self.nodes > MAX_NODES:
            raise ComposerError(None, None, "too many values", mark)
        try:
            node: Node | None = super().compose_node(parent, index)
        finally:
            self.depth -= 1
        return node


def _compose(text: str) -> Node | None:
    loader = _Loader(text)
    try:
        node: Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    return node


def _explain(error: MarkedYAMLError, text: str) -> NoReturn:
    problem = error.problem or error.context or "not valid YAML"
    unclosed = "unexpected end of stream" in problem
    mark = (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark
    line = min(mark.line + 1, text.count("\n") + 1) if mark else 1
    lines = re.split(r"\r\n|\r|\n", text)
    typed = lines[line - 1] if line <= len(lines) else ""
    if "'\\t'" in problem or "\t" in typed[: len(typed) - len(typed.lstrip())]:
        raise UnreadableError(
            line, "a tab where YAML wants spaces", "indent with two spaces a level"
        ) from None
    for sign, message, advice in _SYNTAX:
        if sign in problem:
            raise UnreadableError(line, message, advice) from None
    raise UnreadableError(
        line,
        f"not valid YAML ({problem})",
        "look here and one line up: indentation, a missing «:», an unclosed quote",
    ) from None


class _Builder:
    """Turns nodes into values; every value and every fault keeps its line."""

    def __init__(self) -> None:
        self.document = Document()
        self._left = MAX_NODES
        self._scalars = SafeConstructor()
        self._merging: set[int] = set()

    def build(self, node: Node, route: Route) -> Any:
        """Return the value of a node, whose aliases are written out within limits."""
        line = node.start_mark.line + 1
        self._left -= 1
        if self._left < 0:
            raise UnreadableError(line, "aliases that grow without bound", "write the values out")
        if len(route) > MAX_DEPTH:
            raise UnreadableError(
                line, "nested too deep, or an alias inside itself", "write the values out"
            )
        self.document.lines[route] = line
        if isinstance(node, MappingNode) and node.tag == _YAML + "map":
            return self._mapping(node, route)
        if isinstance(node, SequenceNode) and node.tag == _YAML + "seq":
            return [self.build(item, (*route, i)) for i, item in enumerate(node.value)]
        if isinstance(node, ScalarNode) and node.tag in _SCALARS:
            return self._scalar(node, route)
        self._fault(route, line, f"the tag «{node.tag}» is not allowed", "remove it")
        return None

    def _fault(self, route: Route, line: int, message: str, advice: str) -> None:
        self.document.faults.append(Fault(route, line, message, advice))

    def _scalar(self, node: ScalarNode, route: Route) -> Any:
        self.document.typed[route] = node.value
        try:
            return self._scalars.construct_object(node)
        except (YAMLError, ValueError, OverflowError, LookupError, AttributeError):
            return node.value  # 2024-13-45 or !!int x: the schema says what is wanted

    def _mapping(self, node: MappingNode, route: Route) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == _YAML + "merge":
                self._merge(value, route, values)
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.tag != _YAML + "merge":
                self._entry(key, value, route, values, seen)
        return values

    def _merge(self, node: Node, route: Route, values: dict[str, Any]) -> None:
        """Put the keys of ``<<: *anchor`` where no key stands yet, as YAML has it."""
        line = node.start_mark.line + 1
        for other in node.value if isinstance(node, SequenceNode) else [node]:
            merged = self._merged(other, route) if isinstance(other, MappingNode) else None
            if not isinstance(merged, dict):
                self._fault(route, line, "«<<» takes other keys in", "write «<<: *anchor»")
                continue
            for key, value in merged.items():
                values.setdefault(key, value)

    def _merged(self, node: MappingNode, route: Route) -> Any:
        """Return the keys that are taken in, which stand at the same route as those beside them."""
        if id(node) in self._merging:
            line = node.start_mark.line + 1
            raise UnreadableError(line, "an alias inside itself", "write the values out")
        self._merging.add(id(node))
        try:
            return self.build(node, route)
        finally:
            self._merging.discard(id(node))

    def _entry(
        self, key: Node, value: Node, route: Route, values: dict[str, Any], seen: dict[str, int]
    ) -> None:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode):
            self._fault(route, line, "a key must be one word", "write «key: value»")
            return
        where = (*route, key.value)
        if key.value in seen:
            first = seen[key.value]
            self._fault(where, line, f"given twice, first in line {first}", "keep one of the two")
            return
        seen[key.value] = line
        values[key.value] = self.build(value, where)
        self.document.keys[where] = line
