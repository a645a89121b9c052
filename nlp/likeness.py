"""How much texts are about the same: the cosine of their content words, rare ones weigh more.

Lemmas of content words, weighted by tf-idf (Spärck Jones, K., 1972, «A statistical interpretation
of term specificity», Journal of Documentation 28) over the texts at hand; 0 nothing in common, 1
the same words.
"""

from collections.abc import Sequence

from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.feature_extraction.text import TfidfVectorizer

from nlp.terms import content_words


def word_vectors(texts: Sequence[str], learn_from: Sequence[str]) -> csr_matrix:
    """Return a row of length 1 per text, all zeros for one without content words.

    The product of two rows is the likeness of their texts.

    Args:
        texts: those to compare.
        learn_from: those by which a word is rare: each text once, without its copies.
    """
    weigh = TfidfVectorizer(analyzer=content_words, sublinear_tf=True)
    if not any(content_words(text) for text in learn_from):
        return csr_matrix((len(texts), 1))
    weigh.fit(learn_from)
    return csr_matrix(weigh.transform(texts))
