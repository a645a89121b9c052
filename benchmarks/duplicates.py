"""Near-duplicates: precision and recall on planted copies, and texts a second of CPU time.

``python benchmarks/duplicates.py [--texts 100000] [--thresholds 0.5,0.6,0.7]``

The originals mix the words of the sandbox town, as often as its neighbours use them; a tenth of
the texts are copies of another, altered in one of the ways below. Precision and recall are of
pairs (original, copy): a pair counts as found where both are in one cluster, and as wrong where a
cluster holds a text of another original.
"""

import argparse
import json
import random
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from nlp.duplicates import THRESHOLD, DuplicateIndex, fold, signatures

_LEADS = ("LEA TAMBIÉN: Vecinos piden más luz. ", "ÚLTIMO MINUTO | ", "(Foto: Difusión) ", "RT: ")
_TOWN = Path(__file__).parents[1] / "crawlers" / "sandbox" / "texts"


def town_words() -> list[str]:
    """Return every word of the sandbox town's posts, as often as it stands there."""
    lines = [line for file in sorted(_TOWN.glob("posts_*.jsonl")) for line in file.open()]
    return [word for line in lines for word in json.loads(line)["text"].split()]


def original(words: Sequence[str], chance: random.Random) -> str:
    """Return a text of 8 to 80 of the town's words in an order of its own."""
    return " ".join(chance.choices(words, k=chance.choice((8, 12, 16, 24, 40, 80))))


def typos(text: str, chance: random.Random) -> str:
    """Change one letter in fifty, at least one."""
    letters = list(text)
    for _ in range(max(1, len(letters) // 50)):
        letters[chance.randrange(len(letters))] = chance.choice("aeiourstln")
    return "".join(letters)


def lead(text: str, chance: random.Random) -> str:
    """Put a lead before it."""
    return chance.choice(_LEADS) + text


def cut(text: str, chance: random.Random) -> str:
    """Cut up to a fifth off its end."""
    return text[: int(len(text) * chance.uniform(0.8, 0.95))] + "…"


def case(text: str, chance: random.Random) -> str:
    """Shout it, or lose its accents and stops."""
    return text.upper() if chance.random() < 0.5 else fold(text)


WAYS: dict[str, Callable[[str, random.Random], str]] = {
    "typos": typos, "lead": lead, "cut ending": cut, "case": case,
}  # fmt: skip


def planted(count: int, chance: random.Random) -> tuple[list[str], list[int], list[str]]:
    """Return texts, the number of each text's original, and how each copy was altered."""
    words = town_words()
    texts, origins, ways = [], [], []
    for number in range(count):
        if number and chance.random() < 0.1:
            source = chance.randrange(number)
            way = chance.choice(list(WAYS))
            texts.append(WAYS[way](texts[origins[source]], chance))
            origins.append(origins[source])
            ways.append(way)
        else:
            texts.append(original(words, chance))
            origins.append(number)
            ways.append("")
    return texts, origins, ways


def clustered(texts: Sequence[str], threshold: float) -> tuple[list[int], float, float]:
    """Cluster texts; return the clusters, and CPU seconds of signatures and comparison."""
    start = time.process_time()
    signed = signatures(texts)
    middle = time.process_time()
    index = DuplicateIndex(threshold)
    index.add([fold(text) for text in texts], signed)
    clusters = index.clusters().tolist()
    return clusters, middle - start, time.process_time() - middle


def score(clusters: Sequence[int], origins: Sequence[int], ways: Sequence[str]) -> str:
    """Return precision, recall and the recall of each alteration as a line."""
    found: Counter[str] = Counter()
    groups = defaultdict(Counter)
    for cluster, origin, way in zip(clusters, origins, ways, strict=True):
        groups[cluster][origin] += 1
        if way:
            found[way] += cluster == clusters[origin]
    copies = Counter(way for way in ways if way)
    right = sum(sum(n - 1 for n in group.values()) for group in groups.values())
    joined = sum(sum(group.values()) - 1 for group in groups.values())
    parts = ", ".join(f"{way} {found[way] / copies[way]:.4f}" for way in WAYS)
    recall = sum(found.values()) / sum(copies.values())
    return f"precision {right / max(joined, 1):.4f}, recall {recall:.4f} ({parts})"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--texts", type=int, default=100_000)
    options.add_argument("--thresholds", default=str(THRESHOLD))
    options.add_argument("--seed", type=int, default=2021)
    given = options.parse_args()
    texts, origins, ways = planted(given.texts, random.Random(given.seed))
    letters = sum(map(len, texts)) / len(texts)
    print(f"{len(texts):,} texts of {letters:.0f} characters, {sum(map(bool, ways)):,} copies")
    for threshold in map(float, given.thresholds.split(",")):
        clusters, signing, comparing = clustered(texts, threshold)
        print(f"threshold {threshold}: {score(clusters, origins, ways)}")
        rate = len(texts) / (signing + comparing)
        cost = f"{signing:.1f} s signatures, {comparing:.1f} s comparison"
        print(f"  {cost} (CPU): {rate:,.0f} texts/s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
