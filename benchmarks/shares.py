"""Corrected shares: how often their interval holds the truth, and their error, on real texts.

``python benchmarks/shares.py --data DIR [--samples 10] [--seed 1]``

Two tests, over the dev sets under DIR and the gold. *Elsewhere*: the errors are learnt on all
domains but one, and samples of that one (a third of its texts, drawn with shifted shares) are
counted. *At home*: the errors are learnt on one half of the dev texts of all domains, and
samples of 1,000 texts are drawn from the other half with shares drawn evenly at random. An error
is the mean absolute difference to the true shares of the sample, over all labels. `matrix` is the
correction by the confusion matrix alone, as if the errors were the same everywhere.
"""

import argparse
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nlp.classifier import Classifier
from nlp.clean import clean
from nlp.evaluate import confusion_counts
from nlp.quantify import correct_shares, fit_errors, likely_rows, mixture_shares
from nlp.tasks import TASKS
from nlp.training.calibrate import domain_of, gold_numbers
from nlp.training.examples import load_dev, training_texts
from nlp.training.rows import read_rows

GOLD = Path(__file__).parents[1] / "tests" / "gold" / "peru.jsonl"
FEWEST = 60  # texts of a domain that is tested on
Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Domain(NamedTuple):
    """True and predicted label numbers of one task in one domain."""

    right: Numbers
    found: Numbers

    def counts(self, size: int) -> list[list[int]]:
        """Return the confusion counts (size, size)."""
        return confusion_counts(self.right, self.found, size).tolist()


class Result(NamedTuple):
    """What came of one sample."""

    held: float
    width: float
    error: float
    naive: float
    matrix: float


def load(data: Path) -> dict[str, dict[str, Domain]]:
    """Classify the dev texts that were not trained on, and the gold; group by task and domain."""
    classifier, trained = Classifier.load(), training_texts(data)
    rows = [
        (domain_of(name, row), row)
        for name, found in load_dev(data).items()
        for row in found
        if clean(row["text"]) not in trained
    ]
    rows += [("gold", row) for row in read_rows(GOLD)]
    answers = classifier.classify([row["text"] for _, row in rows])
    names = np.array([name for name, _ in rows])
    found: dict[str, dict[str, Domain]] = {}
    for task, labels in TASKS.items():
        right = gold_numbers([row for _, row in rows], task)
        said = np.array([labels.index(getattr(answer, task)) for answer in answers])
        found[task] = {
            name: Domain(right[mine], said[mine])
            for name in sorted(set(names))
            if (mine := (names == name) & (right >= 0)).any()
        }
    return found


def tried(sample: Domain, learnt: list[Domain], labels: tuple[str, ...], seed: int) -> Result:
    """Correct the counts of a sample with the errors of other texts, and compare."""
    size, n = len(labels), len(sample.right)
    truth = np.bincount(sample.right, minlength=size) / n
    seen = dict(zip(labels, np.bincount(sample.found, minlength=size).tolist(), strict=True))
    errors = fit_errors([one.counts(size) for one in learnt])
    shares = correct_shares(seen, errors, labels, seed=seed)
    low, point, high = (
        np.array([getattr(shares[label], end) for label in labels])
        for end in ("low", "share", "high")
    )
    counts = np.array([list(seen.values())], dtype=float)
    matrix = mixture_shares(counts, likely_rows(np.array(errors.counts, dtype=float))[None])[0]
    return Result(
        held=float(((low <= truth + 1e-9) & (truth <= high + 1e-9)).mean()),
        width=float((high - low).mean()),
        error=float(np.abs(point - truth).mean()),
        naive=float(np.abs(counts[0] / n - truth).mean()),
        matrix=float(np.abs(matrix - truth).mean()),
    )


def elsewhere(
    domains: dict[str, Domain], labels: tuple[str, ...], samples: int, rng: np.random.Generator
) -> list[Result]:
    """Count samples of each domain with the errors of all the others."""
    results = []
    for name, domain in domains.items():
        if len(domain.right) < FEWEST:
            continue
        others = [one for other, one in domains.items() if other != name]
        for seed in range(samples):
            weight = np.exp(rng.normal(0, 1, len(labels)))[domain.right]
            size = max(40, len(weight) // 3)
            drawn = rng.choice(len(weight), size, replace=False, p=weight / weight.sum())
            sample = Domain(domain.right[drawn], domain.found[drawn])
            results.append(tried(sample, others, labels, seed))
    return results


def at_home(
    domains: dict[str, Domain], labels: tuple[str, ...], samples: int, rng: np.random.Generator
) -> list[Result]:
    """Count samples of one half of every domain's texts with the errors of the other."""
    learnt, left = [], []
    for name, domain in domains.items():
        if name == "gold":
            continue
        half = rng.permutation(len(domain.right)) < len(domain.right) // 2
        learnt.append(Domain(domain.right[half], domain.found[half]))
        left.append(Domain(domain.right[~half], domain.found[~half]))
    right, found = (np.concatenate(parts) for parts in zip(*left, strict=True))
    of_label = defaultdict(list)
    for at, label in enumerate(right):
        of_label[int(label)].append(at)
    results = []
    for seed in range(samples):
        known = sorted(of_label)
        wanted = rng.choice(known, 1_000, p=rng.dirichlet(np.ones(len(known))))
        drawn = np.array([rng.choice(of_label[label]) for label in wanted])
        results.append(tried(Domain(right[drawn], found[drawn]), learnt, labels, seed))
    return results


def main() -> None:
    """Run both tests on each task and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print("| test | task | samples | interval holds | mean width | error | uncorrected | matrix |")
    print("|---|---|---|---|---|---|---|---|")
    for task, domains in load(asked.data).items():
        for name, test in (("elsewhere", elsewhere), ("at home", at_home)):
            samples = asked.samples * (1 if name == "elsewhere" else 3)
            results = test(domains, TASKS[task], samples, rng)
            held, width, error, naive, matrix = np.mean(results, axis=0)
            print(
                f"| {name} | {task} | {len(results)} | {held:.1%} | {width:.3f} | {error:.4f} "
                f"| {naive:.4f} | {matrix:.4f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
