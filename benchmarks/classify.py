"""Texts a second, against a script that calls `transformers.pipeline`, with the same weights.

``python benchmarks/classify.py [--texts 2000] [--slow-texts 200] [--threads 2] [--model FOLDER]``

The texts mix sentences of the gold file and of the sandbox town; their lengths are lognormal with
a median of 25 tokens. Every way of answering runs in a process of its own. «ours» does all that
`manifiesta classify` does (cleaning, lexicon, three heads) on every core; a pipeline only cuts
into tokens and asks one head, the category, in `--threads` threads. A pipeline has one head, so a
script that wants the three labels calls three of them: a way of its own. On a machine with other
work compare CPU times and use one thread: a wall clock also counts waiting for a turn, and threads
that wait for each other burn CPU time. Then the pipelines are compared as if two cores made them
twice as fast, which they don't.
"""

import argparse
import contextlib
import copy
import io
import json
import math
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from nlp.manifest import SHIPPED
from nlp.tasks import TASKS

_ROOT = Path(__file__).parents[1]
_FILES = (
    _ROOT / "tests" / "gold" / "peru.jsonl",
    *sorted((_ROOT / "crawlers" / "sandbox" / "texts").glob("posts_*.jsonl")),
)
_LETTERS = 110, 0.7  # median and spread of the lengths: about 25 tokens
_WARM = 32
_CORES = len(os.sched_getaffinity(0))
_FIRST = """
import time
from pathlib import Path
started = time.perf_counter()
from configs.model import ModelSpec
from nlp.classifier import Classifier
Classifier.load(ModelSpec(path=Path({folder!r}))).classify(["No hay agua en Vitarte"])
print(time.perf_counter() - started, time.process_time())
"""


@dataclass
class Measured:
    """How one way answered."""

    texts: int
    wall: float
    cpu: float
    peak_mib: float
    chances: dict[str, np.ndarray[Any, Any]]


def draw_texts(count: int, seed: int) -> list[str]:
    """Return different texts of real sentences whose lengths are lognormal."""
    chance = random.Random(seed)
    said = [json.loads(line)["text"] for file in _FILES for line in file.open(encoding="utf-8")]
    found: dict[str, None] = {}
    while len(found) < count:
        letters = int(chance.lognormvariate(math.log(_LETTERS[0]), _LETTERS[1]))
        text = chance.choice(said)
        while len(text) < letters:
            text += " " + chance.choice(said)
        found[text[: max(letters, 12)].rsplit(" ", 1)[0]] = None
    return list(found)


def _ours(folder: Path, rounded: bool) -> Callable[[Sequence[str]], dict[str, Any]]:
    from configs.model import ModelSpec
    from nlp.classifier import Classifier
    from nlp.inference import Engine

    classifier = Classifier.load(ModelSpec(path=folder))
    if not rounded:
        classifier._model = Engine.load(folder, rounded=False)

    def answer(texts: Sequence[str]) -> dict[str, Any]:
        found = classifier.classify(texts)
        return {
            "category": np.array([list(one.categories.values()) for one in found]),
            "sentiment": np.array([list(one.sentiments.values()) for one in found]),
            "intent": np.array([list(one.intents.values()) for one in found]),
        }

    return answer


def _script(
    folder: Path, tasks: Sequence[str], batch: int, threads: int
) -> Callable[[Sequence[str]], dict[str, Any]]:
    """Return the usual script: for each task a pipeline of the encoder and the task's head."""
    import torch
    from transformers import ModernBertPreTrainedModel, PreTrainedTokenizerFast, logging, pipeline
    from transformers.modeling_outputs import SequenceClassifierOutput

    from nlp.encoder import ManifestationModel

    class OneHead(ModernBertPreTrainedModel):
        def __init__(self, config: Any, task: str) -> None:
            super().__init__(config)
            self.whole = ManifestationModel.from_pretrained(folder, dtype=torch.float32)
            self.task = task

        def forward(self, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
            answered = self.whole(input_ids, attention_mask)
            return SequenceClassifierOutput(logits=getattr(answered, self.task))

    logging.set_verbosity(logging.CRITICAL)
    torch.set_num_threads(threads)
    whole = ManifestationModel.from_pretrained(folder, dtype=torch.float32)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        pad_token="[PAD]",
        model_max_length=128,
        model_input_names=["input_ids", "attention_mask"],
    )
    pipelines = []
    for task in tasks:
        config = copy.deepcopy(whole.config)
        config.num_labels = whole.heads[task].out_features
        model = OneHead(config, task).eval()
        pipelines.append(
            pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
        )

    def answer(texts: Sequence[str]) -> dict[str, Any]:
        if batch == 1:
            for text in texts:
                for classify in pipelines:
                    classify(text, truncation=True)
        else:
            for classify in pipelines:
                classify(list(texts), batch_size=batch, truncation=True)
        return {}

    return answer


def _measure(kind: str, folder: Path, texts: Sequence[str], threads: int) -> Measured:
    with contextlib.redirect_stderr(io.StringIO()):
        answer = {
            "ours": lambda: _ours(folder, rounded=True),
            "single precision": lambda: _ours(folder, rounded=False),
            "pipeline, text by text": lambda: _script(folder, ["category"], 1, threads),
            "pipeline, batches of 32": lambda: _script(folder, ["category"], 32, threads),
            "three pipelines, text by text": lambda: _script(folder, list(TASKS), 1, threads),
        }[kind]()
        answer(texts[:_WARM])
        wall, cpu = time.perf_counter(), time.process_time()
        chances = answer(texts[_WARM:])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(len(texts) - _WARM, wall, cpu, peak, chances)


def measure(kind: str, folder: Path, texts: Sequence[str], threads: int) -> Measured:
    """Answer the texts in a new process; the first 32 only warm it up."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, kind, folder, texts, threads).result()


def peak_rate(folder: Path) -> float:
    """Return the best measured operations a CPU second of one matrix product in fp32."""
    width = json.loads((folder / "config.json").read_text(encoding="utf-8"))["hidden_size"]
    one = np.ones((2_048, width), dtype=np.float32)
    other = np.ones((width, 3 * width), dtype=np.float32)
    best = math.inf
    for _ in range(20):
        started = time.process_time()
        one @ other
        best = min(best, time.process_time() - started)
    return 2 * 2_048 * width * 3 * width / best


def work(folder: Path, texts: Sequence[str]) -> tuple[float, float]:
    """Return the tokens of the texts, and the operations a token of the layers' matrices."""
    from safetensors import safe_open
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    lengths = [len(found.ids) for found in tokenizer.encode_batch_fast(list(texts))]
    print(
        f"{len(texts):,} texts, tokens: median {np.median(lengths):.0f}, mean "
        f"{np.mean(lengths):.0f}, longest {max(lengths)}"
    )
    with safe_open(folder / "model.safetensors", "numpy") as stored:
        shapes = {name: stored.get_slice(name).get_shape() for name in stored.keys()}  # noqa: SIM118
    matrices = [math.prod(one) for name, one in shapes.items() if "layers" in name and len(one) > 1]
    return sum(lengths), 2 * sum(matrices)


def show_difference(found: Measured, exact: Measured) -> None:
    """Print how far the answers are from those in single precision."""
    print("\nours against single precision:")
    for task, ours in found.chances.items():
        wanted = exact.chances[task]
        changed = (ours.argmax(1) != wanted.argmax(1)).mean()
        apart = np.abs(ours - wanted)
        print(
            f"  {task}: probabilities differ by {apart.max():.4f} at most, {apart.mean():.5f} on "
            f"average; another first label in {changed:.2%} of the texts"
        )


def show_first(folder: Path) -> None:
    """Print how long a new process takes to load the model and to answer one text."""
    runs = []
    for _ in range(3):
        code = _FIRST.format(folder=str(folder))
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_ROOT
        )
        runs.append(tuple(map(float, done.stdout.split())))
    wall, cpu = min(run[0] for run in runs), min(run[1] for run in runs)
    print(f"load and first answer in a new process: {wall:.1f} s, {cpu:.1f} s of CPU (best of 3)")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--texts", type=int, default=2_000)
    options.add_argument("--slow-texts", type=int, default=200, help="texts of the pipelines")
    options.add_argument("--threads", type=int, default=_CORES, help="threads of the pipelines")
    options.add_argument("--model", type=Path, default=SHIPPED)
    options.add_argument("--seed", type=int, default=2021)
    given = options.parse_args()
    texts = draw_texts(given.texts + _WARM, given.seed)
    tokens, operations = work(given.model, texts)
    peak = peak_rate(given.model)
    print(f"{_CORES} cores; a matrix product reaches {peak / 1e9:.0f} GFLOP/s a core in fp32\n")
    few = texts[: given.slow_texts + _WARM]
    runs = {
        kind: measure(kind, given.model, some, given.threads)
        for kind, some in (
            ("ours", texts),
            ("single precision", texts),
            ("pipeline, text by text", few),
            ("pipeline, batches of 32", few),
            ("three pipelines, text by text", few),
        )
    }
    usual = runs["pipeline, text by text"]
    print("| way | texts/s | CPU ms/text | by CPU | by wall | of GEMM peak | peak MiB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kind, run in runs.items():
        cpu, wall = run.cpu / run.texts, run.wall / run.texts
        passes = len(TASKS) if kind.startswith("three") else 1
        share = passes * tokens / len(texts) * operations / cpu / peak
        print(
            f"| {kind} | {1 / wall:,.0f} | {1e3 * cpu:.2f} | {usual.cpu / usual.texts / cpu:.1f}× "
            f"| {usual.wall / usual.texts / wall:.1f}× | {share:.0%} | {run.peak_mib:,.0f} |"
        )
    ours, three = runs["ours"], runs["three pipelines, text by text"]
    by_cpu = three.cpu / three.texts / (ours.cpu / ours.texts)
    by_wall = three.wall / three.texts / (ours.wall / ours.texts)
    print(f"\nfor the three labels: {by_cpu:.1f}× by CPU, {by_wall:.1f}× by the clock")
    show_difference(runs["ours"], runs["single precision"])
    show_first(given.model)


if __name__ == "__main__":
    main()
