"""Classify what a window holds and a model has not classified yet."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Protocol

from configs.schema import Municipality
from models.records import Classification, Stage, State, Window
from nlp.language import IDENTIFIER, identify
from pipelines.store.ledger import classified_digests
from pipelines.store.read import (
    Unclassified,
    titles_and_texts,
    unclassified,
    unlabelled,
)
from pipelines.store.write import Classified, Partition, Store

_APART = "[SEP]"  # what stands between a text and the reply to it, as the model's vocabulary has it
_BATCH = 512  # texts that a killed run may have to classify again

Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""


class TextClassifier(Protocol):
    """What this step needs of a model."""

    @property
    def model_version(self) -> str:
        """The version that its classifications carry."""
        ...

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Classify texts, in their order."""
        ...


def reading(title: str | None, text: str) -> str:
    """Return what the model reads: the title opens the text, unless the text repeats it."""
    if not title:
        return text
    stem = " ".join(title.rstrip(".… ").split()).casefold()
    if " ".join(text.split()).casefold().startswith(stem):
        return text
    return f"{title.rstrip('. ')}. {text}" if text else title


def joined(parent: str, reply: str) -> str:
    """Return what the model reads when it reads a reply together with what it answers."""
    return f"{parent} {_APART} {reply}"


def identify_window(
    store: Store,
    municipality: Municipality,
    window: Window,
    sources: Collection[str] | None = None,
) -> int:
    """Label the window's texts with their language where it is not known; return how many."""
    done = 0
    todo = unlabelled(store.engine, municipality.code, window).of(sources)
    for batch in todo.pages(_BATCH):
        languages = identify([reading(item.title, item.text) for item in batch])
        keys = [(item.manifestation_id, item.text_hash) for item in batch]
        store.save_languages(IDENTIFIER, dict(zip(keys, languages, strict=True)))
        done += len(batch)
    return done


def _in_context(
    store: Store,
    municipality: Municipality,
    classifier: TextClassifier,
    batch: Sequence[Unclassified],
    answers: Sequence[Classification],
) -> list[Classification]:
    """Take the category of a reply that alone is unsure from what it replies to and it together.

    Sentiment and intent stay those of the reply alone: read together, the parent's drown them
    (measured in docs/model-ablation.md).
    """
    found = list(answers)
    asked = {
        at: item.parent_id
        for at, item in enumerate(batch)
        if answers[at].abstained and item.parent_id is not None
    }
    parents = titles_and_texts(store.engine, municipality.code, asked.values()) if asked else {}
    known = [at for at, parent in asked.items() if parent in parents]
    if not known:
        return found
    texts = [
        joined(reading(*parents[asked[at]]), reading(batch[at].title, batch[at].text))
        for at in known
    ]
    for at, together in zip(known, classifier.classify(texts), strict=True):
        found[at] = replace(
            answers[at], categories=together.categories, abstained=together.abstained
        )
    return found


def classify_window(
    store: Store,
    run_id: str,
    municipality: Municipality,
    window: Window,
    taxonomy_version: str,
    classifier: TextClassifier,
    progress: Progress,
    sources: Collection[str] | None = None,
) -> int:
    """Classify the window's texts that lack it; return how many were classified.

    Each batch is stored as it is done, so a killed run loses one batch at most. With ``sources``
    only what they gave is looked at.
    """
    version = classifier.model_version
    store.set_model(run_id, version)
    identify_window(store, municipality, window, sources)
    todo = unclassified(store.engine, municipality.code, window, version, taxonomy_version)
    todo = todo.of(sources)
    done, total = 0, todo.count()
    progress(done, total)
    for batch in todo.pages(_BATCH):
        answers = classifier.classify([reading(item.title, item.text) for item in batch])
        answers = _in_context(store, municipality, classifier, batch, answers)
        store.save_classifications(
            taxonomy_version,
            [
                Classified(item.manifestation_id, item.text_hash, answer)
                for item, answer in zip(batch, answers, strict=True)
            ],
        )
        done += len(batch)
        progress(done, total)
    engine, code = store.engine, municipality.code
    left = classified_digests(engine, code, window, version, taxonomy_version)
    made_with = f"{version} {taxonomy_version}"
    store.save_partitions(
        run_id,
        [
            Partition(source, day, Stage.CLASSIFY, State.DONE, rows, None, made_with, digest)
            for (source, day), (rows, digest) in sorted(left.items())
            if sources is None or source in sources
        ],
    )
    return done
