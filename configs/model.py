"""Which model answers each task: the shipped weights, or any Hugging Face model."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Task = Literal["category", "sentiment", "intent"]


class HubModel(BaseModel):
    """A model of the Hugging Face Hub by repository and revision, or a local folder.

    ``labels`` maps each of its labels to one of ours. With a ``hypothesis`` it is a model of
    natural language inference that was trained for no labels: ``labels`` then maps phrases, which
    stand in place of the hypothesis's ``{}``, to ours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    revision: str | None = None
    labels: dict[str, str] = Field(min_length=1)
    hypothesis: Annotated[str, StringConstraints(pattern=r"^[^{}]*\{\}[^{}]*$")] | None = None


class ModelSpec(BaseModel):
    """The weights of the three heads, and the heads that another model replaces.

    ``path`` is a folder in the project's own format; without it the shipped weights are used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path | None = None
    tasks: dict[Task, HubModel] = {}
