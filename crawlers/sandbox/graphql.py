"""Just enough GraphQL to answer queries: selections, aliases, arguments, variables, fragments."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

DEEPEST: Final = 40
"""Levels of selections; a query that is nested more deeply is refused."""

_TOKEN: Final = re.compile(
    r'"""(?P<block>.*?)"""|"(?P<text>(?:[^"\\\n]|\\.)*)"|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<mark>\.\.\.|[{}()\[\]:!=$@|&])|(?P<skip>[\s,\ufeff]+|#[^\n]*)",
    re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}

Resolver = Callable[[Mapping[str, Any]], Any]


class QueryError(Exception):
    """A query that cannot be answered; ``code`` is what the platform calls it."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the interface: its type, and its fields as values or functions."""

    type_name: str
    fields: Mapping[str, Any]


@dataclass(slots=True)
class _Field:
    name: str
    alias: str
    arguments: dict[str, Any] = field(default_factory=dict)
    inner: "list[_Field | _Spread] | None" = None


@dataclass(slots=True)
class _Spread:
    """A fragment, inline or named, with the type that it is for."""

    type_name: str | None
    inner: "list[_Field | _Spread] | None" = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str


def execute(query: str, variables: Mapping[str, Any], root: Thing) -> dict[str, Any]:
    """Answer the first operation of a document.

    Raises:
        QueryError: the document is none, or asks for what there isn't.
    """
    document = _Document(query)
    values = {**document.defaults, **variables}
    return _select(root, document.operation, values, document.fragments)


class _Document:
    """A document, parsed."""

    def __init__(self, query: str) -> None:
        self._tokens = list(_tokens(query))
        self._at = 0
        self.fragments: dict[str, _Spread] = {}
        self.defaults: dict[str, Any] = {}
        self.operation: list[_Field | _Spread] = []
        while self._at < len(self._tokens):
            self._definition()
        if not self.operation:
            raise QueryError("No operation in the document", "missingOperation")

    def _definition(self) -> None:
        if self._peek() == "fragment":
            self._take()
            name, _, type_name = self._take(), self._expect("on"), self._take()
            self.fragments[name] = _Spread(type_name, self._selection(1))
            return
        if self._peek() == "mutation":
            raise QueryError("This interface only reads", "readOnly")
        if self._peek() == "query":
            self._take()
            if self._peek() not in {"{", "("}:
                self._take()
            if self._peek() == "(":
                self._declared()
        found = self._selection(1)
        self.operation = self.operation or found

    def _declared(self) -> None:
        self._expect("(")
        while self._peek() != ")":
            self._expect("$")
            name = self._take()
            self._expect(":")
            while self._peek() in {"[", "]", "!"} or self._peek().isidentifier():
                self._take()
            if self._peek() == "=":
                self._take()
                self.defaults[name] = self._value()
        self._expect(")")

    def _selection(self, depth: int) -> list[_Field | _Spread]:
        if depth > DEEPEST:
            raise QueryError("Query is nested too deeply", "queryTooDeep")
        self._expect("{")
        found: list[_Field | _Spread] = []
        while self._peek() != "}":
            found.append(self._spread(depth) if self._peek() == "..." else self._field(depth))
        self._expect("}")
        return found

    def _spread(self, depth: int) -> _Spread:
        self._expect("...")
        if self._peek() == "on":
            self._take()
            return _Spread(self._take(), self._selection(depth + 1))
        if self._peek() == "{":
            return _Spread(None, self._selection(depth + 1))
        return _Spread(None, name=self._take())

    def _field(self, depth: int) -> _Field:
        alias = name = self._take()
        if self._peek() == ":":
            self._take()
            name = self._take()
        found = _Field(name, alias)
        if self._peek() == "(":
            self._take()
            while self._peek() != ")":
                argument = self._take()
                self._expect(":")
                found.arguments[argument] = self._value()
            self._take()
        if self._peek() == "{":
            found.inner = self._selection(depth + 1)
        return found

    def _value(self) -> Any:
        kind, value = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
        if kind in {"text", "block"}:
            self._at += 1
            return value
        if kind == "number":
            self._at += 1
            return float(value) if "." in value else int(value)
        if value == "$":
            self._take()
            return _Variable(self._take())
        if value in {"[", "{"}:
            return self._collection()
        return {"true": True, "false": False, "null": None}.get(word := self._take(), word)

    def _collection(self) -> Any:
        if self._take() == "[":
            items = []
            while self._peek() != "]":
                items.append(self._value())
            self._take()
            return items
        pairs = {}
        while self._peek() != "}":
            name = self._take()
            self._expect(":")
            pairs[name] = self._value()
        self._take()
        return pairs

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            raise QueryError("Unexpected end of document", "parseError")
        kind, value = self._tokens[self._at]
        return value if kind in {"name", "mark"} else f"a {kind}"

    def _take(self) -> str:
        value = self._peek()
        self._at += 1
        return value

    def _expect(self, wanted: str) -> str:
        if self._peek() != wanted:
            raise QueryError(f"Expected {wanted}, found {self._peek()}", "parseError")
        return self._take()


def _tokens(query: str) -> Any:
    at = 0
    while at < len(query):
        found = _TOKEN.match(query, at)
        if found is None:
            raise QueryError(f"Unexpected character at {at}", "parseError")
        at = found.end()
        kind = found.lastgroup or "skip"
        if kind == "text":
            yield kind, re.sub(r"\\(.)", lambda part: _ESCAPES.get(part[1], part[1]), found["text"])
        elif kind != "skip":
            yield kind, found[kind]


def _select(
    thing: Thing,
    selection: list[_Field | _Spread],
    values: Mapping[str, Any],
    fragments: Mapping[str, _Spread],
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in selection:
        if isinstance(each, _Field):
            found[each.alias] = _resolve(thing, each, values, fragments)
            continue
        spread = fragments.get(each.name, each) if each.name else each
        if spread.inner is None:
            raise QueryError(f"Fragment {each.name} was used, but not defined", "undefinedFragment")
        if spread.type_name in {None, thing.type_name, f"{thing.type_name}Interface"}:
            found |= _select(thing, spread.inner, values, fragments)
    return found


def _resolve(
    thing: Thing, asked: _Field, values: Mapping[str, Any], fragments: Mapping[str, _Spread]
) -> Any:
    if asked.name == "__typename":
        return thing.type_name
    if asked.name not in thing.fields:
        raise QueryError(
            f"Field '{asked.name}' doesn't exist on type '{thing.type_name}'", "undefinedField"
        )
    value = thing.fields[asked.name]
    if callable(value):
        value = value({name: _given(each, values) for name, each in asked.arguments.items()})
    return _shaped(value, asked, values, fragments)


def _shaped(
    value: Any, asked: _Field, values: Mapping[str, Any], fragments: Mapping[str, _Spread]
) -> Any:
    if isinstance(value, list | tuple):
        return [_shaped(each, asked, values, fragments) for each in value]
    if not isinstance(value, Thing):
        return value
    if asked.inner is None:
        raise QueryError(f"Field must have selections ('{asked.name}')", "selectionMismatch")
    return _select(value, asked.inner, values, fragments)


def _given(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, _Variable):
        return values.get(value.name)
    if isinstance(value, list):
        return [_given(each, values) for each in value]
    if isinstance(value, dict):
        return {name: _given(each, values) for name, each in value.items()}
    return value
