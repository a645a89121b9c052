"""What an aggregation is about, and what all its rows say of it."""

from dataclasses import dataclass
from typing import Any

from configs.schema import Lens, Municipality
from models.records import Window
from pipelines.coverage import Coverage
from pipelines.facts import Recipe
from pipelines.store.facets import Basis

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """What an aggregation is about."""

    run_id: str
    municipality: Municipality
    window: Window
    model_version: str
    taxonomy_version: str
    lenses: tuple[Lens, ...] = ()

    @property
    def recipe(self) -> Recipe:
        """By what the texts are labelled."""
        return Recipe(self.municipality, self.model_version, self.taxonomy_version, self.lenses)

    @property
    def basis(self) -> Basis:
        """By what its texts are searched."""
        recipe = self.recipe
        return Basis(
            municipality=self.municipality.code,
            window=self.window,
            model_version=self.model_version,
            taxonomy_version=self.taxonomy_version,
            gazetteer=recipe.gazetteer,
            lenses=recipe.spectacles,
        )


def common_columns(subject: Counted, read: Coverage) -> Row:
    """Return what every insight row says of its run."""
    return {
        "run_id": subject.run_id,
        "municipality": subject.municipality.code,
        "window_from": subject.window.start,
        "window_to": subject.window.end,
        "model_version": subject.model_version,
        "taxonomy_version": subject.taxonomy_version,
        "sources_read": read.sources_read,
        "sources_configured": len(read.sources),
        "days_complete": len(read.complete_days),
        "days": len(subject.window.days),
    }
