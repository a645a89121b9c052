"""Which model answers each task: the shipped weights, or any Hugging Face model."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

Task = Literal["category", "sentiment", "intent"]


class HubModel(BaseModel):
    """A sequence-classification model by repository and revision, or a local folder.

    ``labels`` maps each of its labels to one of ours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    revision: str | None = None
    labels: dict[str, str]


class ModelSpec(BaseModel):
    """The weights of the three heads, and the heads that another model replaces.

    ``path`` is a folder in the project's own format; without it the shipped weights are used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path | None = None
    tasks: dict[Task, HubModel] = {}
