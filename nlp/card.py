"""The model card, made from the manifest alone.

python -m nlp.card > docs/model-card.md                 write the card
python -m nlp.card --measure --data DIR                 measure first, into the manifest
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from models.errors import ManifiestaError
from nlp.gate import GOLD
from nlp.manifest import SHIPPED, Manifest, Measured, Point, TextSet, read_manifest

_CONFUSIONS = 12
_SETS = {
    "civic": "citizens' tweets to town halls (Spain), proposals (Chile, Madrid), comments (Madrid, "
    "Colombia, Mexico, Seville), Peruvian headlines with lead, incident reports; labelled by the "
    "project's label guide, one annotator a text (eight annotators on 40 common texts: kappa 0.96 "
    "category, 0.86 sentiment, 0.93 intent). From public collections, not shipped",
    "civic_peru": "texts written for this project in Peruvian voices, labelled by their writers; "
    "the project's own",
    "written": "texts written for this project in Peruvian voices and in those of other countries' "
    "town halls, mostly by language models that followed the label guide, without sight of any "
    "other set; labelled as they were written. In `nlp/training/texts`; the project's own, shipped",
    "found": "tweets, comments and opening sentences of Peruvian news from the pretraining text, "
    "drawn across the answers of an earlier version, a third to a half of them its least sure "
    "ones; labelled by language models that read each text by the label guide, once and without "
    "those answers (four of them on 60 texts of civic: kappa with its labels 0.90 category, 0.84 "
    "sentiment, 0.84 intent; with each other on 120 texts 0.88, 0.93, 0.84). The labels ship in "
    "`nlp/training/labels`, the texts don't",
    "sentiment": "Spanish tweets of published sets (UMSAB with InterTASS of several countries, "
    "Peru among them; InterTASS-ES; TASS; tweets of Spanish MPs), labelled by people. Not shipped",
    "emoevent": "tweets labelled with emotions by people, mapped to sentiment: weak. Not shipped",
    "reviews": "hotel and restaurant reviews, their stars mapped to sentiment: weak. Not shipped",
    "emoji": "tweets with the emoji that was removed: weak, an auxiliary task. Not shipped",
}

_WHAT = """\
A classifier of citizens' texts in Spanish, made for the municipalities of Peru. Of each text it
says the urban category (16), the sentiment of the author toward what is talked about (3) and what
the author is doing (8), with calibrated probabilities, and abstains where it is unsure of the
category. A small transformer encoder, trained from scratch on plain Spanish text, with three
heads; a linear model over words and pieces of words (the lexicon) is added to its logits."""

_LIMITS = """\
- **Who labelled.** One annotator a text on most data, and the writers themselves on the Peruvian
  texts. Scores on written texts, the gold among them, are higher than on texts found in the wild:
  the gold is even over the categories and each text has a topic. Read the civic line for what to
  expect of real streams.
- **Countries.** Most found texts are from Spain, Mexico, Chile and Colombia. Real Peruvian texts
  are few: headlines, and the Peruvian part of InterTASS. No Quechua, no Aymara; other languages
  are told apart before and left out of the counts.
- **Irony, mixed feelings and replies without their thread** are where sentiment fails most.
  `manifiesta evaluate tests/gold/peru.jsonl` shows the scores by kind of difficulty.
- **Out of domain:** long legal prose, speech transcripts, other Spanish varieties' local slang,
  texts under four words, lists of hashtags. Probabilities are calibrated on the dev sets; in
  another domain they may be too sure.
- **Shares, not persons.** It counts what many say. It is not fit to judge a person, to decide on
  a single complaint, or to watch anybody.
- **Counts are biased** as any classifier's; the insight tables give shares corrected with its
  confusion matrix, and intervals that carry that doubt."""

_AGAIN = """\
```
manifiesta train pretrain --data DIR --out encoder
manifiesta train finetune --data DIR --encoder encoder --out model
python -m nlp.card --measure --data DIR --model model
python -m nlp.gate --model model
```

`DIR` holds `lm/*.txt.xz`, `civic/`, `civic_peru/` and `sentiment/`; see `docs/training.md`. What
each part of the model brings, and what was tried and dropped, is in `docs/model-ablation.md`.
Speed is measured by `benchmarks/classify.py`."""


def model_card(manifest: Manifest) -> str:
    """Return the card as Markdown; every number in it is the manifest's."""
    sections = [
        f"# Model card: {manifest.name} {manifest.version}",
        "Made by `make docs` from the manifest beside the weights; a test keeps it true.",
        _WHAT,
        _facts(manifest),
        "## Data\n\n" + _data(manifest),
        "## Scores\n\n" + _scores(manifest),
        "## Calibration and abstention\n\n" + _abstention(manifest),
        "## What it confuses\n\n" + _confused(manifest),
        "## Limits\n\n" + _LIMITS,
        "## Train it again\n\n" + _AGAIN,
    ]
    return "\n\n".join(sections) + "\n"


def _facts(manifest: Manifest) -> str:
    commit = manifest.measured.commit if manifest.measured else None
    lines = [
        f"- Licence of the weights: {manifest.licence}. Files: safetensors only.",
        f"- Recipe `{manifest.recipe.get('name', '?')}`, seed {manifest.seed}; it reads "
        f"{manifest.max_tokens} tokens at a time, longer texts in overlapping windows.",
        *(f"- SHA-256 of `{name}`: `{digest}`" for name, digest in manifest.files.items()),
    ]
    if commit:
        lines.append(f"- Measured at commit `{commit}`.")
    return "\n".join(lines)


def _data(manifest: Manifest) -> str:
    sets: Mapping[str, TextSet] = manifest.measured.trained_on if manifest.measured else {}
    rows = [
        (name, _count(sets.get(name)), _SETS.get(name, "not described"), _digest(sets.get(name)))
        for name in manifest.trained_on
    ]
    return _table(("set", "texts", "what, and who labelled", "SHA-256"), rows) + (
        "\n\nTexts that also stand in a dev set are left out of training. The sandbox town's texts "
        "and the gold texts are never trained on."
    )


def _scores(manifest: Manifest) -> str:
    scores = dict(manifest.scores)
    if manifest.measured:
        scores["gold"] = manifest.measured.gold_scores
    rows = [
        (
            name,
            task,
            f"{score['n']:,.0f}",
            f"{score['macro_f1']:.3f}",
            f"{score['macro_f1_low']:.3f}-{score['macro_f1_high']:.3f}",
            f"{score['accuracy']:.3f}",
            f"{score['ece']:.3f}",
            f"{score['ece_by_chance']:.3f}" if "ece_by_chance" in score else "",
        )
        for name, tasks in scores.items()
        for task, score in tasks.items()
    ]
    heads = ("set", "task", "n", "macro-F1", "95 % interval", "accuracy", "ECE", "by chance")
    notes = "".join(f"\n\n{note}" for note in manifest.notes)
    fitted = (
        "Each part of the dev sets is scored by probabilities that were fitted on the others."
        if _held_out(manifest.scores)
        else "Temperatures, mixture and threshold were fitted on the dev sets, so their ECE "
        "flatters a little."
    )
    return (
        _table(heads, rows)
        + "\n\nIntervals: bootstrap over texts. ECE: expected calibration error of the top label, "
        f"15 equal bins; by chance: what it would be if every confidence were true. {fitted} "
        "Nothing was fitted on the gold (`tests/gold/peru.jsonl`)." + notes
    )


def _held_out(scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> bool:
    """Say whether the scores are of a calibration that left the scored part out."""
    return all("ece_by_chance" in score for tasks in scores.values() for score in tasks.values())


def _abstention(manifest: Manifest) -> str:
    fitted = ", ".join(
        f"{task} temperature {value:.2f}, lexicon weight {manifest.lexical[task]:.2f}"
        for task, value in manifest.temperatures.items()
    )
    accepted = manifest.accepted
    said = (
        f"Fitted: {fitted}. It abstains where the category's probability is under "
        f"{manifest.threshold:.2f}"
    )
    if accepted:
        said += (
            f": on the dev sets it then answers {accepted['share']:.1%} of the texts and is right "
            f"in {accepted['precision']:.1%} of those"
        )
    curves = _curves(manifest.measured) if manifest.measured else ""
    return f"{said}.{curves}"


def _curves(measured: Measured) -> str:
    rows: list[Sequence[str]] = [
        (name, f"{point.accepted:.0%}", f"{point.threshold:.2f}", *_precision(point))
        for name, points in measured.abstention.items()
        for point in points
    ]
    heads = ("texts", "answered", "from probability", "right", "n")
    return "\n\nHow right the category is where only the surest are answered:\n\n" + _table(
        heads, rows
    )


def _precision(point: Point) -> tuple[str, str]:
    return f"{point.precision:.1%}", f"{point.n:,}"


def _confused(manifest: Manifest) -> str:
    rows = []
    for task, labels in manifest.labels.items():
        counts = manifest.confusion[task]
        rows += [
            (sum(counts[t]), counts[t][p], task, labels[t], labels[p])
            for t in range(len(labels))
            for p in range(len(labels))
            if t != p and counts[t][p]
        ]
    rows.sort(key=lambda row: (-row[1] / row[0], row[2:]))
    kept = [row for row in rows if row[0] >= 20][:_CONFUSIONS]
    return "The commonest mistakes on the dev sets, of labels with 20 texts or more:\n\n" + _table(
        ("task", "true", "answered", "of the true", "texts"),
        [
            (task, true, said, f"{wrong / total:.0%}", f"{wrong} of {total}")
            for total, wrong, task, true, said in kept
        ],
    )


def _count(found: TextSet | None) -> str:
    return f"{found.n:,}" if found else "?"


def _digest(found: TextSet | None) -> str:
    return f"`{found.sha256[:16]}…`" if found else "?"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the card of a folder of weights; with --measure only measure it."""
    parser = argparse.ArgumentParser(prog="python -m nlp.card", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", type=Path, default=SHIPPED, help="folder of weights")
    parser.add_argument("--measure", action="store_true", help="write scores into the manifest")
    parser.add_argument("--data", type=Path, help="folder of training data, with --measure")
    parser.add_argument("--gold", type=Path, default=GOLD, help="gold texts, with --measure")
    asked = parser.parse_args(arguments)
    if asked.measure and asked.data is None:
        parser.error("--measure needs --data DIR")
    try:
        if asked.measure:
            from nlp.training.measure import measure

            found = measure(asked.data, asked.gold, asked.model)
            sys.stdout.write(f"{asked.model / 'manifest.json'}: measured on {found.on}\n")
        else:
            sys.stdout.write(model_card(read_manifest(asked.model)))
    except ManifiestaError as fault:
        sys.stderr.write(f"{fault}\n")
        return fault.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
