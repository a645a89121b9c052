"""What is known of the model that counted: the scores of its own version, never of another's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from configs.schema import Municipality
from models.errors import ModelError
from nlp.manifest import SHIPPED, Manifest, read_manifest


@dataclass(frozen=True, slots=True)
class Card:
    """Scores of the version that counted, by task; or which other version is installed.

    ``scores`` are macro-F1 with its 95 % interval and accuracy, 0 to 1, on the ``n``
    texts of the gold. They are empty where they are not at hand. ``others`` are tasks that another
    model answered, as the version names them.
    """

    version: str | None
    installed: str | None = None
    licence: str | None = None
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    n: int = 0
    others: tuple[str, ...] = ()


def card_of(version: str | None, municipality: Municipality) -> Card:
    """Return what the installed model says of itself if it is the version that counted."""
    own, *others = version.split("+") if version else ("",)
    manifest = _installed(municipality)
    if manifest is None:
        return Card(version)
    installed = f"{manifest.name}-{manifest.version}"
    if installed != own or manifest.measured is None:
        return Card(version, installed)
    tasks = {other.partition("=")[0] for other in others}
    measured = manifest.measured
    scores = {task: one for task, one in measured.gold_scores.items() if task not in tasks}
    return Card(version, installed, manifest.licence, scores, measured.gold.n, tuple(others))


def _installed(municipality: Municipality) -> Manifest | None:
    try:
        return read_manifest(municipality.model.path or SHIPPED)
    except ModelError:
        return None  # the page says that the scores are not at hand
