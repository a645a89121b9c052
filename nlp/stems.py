"""Words as Spanish stems without accents: «inundaciones» and «inundacion» are one.

Stems are those of Snowball's Spanish algorithm (https://snowballstem.org/algorithms/spanish/).
"""

import re
import unicodedata
from functools import lru_cache
from threading import local
from typing import Any

from snowballstemmer import stemmer

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 40  # letters; nobody searches for a longer word
_READ = 20_000  # characters of a text that are read
_OWN = local()


def stems_of(text: str) -> list[str]:
    """Return the stems of a text's words, in their order."""
    return [_stem(word[:_LONGEST]) for word in _WORD.findall(text[:_READ].lower())]


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    """Stem a word without its accents, which neighbours leave out as often as not."""
    decomposed = unicodedata.normalize("NFKD", word)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    stem: str = _stemmer().stemWord(bare)
    return stem


def _stemmer() -> Any:
    """Return this thread's own stemmer: one holds the word that it works on."""
    if not hasattr(_OWN, "stemmer"):
        _OWN.stemmer = stemmer("spanish")
    return _OWN.stemmer
