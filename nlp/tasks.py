"""The three tasks of the classifier and the labels of each, in the order of its outputs."""

from __future__ import annotations

from models.labels import CATEGORIES, INTENTS, SENTIMENTS

TASKS: dict[str, tuple[str, ...]] = {
    "category": CATEGORIES,
    "sentiment": SENTIMENTS,
    "intent": INTENTS,
}
