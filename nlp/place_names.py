"""The names of places, as a spaCy pipeline that finds them: known ones first, then by their looks.

Known are the zones and landmarks of a municipality and the districts of Peru. By their looks,
from a word that says what comes («avenida», «mercado», «hospital») and a name or a number after
it, streets and places are found that nobody listed.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from configs.districts import District, districts
from configs.schema import Landmark, Stretch, Zone

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span

KILOMETRE = "kilometre"
DISTRICT, ZONE = "district", "zone"

KIND_OF = {
    **dict.fromkeys(("avenida", "av", "avda", "malecon", "prolongacion"), "avenue"),
    **dict.fromkeys(
        ("jiron", "jr", "calle", "pasaje", "psje", "pje", "pasajes", "calles", "jirones"), "street"
    ),
    **dict.fromkeys(("carretera", "ctra", "autopista"), "road"),
    **dict.fromkeys(("mercado", "mercadillo"), "market"),
    **dict.fromkeys(("paradero", "estacion", "terminal"), "station"),
    **dict.fromkeys(("parque", "plaza", "plazuela", "alameda"), "park"),
    **dict.fromkeys(("hospital", "posta", "policlinico"), "hospital"),
}
"""What a word before a name says that the place is."""

_SHORT = {
    "avenida": ("av.", "av", "avda."),
    "jiron": ("jr.", "jr"),
    "pasaje": ("psje.", "psje", "pje."),
    "carretera": ("ctra.", "ctra"),
    "urbanizacion": ("urb.", "urb"),
    "hospital": ("hosp.",),
}
ABBREVIATED = ("av", "avda", "jr", "psje", "pje", "ctra", "hosp")
_ONLY_NAMES = ("jr", "jiron", "psje", "pje", "jr.", "psje.", "pje.")
_COMBINING = re.compile("[\u0300-\u036f]")
_BARE = {code: unicodedata.normalize("NFD", chr(code))[0] for code in range(0xC0, 0x250)}
_TELLING = re.compile(rf"\b(?:km\d*|kilometro|{'|'.join(KIND_OF)})\b", re.IGNORECASE)
_HERE, _LOOKS, _DISTRICTS = "here", "looks", "districts"
_BATCH = 256
_INNER = ("de", "del", "la", "las", "los", "el")


class Entry(NamedTuple):
    """What a name may be; ``districts`` are those that share it."""

    kind: str
    name: str
    zones: tuple[str, ...] = ()
    districts: tuple[District, ...] = ()
    stretches: tuple[Stretch, ...] = ()


class Names:
    """Finds names: entities of a spaCy pipeline, and the entry that each stands for."""

    def __init__(
        self, zones: Sequence[Zone], landmarks: Sequence[Landmark], ubigeo: str | None
    ) -> None:
        """Prepare the names; with districts where the municipality has a ``ubigeo``."""
        import spacy

        self._nlp = spacy.blank("es")
        tokenizer: Any = self._nlp.tokenizer  # cuts «av.» in two, and «Av.» not, unless told
        tokenizer.rules = {word: cut for word, cut in tokenizer.rules.items() if word != "Av."}
        self._entries: dict[tuple[str, str], Entry] = {}
        # each is put before the others, whose names give way: a «jirón Puno» is no district
        self._know(_DISTRICTS, _districts() if ubigeo else (), tags=False)
        self._rule(_LOOKS, list(_looks()))
        self._know(_HERE, (*_zones(zones), *_landmarks(landmarks)), tags=True)
        self.stretched = [one for one in self._entries.values() if one.stretches]

    def docs(self, texts: Sequence[str]) -> "list[Doc]":
        """Return folded texts with the names in them as entities."""
        found: dict[int, Doc] = {}
        for looked in (True, False):  # most texts have no word that patterns begin with
            rows = [row for row, text in enumerate(texts) if bool(_TELLING.search(text)) is looked]
            some = self._nlp.pipe(
                (texts[row] for row in rows),
                batch_size=_BATCH,
                disable=[] if looked else [_LOOKS],
            )
            found.update(zip(rows, some, strict=True))
        return [found[row] for row in range(len(texts))]

    def entry(self, span: "Span") -> Entry | None:
        """Return what a name found stands for; None where only its looks say so."""
        return self._entries.get((span.label_, _key(span.text)))

    def _know(
        self, ruler: str, known: Iterable[tuple[Entry, tuple[str, ...]]], *, tags: bool
    ) -> None:
        """Find the names of entries, each of the first that bears it; ``tags``: hashtags too."""
        patterns = []
        for entry, names in known:
            for name in names:
                for form in _forms(fold(name)[0].lower(), tags=tags):
                    self._entries.setdefault((ruler, _key(form)), entry)
                    patterns.append({"label": ruler, "pattern": form})
        self._rule(ruler, patterns)

    def _rule(self, name: str, patterns: list[dict[str, Any]]) -> None:
        from spacy.pipeline import EntityRuler

        config = {"phrase_matcher_attr": "LOWER"}
        ruler = self._nlp.add_pipe("entity_ruler", name=name, config=config, first=True)
        if not isinstance(ruler, EntityRuler):
            raise TypeError("spaCy's entity_ruler is no EntityRuler")
        if patterns:
            ruler.add_patterns(patterns)
        else:
            self._nlp.remove_pipe(name)


def fold(text: str) -> tuple[str, Sequence[int]]:
    """Return a text without accents, and where each of its characters stood."""
    if not _COMBINING.search(text):
        return text.translate(_BARE), range(len(text))
    where = [at for at, one in enumerate(text) if not _COMBINING.match(one)]
    return "".join(text[at] for at in where).translate(_BARE), where


def _key(name: str) -> str:
    """Return what the forms of a name share."""
    return "".join(filter(str.isalnum, name.lower()))


def _zones(zones: Sequence[Zone]) -> Iterator[tuple[Entry, tuple[str, ...]]]:
    for zone in zones:
        yield Entry(ZONE, zone.name, (zone.code,)), (zone.name, *zone.aliases)


def _landmarks(landmarks: Sequence[Landmark]) -> Iterator[tuple[Entry, tuple[str, ...]]]:
    for one in landmarks:
        entry = Entry(one.kind, one.name, one.zones, stretches=one.stretches)
        yield entry, (one.name, *one.aliases)


def _districts() -> Iterator[tuple[Entry, tuple[str, ...]]]:
    """Give each name of a district once, with all districts that bear it."""
    named: dict[str, list[District]] = defaultdict(list)
    for one in districts():
        for name in (one.name, *one.aliases):
            named[name].append(one)
    for name, some in named.items():
        yield Entry(DISTRICT, some[0].name, districts=tuple(some)), (name,)


def _forms(name: str, *, tags: bool) -> Iterator[str]:
    """Give the ways to write a name: as it is, with its first word short, as a hashtag."""
    yield name
    first, _, rest = name.partition(" ")
    for short in _SHORT.get(first, ()):
        yield f"{short} {rest}"
    if rest and tags:
        yield "#" + "".join(filter(str.isalnum, name))


def _looks() -> Iterator[dict[str, Any]]:
    """Give the patterns of names by their looks, labelled with their kind."""
    words = defaultdict(list)
    for word, kind in KIND_OF.items():
        words[kind].append(word)
    name: list[dict[str, Any]] = [
        {"LOWER": {"IN": list(_INNER)}, "OP": "{0,2}"},
        {"IS_TITLE": True, "IS_ALPHA": True, "LENGTH": {">": 2}, "OP": "{1,3}"},
    ]
    number = [{"TEXT": {"REGEX": r"^\d{1,3}[a-zA-Z]?$"}}]
    for kind, some in sorted(words.items()):
        for opening in _openings(some):
            yield {"label": kind, "pattern": [*opening, *name]}
            if kind in ("street", "avenue", "station"):
                yield {"label": kind, "pattern": [*opening, *number]}
    bare = [{"LOWER": {"IN": list(_ONLY_NAMES)}}, {"TEXT": ".", "OP": "?"}]
    yield {"label": "street", "pattern": [*bare, {"IS_ALPHA": True, "IS_STOP": False}]}
    digits = {"TEXT": {"REGEX": r"^\d{1,4}([.,]\d{1,2})?$"}}
    written = {"LOWER": {"IN": ["km", "km.", "kilometro"]}}
    yield {"label": KILOMETRE, "pattern": [written, {"TEXT": ".", "OP": "?"}, digits]}
    yield {"label": KILOMETRE, "pattern": [{"LOWER": {"REGEX": r"^km\d{1,4}([.,]\d{1,2})?$"}}]}


def _openings(words: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """Give the beginnings of a name: whole words, and short ones with or without their stop."""
    yield [{"LOWER": {"IN": [word for word in words if word not in ABBREVIATED]}}]
    short = [word for word in words if word in ABBREVIATED]
    if short:
        dotted = [f"{word}." for word in short]
        yield [{"LOWER": {"IN": [*short, *dotted]}}, {"TEXT": ".", "OP": "?"}]
