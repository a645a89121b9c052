"""What a demand is called until a person gives it a summary: a sentence of its neighbours' own."""

import re
import unicodedata
from collections.abc import Sequence

from pipelines.report.safe import clean, shorten

LONGEST = 140
"""Characters of a title."""

_LEAST = 30  # a sentence that is shorter says too little alone
_READ = 1_000  # characters of a text; what is asked stands at its beginning
_END = re.compile(r"(?<=[.!?…])\s+")
_WORD = re.compile("[a-z]{3,}")


def title_of(texts: Sequence[str]) -> str:
    """Return the first sentence of the text that has most words in common with the others.

    Likeness is Jaccard's (1901) of the sets of words of Latin letters, accents and case set aside.
    Of texts that are as central, one in mixed case is preferred, then the one with most accents,
    then the shortest. Empty without texts.
    """
    if not texts:
        return ""
    read = [text[:_READ] for text in texts]
    words = [_words(text) for text in read]
    central = [sum(_alike(mine, other) for other in words) for mine in words]
    best = min(
        range(len(read)),
        key=lambda at: (-round(central[at], 9), *_writing(read[at])),
    )
    return shorten(_first_sentence(read[best]), LONGEST)


def _words(text: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return frozenset(_WORD.findall(plain))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    both = len(one | other)
    return len(one & other) / both if both else 0.0


def _writing(text: str) -> tuple[bool, int, int, str]:
    """Order texts of the same words: in mixed case first, then those with most accents."""
    accents = len(re.findall("[áéíóúñüÁÉÍÓÚÑÜ]", text))
    return text.isupper() or text.islower(), -accents, len(text), text


def _first_sentence(text: str) -> str:
    """Return the beginning up to the end of the first sentence that makes it long enough."""
    said = clean(text)
    for end in _END.finditer(said):
        if end.start() >= _LEAST:
            return said[: end.start()]
    return said
