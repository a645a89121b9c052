"""Read a folder of weights: the manifest, and whether the files are those it names."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import ModelError
from nlp.checksum import file_sha256
from nlp.quantify import Errors
from nlp.tasks import TASKS

SHIPPED = Path(__file__).parent / "weights"


class TextSet(BaseModel):
    """A set of labelled texts: how many, and the SHA-256 of the cleaned texts in order."""

    model_config = ConfigDict(frozen=True)

    n: int
    sha256: str


class Point(BaseModel):
    """One point of the abstention curve: the accepted share of texts and how right they are."""

    model_config = ConfigDict(frozen=True)

    threshold: float
    accepted: float
    precision: float
    n: int


class Measured(BaseModel):
    """What `python -m nlp.card --measure` adds: the data, and scores on the gold texts."""

    model_config = ConfigDict(frozen=True)

    on: date
    commit: str | None
    trained_on: dict[str, TextSet]
    dev: dict[str, TextSet]
    gold: TextSet
    gold_scores: dict[str, dict[str, float]]
    abstention: dict[str, list[Point]]


class Domains(BaseModel):
    """How much a task's errors differ between domains; see `nlp.quantify.Errors`."""

    model_config = ConfigDict(frozen=True)

    concentration: float
    effective: list[float]


class Manifest(BaseModel):
    """What a model says about itself; see `manifest.json` beside the weights."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    version: str
    licence: str
    seed: int
    max_tokens: int
    labels: dict[str, list[str]]
    files: dict[str, str]
    temperatures: dict[str, float]
    lexical: dict[str, float]
    threshold: float
    confusion: dict[str, list[list[int]]]
    domains: dict[str, Domains] = {}
    trained_on: list[str] = []
    recipe: dict[str, Any] = {}
    scores: dict[str, dict[str, dict[str, float]]] = {}
    accepted: dict[str, float] = {}
    notes: list[str] = []
    measured: Measured | None = None

    @property
    def errors(self) -> dict[str, Errors]:
        """What is known of the errors of each task, for `nlp.quantify.correct_shares`."""
        return {
            task: Errors(
                counts,
                self.domains[task].concentration if task in self.domains else None,
                self.domains[task].effective if task in self.domains else (),
            )
            for task, counts in self.confusion.items()
        }


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a folder of weights, without reading the weights.

    Raises ModelError where it is missing, is no valid manifest, or names other labels.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        raise ModelError(
            f"no manifest.json in {folder}: name a folder of weights made by the training, "
            "or leave the path out to use the shipped weights"
        )
    try:
        manifest = Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as fault:
        raise ModelError(f"{path} is no valid manifest: {fault}; train or copy it again") from fault
    for task, labels in TASKS.items():
        if manifest.labels.get(task) != list(labels):
            raise ModelError(
                f"{path}: its {task} labels differ from this version's; train the model again"
            )
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file that the manifest names with its SHA-256.

    Raises ModelError naming the file that is missing or differs.
    """
    for name, wanted in manifest.files.items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise ModelError(f"{path} is missing: copy the whole folder of weights again")
        found = file_sha256(path)
        if found != wanted:
            raise ModelError(
                f"{path} is damaged or was changed: its SHA-256 is {found}, the manifest says "
                f"{wanted}; copy the folder of weights again"
            )
