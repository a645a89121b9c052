"""What is known of the model that counted: the scores of its own version, never of another's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from configs.schema import Municipality
from models.errors import ModelError
from nlp.manifest import SHIPPED, Manifest, TextSet, read_manifest


@dataclass(frozen=True, slots=True)
class Card:
    """Scores of the version that counted, by task; or which other version is installed.

    ``scores`` are macro-F1 with its 95 % interval and accuracy, 0 to 1, on the ``n``
    texts of the gold. They are empty where they are not at hand. ``others`` are tasks that another
    model answered, as the version names them. ``trained_on`` are its sets of texts, ``files`` the
    SHA-256 of its files.
    """

    version: str | None
    installed: str | None = None
    licence: str | None = None
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    n: int = 0
    others: tuple[str, ...] = ()
    trained_on: Mapping[str, TextSet] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def card_of(
    version: str | None, municipality: Municipality, kept: Mapping[str, Any] | None = None
) -> Card:
    """Return what the model said of itself when it counted, or the installed one if it is that.

    Args:
        version: the version that counted.
        municipality: whose model is looked for where nothing was kept.
        kept: the manifest that was kept when it counted, as JSON.
    """
    own, *others = version.split("+") if version else ("",)
    manifest = _understood(kept) if kept else _installed(municipality)
    if manifest is None:
        return Card(version)
    installed = f"{manifest.name}-{manifest.version}"
    if installed != own or manifest.measured is None:
        return Card(version, installed)
    tasks = {other.partition("=")[0] for other in others}
    measured = manifest.measured
    return Card(
        version=version,
        installed=installed,
        licence=manifest.licence,
        scores={task: one for task, one in measured.gold_scores.items() if task not in tasks},
        n=measured.gold.n,
        others=tuple(others),
        trained_on=measured.trained_on,
        files=manifest.files,
    )


def _understood(kept: Mapping[str, Any]) -> Manifest | None:
    try:
        return Manifest.model_validate(kept)
    except ValidationError:
        return None  # of a version that wrote manifests in another form


def _installed(municipality: Municipality) -> Manifest | None:
    try:
        return read_manifest(municipality.model.path or SHIPPED)
    except ModelError:
        return None  # the page says that the scores are not at hand
