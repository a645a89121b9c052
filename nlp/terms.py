"""The words by which a cell of texts differs from the others: salient terms.

Monroe, B. L., Colaresi, M. P. and Quinn, K. M. (2008), «Fightin' words», Political Analysis 16(4):
the log-odds ratio of a term between a cell and the rest, with a Dirichlet prior that the whole
window informs, divided by its standard deviation. Terms are lemmas (simplemma's dictionary) and
collocations of them (normalised pointwise mutual information, gensim). A text is counted once per
term, a cluster of copies once, and an author once a day.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

from nlp.clean import clean

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Word = tuple[str, str]

VERSION = "terms-1"
"""Raise it with every change of words or rules here."""

MIN_VOICES = 3
"""A term that fewer people said is no term: it may be a name."""
PRIOR = 500.0
"""Weight of the prior in mentions, as in the paper, and at most a tenth of all there are."""
SURE = 1.96
"""A term stands out where its z-score is above this."""

_READ = 4_000  # characters of a text that are looked at
_LONGEST = 30  # letters of a word; longer ones are no words
_TOKEN = re.compile(r"\[\w+\]|@\w+|[^\W\d_]+(?:-[^\W\d_]+)*|\d+|[^\s\w]")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_INSIDE = _set("de del la las el los en a al y para por con sin")
_CHAT = _set(
    "jaja jeje jiji xd pe pues oe oye ya ok okey si sii noo q k x xq pq tb tmb d sr sra señor"
    " señora señores hola buenas saludos gracias favor porfa porfavor dios"
    " lunes martes miércoles jueves viernes sábado domingo mañana tarde noche ayer hora horas"
    " enero febrero marzo abril mayo junio julio agosto setiembre septiembre octubre noviembre"
    " diciembre año años mes meses semana semanas minuto minutos cosa cosas gente persona"
    " haber hacer ser estar tener poder decir ir ver dar querer saber poner venir llegar pasar"
    " dejar salir quedar creer deber llevar seguir pedir parecer hablar mil par vez media"
)
_AGREEMENT = 0.3  # normalised pointwise mutual information, from -1 to 1, of a collocation
_TIMES_SEEN = 5
_WORDS = 4  # of a collocation, with those inside
_ABSORBED = 0.75


@dataclass(frozen=True, slots=True)
class Counted:
    """A text to look for terms in: its cell, its copies, and who said it on which day."""

    id: str
    text: str
    cell: str
    cluster: str
    author: str | None
    day: date


@dataclass(frozen=True, slots=True)
class Term:
    """A term that stands out in a cell.

    ``count`` texts of the cell have it, ``distinct`` without copies, said by ``voices`` (an author
    counts once a day); ``n`` is all texts of the cell. ``log_odds`` and ``z`` compare voices here
    and elsewhere.
    """

    cell: str
    term: str
    count: int
    distinct: int
    voices: int
    n: int
    log_odds: float
    z: float
    example: str
    texts: frozenset[str] = field(repr=False)
    """Ids of the texts of the cell that have it, one a cluster."""


def salient_terms(texts: Sequence[Counted], most: int = 20) -> dict[str, list[Term]]:
    """Return for each cell the terms that stand out, the surest first, at most ``most``.

    The result does not depend on the order of the texts.
    """
    units = _units(texts)
    cells = sorted({unit.first.cell for unit in units})
    if len(cells) < 2:
        return {cell: [] for cell in cells}
    table = _Table.of(units)
    cell_of = np.array([cells.index(unit.first.cell) for unit in units])
    voices = _voices(table.has, units, cell_of, len(cells))
    return {
        cell: _standing_out(cell, table, units, np.flatnonzero(cell_of == at), voices, at, most)
        for at, cell in enumerate(cells)
    }


@dataclass(frozen=True, slots=True)
class _Unit:
    """The copies of one text within one cell."""

    first: Counted
    size: int


def _units(texts: Sequence[Counted]) -> list[_Unit]:
    ordered = sorted(texts, key=lambda text: (text.day, text.id))
    firsts: dict[tuple[str, str], Counted] = {}
    for text in ordered:
        firsts.setdefault((text.cell, text.cluster), text)
    sizes = Counter((text.cell, text.cluster) for text in ordered)
    return [_Unit(text, sizes[key]) for key, text in firsts.items()]


@dataclass(frozen=True, slots=True)
class _Table:
    """Which unit (row) has which term (column), and how each term is most often written."""

    has: csr_matrix
    terms: list[str]
    written: dict[str, str]

    @classmethod
    def of(cls, units: Sequence[_Unit]) -> "_Table":
        found, written = terms_of([unit.first.text for unit in units])
        terms = sorted({term for each in found for term in each})
        place = {term: at for at, term in enumerate(terms)}
        rows = [row for row, each in enumerate(found) for _ in each]
        columns = [place[term] for each in found for term in sorted(each)]
        ones = np.ones(len(rows), dtype=np.int64)
        shape = (len(units), len(terms))
        return cls(csr_matrix((ones, (rows, columns)), shape=shape), terms, written)


def _voices(has: csr_matrix, units: Sequence[_Unit], cell_of: Indices, cells: int) -> Floats:
    """Count the voices of each term (columns) in each cell (rows)."""
    keys = [
        (cell, unit.first.author or unit.first.cluster, unit.first.day)
        for cell, unit in zip(cell_of.tolist(), units, strict=True)
    ]
    place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    ones = np.ones(len(units))
    said = csr_matrix((ones, ([place[key] for key in keys], range(len(units)))))
    once = (said @ has).minimum(1)
    owner = np.array([cell for cell, *_ in place], dtype=np.int64)
    sums = csr_matrix((np.ones(len(place)), (owner, range(len(place)))), shape=(cells, len(place)))
    return np.asarray((sums @ once).toarray(), dtype=float)


def log_odds(here: Floats, elsewhere: Floats) -> tuple[Floats, Floats]:
    """Return the log-odds ratio and the z-score of each term between two cells.

    Args:
        here: mentions of each term in the cell; shape (terms,).
        elsewhere: mentions in the rest; shape (terms,).
    """
    both = here + elsewhere
    weight = min(PRIOR, both.sum() / 10)
    prior = np.maximum(weight * both / max(both.sum(), 1.0), 1e-9)
    ratios = []
    for seen in (here, elsewhere):
        mine = seen + prior
        ratios.append(np.log(mine / (seen.sum() + prior.sum() - mine)))
    delta = ratios[0] - ratios[1]
    return delta, delta / np.sqrt(1 / (here + prior) + 1 / (elsewhere + prior))


def _standing_out(
    cell: str,
    table: _Table,
    units: Sequence[_Unit],
    rows: Indices,
    voices: Floats,
    at: int,
    most: int,
) -> list[Term]:
    delta, z = log_odds(voices[at], voices.sum(axis=0) - voices[at])
    has = table.has[rows].tocsc()
    sizes = np.array([units[row].size for row in rows])
    candidates = np.flatnonzero((z > SURE) & (voices[at] >= MIN_VOICES)).tolist()
    chosen: list[Term] = []
    for column in sorted(candidates, key=lambda c: (-z[c], table.terms[c]))[: 3 * most]:
        mine = has.indices[has.indptr[column] : has.indptr[column + 1]]
        texts = frozenset(units[row].first.id for row in rows[mine])
        term = Term(
            cell=cell,
            term=table.terms[column],
            count=int(sizes[mine].sum()),
            distinct=len(mine),
            voices=int(voices[at, column]),
            n=int(sizes.sum()),
            log_odds=float(delta[column]),
            z=float(z[column]),
            example=units[rows[mine[0]]].first.id,
            texts=texts,
        )
        _add(chosen, term)
    return [replace(term, term=table.written[term.term]) for term in chosen[:most]]


def _add(chosen: list[Term], term: Term) -> None:
    """Take a term in; of those that share a word in the same texts the longest stays."""
    rivals = [at for at, other in enumerate(chosen) if _the_same(term, other)]
    if not rivals:
        chosen.append(term)
    elif all(len(chosen[at].term.split()) < len(term.term.split()) for at in rivals):
        chosen[rivals[0]] = term
        for at in reversed(rivals[1:]):
            del chosen[at]


def _the_same(one: Term, other: Term) -> bool:
    if set(one.term.split()).isdisjoint(set(other.term.split()) - _INSIDE):
        return False
    return len(one.texts & other.texts) >= _ABSORBED * max(one.distinct, other.distinct)


def terms_of(texts: Sequence[str]) -> tuple[list[set[str]], dict[str, str]]:
    """Return the terms of each text, and how each is most often written."""
    pieces = [list(_pieces(text)) for text in texts]
    known = _collocations([[lemma for lemma, _ in piece] for each in pieces for piece in each])
    forms: dict[str, Counter[str]] = {}
    found: list[set[str]] = []
    for each in pieces:
        mine = dict(pair for piece in each for pair in _of_piece(piece, known))
        for term, form in mine.items():
            forms.setdefault(term, Counter())[form] += 1
        found.append(set(mine))
    return found, {term: min(seen, key=lambda f: (-seen[f], f)) for term, seen in forms.items()}


def content_words(text: str) -> list[str]:
    """Return the lemmas of a text's words, without those that say nothing by themselves."""
    words = (_word(token) for token in _TOKEN.findall(clean(text[:_READ]).lower()))
    return [word[0] for word in words if word and word[0] not in _INSIDE and word[0].isalpha()]


def _pieces(text: str) -> Iterator[list[Word]]:
    """Cut a text at marks, masks and words that say nothing, and give the words between them.

    Words that stand inside of terms («de», «la») are kept.
    """
    piece: list[Word] = []
    for token in _TOKEN.findall(clean(text[:_READ]).lower()):
        word = _word(token)
        if word is not None:
            piece.append(word)
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


@lru_cache(maxsize=1 << 17)
def _word(token: str) -> Word | None:
    """Return the lemma of a token and the token; None where it is no part of a term."""
    if token in _INSIDE or (token.isdigit() and len(token) <= 3):
        return token, token
    if not 3 <= len(token) <= _LONGEST or not token[0].isalpha() or token in _silent():
        return None
    from simplemma import lemmatize

    lemma = lemmatize(token, lang="es").lower()
    return None if lemma in _silent() else (lemma, token)


@cache
def _silent() -> frozenset[str]:
    from spacy.lang.es.stop_words import STOP_WORDS

    return _CHAT | (STOP_WORDS - _INSIDE)


def _collocations(pieces: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the runs of words that stand together far more often than by chance."""
    from gensim.models.phrases import Phrases

    model = Phrases(
        pieces,
        min_count=_TIMES_SEEN,
        threshold=_AGREEMENT,
        scoring="npmi",
        delimiter=" ",
        connector_words=_INSIDE,
    )
    return frozenset(model.export_phrases())


def _of_piece(piece: Sequence[Word], known: frozenset[str]) -> Iterator[Word]:
    """Give the single words and the collocations of a piece, each with its form."""
    for start, (lemma, form) in enumerate(piece):
        if lemma in _INSIDE or lemma.isdigit():
            continue
        yield lemma, form
        for end in range(start + 2, min(start + _WORDS, len(piece)) + 1):
            run = " ".join(word for word, _ in piece[start:end])
            if run in known:
                yield run, " ".join(form for _, form in piece[start:end])
