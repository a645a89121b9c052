"""Near-duplicates: what is joined, what is not, and that order and batches make no difference."""

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.duplicates import DuplicateIndex, fold, signatures

STORY = (
    "Vecinos de Huaycán reclaman que el camión de la basura no pasa hace dos semanas por la zona "
    "alta, y que los desechos se acumulan frente al colegio inicial donde estudian sus hijos."
)
OTHER = (
    "La posta médica de Salamanca atenderá los domingos de campaña con vacunas para niños "
    "menores de cinco años, informó la encargada del establecimiento esta mañana."
)
COPIES = {
    "typos": STORY.replace("reclaman", "recalman").replace("colegio", "colejio"),
    "lead": f"LEA TAMBIÉN: {STORY}",
    "cut": STORY[:150] + "…",
    "case": STORY.upper(),
    "accents": fold(STORY),
    "emoji": f"🔴🔴 {STORY} 👉👉",
}


def partition(batches: list[list[str]], threshold: float = 0.6) -> set[frozenset[str]]:
    """Add texts in batches and return the clusters, as sets of texts."""
    index, texts = DuplicateIndex(threshold), []
    for batch in batches:
        index.add([fold(text) for text in batch], signatures(batch))
        texts += batch
    groups = defaultdict(set)
    for text, cluster in zip(texts, index.clusters(), strict=True):
        groups[cluster].add(text)
    return {frozenset(group) for group in groups.values()}


@pytest.mark.parametrize("way", COPIES)
def test_an_altered_copy_is_joined(way):
    assert partition([[STORY, OTHER, COPIES[way]]]) == {
        frozenset({STORY, COPIES[way]}),
        frozenset({OTHER}),
    }


def test_the_same_subject_in_other_words_is_no_copy():
    again = "En la parte alta de Huaycán la basura sigue sin recogerse; dos semanas y nadie viene."
    assert len(partition([[STORY, again]])) == 2


def test_short_texts_are_joined_only_if_they_are_equal():
    texts = ["Buen trabajo, alcalde", "buen trabajo alcalde!!", "Buen trabajo, alcalda", "", "👏"]
    groups = {frozenset(map(fold, group)) for group in partition([texts])}
    assert groups == {frozenset({fold(text)}) for text in texts}
    assert signatures(texts) == [None] * 5


def test_a_higher_threshold_asks_for_more():
    cut = STORY[:120]
    assert len(partition([[STORY, cut]], 0.5)) == 1
    assert len(partition([[STORY, cut]], 0.95)) == 2


def test_strange_texts_have_signatures_too():
    strange = ["\ud800" * 50, "\x00" * 60, "a" * 100_000, "水がいつ戻るか知っている人" * 5]
    assert len(signatures(strange)) == 4
    assert len(partition([strange])) == 3  # two of them are empty


def test_a_crowd_of_copies_is_one_cluster():
    crowd = [f"{STORY} Firma número {number}." for number in range(300)]
    assert len(partition([crowd])) == 1
    assert len(partition([[text] for text in crowd[:60]])) == 1


def test_a_crowd_that_is_joined_already_is_not_compared_pair_by_pair(monkeypatch):
    compared = []
    read = DuplicateIndex._read

    def counted(index, texts):
        compared.append(len(texts) // 2)
        return read(index, texts)

    monkeypatch.setattr(DuplicateIndex, "_read", counted)
    crowd = [f"{STORY} Firma número {number}." for number in range(400)]
    assert len(partition([crowd[:200], crowd[200:]])) == 1
    assert sum(compared) < 10 * len(crowd)  # of 79,800 pairs


def test_restored_clusters_are_not_lost():
    texts = [STORY, OTHER, COPIES["cut"]]
    hashes, signed = list(map(fold, texts)), signatures(texts)
    index = DuplicateIndex(0.6)
    index.restore(zip(hashes, signed, ["x", "y", "x"], strict=True))
    index.add([fold(COPIES["lead"])], signatures([COPIES["lead"]]))
    one, two, three, four = index.clusters()
    assert one == three == four != two


def test_more_texts_than_are_kept_unsorted_are_known_again():
    hashes = [f"corto {number}" for number in range(40_000)]
    index = DuplicateIndex()
    index.restore((text, None, text) for text in hashes)
    index.add(hashes[::-1], [None] * len(hashes))
    found = index.clusters().tolist()
    assert found == [*range(40_000), *reversed(range(40_000))]


def _alike(chance: random.Random) -> list[str]:
    """Return texts that shade into each other: chains of small changes, and loners."""
    words = STORY.split() + OTHER.split()
    texts = []
    for _ in range(6):
        text = chance.choices(words, k=14)
        for _ in range(chance.randrange(1, 6)):
            texts.append(" ".join(text))
            text[chance.randrange(14)] = chance.choice(words)
    return [*texts, STORY, *COPIES.values(), "corto", "Corto!"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.data())
def test_any_order_and_any_batches_give_the_same_clusters(seed, data):
    texts = list(dict.fromkeys(_alike(random.Random(seed))))
    shuffled = data.draw(st.permutations(texts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=6)))
    batches = [
        shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(texts)], strict=True)
    ]
    assert partition(batches) == partition([texts])
