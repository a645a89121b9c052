"""The town's truth and the 95 % intervals: do they hold it as often as they should?

``python benchmarks/coverage.py [--seeds 100]``

The texts of the sandbox town are classified once, each read alone. Every seed then makes a window
of 30 days of its own: which texts are said, and how often each is repeated; the totals of
categories and sentiments are always the published ones. Counted are the texts in the house's
language, as the pipeline counts them. *Plain* are the counted shares with their Wilson intervals,
*corrected* those that `nlp.quantify` makes of them with the errors of the weights' manifest. The
truth is that of the counted texts; *published* holds the shares of all 5,796 against the same
intervals. Errors are mean absolute differences over the labels, in points.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crawlers.sandbox.texts import Labelled, Texts, Thread, load_texts
from crawlers.sandbox.volume import choose, plan, repeats
from models.records import Classification
from nlp.classifier import Classifier
from nlp.language import HOME, identify
from nlp.quantify import Confusion, correct_shares
from nlp.tasks import TASKS
from pipelines.classify import reading
from pipelines.proportions import wilson_all

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """The shares of one seed's window, in the order of the labels; each of shape (labels,)."""

    published: Floats
    truth: Floats
    plain: Floats
    plain_ends: tuple[Floats, Floats]
    corrected: Floats
    corrected_ends: tuple[Floats, Floats]


def answered(texts: Texts, classifier: Classifier) -> dict[str, Classification]:
    """Classify every text in the house's language once; return the answers by text."""
    words = sorted({_words(text) for text in (*texts.labelled, *texts.noise)})
    home = [one for one, language in zip(words, identify(words), strict=True) if language in HOME]
    return dict(zip(home, classifier.classify(home), strict=True))


def windows(
    texts: Texts,
    answers: Mapping[str, Classification],
    task: str,
    errors: Confusion,
    seeds: Iterable[int],
) -> Iterator[Window]:
    """Count one task in the window of each seed."""
    labels, aim = TASKS[task], plan()
    for seed in seeds:
        chosen = choose(texts, aim, seed)
        every = [*chosen.labelled, *repeats(chosen, aim, seed)]
        said = [one for one in every if _words(one) in answers]
        seen = Counter(str(getattr(answers[_words(one)], task)) for one in said)
        counts = np.array([seen[label] for label in labels])
        low, high = wilson_all(counts, np.full(len(labels), len(said)))[1:]
        shares = correct_shares(seen, errors, labels, seed=seed)
        point, bottom, top = (
            np.array([getattr(shares[label], end) for label in labels])
            for end in ("share", "low", "high")
        )
        yield Window(
            _shares(every, task),
            _shares(said, task),
            counts / len(said),
            (low, high),
            point,
            (bottom, top),
        )


def held(truth: Floats, ends: tuple[Floats, Floats]) -> npt.NDArray[np.bool_]:
    """Say which labels' truth lies in the interval, its ends included."""
    inside: npt.NDArray[np.bool_] = (ends[0] - 1e-9 <= truth) & (truth <= ends[1] + 1e-9)
    return inside


def _words(text: Labelled) -> str:
    if isinstance(text, Thread):
        return reading(text.title, " ".join(text.paragraphs))
    return str(text.text)  # type: ignore[attr-defined]  # posts, comments and noise have it


def _shares(said: list[Labelled], task: str) -> Floats:
    counts = Counter(getattr(one, task) for one in said)
    return np.array([counts[label] for label in TASKS[task]]) / len(said)


def main() -> None:
    """Try all seeds and print a table, and the labels that are missed most."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=int, default=100)
    asked = parser.parse_args()
    texts, classifier = load_texts(), Classifier.load()
    answers = answered(texts, classifier)
    print(
        "| task | shares | truth inside | published inside | error, points | mean width, points |"
    )
    print("|---|---|---|---|---|---|")
    missed = {}
    for task, labels in TASKS.items():
        errors = classifier.manifest.errors[task]
        found = list(windows(texts, answers, task, errors, range(1, asked.seeds + 1)))
        for name, ends_name in (("plain", "plain_ends"), ("corrected", "corrected_ends")):
            ends = [getattr(one, ends_name) for one in found]
            inside = np.array([held(one.truth, e) for one, e in zip(found, ends, strict=True)])
            told = np.array([held(one.published, e) for one, e in zip(found, ends, strict=True)])
            error = np.mean([np.abs(getattr(one, name) - one.truth).mean() for one in found])
            width = np.mean([(high - low).mean() for low, high in ends])
            published = f"{told.mean():.1%}" if task != "intent" else "none published"
            print(
                f"| {task} | {name} | {inside.mean():.1%} | {published} | {100 * error:.2f} "
                f"| {100 * width:.1f} |",
                flush=True,
            )
            rates = zip(labels, inside.mean(axis=0), strict=True)
            missed[task, name] = {label: float(rate) for label, rate in rates if rate < 0.9}
    for (task, name), rates in missed.items():
        listed = ", ".join(f"{label} {rate:.0%}" for label, rate in sorted(rates.items()))
        print(f"{task}, {name}: truth inside in fewer than 90 % of the seeds: {listed or 'none'}")


if __name__ == "__main__":
    main()
