"""Say which language a text is in, or abstain.

The municipality's language is Spanish, so the burden of proof is on the others: a text is called
foreign only where enough of it is left without names, and the identifier is sure. Slang, typos,
capitals, emojis and lists of places stay Spanish (``es``) or undetermined (``und``). The
identifier is py3langid, which knows Quechua and has its model inside the package.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from nlp.clean import HANDLE, LINK, clean

SPANISH = "es"
UNDETERMINED = "und"
HOME = (SPANISH, UNDETERMINED)
"""What counts as said in Spanish: a short answer cannot be told, and is most often that."""

LANGUAGES = (
    *(SPANISH, "qu", "pt", "en", "fr", "it", "de", "nl"),
    *("ru", "uk", "tr", "ar", "he", "zh", "ja", "ko"),
)
IDENTIFIER = "py3langid-0.4/1"
"""Written beside every label: the identifier and the version of the rules in this module."""

MIN_WORDS = 4
MIN_LETTERS = 16
_MIN_FOREIGN_LETTERS = 6  # of a script that Spanish does not use
_SURE = 0.75
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_FOREIGN_SCRIPT = re.compile("[\u0370-\u1cff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_READ = 2_000  # characters are enough to tell


def identify(texts: Sequence[str]) -> list[str]:
    """Return the language of each text: an ISO 639-1 code, or ``und``."""
    return [_identify(text) for text in texts]


def _identify(text: str) -> str:
    words = _WORD.findall(_bare(text))
    if all(word.isupper() for word in words):
        words = [word.lower() for word in words]
    if not _enough(words):
        return UNDETERMINED
    language, _ = _ask(words)
    if language == SPANISH:
        return SPANISH
    plain = [word for word in words if not word[0].isupper()]  # names are of no language
    if not _enough(plain):
        return UNDETERMINED
    again, probability = _ask(plain)
    if again == SPANISH:
        return SPANISH
    return language if again == language and probability >= _SURE else UNDETERMINED


def _bare(text: str) -> str:
    """Return a text without links, handles and hashtags, which are written in any language."""
    text = re.sub(r"#\w+", " ", text[:_READ])
    return clean(text).replace(LINK, " ").replace(HANDLE, " ")


def _enough(words: Sequence[str]) -> bool:
    letters = "".join(words)
    if len(_FOREIGN_SCRIPT.findall(letters)) >= _MIN_FOREIGN_LETTERS:
        return True
    return len(words) >= MIN_WORDS and len(letters) >= MIN_LETTERS


def _ask(words: Sequence[str]) -> tuple[str, float]:
    language, probability = _identifier().classify(" ".join(words))
    return str(language), float(probability)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
