"""Through which lenses a text is seen: a lens is a saved filter of words and phrases.

Case, accents and what stands between words do not count; a word is found as a whole one only,
unless it ends in ``*``.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from hashlib import sha256

from configs.schema import Lens

_RULES = "1"  # raise it with every change of how words are found: texts are then read again


def identifier(lenses: Sequence[Lens]) -> str:
    """Return what names the words of these lenses: another set has another."""
    words = json.dumps([[lens.code, *lens.words] for lens in lenses])
    return f"lenses-{_RULES}/{sha256(words.encode()).hexdigest()[:12]}"


class Spectacles:
    """The lenses of a municipality, ready to look at texts."""

    def __init__(self, lenses: Sequence[Lens]) -> None:
        self.identifier = identifier(lenses)
        self._patterns = [(lens.code, _pattern(lens.words)) for lens in lenses]

    def look(self, text: str) -> list[str]:
        """Return the codes of the lenses whose words the text has, in the order of the lenses."""
        folded = _fold(text)
        return [code for code, pattern in self._patterns if pattern.search(folded)]


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    phrases = "|".join(_phrase(words_of) for words_of in words)
    return re.compile(rf"(?<!\w)(?:{phrases})(?!\w)")


def _phrase(phrase: str) -> str:
    return r"\W+".join(
        re.escape(word.removesuffix("*")) + (r"\w*" if word.endswith("*") else "")
        for word in re.split(r"[\s'’-]+", _fold(phrase).strip())
    )


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
