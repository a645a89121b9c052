"""Topics of texts that are not the town's, and what the most texts that are read at once cost.

    python benchmarks/topics.py --news peru_news.csv [--lines texts.txt.xz --texts 20000]

The news (columns title, description, created_at) are cut in two by date, and the second half is to
know the topics of the first again; whoever runs it judges by the terms whether they are the same.
Of the lines as many distinct ones are embedded and clustered as `pipelines.discover` does at most.
"""

import argparse
import csv
import lzma
import resource
import time
from itertools import islice
from pathlib import Path

import numpy as np

from nlp.classifier import Classifier
from nlp.topics import Topic, find_topics
from pipelines.discover import MOST_EMBEDDED


def news(path: Path) -> list[str]:
    """Return title and description of every item, the earliest first, each text once."""
    with path.open(encoding="utf-8", newline="") as file:
        items = sorted(csv.DictReader(file), key=lambda item: item["created_at"])
    return list(dict.fromkeys(f"{i['title']}. {i['description']}" for i in items if i["title"]))


def lines(path: Path, most: int) -> list[str]:
    """Return the first distinct lines of an xz file."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        said = (line.strip() for line in file)
        return list(islice(dict.fromkeys(islice(filter(None, said), 2 * most)), most))


def measured(classifier: Classifier, texts: list[str], earlier: list[Topic]) -> list[Topic]:
    """Embed and cluster texts, and print what it cost."""
    start = time.process_time()
    vectors = classifier.embed(texts)
    embedded = time.process_time()
    ids = [f"{number:06}" for number in range(len(texts))]
    known = {topic.id: topic.centroid for topic in earlier}
    found = find_topics(ids, texts, vectors, known)
    clustered = time.process_time()
    inside = sum(len(topic.members) for topic in found)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(texts):,} texts: {len(found)} topics hold {inside / len(texts):.0%} of them; "
        f"{embedded - start:.1f} s cpu for vectors, {clustered - embedded:.1f} for topics; "
        f"peak {peak:,.0f} MiB"
    )
    return found


def again(first: list[Topic], second: list[Topic]) -> None:
    """Print which topics are known again, with the cosine of their centres."""
    of = {topic.id: topic for topic in first}
    known = [topic for topic in second if topic.known]
    print(f"known again: {len(known)} of {len(first)}; new: {len(second) - len(known)}")
    for topic in known:
        old = of[topic.id]
        centres = [one.centroid / np.linalg.norm(one.centroid) for one in (old, topic)]
        print(f"  {centres[0] @ centres[1]:.2f} {old.terms} → {topic.terms}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--news", type=Path)
    parser.add_argument("--lines", type=Path)
    parser.add_argument("--texts", type=int, default=MOST_EMBEDDED)
    asked = parser.parse_args()
    classifier = Classifier.load()
    if asked.news:
        texts = news(asked.news)
        half = len(texts) // 2
        first = measured(classifier, texts[:half], [])
        again(first, measured(classifier, texts[half:], first))
    if asked.lines:
        measured(classifier, lines(asked.lines, asked.texts), [])


if __name__ == "__main__":
    main()
