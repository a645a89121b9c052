"""Whether the words around a name make it a place, and how surely.

Some names are also ordinary words, people, brands or towns elsewhere («Ate», «Salamanca», «La
Gloria», «Los Olivos»): such a name is a place only where a cue stands nearby («en», «vecinos de»,
«paradero») or where the text names another zone beside it.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # spaCy is heavy: only who looks for places waits for it
    from spacy.tokens import Span, Token

SURE, SURE_WITH_CUE = 0.9, 0.95
CUED, OF, BESIDE, CUED_AND_BESIDE = 0.85, 0.75, 0.65, 0.9


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


class _Kind(Enum):
    SURE = 1  # names nothing but the place
    ORDINARY = 2  # a word, a saint, or a town elsewhere
    PERSON = 3


def beside(alone: float | None) -> float | None:
    """Return how sure a name is beside another zone, from how sure it is alone."""
    return {0.0: BESIDE, CUED: CUED_AND_BESIDE}.get(alone, alone) if alone is not None else None


def confidence(span: "Span", *, ordinary: bool = False) -> float | None:
    """Return how sure a name is by its context alone; None where that says it is no place.

    It is 0 where nothing tells; with ``ordinary`` no name is sure without its context.
    """
    kind = _Kind.ORDINARY if ordinary else _kind(span)
    before, after = words_before(span), words_after(span)
    cued = _cued(before, after)
    if not _OUTLETS.isdisjoint(before[:2]):
        return None
    if kind is _Kind.SURE or _is_hashtag(span):
        return SURE_WITH_CUE if cued else SURE
    if _refused(span, kind, before, after, cued=cued):
        return None
    if cued:
        return CUED
    return OF if kind is _Kind.ORDINARY and before and before[0] in _LINKS else 0.0


def is_sure(span: "Span") -> bool:
    """Say whether a name names nothing but the place."""
    return _kind(span) is _Kind.SURE or _is_hashtag(span)


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


def words_before(span: "Span") -> list[str]:
    """Return the words of the sentence before a name, the nearest first."""
    return _words(reversed(span.doc[max(0, span.start - 8) : span.start]))


def words_after(span: "Span") -> list[str]:
    """Return the words of the sentence after a name, the nearest first."""
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
