"""The names of the fields that an answer's items have, so that new ones are noticed."""

import re

DEEPEST = 12
"""Levels below which no item is looked for."""

FEWEST = 4
"""An object of fewer fields may be a wrapper around the item, such as Reddit's kind and data."""

_NAME = re.compile(r"[A-Za-z_@][A-Za-z0-9_.:@-]{0,59}")


def item_fields(value: object) -> set[str]:
    """Return the fields of every object of a list in parsed JSON, as ``list.field``.

    Keys that are no names, such as numbers, are the answer's data and left out.
    """
    found: set[str] = set()
    level: list[tuple[str, object]] = [("", value)]
    for _ in range(DEEPEST):
        below: list[tuple[str, object]] = []
        for name, inner in level:
            if isinstance(inner, dict):
                below += [(str(key), each) for key, each in inner.items()]
            elif isinstance(inner, list):
                for item in inner:
                    if isinstance(item, dict):
                        _note(name, item, found)
                        below += [(str(key), each) for key, each in item.items()]
        level = below
        if not level:
            break
    return found


def _note(name: str, item: dict[object, object], found: set[str]) -> None:
    prefix = f"{name}." if name else ""
    found.update(f"{prefix}{key}" for key in item if _is_name(key))
    if len(item) < FEWEST:
        for key, inner in item.items():
            if isinstance(inner, dict) and _is_name(key):
                found.update(f"{prefix}{key}.{each}" for each in inner if _is_name(each))


def _is_name(key: object) -> bool:
    return isinstance(key, str) and _NAME.fullmatch(key) is not None
