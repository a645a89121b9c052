"""Normalise a citizen's text for the model: one small function per rule, composed in `clean`.

Letters keep their case (the tokenizer lower-cases) and their accents. Every rule takes and
returns a string, never raises, and leaves a text alone that it doesn't concern.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

import ftfy

LINK = "[enlace]"
HANDLE = "@usuario"

_MOJIBAKE = re.compile("[ÃÂÅâðÐï]")
_SCRIPT = re.compile(r"<(script|style)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<!--.*?-->|</?[a-z][a-z0-9]*(?:\s[^<>]{0,500})?/?>", re.IGNORECASE | re.DOTALL)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffc"
    "\U000e0000-\U000e0fff]"
)
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_FANCY = re.compile("[\U0001d400-\U0001d7ff\uff01-\uff5e]+")
_URL = re.compile(
    r"(?:https?://|www\.)\S+|\b_url\b|\b(?:bit\.ly|t\.co|goo\.gl|youtu\.be|fb\.me|wa\.me)/\S+",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w@.])@\w+(?:\.\w+)*")
_HASHTAG = re.compile(r"#(\w+)")
_WORDS_IN_TAG = re.compile(r"[A-ZÁÉÍÓÚÜÑ]+(?![a-záéíóúüñ])|[A-ZÁÉÍÓÚÜÑ]?[^\W\d_A-ZÁÉÍÓÚÜÑ]+|\d+")
_REPEATED_LETTER = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_REPEATED_SYMBOL = re.compile(r"([^\w\s])\1{3,}")
_LAUGHTER = re.compile(
    r"\b(?:[aeiou]?(?:j+([aeiou])[aeiou]*h?){2,}j*|(?:h+[aeiou]+){3,}h*|(?:j+[sk]+){2,}j*)\b",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s+")


def fix_mojibake(text: str) -> str:
    """Repair text decoded with the wrong character set: «cafÃ©» becomes «café» (ftfy)."""
    return ftfy.fix_encoding(text) if _MOJIBAKE.search(text) else text


def strip_html(text: str) -> str:
    """Drop tags, comments and scripts, and resolve entities; «<3» and «a < b» stay."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", _SCRIPT.sub(" ", text))
    return text


def drop_invisible(text: str) -> str:
    """Remove control, zero-width, direction and variation characters, and soft hyphens."""
    return _INVISIBLE.sub("", text)


def plain_letters(text: str) -> str:
    """Compose accents (NFC) and turn decorative letters («𝐡𝐨𝐥𝐚», «ｈｏｌａ») into plain ones."""
    text = _FANCY.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    return unicodedata.normalize("NFC", text)


def plain_emoji(text: str) -> str:
    """Remove the skin tones of emojis, so that one gesture is one symbol."""
    return _SKIN_TONE.sub("", text)


def mask_links(text: str) -> str:
    """Replace web addresses by `[enlace]`."""
    return _URL.sub(LINK, text)


def mask_handles(text: str) -> str:
    """Replace @handles by `@usuario`; the «@» of an e-mail address is no handle."""
    return _HANDLE.sub(HANDLE, text) if "@" in text else text


def split_hashtags(text: str) -> str:
    """Turn a hashtag into words: «#SalvemosElParque» becomes «salvemos el parque»."""
    return _HASHTAG.sub(_tag_to_words, text) if "#" in text else text


def _tag_to_words(found: re.Match[str]) -> str:
    tag = found.group(1)
    if tag.isdigit():
        return found.group()
    return " ".join(_WORDS_IN_TAG.findall(tag)).lower()


def squeeze_repeats(text: str) -> str:
    """Keep two of a repeated letter («buenooooo» → «buenoo») and three of a repeated symbol."""
    return _REPEATED_SYMBOL.sub(r"\1\1\1", _REPEATED_LETTER.sub(r"\1\1", text))


def shorten_laughter(text: str) -> str:
    """Write laughter one way per vowel: «jajajaj», «JAJAJAAJ» → «jaja»; «jejeje» → «jeje»."""
    return _LAUGHTER.sub(_one_laugh, text)


def _one_laugh(found: re.Match[str]) -> str:
    vowel = (found.group(1) or "a").lower()
    return f"j{vowel}j{vowel}"


def collapse_space(text: str) -> str:
    """Make every run of white space one blank and trim the ends."""
    return _SPACE.sub(" ", text).strip()


RULES: tuple[Callable[[str], str], ...] = (
    fix_mojibake,
    strip_html,
    drop_invisible,
    plain_letters,
    plain_emoji,
    mask_links,
    mask_handles,
    split_hashtags,
    squeeze_repeats,
    shorten_laughter,
    collapse_space,
)


def clean(text: str) -> str:
    """Apply every rule in order; the result is what the tokenizer reads.

    Returns an empty string for a text without any content.
    """
    for rule in RULES:
        text = rule(text)
    return text
