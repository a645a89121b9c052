"""A classifier for the steps' tests: it answers by the words of a text, and may break."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.records import Classification
from tests.unit.store.builders import MODEL, answer


@dataclass
class WordClassifier:
    """Takes «agua» for a complaint about water and everything else for praise of a park."""

    model_version: str = MODEL
    batches_until_it_breaks: int | None = None
    read: list[list[str]] = field(default_factory=list)

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        if len(self.read) == self.batches_until_it_breaks:
            raise MemoryError("the model does not fit")
        self.read.append(list(texts))
        return [self._answer(text) for text in texts]

    def _answer(self, text: str) -> Classification:
        if text.casefold().startswith("eso"):
            return answer("other", "negative", "opinion", abstained=True, model=self.model_version)
        if "agua" in text.casefold():
            return answer("water", "negative", "complaint", model=self.model_version)
        return answer("environment", "positive", "praise", model=self.model_version)


def quiet(_done: int, _total: int) -> None:
    """Show no progress."""
