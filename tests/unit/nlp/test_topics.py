"""Topics: what lies together, what they are called, and whether they are known again."""

import numpy as np
import pytest

from nlp.topics import LEAST_TEXTS, find_topics

WORDS = {
    "agua": "corte de agua y caño sin agua",
    "pista": "pista con huecos y bache en la pista",
    "luz": "se fue la luz y el poste sin luz",
    "robo": "otro robo en la esquina, un robo más",
    "vacuna": "cola para la vacuna y falta vacuna",
    "perro": "perros sueltos y ladridos del perro",
}
WIDTH = 40


def town(seed: int = 0, each: int = 25, about: tuple[str, ...] = tuple(WORDS)):
    """Texts about six things, whose vectors lie around a direction of their own, and noise.

    Every vector also lies somewhere along three directions that say nothing.
    """
    fixed = np.random.default_rng(99)
    places, shared = fixed.normal(size=(len(WORDS), WIDTH)), fixed.normal(size=(3, WIDTH)) * 1.5
    chance = np.random.default_rng(seed)
    ids, texts, vectors = [], [], []
    for name, place in zip(WORDS, places, strict=True):
        for at in range(each if name in about else 0):
            ids.append(f"{seed}-{name}-{at}")
            texts.append(f"{WORDS[name]} número {at}")
            vectors.append(place + chance.normal(scale=0.25, size=WIDTH))
    for at in range(each):
        ids.append(f"{seed}-ruido-{at}")
        texts.append(f"cualquier cosa {at}")
        vectors.append(chance.normal(size=WIDTH) * 1.2)
    found = np.array(vectors) + chance.normal(size=(len(vectors), 3)) @ shared
    return ids, texts, found / np.linalg.norm(found, axis=1, keepdims=True)


def named(topics, ids) -> dict[str, str]:
    """Return the id of the topic of each thing."""
    return {ids[topic.members[0]].split("-")[1]: topic.id for topic in topics}


def test_what_lies_together_is_a_topic_called_by_its_words() -> None:
    ids, texts, vectors = town()
    topics = find_topics(ids, texts, vectors)
    assert set(named(topics, ids)) >= set(WORDS)
    for topic in topics:
        things = [ids[row].split("-")[1] for row in topic.members]
        if things[0] in WORDS:
            assert things.count(things[0]) >= 0.8 * len(things)
            assert things[0] in " ".join(topic.terms)
        assert len(topic.members) >= LEAST_TEXTS
        assert not topic.known


def test_the_order_of_the_texts_changes_nothing() -> None:
    ids, texts, vectors = town()
    order = np.random.default_rng(5).permutation(len(ids))
    again = find_topics([ids[i] for i in order], [texts[i] for i in order], vectors[order])
    first = find_topics(ids, texts, vectors)
    assert [(t.id, t.terms) for t in again] == [(t.id, t.terms) for t in first]


def test_a_topic_keeps_its_id_in_the_next_window_and_a_new_one_gets_its_own() -> None:
    ids, texts, vectors = town(seed=1, about=tuple(WORDS)[:-1])
    before = find_topics(ids, texts, vectors)
    old = named(before, ids)
    ids, texts, vectors = town(seed=2)
    after = find_topics(ids, texts, vectors, {t.id: t.centroid for t in before})
    new = named(after, ids)
    assert new["agua"] == old["agua"]
    assert new["pista"] == old["pista"]
    assert new["perro"] not in old.values()
    known = {topic.id: topic.known for topic in after}
    assert known[new["agua"]]
    assert not known[new["perro"]]


def test_of_two_that_lie_near_an_earlier_one_the_nearer_keeps_its_id() -> None:
    ids, texts, vectors = town(seed=3)
    topics = {topic.id: topic for topic in find_topics(ids, texts, vectors)}
    own, like = (topics[named(topics.values(), ids)[thing]].centroid for thing in ("agua", "luz"))
    found = find_topics(ids, texts, vectors, {"t-old": 0.7 * own + 0.3 * like})
    known = [ids[topic.members[0]].split("-")[1] for topic in found if topic.known]
    assert known == ["agua"]
    assert named(found, ids)["agua"] == "t-old"


def test_what_lies_halfway_is_not_known_again() -> None:
    ids, texts, vectors = town(seed=3)
    topics = find_topics(ids, texts, vectors)
    every = np.mean([topic.centroid for topic in topics], axis=0)
    assert not any(topic.known for topic in find_topics(ids, texts, vectors, {"t-old": every}))


def test_no_id_is_given_twice() -> None:
    ids, texts, vectors = town(seed=3)
    before = find_topics(ids, texts, vectors)
    twice = {topic.id: before[0].centroid for topic in before}
    topics = find_topics(ids, texts, vectors, twice)
    assert len({topic.id for topic in topics}) == len(topics)


@pytest.mark.parametrize("count", [0, 1, LEAST_TEXTS])
def test_too_few_texts_have_no_topics(count: int) -> None:
    ids, texts, vectors = town()
    assert find_topics(ids[:count], texts[:count], vectors[:count]) == []


def test_texts_that_say_nothing_are_in_no_topic() -> None:
    ids, texts, vectors = town()
    vectors[::2] = 0
    silent = set(range(0, len(ids), 2))
    topics = find_topics(ids, texts, vectors)
    assert not silent & {row for topic in topics for row in topic.members}
