"""The words of the report, in the two languages of the product."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

_FOLDER = Path(__file__).parent / "texts"


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of one language under dotted keys; a key that is missing is an error."""

    words: Mapping[str, str]

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text of a key with its values filled in."""
        text = self.words[key]
        return text.format(**values) if values else text

    def count(self, key: str, number: int, /, **values: object) -> str:
        """Return the text for one or for several; ``{number}`` is to be given as written."""
        return self(f"{key}.{'one' if number == 1 else 'other'}", **values)

    def name(self, group: str, code: str) -> str:
        """Return the name of a code of a closed list, or the code where it has none."""
        return self.words.get(f"{group}.{code}", code)


@cache
def texts(language: str) -> Texts:
    """Load the words of a language: ``es`` or ``en``."""
    path = _FOLDER / f"{language}.yml"
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Texts(dict(_flat(tree, "")))


def _flat(tree: Mapping[str, object], prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", str(value)))
    return pairs
