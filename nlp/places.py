"""Which zone of the municipality a text speaks of: a gazetteer, and rules for its context.

The names come from the municipality's configuration. Some of them are also ordinary words, people,
brands or towns elsewhere («Ate», «Salamanca», «La Gloria», «Los Olivos»): such a name is a place
only where a cue stands nearby («en», «vecinos de», «paradero») or where the text names another
zone beside it.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING

from configs.schema import Zone

if TYPE_CHECKING:  # spaCy is heavy: only who looks for places waits for it
    from spacy.language import Language
    from spacy.tokens import Doc, Span, Token

INHERITED = 0.5
"""What is left of the opener's confidence where a reply takes its zone."""

_RULES = "1"  # raise it with every change of rules or words here: texts are then read again
_READ = 20_000  # characters of a text in which places are looked for
_BATCH = 256
_SURE, _SURE_WITH_CUE = 0.9, 0.95
_CUED, _OF, _BESIDE, _CUED_AND_BESIDE = 0.85, 0.75, 0.65, 0.9


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ARTICLES = _set("el la los las")
_SAINTS = _set("san santa santo sta sto")
_PEOPLE = _set("gloria horacio clara rosa carmen angelica victoria esperanza")
_ORDINARY = _set(
    "amauta salamanca ceres valdivieso monterrico olimpo progreso porvenir libertad union"
)
_LOCATIVES = _set("en desde hasta hacia por sobre tras detras cerca fuera dentro")
_WHOLE = _set("todo toda")
_LINKS = _set("de del a al para entre")
_PASSED = _set("el la los las lo del de parte aqui alla")
_NOUNS = _set(
    "urb urbanizacion zona sector barrio paradero parque plaza plazuela mercado mercadillo"
    " vecino vecina vecinos vecinas moradores pobladores residentes familias gente"
    " comerciantes av avenida calle jr jiron psje pasaje cuadra pista berma ovalo cruce puente"
    " estacion losa cancha estadio loza local agencia comisaria posta hospital colegio escuela"
    " biblioteca iglesia parroquia comedor olla reservorio bomberos serenazgo asentamiento"
    " aahh ah comite asociacion cooperativa distrito quebrada cerro ladera altura frente"
    " espalda etapa centro entrada salida ruta linea mz manzana lote vaso junta"
)
_AFTER = _set("zona sector etapa paradero cuadra cdra manzana mz distrito")
_TITLES = _set(
    "don dona sr sra srta senor senora senorita tia tio mama papa abuela abuelita hermana"
    " hermano profesor profesora profe doctor doctora dr dra regidor regidora madre sor beata"
    " fray maestro maestra amiga comadre vecina vecino senores"
)
_BRANDS = _set("leche yogurt yogur mantequilla tarro tarros lata latas marca grupo")
_ELSEWHERE_BEFORE = _set("universidad jamon catedral convento orden virgen editorial pensamiento")
_ELSEWHERE = _set(
    "espana castilla leon california cuba chile mexico guanajuato argentina colombia asis"
    " dios jesus cristo eterna celestial mariategui trevi"
)
_PRONOUNS = _set("me te se lo la le los las les nos que no quien")
_OUTLETS = _set("radio diario semanario revista")
_FEELING = _set("estoy estamos estaba siento sentimos")
_ABBREVIATED = _set("urb av jr sta sto mz psje cdra aahh ah")
_STOPS = frozenset(".!?;…")


@dataclass(frozen=True, slots=True)
class Place:
    """A zone that a text names, how sure that is, and where in the text the name stands."""

    zone: str
    confidence: float
    start: int
    end: int


class _Kind(Enum):
    SURE = 1  # names nothing but the place
    ORDINARY = 2  # a word, a saint, or a town elsewhere
    PERSON = 3


def identifier(zones: Sequence[Zone]) -> str:
    """Return what names these zones and the rules here: another gazetteer has another."""
    names = json.dumps([[zone.code, zone.name, *zone.aliases] for zone in zones])
    return f"places-{_RULES}/{sha256(names.encode()).hexdigest()[:12]}"


class Gazetteer:
    """The zones of a municipality, ready to be found in texts."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.identifier = identifier(zones)
        self._nlp = _ruler(zones)

    def locate(self, texts: Sequence[str]) -> list[Place | None]:
        """Return for each text the zone that is surest; of equals the most named, then the first.

        Places are looked for in the first 20,000 characters.
        """
        return [_surest(places) for places in self.mentions(texts)]

    def mentions(self, texts: Sequence[str]) -> list[list[Place]]:
        """Return for each text every place that it names, in their order."""
        folded = [_fold(text[:_READ]) for text in texts]
        docs = self._nlp.pipe((plain for plain, _ in folded), batch_size=_BATCH)
        return [
            [
                Place(place.zone, place.confidence, where[place.start], where[place.end - 1] + 1)
                for place in _judge(doc)
            ]
            for doc, (_, where) in zip(docs, folded, strict=True)
        ]


def _ruler(zones: Sequence[Zone]) -> "Language":
    import spacy
    from spacy.pipeline import EntityRuler

    nlp = spacy.blank("es")
    if not zones:
        return nlp
    ruler = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    if not isinstance(ruler, EntityRuler):
        raise TypeError("spaCy's entity_ruler is no EntityRuler")
    patterns = [
        {"label": zone.code, "pattern": form}
        for zone in zones
        for name in (zone.name, *zone.aliases)
        for form in _forms(_fold(name)[0])
    ]
    ruler.add_patterns(patterns)  # type: ignore[arg-type]  # spaCy's type forgets plain strings
    return nlp


def _forms(name: str) -> Iterator[str]:
    """Give the ways to write a name: as it is, and as the one word of a hashtag."""
    yield name
    if " " in name:
        yield "#" + "".join(filter(str.isalnum, name))


def _fold(text: str) -> tuple[str, list[int]]:
    """Return a text without accents, and where each of its characters stood."""
    plain, where = [], []
    for place, character in enumerate(text):
        if unicodedata.combining(character):
            continue
        base = unicodedata.normalize("NFD", character)[0]
        plain.append(base)
        where.append(place)
    return "".join(plain), where


def _surest(places: Sequence[Place]) -> Place | None:
    named = Counter(place.zone for place in places)
    return max(places, key=lambda p: (p.confidence, named[p.zone], -p.start), default=None)


def _judge(doc: "Doc") -> list[Place]:
    """Return the names that are places, with the doubtful ones beside another zone."""
    judged = [(span, _confidence(span)) for span in doc.ents]
    certain = {span.label_ for span, confidence in judged if confidence}
    places = []
    for span, alone in judged:
        confidence = _beside(alone) if certain - {span.label_} else alone
        if confidence:
            places.append(Place(span.label_, confidence, span.start_char, span.end_char))
    return places


def _beside(alone: float | None) -> float | None:
    """Return how sure a name is beside another zone, from how sure it is alone."""
    return {0.0: _BESIDE, _CUED: _CUED_AND_BESIDE}.get(alone, alone) if alone is not None else None


def _confidence(span: "Span") -> float | None:
    """Return how sure a name is by its context alone; None where that says it is no place."""
    kind = _kind(span)
    before, after = _before(span), _after(span)
    cued = _cued(before, after)
    if not _OUTLETS.isdisjoint(before[:2]):
        return None
    if kind is _Kind.SURE or _is_hashtag(span):
        return _SURE_WITH_CUE if cued else _SURE
    if _refused(span, kind, before, after, cued=cued):
        return None
    if cued:
        return _CUED
    return _OF if kind is _Kind.ORDINARY and before and before[0] in _LINKS else 0.0


def _kind(span: "Span") -> _Kind:
    words = [token.lower_.rstrip(".") for token in span if not token.is_punct]
    opened = words[0] in _ARTICLES and len(words) == 2
    core = words[1:] if opened else words
    titled = opened and span[0].text[0].isupper()
    if core[0] in _PEOPLE and len(core) == 1 and not titled:
        return _Kind.PERSON
    if opened or (words[0] in _SAINTS and len(words) == 2):
        return _Kind.ORDINARY
    if len(words) == 1 and (words[0] in _ORDINARY or len(words[0]) <= 3):
        return _Kind.ORDINARY
    return _Kind.SURE


def _is_hashtag(span: "Span") -> bool:
    return span.text.startswith("#") or (span.start > 0 and span.doc[span.start - 1].text == "#")


def _cued(before: Sequence[str], after: Sequence[str]) -> bool:
    """Say whether the words around a name, the nearest first, make it a place."""
    leading = [word for word in before if word not in _PASSED]
    if leading and leading[0] in _LOCATIVES | _WHOLE:
        return True
    return not _NOUNS.isdisjoint(before[:4]) or not _AFTER.isdisjoint(after[:2])


def _refused(
    span: "Span", kind: _Kind, before: Sequence[str], after: Sequence[str], *, cued: bool
) -> bool:
    """Say whether the words around a name make it a person, a brand, a verb or elsewhere."""
    near = before[0] if before else ""
    if near in _TITLES | _BRANDS or not _ELSEWHERE_BEFORE.isdisjoint(before[:2]):
        return True
    if not _ELSEWHERE.isdisjoint((*before[:4], *after[:4])):
        return True
    if len(span.text) <= 3 and near in _PRONOUNS:
        return True
    if near == "en" and before[1:2] and before[1] in _FEELING and span.text.islower():
        return True
    return kind is _Kind.PERSON and not cued and _surname_follows(span)


def _surname_follows(span: "Span") -> bool:
    if span.end >= len(span.doc) or span.text.isupper():
        return False
    follower = span.doc[span.end]
    return follower.is_title and follower.is_alpha and len(follower) > 2


def _before(span: "Span") -> list[str]:
    """Return the words of the sentence before a name, the nearest first."""
    return _words(reversed(span.doc[max(0, span.start - 8) : span.start]))


def _after(span: "Span") -> list[str]:
    return _words(iter(span.doc[span.end : span.end + 6]))


def _words(tokens: "Iterator[Token]") -> list[str]:
    words = []
    for token in tokens:
        if token.text == "." and token.i and token.nbor(-1).lower_ in _ABBREVIATED:
            continue
        if token.text[0] in _STOPS or "\n" in token.text:
            break
        word = token.lower_.replace(".", "")
        if word.isalnum():
            words.append(word)
    return words
