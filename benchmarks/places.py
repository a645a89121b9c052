"""Processor time a text of looking for places, beside that of classifying the same texts.

``python benchmarks/places.py [--texts 1000]``. The texts are those of `benchmarks/classify.py`.
"""

import argparse
import time
from collections.abc import Callable, Sequence

from benchmarks.classify import draw_texts
from configs.load import load_municipality
from nlp.classifier import Classifier
from nlp.places import Gazetteer


def cpu(do: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Return the processor's milliseconds a text, after a first few that warm it up."""
    do(texts[:32])
    began = time.process_time()
    do(texts[32:])
    return 1e3 * (time.process_time() - began) / len(texts[32:])


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--texts", type=int, default=1_000)
    texts = draw_texts(options.parse_args().texts + 32, 2021)
    began = time.process_time()
    gazetteer = Gazetteer.of(load_municipality("ate"))
    print(f"gazetteer of Ate: built in {time.process_time() - began:.1f} s of CPU")
    places, labels = cpu(gazetteer.locate, texts), cpu(Classifier.load().classify, texts)
    print(f"places {places:.2f} ms of CPU a text, labels {labels:.2f}: {places / labels:.0%}")


if __name__ == "__main__":
    main()
