"""The closed vocabularies: urban categories, sentiments and intents.

The order of each tuple is the order of the model's outputs; it never changes within a
taxonomy version. Names in Spanish and English live in ``configs/taxonomy.yml``.
"""

from typing import Final

CATEGORIES: Final = (
    "transport",
    "health",
    "security",
    "economy",
    "waste",
    "environment",
    "water",
    "energy",
    "education",
    "culture",
    "social",
    "housing",
    "governance",
    "emergency",
    "digital",
    "other",
)
SENTIMENTS: Final = ("negative", "neutral", "positive")
INTENTS: Final = (
    "complaint",
    "request",
    "proposal",
    "praise",
    "question",
    "information",
    "opinion",
    "other",
)

SURE, UNSURE = CERTAINTIES = ("sure", "unsure")
"""Whether the model was sure of a category, or a person said it."""

NOWHERE = "(none)"
"""In the place of a zone's code: what speaks of none. No code is written like this."""

EVERYTHING = ""
"""In the place of a lens's code: rows that no lens filters."""

NO_SOURCE_IN_BOTH = "no source was read to the end in both windows"
NOTHING_BEFORE = "nothing was said in the earlier window"
UNLABELLED_BEFORE = (
    "{number} texts of the earlier window are not classified by this model: "
    "aggregate that window first"
)
"""Why a window cannot be set beside an earlier one."""
