"""Classify what a window holds and a model has not classified yet."""

from collections.abc import Callable, Sequence
from typing import Protocol

from configs.schema import Municipality
from models.records import Classification, Stage, State, Window
from nlp.language import IDENTIFIER, identify
from pipelines.store.read import classified_per_day, unclassified, unlabelled
from pipelines.store.write import Classified, Partition, Store

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


def identify_window(store: Store, municipality: Municipality, window: Window) -> int:
    """Label the window's texts with their language where it is not known; return how many."""
    todo = unlabelled(store.engine, municipality.code, window)
    for start in range(0, len(todo), _BATCH):
        batch = todo[start : start + _BATCH]
        languages = identify([reading(item.title, item.text) for item in batch])
        keys = [(item.manifestation_id, item.text_hash) for item in batch]
        store.save_languages(IDENTIFIER, dict(zip(keys, languages, strict=True)))
    return len(todo)


def classify_window(
    store: Store,
    run_id: str,
    municipality: Municipality,
    window: Window,
    taxonomy_version: str,
    classifier: TextClassifier,
    progress: Progress,
) -> int:
    """Classify the window's texts that lack it; return how many were classified.

    Each batch is stored as it is done, so a killed run loses one batch at most.
    """
    version = classifier.model_version
    store.set_model(run_id, version)
    identify_window(store, municipality, window)
    todo = unclassified(store.engine, municipality.code, window, version, taxonomy_version)
    progress(0, len(todo))
    for start in range(0, len(todo), _BATCH):
        batch = todo[start : start + _BATCH]
        answers = classifier.classify([reading(item.title, item.text) for item in batch])
        store.save_classifications(
            taxonomy_version,
            [
                Classified(item.manifestation_id, item.text_hash, answer)
                for item, answer in zip(batch, answers, strict=True)
            ],
        )
        progress(start + len(batch), len(todo))
    counts = classified_per_day(store.engine, municipality.code, window, version, taxonomy_version)
    store.save_partitions(
        run_id,
        [
            Partition(source, day, Stage.CLASSIFY, State.DONE, count)
            for (source, day), count in sorted(counts.items())
        ],
    )
    return len(todo)
