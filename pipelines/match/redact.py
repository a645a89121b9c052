"""Take out of a text whatever tells who wrote it: names, people, links, countries, e-mails.

Names are looked for as somebody who wants to be recognised would write them: with invisible or
look-alike letters (Unicode TR 39), digits for letters, signs between letters, joined, declined.
What is removed leaves a word in brackets. Better a harmless word too many than a name: a text may
still tell its author to somebody who knows the solution, and for that there is the attestation.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from babel import Locale

from configs.matchmaking import load_redaction
from pipelines.privacy import mask

_LOOKALIKES: Final = str.maketrans(
    "авекмнорстухіјѕԁԛԝһӏґьαβεηικνορτυχγωσμıɑɡøđłħ",
    "abekmhopctyxijsdqwhlrbabeniKvoptuxywouiagodlh".lower(),
)
"""Cyrillic and Greek small letters that look like Latin ones."""

_SAME: Final = {
    "a": "a4@",
    "b": "b8",
    "e": "e3",
    "g": "g9",
    "i": "i1!|l",
    "l": "l1|i",
    "o": "o0",
    "s": "s5$",
    "t": "t7+",
    "z": "z2",
}
_GAP: Final = r"[\W_]{0,3}"
_ENDLESS: Final = re.compile(r"\S{400,}")
_FLAGS: Final = re.compile("[\U0001f1e6-\U0001f1ff]+")
_AT: Final = r"(?:@|[\[({]\s*(?:at|arroba)\s*[\])}]|\s+arroba\s+)"
_DOT: Final = r"(?:\.|\s*[\[({]\s*(?:\.|punto|dot)\s*[\])}]\s*|\s+(?:punto|dot)\s+)"
_DOMAINS: Final = (
    "com|net|org|io|co|pe|cl|ar|br|mx|uy|ec|bo|py|ve|es|us|uk|eu|app|ai|dev|gob|gov|edu|info|biz"
    "|tech|city|cloud|digital|la|me|tv|xyz|site|online|store|page|link|ly|gl|gg|lat|social|pro"
)
_EMAIL: Final = re.compile(rf"(?<![\w.+%-])[\w.+%-]+\s*{_AT}\s*[\w-]+(?:{_DOT}[\w-]+)+")
_LINK: Final = re.compile(
    r"(?:h(?:tt|xx)ps?|ftp)\s*:\s*/\s*/\s*\S+|www\s*\.\s*\S+"
    rf"|(?<![\w@-])[\w-]+(?:{_DOT}[\w-]+){{0,6}}{_DOT}(?:{_DOMAINS})(?![\w-])(?:/\S*)?"
)
_HANDLE: Final = re.compile(r"(?<![\w@])@\s?\w[\w.]*")
_CAPITALISED: Final = r"[A-ZÁÉÍÓÚÜÑÇÃÕ][\w'’-]+"
_MORE_NAMES: Final = (
    rf"(?:\s+(?:(?:de|del|la|las|los|da|do|dos|y|e)\s+){{0,2}}{_CAPITALISED}){{1,4}}"
)
_INITIAL: Final = re.compile(r"(?<!\w)[A-ZÁÉÍÓÚÑ]\.\s?(?:[A-Z]\.\s?)?[A-ZÁÉÍÓÚÑ][a-záéíóúñ]{2,}")
_PLACE: Final = re.compile(
    r"(?<!\w)(?:[Mm]unicipalidad|[Mm]unicipio|[Aa]lcald[ií]a|[Gg]obernaci[oó]n|[Ii]ntendencia"
    r"|[Pp]refeitura|[Pp]refectura|[Aa]yuntamiento|[Gg]obierno [Rr]egional|[Pp]rovincia|[Cc]iudad"
    r"|[Dd]istrito|[Cc]ity|[Rr]egi[oó]n)(?:\s+(?:[Pp]rovincial|[Dd]istrital|[Mm]etropolitana))?"
    r"\s+(?:de|del|da|do|of)(?:\s+(?:la|los|las|el))?\s+"
    rf"{_CAPITALISED}(?:\s+(?:(?:de|del|la|los|las)\s+){{0,2}}{_CAPITALISED}){{0,3}}"
)
_SHORT: Final = 5
"""Names of fewer letters are only found as whole words: inside others they would be everywhere."""


@dataclass(frozen=True, slots=True)
class Names:
    """What gives the applicant away, as far as it is known."""

    own: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text that assessors may see, and how many of what were taken out."""

    text: str
    removed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    label: str


def redact(text: str, names: Names) -> Redacted:
    """Return a text without what gives its author away.

    Rules go on until nothing more is found; redacting a redacted text changes nothing.
    """
    counts: Counter[str] = Counter()
    current = visible(text)
    while True:
        found = _apart(_everything(current, names))
        if not found:
            break
        counts.update(one.label for one in found)
        current = _without(current, found)
    masked = mask(current)
    counts["número"] += masked.count("[") - current.count("[")
    return Redacted(masked, {label: count for label, count in sorted(counts.items()) if count})


def visible(text: str) -> str:
    """Return a text as it is seen: without markup entities and invisible letters."""
    plain = _ENDLESS.sub(" [ilegible] ", unicodedata.normalize("NFKC", html.unescape(text)))
    kept = (
        letter
        for letter in plain
        if letter in "\n\t" or unicodedata.category(letter) not in {"Cc", "Cf", "Co", "Cs", "Cn"}
    )
    return unicodedata.normalize("NFC", "".join(kept))


def names_of(name: str, aliases: Iterable[str], website: str | None) -> tuple[str, ...]:
    """Return the names that a startup is known by, that of its web site among them."""
    address = website or ""
    host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    labels = [part for part in host.split(".") if len(part) > 3]
    return tuple(dict.fromkeys([name, *aliases, *labels]))


# --- finding ---------------------------------------------------------------------------------


def _everything(text: str, names: Names) -> Iterator[_Found]:
    folded, places = _fold(text)
    for pattern, label in ((_EMAIL, "correo"), (_LINK, "enlace"), (_HANDLE, "cuenta")):
        yield from _matches(pattern, folded, label, places)
    for name in names.own:
        for pattern in _own(name):
            yield from _matches(pattern, folded, "nombre", places)
        if acronym := _acronym(name):
            yield from _matches(acronym, text, "nombre")
    for label, listed in (("nombre", names.others), ("persona", names.people)):
        for name in listed:
            for pattern in _whole(name):
                yield from _matches(pattern, folded, label, places)
    for name in names.people:
        for word in _words(name):
            if len(word) >= 4:
                yield from _matches(_spelt(word, end=r"(?![^\W_])"), folded, "persona", places)
    yield from _matches(_FLAGS, text, "país")
    yield from _matches(_people(), text, "persona")
    yield from _matches(_INITIAL, text, "persona")
    yield from _matches(_PLACE, text, "lugar")
    yield from _matches(_countries(), folded, "país", places)
    yield from _matches(_cities(), text, "lugar")


def _fold(text: str) -> tuple[str, list[int]]:
    """Return a text in plain small Latin letters, and where each of them stands in the text."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for part in unicodedata.normalize("NFD", letter.lower()).translate(_LOOKALIKES):
            if unicodedata.category(part) != "Mn":
                letters.append(part)
                places.append(place)
    places.append(len(text))
    return "".join(letters), places


def _matches(
    pattern: re.Pattern[str], text: str, label: str, places: Sequence[int] | None = None
) -> Iterator[_Found]:
    for match in pattern.finditer(text):
        start, end = match.span()
        if start == end or _is_label(text, start, end):
            continue
        if places is None:
            yield _Found(start, end, label)
        else:
            yield _Found(places[start], places[end - 1] + 1, label)


def _is_label(text: str, start: int, end: int) -> bool:
    """Say whether a match is a word in brackets that stands for something removed before."""
    return text[max(0, start - 1) : start] == "[" and text[end : end + 1] == "]"


def _apart(found: Iterable[_Found]) -> list[_Found]:
    """Return what was found from the first to the last, the overlapping ones joined."""
    joined: list[_Found] = []
    for one in sorted(found, key=lambda f: (f.start, -f.end)):
        if joined and one.start < joined[-1].end:
            last = joined[-1]
            joined[-1] = _Found(last.start, max(last.end, one.end), last.label)
        else:
            joined.append(one)
    return joined


def _without(text: str, found: Sequence[_Found]) -> str:
    pieces, end = [], 0
    for one in found:
        pieces += [text[end : one.start], f"[{one.label}]"]
        end = one.end
    return "".join([*pieces, text[end:]])


# --- patterns --------------------------------------------------------------------------------


@cache
def _own(name: str) -> tuple[re.Pattern[str], ...]:
    """Return what finds a name of the applicant's own: whole, and each word that is not common."""
    common = {_fold(word)[0] for word in load_redaction().common}
    words = [word for word in _words(name) if len(word) >= 4 and word not in common]
    return (*_whole(name), *(_spelt(_stem(word), end=r"\w*") for word in words))


@cache
def _whole(name: str) -> tuple[re.Pattern[str], ...]:
    letters = "".join(_words(name))
    return (_spelt(letters, end=r"(?:s|es)?(?![^\W_])"),) if len(letters) > 1 else ()


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", _fold(visible(name))[0])


def _stem(word: str) -> str:
    return word[:-1] if len(word) >= _SHORT and word[-1] in "aeiou" else word


@cache
def _spelt(letters: str, end: str) -> re.Pattern[str]:
    """Return what finds letters however they are disguised; long ones inside of words too."""
    classes = [f"[{re.escape(_SAME.get(letter, letter))}]" for letter in letters]
    if len(letters) < _SHORT:
        return re.compile(rf"(?<![^\W_]){''.join(classes)}{end}")
    return re.compile(
        rf"(?<!\w)\w*{_GAP.join(classes)}{end}" if end == r"\w*" else _GAP.join(classes) + end
    )


def _acronym(name: str) -> re.Pattern[str] | None:
    initials = "".join(word[0] for word in _words(name)).upper()
    return re.compile(rf"(?<!\w){initials}(?!\w)") if len(initials) >= 2 else None


@cache
def _people() -> re.Pattern[str]:
    words = load_redaction()
    given = "|".join(sorted(map(re.escape, words.given_names), key=len, reverse=True))
    titles = "|".join(sorted(map(_any_case, words.titles), key=len, reverse=True))
    return re.compile(
        rf"(?<!\w)(?:(?:{given}|{given.upper()}){_MORE_NAMES}"
        rf"|(?:{titles})\.?[\s,:]+{_CAPITALISED}(?:{_MORE_NAMES})?)"
    )


def _any_case(word: str) -> str:
    return f"[{word[0].upper()}{word[0].lower()}]{re.escape(word[1:])}"


@cache
def _countries() -> re.Pattern[str]:
    """Return what finds the names of countries and of who comes from there, in folded text."""
    names = {
        _fold(name)[0]
        for language in ("es", "en", "pt", "fr")
        for code, name in Locale(language).territories.items()
        if len(code) == 2 and len(name) > 3
    }
    stems = {_fold(stem)[0] for stem in load_redaction().demonyms}
    ordered = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(
        rf"(?<![^\W_])(?:{ordered}|(?:{'|'.join(sorted(stems))})(?:o|a|e|os|as|es|s)?)(?![^\W_])"
    )


@cache
def _cities() -> re.Pattern[str]:
    """Return what finds the larger cities of America and Spain, written with a capital letter."""
    names = {
        zone["city"]
        for language in ("es", "es_419", "pt")
        for key, zone in Locale.parse(language).time_zones.items()
        if "city" in zone and key.startswith(("America/", "Europe/Madrid"))
    }
    both = names | {name.upper() for name in names}
    ordered = "|".join(re.escape(name) for name in sorted(both, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{ordered})(?!\w)")
